"""A gamma rhythm of excitation and inhibition, in which excitation leads."""

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

import jaxneuro as jn

WARM_UP, DT, BIN, LONGEST = 200.0, 0.05, 0.25, 15.0
N_E, N_I = 800, 200


@dataclass(frozen=True)
class Gamma:
    """Rates [Hz] of both populations over time [ms], their cross-correlation by lag [ms], lag and frequency [Hz]."""

    time: Float[np.ndarray, "time"]
    rate: dict[str, Float[np.ndarray, "time"]]
    lags: Float[np.ndarray, "lags"]
    correlation: Float[np.ndarray, "lags"]
    lag: float
    frequency: float


def gamma(measured: float = 1_000.0, seed: int = 0) -> Gamma:
    """E under noise drives I, which has no other input, and I inhibits both: the rhythm is that of the loop."""
    neuron = jn.LIF(tau_m=20.0, v_rest=-70.0, v_th=-55.0, v_reset=-70.0, t_ref=2.0)
    start = jn.UniformPotential(-70.0, -55.0)
    populations = {name: jn.Population(neuron, n, initial=start) for name, n in (("E", N_E), ("I", N_I))}
    fast = jn.RiseDecayConductance(tau_rise=0.5, tau_decay=2.0, reversal=0.0)
    slow = jn.RiseDecayConductance(tau_rise=0.5, tau_decay=7.0, reversal=-80.0)
    projections = [
        jn.Projection("E", "I", fast, weight=0.1, connectivity=jn.FixedInDegree(80), delay=1.0),
        jn.Projection("I", ("E", "I"), slow, weight=0.10, connectivity=jn.FixedInDegree(40), delay=1.0),
    ]
    net = jn.Network(populations, projections, drives=[jn.WhiteNoiseDrive("E", mu=25.0, sigma=4.0)])
    record = {"rate": jn.record.PopulationRate("E", "I", width=BIN, start=WARM_UP)}
    sol = jn.simulate(net, 0.0, WARM_UP + measured, dt=DT, key=jax.random.key(seed), record=record)
    rate = {name: np.asarray(sol["rate"][name], float) for name in "EI"}
    e, i = (x - x.mean() for x in rate.values())
    far = round(LONGEST / BIN)
    inner = slice(far, len(e) - far)
    each = [np.mean(e[inner] * i[far + k : len(i) - far + k]) for k in range(-far, far + 1)]
    correlation = np.array(each) / (e.std() * i.std())
    lags = np.arange(-far, far + 1) * BIN
    power = np.abs(np.fft.rfft(e)) ** 2
    frequency = 1_000.0 * np.argmax(power) / (len(e) * BIN)
    lag = float(lags[np.argmax(correlation)])
    return Gamma(np.arange(len(e)) * BIN, rate, lags, correlation, lag, float(frequency))


def report_gamma(found: Gamma) -> str:
    """One line."""
    rates = ", ".join(f"{name} {values.mean():.1f} Hz" for name, values in found.rate.items())
    return f"gamma rhythm of {found.frequency:.0f} Hz ({rates}): I follows E by {found.lag:g} ms"
