"""What neurons receive: matched inhibition, correlated sources, tuned excitation and inhibition, and their lag."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

import jaxneuro as jn
from jaxneuro.connectivity import MatchedWeight

from ._rates import STRENGTH

# Currents below this share of the mean have no logarithm that is worth a look: weights of both signs nearly cancel.
LEAST = 0.05
SOURCES, KICK, TAU = 100, 0.2, 20.0
# Rate [Hz] of a source, correlation, threshold [mV]: two free potentials and two that fire.
FREE = {"c = 0": (10.0, 0.0, 1e4), "c = 0.05": (10.0, 0.05, 1e4)}
SHIFT = {"c = 0.2, 10 Hz": (10.0, 0.2, 20.0), "c = 0, 40 Hz": (40.0, 0.0, 20.0)}
# SDs [deg] of excitation and inhibition, and how much of the latter is taken away.
SD_E, SDS_I, SHARE = 20.0, (20.0, 40.0), 0.8
# A stimulus passes all preferred angles in this time [ms].
PERIOD, ROUNDS, MAX_LAG = 400.0, 3, 30.0
DT = 0.1
Currents = Float[np.ndarray, "2 n"]


def matching(n_e: int, c_e: int, *, matched: bool, alpha: float = 1.2, seed: int = 0) -> Currents:
    """Currents of E and I to each excitatory neuron, in units of their means, at equal rates of all sources."""
    net = jn.networks.wardak_gong(alpha=alpha, j=STRENGTH / c_e, c_e=c_e, c_i=c_e // 4, n_e=n_e, n_i=n_e // 4, tol=1e-3)
    if not matched:
        excitation, inhibition = net.projections
        assert isinstance(inhibition.weight, MatchedWeight)
        alone = jn.Projection(
            "I",
            ("E", "I"),
            inhibition.synapse,
            weight=inhibition.weight.law,
            connectivity=inhibition.connectivity,
            delay=1.5,
        )
        net = jn.Network(net.populations, [excitation, alone], net.drives)
    wiring = jn.wire(net, key=jax.random.key(seed))
    in_degrees = {"E": c_e, "I": c_e // 4}  # weights of a wiring are in units of their mean
    return np.array([np.asarray(wiring.as_matrix(k, "E"), float).sum(axis=1) / c for k, c in in_degrees.items()])


def log_spread(currents: Currents) -> tuple[float, int]:
    """The SD of log(E/I) over neurons, and how many have both above the least."""
    both = currents[:, (currents > LEAST).all(axis=0)]
    return float(np.std(np.log(both[0] / both[1]))), both.shape[1]


def skewness_of_shots(rate: float, c: float) -> float:
    """Of the free potential: kicks K at the rate of the mother train, cumulants k are that rate times tau <K^k>/k."""
    n = SOURCES
    if c == 0.0:
        mothers, second, third = n * rate, 1.0, 1.0
    else:
        mothers, p = rate / c, c
        second = n * p * (1.0 - p) + (n * p) ** 2
        third = n * p * (1.0 - p) * (1.0 - 2.0 * p) + 3.0 * n * p * n * p * (1.0 - p) + (n * p) ** 3
    expected = mothers * TAU / 1000.0
    return expected * third / 3.0 / (expected * second / 2.0) ** 1.5


@dataclass(frozen=True)
class Potential:
    """Of one drive: the skewness over time, the rate [Hz], and potentials [mV] of some neurons, one a millisecond."""

    skewness: float
    rate: float
    v: Float[np.ndarray, "time neurons"]


def potential(rate: float, c: float, v_th: float, *, n: int, duration: float, seed: int = 0) -> Potential:
    """Neurons under correlated sources; with a threshold out of reach they are free."""
    drive = jn.CorrelatedPoissonDrive("E", jn.DeltaCurrent(), weight=KICK, n_sources=SOURCES, rate=rate, correlation=c)
    neuron = jn.LIF(v_rest=0.0, v_th=v_th, v_reset=10.0, t_ref=2.0, tau_m=TAU)
    net = jn.Network({"E": jn.Population(neuron, n)}, drives=[drive])
    record = {
        "skewness": jn.record.VoltageSkewness("E", start=100.0),
        "rate": jn.record.Rate("E", start=100.0),
        "v": jn.record.Trace("E.v", neurons=slice(0, 40), every=5, start=100.0),
    }
    sol = jn.simulate(net, 0.0, 100.0 + duration, dt=0.2, key=jax.random.key(seed), record=record)
    return Potential(float(sol["skewness"]["E"]), float(np.mean(sol["rate"]["E"])), np.asarray(sol["v"]))


def tuned(angle: Float[np.ndarray, "angles"], sd_i: float) -> Float[np.ndarray, "angles"]:
    """Excitation less inhibition, rectified, at an angle [deg] from the preferred one, where they are 1 and 0.8."""
    net = np.exp(-0.5 * (angle / SD_E) ** 2) - SHARE * np.exp(-0.5 * (angle / sd_i) ** 2)
    return np.maximum(net, 0.0)


def half_width(sd_i: float) -> float:
    """Where that is half as high as at the top [deg].

    With u = exp(-x^2/(2 sd_i^2)) it is u^k - 0.8 u = 0.1, k = (sd_i/sd_E)^2, a polynomial where k is a whole number.
    """
    k = round((sd_i / SD_E) ** 2)
    coefficients = np.zeros(k + 1)
    coefficients[0] = 1.0
    coefficients[-2] -= SHARE
    coefficients[-1] = -0.5 * (1.0 - SHARE)
    roots = np.roots(coefficients)
    u = roots.real[(abs(roots.imag) < 1e-9) & (roots.real > 0.0) & (roots.real < 1.0)]
    return float(sd_i * np.sqrt(-2.0 * np.log(u.max())))


@dataclass(frozen=True)
class Lagging:
    """Each neuron's lag of g_I behind g_E [ms], correlations by lag, and both conductances about the preferred time."""

    lag: Float[np.ndarray, "neurons"]
    lags: Float[np.ndarray, "lags"]
    correlation: Float[np.ndarray, "lags"]
    time: Float[np.ndarray, "time"]
    conductance: dict[str, Float[np.ndarray, "time"]]


def _over_angles(n_post: int, n_pre: int, sd: float) -> Float[np.ndarray, "post pre"]:
    """Gaussian of the difference of preferred angles, around 180 deg, 1 at its top."""
    away = np.arange(n_post)[:, None] * 180.0 / n_post - np.arange(n_pre) * 180.0 / n_pre
    return np.exp(-0.5 * ((((away + 90.0) % 180.0) - 90.0) / sd) ** 2)


def lagging(n: int = 120, rounds: int = ROUNDS, seed: int = 0) -> Lagging:
    """E and I around the angles: E drives E and I, I inhibits E, and a stimulus to E passes all angles."""
    fast = jn.RiseDecayConductance(tau_rise=0.5, tau_decay=4.0, reversal=70.0)
    slow = jn.RiseDecayConductance(tau_rise=1.0, tau_decay=8.0, reversal=-10.0)
    sizes = {"E": n, "I": n // 2}
    rest: dict[str, Any] = dict(v_rest=0.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    own = {name: jn.Population(jn.LIF(tau_m=20.0 if name == "E" else 10.0, **rest), m) for name, m in sizes.items()}
    # The peak conductance of a spike, relative to leak: alike in sum whatever the number of neurons.
    projections = [
        jn.Projection(
            pre,
            post,
            synapse,
            weight=peak / sizes[pre],
            connectivity=jn.Weights(_over_angles(sizes[post], sizes[pre], sd)),
            delay=1.5,
        )
        for pre, post, synapse, peak, sd in (
            ("E", "E", fast, 6.0, 20.0),
            ("E", "I", fast, 8.0, 20.0),
            ("I", "E", slow, 4.0, 40.0),
        )
    ]
    net = jn.Network(own, projections, [jn.WhiteNoiseDrive(("E", "I"), mu=5.0, sigma=4.0)])
    steps, warm_up = round((rounds + 1) * PERIOD / DT), PERIOD
    at = (np.arange(steps) * DT / PERIOD * 180.0)[:, None] - np.arange(n) * 180.0 / n
    stimulus = {"E": 25.0 * np.exp(-0.5 * ((((at + 90.0) % 180.0) - 90.0) / SD_E) ** 2)}
    names = {kind: f"E.input.conductance.{kind}" for kind in "EI"}
    record = {
        "lag": jn.record.Lag(*names.values(), max_lag=MAX_LAG, every=5, each=True, start=warm_up),
        **{kind: jn.record.Trace(name, every=5, start=warm_up) for kind, name in names.items()},
    }
    sol = jn.simulate(net, 0.0, steps * DT, dt=DT, key=jax.random.key(seed), stimulus=stimulus, record=record)
    time, around = _about_preferred({kind: np.asarray(sol[kind]) for kind in names}, n)
    correlation = np.nanmean(np.asarray(sol.counts["lag"]), axis=1)
    return Lagging(np.asarray(sol["lag"]), np.asarray(sol.lags["lag"]), correlation, time, around)


def _about_preferred(traces: dict[str, np.ndarray], n: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The mean over neurons and rounds, of time since the stimulus was at the preferred angle of each [ms]."""
    per_round = round(PERIOD / (5 * DT))
    back = [round(i / n * per_round) - per_round // 2 for i in range(n)]
    means = {}
    for kind, values in traces.items():
        rounds = values.reshape(-1, per_round, n).mean(axis=0)
        means[kind] = np.mean([np.roll(rounds[:, i], -back[i]) for i in range(n)], axis=0)
    return (np.arange(per_round) - per_round // 2 + 1) * 5 * DT, means
