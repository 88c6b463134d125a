"""Fig. 7: drift and noise of the potential, of excitation and inhibition and of both."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn

from ._figure import Cost, Figure, Findings
from ._membrane import E_E, E_I, E_LEAK, RESET, TAU_LEAK, THRESHOLD, Membrane
from ._style import E, I, letters, panels

NEURON: dict[str, Any] = dict(a=0.01, k=1_000, g=12.0, gamma=0.25)
NU_X, ETA = 20.0, 1.5  # Hz; the caption gives no numbers: those of Fig. 8


@dataclass(frozen=True)
class Data:
    """`v` [mV]; drifts [mV/ms] and noise per time [mV^2/ms] of both, of excitation alone and of inhibition alone."""

    v: NDArray[np.float64]
    membrane: Membrane
    drift: dict[str, NDArray[np.float64]]
    variance: dict[str, NDArray[np.float64]]
    theory: Any


def compute(points: int) -> Data:
    """The functions of (5) and (A8), and what the package says of the same neuron."""
    m = Membrane(**NEURON, r_e=NU_X, r_i=ETA * NU_X)
    v = np.linspace(-90.0, -30.0, points)
    drift = {"both": m.drift(v), "E": m.excitation * (E_E - v), "I": m.inhibition * (E_I - v)}
    each = {"E": m.a**2 * m.k * m.r_e / 1e3, "I": (m.g * m.a) ** 2 * m.gamma * m.k * m.r_i / 1e3}
    noise = {"both": m.variance(v), "E": each["E"] * (v - E_E) ** 2, "I": each["I"] * (v - E_I) ** 2}
    neuron = jn.networks.conductance_neuron(**NEURON, eta=ETA, nu_x=NU_X)
    theory = jn.theory.effective_input(neuron, {"E": 1.0})["E"]
    return Data(v, m, drift, noise, theory)


def check(data: Data) -> Findings:
    """What the caption says."""
    found, m, v = Findings(), data.membrane, data.v
    close = [np.isclose(x, float(y), rtol=1e-9) for x, y in ((m.tau, data.theory.tau), (m.mu, data.theory.mu))]
    found.claim(all(close), "time constant and mean are those of `theory.effective_input`")
    found.claim(np.isclose(m.sigma(m.mu), float(data.theory.sigma), rtol=1e-9), "and so is the noise at the mean")
    leak = (E_LEAK - v) / TAU_LEAK
    same = np.allclose(data.drift["both"], leak + data.drift["E"] + data.drift["I"], atol=1e-9)
    found.claim(same, "the drift is that of leak, excitation and inhibition together")
    found.claim(np.all(np.diff(data.drift["both"]) < 0.0), "the drift falls monotonically with V")
    crossing = float(np.interp(0.0, -data.drift["both"], v))
    found.claim(abs(crossing - m.mu) < 1e-6, f"it is zero at mu = {m.mu:.2f} mV")
    same = np.allclose(data.variance["both"], data.variance["E"] + data.variance["I"], rtol=1e-9)
    found.claim(same, "the noise variances of excitation and inhibition add up to a parabola")
    lowest = float(v[np.argmin(data.variance["both"])])
    found.claim(abs(lowest - m.e_s) <= v[1] - v[0], f"its least value is at E_S = {m.e_s:.2f} mV")
    least = m.a**2 * m.k / m.chi * m.e_d**2
    found.claim(
        np.isclose(m.variance(m.e_s), least), f"it is E_D^2 a^2 K/chi there, {least:.3f} mV^2/ms (E_D = {m.e_d:.1f} mV)"
    )
    found.claim(abs(m.mu - m.e_s) > 5.0, f"drift and noise are least {abs(m.mu - m.e_s):.1f} mV apart")
    return found


def draw(data: Data) -> Any:
    """The figure."""
    figure, axes = panels(1, 2, width=7.0, height=3.0)
    left, right = axes[0]
    m, v = data.membrane, data.v
    for axis, curves in ((left, data.drift), (right, data.variance)):
        axis.plot(v, curves["both"], color="black", label="excitation and inhibition")
        axis.plot(v, curves["E"], color=E, ls="--", label="excitation alone")
        axis.plot(v, curves["I"], color=I, ls=":", label="inhibition alone")
        for x, name in ((RESET, "$V_r$"), (THRESHOLD, r"$\theta$")):
            axis.axvline(x, color="0.8", lw=0.8, zorder=0)
            axis.text(x, 1.0, name, transform=axis.get_xaxis_transform(), color="0.45", ha="center", va="bottom")
        axis.set(xlabel="potential $V$ (mV)", xlim=(v[0], v[-1]))
    left.axhline(0.0, color="0.6", lw=0.6)
    left.plot(m.mu, 0.0, "D", color="black", ms=5, label=r"$\mu$, where the drift is zero")
    left.set(ylabel=r"drift $(\mu - V)/\tau$ (mV/ms)")
    right.plot(m.e_s, m.variance(m.e_s), "D", mfc="white", color="black", ms=5, label="$E_S$, least noise")
    right.set(ylabel=r"noise $\sigma^2(V)/\tau$ (mV$^2$/ms)", ylim=(0.0, None))
    for axis in (left, right):  # over the lines of reset and threshold
        axis.legend(frameon=True, framealpha=1.0, edgecolor="none", borderpad=0.1)
    letters((left, right))
    return figure


FIGURE = Figure(
    "drift and noise of the potential", compute, check, draw, 2_001, 2_001, cost=lambda points: Cost(5.0, 0.4)
)
