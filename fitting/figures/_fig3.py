"""Fig. 3: in a network the scaling (D2) keeps the gain, and the response becomes linear; two other scalings."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import conductance_density, linear_gain, network_gain, scale_efficacy

from ._curves import network_cv, network_rates, seen_by
from ._figure import Cost, Figure, Findings
from ._membrane import T_REF, THRESHOLD, Membrane
from ._style import LIMIT, letters, panels, power, series

# The efficacy is not printed: that of Fig. 12 is taken.
A, K = 5e-4, 1e5
NET: dict[str, Any] = dict(g=30.0, gamma=0.25)
IN_DEGREES = (1e3, 1e4, 1e5, 1e6)
FROM, OTHER_K = 1e3, 1e6  # the two other scalings start on the first one, and are shown here
LINE = np.geomspace(3e2, 3e7, 61)
V = np.linspace(-70.0, -55.0, 601)
SHOWN = 30.0  # nu_X [Hz] of the densities
HIGHEST = 100.0
RISING = (1e4, 1e6, 1e8, 1e10, 1e12)  # in-degrees at a constant efficacy, for its rate at the highest input


@dataclass(frozen=True)
class Curve:
    """One network over `nu_x`."""

    a: float
    k: float
    rate: NDArray[np.float64]
    cv: NDArray[np.float64]
    density: NDArray[np.float64]
    membrane: Membrane

    @property
    def width(self) -> float:
        """The standard deviation of the density [mV]."""
        p = self.density / self.density.sum()
        mean = float(p @ V)
        return float(np.sqrt(p @ (V - mean) ** 2))


@dataclass(frozen=True)
class Data:
    """Networks along the scaling, and by the two others; `gain` is that of strong coupling."""

    nu_x: NDArray[np.float64]
    scalings: dict[str, NDArray[np.float64]]
    curves: list[Curve]
    other: dict[str, Curve]
    rising: NDArray[np.float64]
    gain: float
    without_noise: float


def _curve(nu_x: NDArray[np.float64], a: float, k: float) -> Curve:
    rate = network_rates(nu_x, a=a, k=k, **NET)
    cv = network_cv(nu_x, rate, a=a, k=k, **NET)
    nu = float(np.interp(SHOWN, nu_x, rate))
    density = np.asarray(conductance_density(V, **seen_by(SHOWN, nu), a=a, k=k, **NET))
    return Curve(a, k, rate, cv, density, Membrane(a=a, k=k, r_e=SHOWN + nu, r_i=nu, **NET))


def compute(points: int) -> Data:
    """Self-consistent rates along three scalings."""
    nu_x = np.linspace(HIGHEST / points, HIGHEST, points)
    like = jn.networks.conductance_based(a=A, k=K, nu_x=20.0, **NET)
    held = np.asarray(scale_efficacy(np.concatenate([IN_DEGREES, LINE]), like=like))
    a, along = held[: len(IN_DEGREES)], held[len(IN_DEGREES) :]
    start = float(a[IN_DEGREES.index(FROM)])
    scalings = {"(D2)": along, "constant": np.full_like(LINE, start), "root": start * np.sqrt(FROM / LINE)}
    curves = [_curve(nu_x, float(x), k) for x, k in zip(a, IN_DEGREES, strict=True)]
    other = {"constant": start, "root": start * np.sqrt(FROM / OTHER_K)}
    many = np.resize(RISING, nu_x.size)
    rising = network_rates(np.full(nu_x.size, HIGHEST), a=start, k=many, **NET)[: len(RISING)]
    gain = float(network_gain(a=A, k=K, **NET).rho_simplified)
    others = {name: _curve(nu_x, x, OTHER_K) for name, x in other.items()}
    return Data(nu_x, scalings, curves, others, rising, gain, float(linear_gain(**NET)))


def check(data: Data) -> Findings:
    """What the caption and section V say."""
    found, high = Findings(), data.nu_x > 0.2 * HIGHEST
    line = data.gain * data.nu_x
    off = [float(np.max(np.abs(c.rate / line - 1.0)[high])) for c in data.curves]
    shares = ", ".join(f"{x:.1%}" for x in off)
    found.claim(
        np.all(np.diff(off) < 0.0),
        f"the response comes closer to nu = {data.gain:.3f} nu_X as K grows: off by {shares}",
    )
    found.gap(f"it is slow: at K = 10^3 the rate above {0.2 * HIGHEST:.0f} Hz is off by up to {off[0]:.0%}")
    poisson = [float(np.nanmax(np.abs(c.cv / (1.0 - T_REF * c.rate / 1000.0) - 1.0)[high])) for c in data.curves]
    found.claim(poisson[-1] < 0.05, f"the CV is 1 - nu t_ref (16) to {poisson[-1]:.1%} at K = 10^6")
    found.gap(f"and to {poisson[0]:.1%} at K = 10^3")
    width = np.array([c.width for c in data.curves])
    slope = np.log(width[-1] / width[0]) / np.log(IN_DEGREES[-1] / IN_DEGREES[0])
    found.claim(
        np.all(np.diff(width) < 0.0) and slope > -0.15,
        "the potential's distribution narrows slowly: SD " + ", ".join(f"{w:.2f}" for w in width)
        + f" mV, as K^{slope:.3f}",
    )  # fmt: skip
    root, rates = data.other["root"], ", ".join(f"{x:.0f}" for x in data.rising)
    found.claim(
        np.all(np.diff(data.rising) > 0.0) and data.rising[-1] > 450.0,
        f"with a constant the rate at {HIGHEST:.0f} Hz rises to saturation: {rates} Hz at K = 10^4, 10^6, ..., 10^12",
    )
    limit = data.without_noise * data.nu_x
    far = float(np.max(np.abs(root.rate / limit - 1.0)[high]))
    near = THRESHOLD - root.membrane.mu
    others = THRESHOLD - data.curves[-1].membrane.mu
    found.claim(
        far < 0.2 and near < 0.5 * others,
        f"with a ~ 1/sqrt(K) it fires as (21), off by {far:.1%}, the mean {near:.2f} mV below threshold ({others:.2f})",
    )
    found.claim(root.width < 0.5 * width[-1], f"and its potential is narrow: SD {root.width:.2f} mV")
    return found


def _draw_scaling(axes: Any, data: Data, colours: list[Any]) -> None:
    styles = {"(D2)": "-", "constant": ":", "root": "--"}
    names = {"(D2)": "gain held, (D2)", "constant": "$a$ constant", "root": r"$a \sim 1/\sqrt{K}$"}
    for name, a in data.scalings.items():
        axes.plot(LINE, a, styles[name], color="black", label=names[name])
    for curve, colour in zip(data.curves, colours, strict=True):
        axes.plot(curve.k, curve.a, "o", color=colour, ms=5)
    for curve in data.other.values():
        axes.plot(curve.k, curve.a, "o", color="black", ms=4)
    axes.set(xscale="log", yscale="log", xlabel="in-degree $K$ (1)", ylabel="efficacy $a$ (1)")
    axes.legend()


def draw(data: Data) -> Any:
    """The figure."""
    figure, grid = panels(2, 2, width=6.6, height=5.2)
    axes, colours = grid.ravel(), series(len(IN_DEGREES))
    _draw_scaling(axes[0], data, colours)
    several = [(c, dict(color=x, label=f"$K = {power(c.k)}$")) for c, x in zip(data.curves, colours, strict=True)]
    several.append((data.other["constant"], dict(color="0.4", ls=":", label=f"$a$ constant, $K = {power(OTHER_K)}$")))
    several.append(
        (data.other["root"], dict(color="0.4", ls="--", label=rf"$a \sim 1/\sqrt{{K}}$, $K = {power(OTHER_K)}$"))
    )
    for curve, how in several:
        axes[1].plot(data.nu_x, curve.rate, **how)
        axes[2].plot(data.nu_x, curve.cv, **how)
        axes[3].plot(V, curve.density, **how)
    line = data.gain * data.nu_x
    axes[1].plot(data.nu_x, line, **LIMIT, label=r"$\rho\nu_X$, (20)")
    axes[1].set(xlabel=r"input $\nu_X$ (Hz)", ylabel="rate (Hz)", ylim=(0.0, 200.0))
    axes[1].legend(ncols=1)
    axes[2].plot(data.nu_x, 1.0 - T_REF * line / 1000.0, **LIMIT, label=r"$1 - \tau_{rp}\nu$, (16)")
    axes[2].set(xlabel=r"input $\nu_X$ (Hz)", ylabel="CV of intervals (1)", ylim=(0.0, 1.3))
    axes[2].legend(handles=axes[2].get_lines()[-1:])
    top = 1.15 * max(float(c.density.max()) for c in data.curves)
    axes[3].axvline(THRESHOLD, color="0.5", lw=0.8)
    axes[3].set(xlabel=rf"potential $V$ (mV) at $\nu_X$ = {SHOWN:.0f} Hz", ylabel="density (1/mV)", ylim=(0.0, top))
    axes[3].text(THRESHOLD, top, r"$\theta$", color="0.4", ha="center", va="bottom")
    axes[3].set_xticks([-70, -65, -60, -55])
    peak = float(data.other["root"].density.max())
    axes[3].text(0.02, 0.95, rf"$1/\sqrt{{K}}$ peaks at {peak:.1f} per mV", transform=axes[3].transAxes, fontsize=6.5)
    letters(axes)
    return figure


FIGURE = Figure("gain of a network held by the scaling", compute, check, draw, 50, 50, lambda points: Cost(20.0, 0.6))
