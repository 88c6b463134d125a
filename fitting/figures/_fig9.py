"""Fig. 9: the exponent F(v) - F(x) of the passage time, stationary at x = v = alpha."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fig7 import ETA, NEURON, NU_X
from ._figure import Cost, Figure, Findings
from ._membrane import THRESHOLD, Membrane
from ._style import letters, panels

REACH = (-1.5, 4.5)


@dataclass(frozen=True)
class Data:
    """F over a grid, and the neuron: u(V) = (V - E_S)/E_D."""

    x: NDArray[np.float64]
    f: NDArray[np.float64]
    membrane: Membrane

    def u(self, v: float) -> float:
        """A potential [mV] in these units."""
        return (v - self.membrane.e_s) / self.membrane.e_d


def exponent(x: ArrayLike, m: Membrane) -> NDArray[np.float64]:
    """F of (A15), without the term of the convention."""
    u = np.asarray(x)
    alpha = (m.mu - m.e_s) / m.e_d
    return 2.0 * m.chi / (m.a * m.k * m.tau) * (0.5 * np.log1p(u**2) - alpha * np.arctan(u))


def compute(points: int) -> Data:
    """F on a grid."""
    membrane = Membrane(**NEURON, r_e=NU_X, r_i=ETA * NU_X)
    x = np.linspace(*REACH, points)
    return Data(x, exponent(x, membrane), membrane)


def check(data: Data) -> Findings:
    """What the caption says."""
    found, m = Findings(), data.membrane
    alpha, h = data.u(m.mu), 1e-4
    around = exponent(alpha + h * np.arange(-1, 2), m)
    slope, bend = (around[2] - around[0]) / (2 * h), (around[2] - 2 * around[1] + around[0]) / h**2
    found.claim(abs(slope) < 1e-7 and bend > 0.0, f"F(v) - F(x) is stationary at x = v = alpha = {alpha:.2f}")
    lowest = float(data.x[np.argmin(data.f)])
    found.claim(abs(lowest - alpha) < data.x[1] - data.x[0], "a maximum along x and a minimum along v")
    found.claim(
        alpha < data.u(THRESHOLD), f"below threshold it lies inside the bounds, v_max = {data.u(THRESHOLD):.2f}"
    )
    found.gap(f"alpha is 1.2 in the paper, whose parameters of Fig. 7 are not printed; here {alpha:.2f}")
    climb = exponent(data.u(THRESHOLD), m) - exponent(alpha, m)
    found.claim(climb > 0.0, f"F(v_max) - F(alpha) = {climb:.4f}, over a = {m.a:g} the exponent {climb / m.a:.2f}")
    return found


def draw(data: Data) -> Any:
    """The figure."""
    figure, axes = panels(1, 2, width=7.2, height=3.1)
    left, right = axes[0]
    difference = data.f[None, :] - data.f[:, None]  # (x, v)
    drawn = left.contourf(data.x, data.x, difference, levels=np.linspace(-0.4, 0.4, 17), cmap="PuOr_r", extend="both")
    figure.colorbar(drawn, ax=left, label="$F(v) - F(x)$ (1)", ticks=[-0.4, -0.2, 0.0, 0.2, 0.4])
    m = data.membrane
    alpha, threshold = data.u(m.mu), data.u(THRESHOLD)
    left.plot(alpha, alpha, "D", color="black", ms=5)
    left.annotate(r"$\alpha$", (alpha, alpha), xytext=(5, -10), textcoords="offset points")
    left.plot(data.x, data.x, color="black", lw=0.8, ls=":")
    left.axvline(threshold, color="black", lw=0.8)
    left.text(threshold, data.x[-1], "$v_{max}$", ha="right", va="top")
    left.set(xlabel="$v$ (units of $E_D$ from $E_S$)", ylabel="$x$ (units of $E_D$ from $E_S$)")
    right.plot(data.x, data.f / m.a, color="black")
    right.plot(alpha, float(exponent(alpha, m)) / m.a, "D", color="black", ms=5, label=r"$\alpha$, the mean")
    right.axvline(threshold, color="0.4", lw=0.8, label="$v_{max}$, threshold")
    right.set(xlabel="$v$ (units of $E_D$ from $E_S$)", ylabel="$F(v)/a$ (1)")
    right.legend()
    letters((left, right))
    return figure


FIGURE = Figure("the exponent of the passage time", compute, check, draw, 241, 241, lambda points: Cost(5.0, 0.4))
