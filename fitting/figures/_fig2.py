"""Fig. 2: the scaling (14) preserves the response of one neuron as K grows; two others do not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import conductance_cv, conductance_rate, scale_efficacy, strong_coupling

from ._figure import Cost, Figure, Findings
from ._membrane import T_REF, TAU_LEAK, THRESHOLD, Membrane
from ._style import LIMIT, letters, panels, power, series

A, K = 0.01, 1_000.0
NEURON: dict[str, Any] = dict(g=12.0, eta=1.8, gamma=0.25)
IN_DEGREES = (1e3, 1e4, 1e5, 1e6, 1e8)
OTHER_K = 1e5  # of the two other scalings
HIGHEST = 100.0  # nu_X [Hz]
LINE = np.geomspace(3e2, 3e8, 61)


@dataclass(frozen=True)
class Data:
    """Scalings (in-degree by name), and responses over `nu_x` [Hz], one row an in-degree."""

    nu_x: NDArray[np.float64]
    scalings: dict[str, NDArray[np.float64]]
    a: NDArray[np.float64]
    rate: NDArray[np.float64]
    cv: NDArray[np.float64]
    other: dict[str, NDArray[np.float64]]
    limit: float
    membranes: list[list[Membrane]]

    def of(self, what: str) -> NDArray[np.float64]:
        """A number of every membrane, (in-degree, nu_X)."""
        return np.array([[getattr(m, what) for m in row] for row in self.membranes])

    @property
    def sigma(self) -> NDArray[np.float64]:
        """sigma(mu) [mV], (in-degree, nu_X)."""
        return np.array([[m.sigma(m.mu) for m in row] for row in self.membranes])


def compute(points: int) -> Data:
    """Rates, CVs and membranes along (14), rates along the others."""
    nu_x = np.linspace(HIGHEST / points, HIGHEST, points)
    like = jn.networks.conductance_neuron(a=A, k=K, nu_x=20.0, **NEURON)
    held = np.asarray(scale_efficacy(np.concatenate([IN_DEGREES, LINE]), like=like))
    a, along = held[: len(IN_DEGREES)], held[len(IN_DEGREES) :]
    scalings = {"(14)": along, "constant": np.full_like(LINE, A), "root": A * np.sqrt(K / LINE)}
    k = np.array(IN_DEGREES)
    rows: dict[str, Any] = dict(a=np.append(a, [A, A * np.sqrt(K / OTHER_K)])[:, None], **NEURON)
    rows["k"] = np.append(k, [OTHER_K, OTHER_K])[:, None]
    rate, cv = np.asarray(conductance_rate(nu_x, **rows)), np.asarray(conductance_cv(nu_x, **rows))
    other = {"constant": rate[-2], "root": rate[-1]}
    limit = float(strong_coupling(20.0, a=a[-1], k=k[-1], limit=True, **NEURON).omega)
    numbers = dict(g=NEURON["g"], gamma=NEURON["gamma"])
    membranes = [
        [Membrane(a=x, k=y, r_e=nu, r_i=NEURON["eta"] * nu, **numbers) for nu in nu_x]
        for x, y in zip(a, k, strict=True)
    ]
    return Data(nu_x, scalings, a, rate[:-2], cv[:-2], other, limit, membranes)


def _limit(data: Data) -> NDArray[np.float64]:
    """(12) with the scaling's Omega [Hz]."""
    return 1000.0 / (T_REF + 1000.0 * data.limit / data.nu_x)


def check(data: Data) -> Findings:
    """What the caption and section IV say."""
    found = Findings()
    sigma, mu, tau = data.sigma, data.of("mu"), data.of("tau")
    off = np.abs(data.rate / _limit(data) - 1.0)
    kept = [float(np.max(data.nu_x[row > 0.1], initial=0.0)) for row in off]
    found.claim(
        np.all(np.diff(kept) <= 0.0) and kept[-1] < 0.1 * HIGHEST,
        "the inputs at which the rate is within 10% of that at strong coupling grow with K: from "
        + ", ".join(f"{x:.0f}" for x in kept) + " Hz on",
    )  # fmt: skip
    at = int(np.argmin(np.abs(data.nu_x - 20.0)))
    rates = ", ".join(f"{x:.1f}" for x in data.rate[:, at])
    found.gap(f"the rate at {data.nu_x[at]:.0f} Hz is not held at realistic K, where the leak counts: {rates} Hz")
    found.claim(
        np.all(mu < THRESHOLD) and np.ptp(mu[:, -1]) < 0.3,
        f"the mean potential stays below threshold and is kept: at {HIGHEST:.0f} Hz within {np.ptp(mu[:, -1]):.2f} mV",
    )
    kept_cv = data.cv[:, -1]
    found.claim(np.ptp(kept_cv) < 0.05, f"and so is the CV: there {kept_cv.min():.3f} to {kept_cv.max():.3f}")
    poisson = np.abs(data.cv / (1.0 - T_REF * data.rate / 1000.0) - 1.0)[:, at:].max(axis=1)
    found.claim(poisson[-1] < 0.05, f"from there on the CV is 1 - nu t_ref (16) to {poisson[-1]:.1%} at the largest K")
    found.gap(f"(16) is off by {poisson[0]:.1%} at K = 1,000 there")
    found.claim(np.all(np.diff(tau, axis=0) < 0.0), "the drift 1/tau grows with K")
    found.claim(np.all(np.diff(sigma / np.sqrt(tau), axis=0) > 0.0), "and so does the noise of the input")
    wide = sigma[:, -1] / np.sqrt(2.0)
    found.claim(
        np.all(np.diff(wide) < 0.0) and wide[-1] > 0.4 * wide[0],
        f"the fluctuations of V fall weakly, from {wide[0]:.1f} to {wide[-1]:.1f} mV at {HIGHEST:.0f} Hz",
    )
    top = data.other["constant"][-1]
    found.claim(top > 0.8 * 1000.0 / T_REF, f"with a constant the rate saturates at K = 10^5 ({top:.0f} Hz)")
    found.claim(np.max(data.other["root"]) < 1e-3, "with a ~ 1/sqrt(K) the neuron is silent there")
    return found


def _draw_scaling(axes: Any, data: Data, colours: list[Any]) -> None:
    styles = {"(14)": "-", "constant": ":", "root": "--"}
    names = {"(14)": "(14)", "constant": "$a$ constant", "root": r"$a \sim 1/\sqrt{K}$"}
    for name, a in data.scalings.items():
        axes.plot(LINE, a, styles[name], color="black", label=names[name])
    for k, a, colour in zip(IN_DEGREES, data.a, colours, strict=True):
        axes.plot(k, a, "o", color=colour, ms=5)
    axes.plot([OTHER_K, OTHER_K], [A, A * np.sqrt(K / OTHER_K)], "o", color="black", ms=4)
    axes.set(xscale="log", yscale="log", xlabel="in-degree $K$ (1)", ylabel="efficacy $a$ (1)")
    axes.legend()


def draw(data: Data) -> Any:
    """The figure."""
    figure, grid = panels(2, 4)
    axes, colours = grid.ravel(), series(len(IN_DEGREES))
    _draw_scaling(axes[0], data, colours)
    tau, sigma = data.of("tau"), data.sigma
    shown = (
        (data.rate, "rate (Hz)"), (data.rate, "rate (Hz)"), (data.of("mu"), r"mean potential $\mu$ (mV)"),
        (data.cv, "CV of intervals (1)"), (1.0 / tau, r"drift $1/\tau$ (1/ms)"),
        (sigma / np.sqrt(tau), r"noise $\sigma/\sqrt{\tau}$ (mV/$\sqrt{\mathrm{ms}}$)"),
        (sigma / np.sqrt(2.0), r"SD of $V$, $\sigma/\sqrt{2}$ (mV)"),
    )  # fmt: skip
    for axis, (rows, name) in zip(axes[1:], shown, strict=True):
        for k, row, colour in zip(IN_DEGREES, rows, colours, strict=True):
            axis.plot(data.nu_x, row, color=colour, label=f"$K = {power(k)}$")
        axis.set(xlabel=r"input $\nu_X$ (Hz)", ylabel=name)
    for axis in axes[1:3]:
        axis.plot(data.nu_x, _limit(data), **LIMIT, label="strong coupling, (12)")
        axis.plot(data.nu_x, data.other["constant"], ":", color="0.4", label="$a$ constant, $K = 10^5$")
        axis.plot(data.nu_x, data.other["root"], "--", color="0.4", label=r"$a \sim 1/\sqrt{K}$, $K = 10^5$")
    axes[2].set(xlim=(0.0, 30.0), ylim=(0.0, 60.0))
    axes[1].legend(handles=axes[1].get_lines()[-3:], loc="center right")
    axes[4].legend(handles=axes[4].get_lines(), loc="lower left")
    axes[3].axhline(THRESHOLD, color="0.5", lw=0.8)
    axes[3].text(HIGHEST, THRESHOLD, r"$\theta$", color="0.4", ha="right", va="bottom")
    axes[4].set_ylim(0.0, 1.4)
    axes[5].set_yscale("log")
    axes[5].axhline(1.0 / TAU_LEAK, color="0.5", lw=0.8)
    axes[5].text(HIGHEST, 1.0 / TAU_LEAK, r"$1/\tau_L$", color="0.4", ha="right", va="bottom")
    axes[6].set_yscale("log")
    axes[7].set_ylim(0.0, None)
    letters(axes)
    return figure


FIGURE = Figure(
    "a scaling that keeps the response of one neuron", compute, check, draw, 100, 100, lambda points: Cost(20.0, 0.6)
)
