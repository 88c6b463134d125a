"""Every public callable has a door: a table or a test of refusals that names it, or a reason why it needs none."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import jaxneuro as jn

TESTS = Path(__file__).parents[1]
# Namespaces of parts that are re-exported for the package itself; what a user types of them is in `jaxneuro` too.
INNER = {"connectivity", "models", "synapses"}

REASONS = {
    "made by a call, never by a user": """Bifurcation Branch Boundary BumpMotion Classification Damage Decoded Density
        Diffusion DiffusionResponse FitResult FixedPoints GradientAudit HopfieldRecall LifResponse
        LinearModes Lyapunov Modes NetworkGain Nullclines OUMoments Oscillation PhaseMap PhaseResponse PoincareSection
        PoissonInput PowerSpectrum Release Rheobase RingBump RingRegime RingTracking RingTuning Segments SlowPoints
        Stabilisation State States Stability StronglyCoupled SpikeEvents Thresholds TimeAxis Trained Trials
        VoltageClamp Wiring Solution Result RateDistribution MeanField BinaryMeanField Hopf Autocovariance Synchrony
        CountMoments IntervalMoments WindowCounts Afferent Afferents EffectiveInput Recorded Window Layout Lookout
        Firing Input Received Moments LeakyMembrane StepConstants SpikeEffect SpikeStream WhiteCurrent DecayingCurrent
        Kinetics FitCode TracedNeuron CriticalHeterogeneity NeuronSample""",
    "a warning": "IdentifiabilityWarning OutsideTheoryWarning ShortRunWarning TrainingWarning",
    "takes no number": """AtRest Dense Direct Exact ExactJump EulerMaruyama ExponentialEuler FFT FirstOrderJump Forward
        CrankNicolson GaussianCounts Hard ImplicitEuler InsideSteps LowRank PoissonCounts Procedural RungeKutta4 Soft
        SpikeSource StraightThrough Zero Unbounded Positive Boxcar Hann EffectiveNoise ItoNoise StratonovichNoise
        Stratonovich Ito ShotNoise Sequential Parallel FullResponse StrongCoupling""",
    "the command line, which tests/cli gives bad input": "build_parser main",
    "hands its arguments to a class that has a door": "traub_miles draw_state",
    "takes what a fit returns": "leave_one_out fits_as_json",
    "a description that is checked at the run": "Nodes Scope Watch",
    "settings of a solver of another package, which checks them": "QuasiNewton",
    "a check, or a tool for the checks of one's own parts": """check_count check_finite check_key check_lags
        check_nonnegative check_positive check_segments checked_adjoint checked_pair is_concrete
        violates as_leaf as_inhibitory are_valid watched read_numbers""",
    "mathematics on arrays that a call has checked": """autocovariance_of crossing fano_of fire frequencies_of
        gauss_legendre log_normal_mass normal_numbers pack relaxation rates spectral_density step_keys synchrony_of
        unpack wright_omega""",
}


def public() -> dict[str, str]:
    """{name: where} of all public callables."""
    import_module("jaxneuro.cli")  # which some other test may have imported, or not
    found = {}
    modules = [jn, *(v for n in dir(jn) if not n.startswith("_") and isinstance(v := getattr(jn, n), ModuleType))]
    for module in modules:
        where = module.__name__.rsplit(".", 1)[-1]
        for name in dir(module):
            value = getattr(module, name)
            ours = str(getattr(value, "__module__", "")).startswith("jaxneuro")
            if where not in INNER and not name.startswith("_") and callable(value) and ours:
                found.setdefault(name, where)
    return found


def refusing_text() -> str:
    """The tests that refuse something: those of the doors, and files that expect a `ValueError`."""
    texts = [path.read_text() for path in sorted(TESTS.rglob("test_*.py")) if path != Path(__file__)]
    doors = [path.read_text() for path in sorted(Path(__file__).parent.glob("*.py")) if path != Path(__file__)]
    return "\n".join(doors + [text for text in texts if "raises(ValueError" in text])


def test_every_public_callable_has_a_door_or_a_reason():
    names, text = public(), refusing_text()
    reasons = {name for listed in REASONS.values() for name in listed.split()}
    words = set(re.findall(r"\w+", text))
    open_doors = []
    for name, where in names.items():
        value = getattr(jn if where == "jaxneuro" else getattr(jn, where), name)
        abstract = inspect.isclass(value) and name.startswith("Abstract")
        if not abstract and name not in words and name not in reasons:
            open_doors.append(f"{where}.{name}")
    assert not open_doors, f"no test refuses anything of {open_doors}: add them to tests/doors/calls.py"


def test_no_reason_is_left_over():
    reasons = [name for listed in REASONS.values() for name in listed.split()]
    assert len(reasons) == len(set(reasons))
    known = set(public()) | {name for inner in INNER for name in dir(import_module(f"jaxneuro.{inner}"))}
    left_over = sorted(set(reasons) - known)
    assert not left_over, f"{left_over} are no public names any more"
