"""From strong coupling to none, by multiple starts; then the deviance of other conductances."""

import warnings
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import jaxneuro as jn
from jaxneuro import FitResult
from jaxneuro._fit import text_table
from jaxneuro.recordings import TracedNeuron, VoltageTrace

SPIKING, SILENT = "hh_trace_spiking", "hh_trace_silent"
TRUE = {"neuron.g_na": 120.0, "neuron.g_k": 36.0, "neuron.g_l": 0.3, "neuron.e_l": -54.4}
NOISE = 1.0  # mV
DT, EVERY, STEPS = 0.025, 4, 2_400
COUPLINGS = (3.0, 0.3, 0.03, 0.0)


@dataclass(frozen=True)
class Twin:
    """Another set of conductances, and how it differs from the best one on a trace."""

    params: dict[str, float]
    rms_apart: float
    deviance: float
    model: TracedNeuron


@dataclass(frozen=True)
class Study:
    """The fits of a trace with spikes and of one without, the traces, and a twin of each fit with g_Na held 20% off."""

    fits: dict[str, FitResult]
    traces: dict[str, VoltageTrace]
    noise: dict[str, tuple[float, float, float]]
    twins: dict[str, Twin]


def make_trace(amplitude: float, seed: int, noise: float = NOISE, noise_seed: int | None = None) -> VoltageTrace:
    """The potential of the squid axon under a rough current of a given size [uA/cm2], with white noise [mV].

    A `noise_seed` draws other noise onto the same potential.
    """
    rng = np.random.default_rng(seed)
    time = DT * np.arange(STEPS)
    rough = np.cumsum(rng.normal(size=STEPS)) * np.sqrt(DT)
    current = amplitude * (1.0 + 0.5 * np.sin(0.21 * time) + 0.15 * rough)
    model = TracedNeuron(jn.HodgkinHuxley())
    clean = VoltageTrace(np.zeros(STEPS // EVERY), current, dt=DT, every=EVERY)
    v = np.asarray(jax.jit(TracedNeuron.potential)(model, clean))
    if noise_seed is not None:
        rng = np.random.default_rng([seed, noise_seed])
    return VoltageTrace(v + noise * rng.normal(size=v.shape), current, dt=DT, every=EVERY)


def _start() -> TracedNeuron:
    return TracedNeuron(jn.HodgkinHuxley(g_na=80.0, g_k=50.0, g_l=0.5, e_l=-60.0), coupling=COUPLINGS[0])


def fit_trace(data: VoltageTrace, starts: int, key: Array) -> FitResult:
    """The best of `starts` fits, followed from strong coupling to none."""
    model, result = _start(), None
    for coupling in COUPLINGS:
        model = eqx.tree_at(lambda m: m.coupling, model, jnp.asarray(coupling))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the table says what the data cannot tell
            result = jn.fit(model, data, starts=starts if coupling == COUPLINGS[0] else 1, spread=0.4, key=key)
        model = result.model
    assert result is not None
    return result


def noise_of(fit: FitResult, data: VoltageTrace) -> tuple[float, float, float]:
    """The standard deviation of the noise [mV] with its 95% interval, by the chi-squared law of the residuals."""
    r = np.asarray(fit.model.residuals(data))
    free = r.size - len(fit.params)
    sd = float(np.sqrt(np.sum(r**2) / free))
    relative = 1.96 / np.sqrt(2 * free)
    return sd, sd * np.exp(-relative), sd * np.exp(relative)


def twin_of(fit: FitResult, data: VoltageTrace) -> Twin:
    """The best fit with g_Na held 20% above the fitted value."""
    held = 1.2 * fit.params["neuron.g_na"]
    model = eqx.tree_at(lambda m: m.neuron.g_na, fit.model, jnp.asarray(held))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        other = jn.fit(model, data, free=["neuron.g_k", "neuron.g_l", "neuron.e_l"], starts=1)
    apart = np.asarray(fit.model.potential(data) - other.model.potential(data))
    squares = [float(np.sum(np.asarray(f.model.residuals(data)) ** 2)) for f in (fit, other)]
    deviance = (squares[1] - squares[0]) / noise_of(fit, data)[0] ** 2
    return Twin({"neuron.g_na": held, **other.params}, float(np.sqrt(np.mean(apart**2))), deviance, other.model)


def run(starts: int = 6, seed: int = 0) -> Study:
    """Fits a trace with spikes and one without."""
    traces = {SPIKING: make_trace(9.0, seed), SILENT: make_trace(1.0, seed + 1)}
    key = jax.random.key(seed)
    fits = {name: fit_trace(trace, starts, key) for name, trace in traces.items()}
    noise = {name: noise_of(fits[name], traces[name]) for name in fits}
    twins = {name: twin_of(fits[name], traces[name]) for name in fits}
    return Study(fits, traces, noise, twins)


def report(study: Study) -> str:
    """Everything as text."""
    lines = [f"CONDUCTANCES FROM ONE VOLTAGE TRACE of {STEPS * DT:g} ms, made with {NOISE:g} mV of noise"]
    for name, title in ((SPIKING, "with spikes"), (SILENT, "without spikes")):
        fit, twin = study.fits[name], study.twins[name]
        rows = [
            [
                key.removeprefix("neuron."), f"{TRUE[key]:g}", f"{fit.params[key]:.4g}",
                "{:.4g} to {:.4g}".format(*fit.ci95[key]), f"{twin.params[key]:.4g}",
            ]
            for key in TRUE
        ]  # fmt: skip
        sd, low, high = study.noise[name]
        rows.append(["noise, mV", f"{NOISE:g}", f"{sd:.4g}", f"{low:.4g} to {high:.4g}", ""])
        table = text_table(["parameter", "true", "fitted", "95% interval", "twin"], rows)
        verdict = "the trace tells them apart" if twin.deviance > 3.84 else "the trace cannot tell them apart"
        lines.append(
            f"{title}:\n{table}\nThe twin, with g_Na held 20% off and the rest fitted again, is "
            f"{twin.rms_apart:.3g} mV away; its deviance is {twin.deviance:.3g} (3.84 at 95%): {verdict}."
        )
    return "\n\n".join(lines)
