"""Fig. 10: the scalings (B22) and (B21) that keep one neuron's response, below and above threshold, Ito's theory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import ItoNoise, conductance_cv, conductance_rate, scale_efficacy

from ._curves import strong_curves
from ._figure import Cost, Figure, Findings
from ._membrane import RESET, THRESHOLD, Membrane
from ._style import letters, panels, power, series

NEURON: dict[str, Any] = dict(g=12.0, gamma=0.25)
# Efficacies at K = 1,000 are not printed: those of Fig. 2 and Fig. 8.
ETA, START = {"below": 1.5, "above": 0.6}, {"below": 0.01, "above": 0.01}
K, IN_DEGREES = 1e3, (1e3, 1e4, 1e5, 1e6)
HIGHEST = {"below": 40.0, "above": 10.0}


@dataclass(frozen=True)
class Side:
    """Responses (in-degree, nu_X), and strong coupling."""

    nu_x: NDArray[np.float64]
    a: NDArray[np.float64]
    rate: NDArray[np.float64]
    cv: NDArray[np.float64]
    mu: NDArray[np.float64]
    strong_rate: NDArray[np.float64]
    strong_cv: NDArray[np.float64]


def compute(points: int) -> dict[str, Side]:
    """(A13), (A14) along both scalings."""
    noise, k = ItoNoise(), np.array(IN_DEGREES)
    nu_x = {name: np.linspace(top / points, top, points) for name, top in HIGHEST.items()}
    a = {
        name: np.asarray(
            scale_efficacy(k, like=jn.networks.conductance_neuron(a=START[name], k=K, eta=eta, **NEURON), noise=noise)
        )
        for name, eta in ETA.items()
    }
    numbers: dict[str, Any] = dict(
        nu_x=np.stack(list(nu_x.values()))[:, None],
        eta=np.array(list(ETA.values()))[:, None, None],
        a=np.stack(list(a.values()))[:, :, None],
        k=k[:, None],
        **NEURON,
    )
    rate, cv = (np.asarray(f(noise=noise, **numbers)) for f in (conductance_rate, conductance_cv))
    strong_rate, strong_cv = strong_curves(ItoNoise, **numbers)
    found = {}
    for i, (name, eta) in enumerate(ETA.items()):
        pairs = zip(a[name], k, strict=True)
        mu = [[Membrane(a=x, k=y, r_e=nu, r_i=eta * nu, **NEURON).mu for nu in nu_x[name]] for x, y in pairs]
        found[name] = Side(nu_x[name], a[name], rate[i], cv[i], np.array(mu), strong_rate[i], strong_cv[i])
    return found


def check(data: dict[str, Side]) -> Findings:
    """What the caption says."""
    found, below, above = Findings(), data["below"], data["above"]
    for name, side in data.items():
        change = np.abs(np.diff(np.log(side.rate[:, -1])))
        rates = ", ".join(f"{x:.1f}" for x in side.rate[:, -1])
        found.claim(
            np.all(np.diff(change) < 0.0) and change[-1] < 0.1,
            f"{name} threshold the rate at {side.nu_x[-1]:.0f} Hz becomes invariant as K grows: {rates} Hz",
        )
    change = np.abs(np.diff(below.cv[:, -1]))
    found.claim(change[-1] < 0.01, "and so does the CV below: " + ", ".join(f"{x:.3f}" for x in below.cv[:, -1]))
    off = np.abs(below.strong_rate / below.rate - 1.0)[:, -1]
    found.claim(np.max(off) < 0.1, f"(B6) describes it within {np.max(off):.1%} at every K")
    found.gap("its error changes its sign and does not fall steadily: " + ", ".join(f"{x:.1%}" for x in off))
    high = below.cv > 1.0 + 1e-5
    found.claim(
        high[0].any() and not high[1:].any() and np.all(below.mu[high] < RESET),
        f"the CV is above one, by {below.cv.max() - 1.0:.0e}, only where mu is below reset, at K = 1,000 alone",
    )
    slope = np.diff(np.log(above.cv[:, -1])) / np.diff(np.log(IN_DEGREES))
    found.claim(abs(slope[-1] + 0.5) < 0.05, f"above threshold the CV falls as K^{slope[-1]:.2f}: firing is regular")
    found.gap("the paper's text says 1/K of the CV there; it is CV^2 that falls so")
    off = np.abs(above.strong_cv / above.cv - 1.0)[:, -1]
    found.gap(f"(B9) is off by {off[0]:.1%} at K = 1,000 and {off[-1]:.1%} at the largest")
    return found


def draw(data: dict[str, Side]) -> Any:
    """The figure."""
    figure, axes = panels(2, 3)
    colours = series(len(IN_DEGREES))
    names = ("rate (Hz)", "CV of intervals (1)", r"mean potential $\mu$ (mV)")
    for row, (name, side) in zip(axes, data.items(), strict=True):
        every = max(1, side.nu_x.size // 15)
        for i, (k, colour) in enumerate(zip(IN_DEGREES, colours, strict=True)):
            for axis, full, strong in zip(row, (side.rate, side.cv), (side.strong_rate, side.strong_cv), strict=False):
                axis.plot(side.nu_x, full[i], "o", color=colour, ms=3, markevery=every, label=f"$K = {power(k)}$")
                shown = np.where((side.mu[i] > THRESHOLD + 0.2) == (name == "above"), strong[i], np.nan)
                axis.plot(side.nu_x, shown, color=colour, lw=1.0)
            row[2].plot(side.nu_x, side.mu[i], color=colour)
        row[2].axhline(THRESHOLD, color="0.5", lw=0.8)
        row[2].text(side.nu_x[-1], THRESHOLD, r"$\theta$", color="0.4", ha="right", va="bottom")
        for axis, label in zip(row, names, strict=True):
            axis.set(xlabel=r"input $\nu_X$ (Hz)", ylabel=label)
        row[0].set_title(rf"$\mu$ {name} threshold, $\eta$ = {ETA[name]:g}")
    axes[0, 1].set_ylim(0.0, 1.5)
    axes[1, 1].set_yscale("log")
    axes[0, 1].legend(handles=axes[0, 0].get_lines()[::2], loc="lower left")
    axes[0, 1].set_title("dots: theory, lines: strong coupling")
    letters(axes.ravel())
    return figure


FIGURE = Figure(
    "scalings that keep one neuron's response, Ito's theory", compute, check, draw, 40, 40, lambda p: Cost(30.0, 0.8)
)
