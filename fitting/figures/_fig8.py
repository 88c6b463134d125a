"""Fig. 8: one neuron below and above threshold at fixed efficacies as K grows, and what strong coupling says of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jaxneuro.theory import ItoNoise, conductance_cv, conductance_rate

from ._curves import strong_curves
from ._figure import Cost, Figure, Findings
from ._membrane import T_REF, THRESHOLD, Membrane
from ._style import letters, panels, power, series

NEURON: dict[str, Any] = dict(g=12.0, gamma=0.25)
ETA = {"below": 1.5, "above": 0.6}
EFFICACIES = (0.01, 0.005)
IN_DEGREES = (1e3, 1e4, 1e5)
HIGHEST = {"below": 40.0, "above": 20.0}  # nu_X [Hz]


@dataclass(frozen=True)
class Side:
    """Responses (efficacy, in-degree, nu_X): full theory and strong coupling."""

    nu_x: NDArray[np.float64]
    rate: NDArray[np.float64]
    cv: NDArray[np.float64]
    strong_rate: NDArray[np.float64]
    strong_cv: NDArray[np.float64]
    mu: NDArray[np.float64]

    def drawn(self, name: str) -> NDArray[np.bool_]:
        """Where strong coupling is drawn: by the form of its row, and not close to threshold, where it has a pole."""
        off = self.mu - THRESHOLD
        return off > 0.5 if name == "above" else off < -0.5


def compute(points: int) -> dict[str, Side]:
    """(A13), (A14) and (B4), (B6), (B9), (B17) of `ItoNoise`."""
    noise, shape = ItoNoise(), (len(EFFICACIES), len(IN_DEGREES), points)
    nu_x = {name: top * np.linspace(1.0 / points, 1.0, points) ** 2 for name, top in HIGHEST.items()}  # dense at 0
    numbers: dict[str, Any] = dict(
        nu_x=np.stack([nu_x[name] for name in ETA])[:, None, None],
        eta=np.array(list(ETA.values()))[:, None, None, None],
        a=np.array(EFFICACIES)[:, None, None],
        k=np.array(IN_DEGREES)[:, None],
        **NEURON,
    )
    rate, cv = (np.asarray(f(noise=noise, **numbers)) for f in (conductance_rate, conductance_cv))
    strong_rate, strong_cv = strong_curves(ItoNoise, **numbers)
    found = {}
    for i, (name, eta) in enumerate(ETA.items()):
        mu = [
            Membrane(a=a, k=k, r_e=nu, r_i=eta * nu, **NEURON).mu
            for a in EFFICACIES for k in IN_DEGREES for nu in nu_x[name]
        ]  # fmt: skip
        found[name] = Side(nu_x[name], rate[i], cv[i], strong_rate[i], strong_cv[i], np.reshape(mu, shape))
    return found


def check(data: dict[str, Side]) -> Findings:
    """What the caption says."""
    found, below, above = Findings(), data["below"], data["above"]
    for name, side in data.items():
        rises = np.all(np.diff(side.rate[:, :, -1], axis=1) > 0.0) and side.rate[0, -1, -1] > 0.95 * 1000.0 / T_REF
        tops = ", ".join(f"{x:.0f}" for x in side.rate[0, :, -1])
        found.claim(rises, f"{name} threshold the rate saturates as K grows at fixed a: {tops} Hz at the highest input")
    drastic = {name: side.rate[0, 0, -1] / side.rate[1, 0, -1] for name, side in data.items()}
    found.claim(
        drastic["below"] > 2.0 * drastic["above"],
        f"twice the efficacy at K = 1,000: {drastic['below']:.1f} times the rate below, {drastic['above']:.2f} above",
    )
    passage = [1000.0 / rate[:, -1, -1] - T_REF for rate in (below.strong_rate, below.rate)]
    off = np.abs(passage[0] / passage[1] - 1.0)
    found.claim(np.max(off) < 0.2, f"(B6) gives the passage time at K = 10^5 within {np.max(off):.0%}")
    found.gap(f"its error does not fall steadily with a: {off[0]:.0%} at {EFFICACIES[0]:g}, {off[1]:.0%} at half of it")
    off = np.abs(below.strong_cv - below.cv)[:, -1, -1]
    found.claim(np.max(off) < 0.05, f"(B17) gives the CV there within {np.max(off):.3f}")
    far = above.mu > THRESHOLD + 2.0
    off = np.abs(above.strong_rate / above.rate - 1.0)[far]
    found.claim(np.max(off) < 0.25, f"(B4) holds within {np.max(off):.1%} where the mean is over 2 mV above threshold")
    low = np.abs(above.strong_rate / above.rate - 1.0)[(above.mu > THRESHOLD) & ~far]
    found.gap(f"and is off by up to {np.max(low):.0%} below that")
    first = above.mu[..., 0] < THRESHOLD
    found.claim(first.any(), "at small inputs the mean is below threshold for some K, where (B4) does not hold")
    off = np.abs(above.strong_cv / above.cv - 1.0)[far]
    found.gap(f"(B9) for the CV is off by {off.min():.0%} to {off.max():.0%} there")
    return found


def _draw_row(axes: Any, name: str, side: Side, colours: list[Any]) -> None:
    every, meant = max(1, side.nu_x.size // 20), side.drawn(name)
    for i, (a, marker) in enumerate(zip(EFFICACIES, ("o", "^"), strict=True)):
        for j, (k, colour) in enumerate(zip(IN_DEGREES, colours, strict=True)):
            dots = dict(marker=marker, ls="none", color=colour, ms=3, markevery=every)
            label = f"$a = {a:g}$, $K = {power(k)}$"
            rows = ((side.rate, side.strong_rate), (side.rate, side.strong_rate), (side.cv, side.strong_cv))
            for axis, (full, strong) in zip((axes[0], axes[1], axes[3]), rows, strict=True):
                axis.plot(side.nu_x, full[i, j], **dots, label=label)
                shown = np.where(meant[i, j], strong[i, j], np.nan)
                axis.plot(side.nu_x, shown, color=colour, ls="-" if i == 0 else "--", lw=1.0)
            axes[2].plot(side.nu_x, side.mu[i, j], color=colour, ls="-" if i == 0 else "--")
    axes[2].axhline(THRESHOLD, color="0.5", lw=0.8)
    axes[2].text(side.nu_x[-1], THRESHOLD, r"$\theta$", color="0.4", ha="right", va="bottom")
    labels = ("rate (Hz)", "rate (Hz)", r"mean potential $\mu$ (mV)", "CV of intervals (1)")
    for axis, label in zip(axes, labels, strict=True):
        axis.set(xlabel=r"input $\nu_X$ (Hz)", ylabel=label)
    axes[0].set_title(rf"$\mu$ {name} threshold, $\eta$ = {ETA[name]:g}")


def draw(data: dict[str, Side]) -> Any:
    """The figure: dots are the full theory, lines strong coupling."""
    figure, axes = panels(2, 4)
    colours = series(len(IN_DEGREES))
    for row, (name, side) in zip(axes, data.items(), strict=True):
        _draw_row(row, name, side, colours)
        row[0].set_ylim(0.0, 520.0)
    axes[0, 1].set(xlim=(0.0, 10.0), ylim=(0.0, 30.0))
    axes[1, 1].set(xlim=(0.0, 4.0), ylim=(0.0, 300.0))
    axes[0, 3].set_ylim(0.0, 1.3)
    axes[1, 3].set_ylim(0.0, 1.3)
    axes[0, 2].set_ylim(-90.0, -54.0)
    axes[0, 2].legend(
        handles=axes[0, 0].get_lines()[::2], loc="lower right", title="dots: full theory\nlines: strong coupling",
        title_fontsize=6.5,
    )  # fmt: skip
    letters(axes.ravel())
    return figure


FIGURE = Figure(
    "one neuron below and above threshold, and strong coupling", compute, check, draw, 40, 40, lambda p: Cost(30.0, 0.8)
)
