"""Every public callable has a door: a table or a test of refusals that names it, or a reason why it needs none."""

import ast
import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

import jaxneuro as jn

TESTS = Path(__file__).parents[1]
# Namespaces of parts that are re-exported for the package itself; what a user types of them is in `jaxneuro` too.
INNER = {"connectivity", "models", "synapses"}

REASONS = {
    "made by a call, never by a user": """Bifurcation Branch Boundary BumpMotion Classification Damage Decoded Density
        Diffusion DiffusionResponse Explanation FitResult FixedPoints GradientAudit HopfieldRecall LifResponse
        LinearModes Lyapunov Modes NetworkGain Nullclines OUMoments Oscillation PhaseMap PhaseResponse PoincareSection
        PoissonInput PowerSpectrum Release Rheobase RingBump RingRegime RingTracking RingTuning Segments
        SlowPoints Stabilisation State States Stability StronglyCoupled SpikeEvents Thresholds TimeAxis Trained Trials
        VoltageClamp Wiring Solution Result RateDistribution MeanField BinaryMeanField Hopf Autocovariance Synchrony
        CountMoments IntervalMoments WindowCounts Afferent Afferents EffectiveInput Recorded Window Layout Lookout
        Firing Input Received Moments LeakyMembrane StepConstants SpikeEffect SpikeStream WhiteCurrent DecayingCurrent
        Kinetics FitCode TracedNeuron CriticalHeterogeneity NeuronSample Released
        FieldGrowth FieldInstability SpatialBalance Recording Signal""",
    "a warning": "IdentifiabilityWarning OutsideTheoryWarning ShortRunWarning SweepWarning TrainingWarning",
    "takes no number": """AtRest Dense Direct Exact ExactJump EulerMaruyama ExponentialEuler FFT FirstOrderJump Forward
        CrankNicolson GaussianCounts Hard ImplicitEuler InsideSteps LowRank PoissonCounts Procedural RungeKutta4 Soft
        SpikeSource SDIRK2 StraightThrough Zero Unbounded Positive Boxcar Hann EffectiveNoise ItoNoise StratonovichNoise
        Stratonovich Ito ShotNoise Sequential Parallel FullResponse StrongCoupling Crossings LongFilter ShortFilter
        JumpsOver Leapover""",
    "the command line, which tests/cli gives bad input": "build_parser main",
    "hands its arguments to a class that has a door": "traub_miles draw_state",
    "takes what a fit returns": "leave_one_out fits_as_json",
    "a description that is checked at the run": "Nodes Scope Watch",
    "settings of a solver of another package, which checks them": "QuasiNewton",
    "a check, or a tool for the checks of one's own parts": """check_count check_finite check_key check_lags
        check_nonnegative check_positive check_segments check_yes_or_no checked_adjoint checked_pair is_concrete
        violates as_leaf as_inhibitory are_valid watched read_numbers""",
    "the base of what prints its values": "Shown",
    "a figure without data, or a word for one": "label pyplot kind_colour style",
    "averages of arrays that a run made": "max_potential mean_potential",
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


def words(node: ast.AST) -> set[str]:
    """Every name and attribute in a piece of code."""
    nodes = list(ast.walk(node))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def refused(path: Path) -> set[str]:
    """What the tests of a file call where they expect a sentence: under `raises(ValueError)`, in the parameters of such
    a test, and in the tables and helpers of the file that these name."""
    tree, found = ast.parse(path.read_text()), set()
    for test in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        expecting = [node for node in ast.walk(test) if isinstance(node, ast.With) and expects_refusal(node)]
        for node in [*expecting, *(test.decorator_list if expecting else ())]:
            found |= words(node)
    known = {name: words(node) for node in tree.body for name in defined(node)}
    left = list(found)
    while left:
        more = known.get(left.pop(), set()) - found
        found |= more
        left.extend(more)
    return found


def expects_refusal(node: ast.With) -> bool:
    """Whether the block runs under `pytest.raises(ValueError)`, or of it and others."""
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    return any("raises" in words(call.func) and "ValueError" in words(call) for call in calls)


def defined(node: ast.stmt) -> list[str]:
    """The names that a statement of a file defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    return [target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)]


def refusing_words() -> set[str]:
    """What any test hands something wrong: all of the tables of the doors, and `refused` of every other file."""
    doors = [path for path in Path(__file__).parent.glob("*.py") if path != Path(__file__)]
    found = [words(ast.parse(path.read_text())) | texts(path) for path in doors]
    return set().union(*found, *(refused(path) for path in TESTS.rglob("test_*.py") if path not in doors))


def texts(path: Path) -> set[str]:
    """Names that stand in strings of a table, such as those of the channels."""
    nodes = ast.walk(ast.parse(path.read_text()))
    found = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return {text for text in found if text.isidentifier()}


def test_every_public_callable_has_a_door_or_a_reason():
    names, words = public(), refusing_words()
    reasons = {name for listed in REASONS.values() for name in listed.split()}
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
