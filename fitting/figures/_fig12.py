"""Fig. 12: networks whose E and I neurons differ, model B, along the two scalings of (D27), by Ito's theory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import ItoNoise, conductance_cv, conductance_rate, scale_efficacy

from ._curves import network_rates
from ._figure import Cost, Figure, Findings
from ._membrane import T_REF, TAU_LEAK
from ._style import LIMIT, E, I, letters, panels, power, series

A, K, GAMMA = 5e-4, 1e5, 0.25
KINDS, G = ("E", "I"), (20.0, 19.0)
IN_DEGREES = (1e3, 1e4, 1e5, 1e6)
LINE = np.geomspace(3e2, 3e7, 41)
HIGHEST = 40.0  # nu_X [Hz]
START = 0.3  # rate of E over that of I, where the search begins
_STEPS, _APART = 40, 1e-4


@dataclass(frozen=True)
class Data:
    """Efficacies (in-degree, kind) and responses (kind, in-degree, nu_X); gains (kind)."""

    nu_x: NDArray[np.float64]
    a: NDArray[np.float64]
    along: NDArray[np.float64]
    rate: NDArray[np.float64]
    cv: NDArray[np.float64]
    gains: NDArray[np.float64]
    solved: float


def _seen(inputs: NDArray[np.float64], x: NDArray[np.float64]) -> dict[str, Any]:
    """What both kinds receive at log rates x (kind, ...)."""
    excitation = inputs + np.exp(x[0])
    return dict(nu_x=excitation, eta=np.exp(x[1]) / excitation)


def _solve(
    inputs: NDArray[np.float64], numbers: dict[str, Any], x: NDArray[np.float64], t_ref: float
) -> tuple[Any, Any]:
    """Newton's method by differences on the logs of both passage times, at all points at once; and what is missed.

    The passage time has a slope where the rate itself saturates.
    """
    moves = _APART * np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])[:, :, None]
    off = np.zeros(())
    for _ in range(_STEPS):
        x = np.minimum(x, np.log(499.0))
        tried = x[:, None] + moves  # (kind, move, point)
        wanted = -np.log(np.exp(-tried) - t_ref / 1000.0)
        rates = conductance_rate(**_seen(inputs, tried), **numbers, t_ref=0.0)
        found = np.log(np.asarray(rates)) - wanted  # (kind, move, point)
        off = found[:, 0]
        slopes = np.moveaxis((found[:, 1:] - found[:, :1]) / _APART, 2, 0)  # (point, kind, by)
        step = np.linalg.solve(slopes, off.T[:, :, None])[:, :, 0].T
        x = x - np.clip(step, -0.3, 0.3)
        if np.max(np.abs(step)) < 1e-9:
            break
    return x, np.max(np.abs(off), axis=0)


def compute(points: int) -> Data:
    """Self-consistent rates of both kinds."""
    noise, k = ItoNoise(), np.array(IN_DEGREES)
    like = jn.networks.conductance_based(a=A, k=K, g=G, gamma=GAMMA, nu_x=20.0)
    held = np.asarray(scale_efficacy(np.concatenate([k, LINE]), like=like, noise=noise))
    a = held[: k.size]
    nu_x = np.linspace(HIGHEST / points, HIGHEST, points)
    inputs = np.tile(nu_x, k.size)
    start = network_rates(inputs, a=np.repeat(a[:, 0], points), k=np.repeat(k, points), g=G[0], noise=noise)
    fires = start > 1e-3
    x = np.log(np.where(fires, start, 1.0)) * np.ones((2, 1))
    numbers: dict[str, Any] = dict(
        a=np.repeat(a.T, points, axis=1)[:, None],
        k=np.repeat(k, points),
        g=np.array(G)[:, None, None],
        gamma=GAMMA,
        noise=noise,
    )
    # Points that do not fire are solved at an input at which they do, and left out.
    safe = np.where(fires, inputs, HIGHEST)
    x = np.where(fires, x, np.log(HIGHEST)) + np.log([[START], [1.0]])
    x, off = _solve(safe, numbers | dict(tau_m=TAU_LEAK), x, T_REF)
    solved = off < 1e-6
    fires &= solved
    seen = _seen(safe, x[:, None])
    cv = np.asarray(conductance_cv(**seen, **numbers))[:, 0]
    shape = (2, k.size, points)
    rate, cv = (np.where(fires, y, np.nan).reshape(shape) for y in (np.exp(x), cv))
    # Without leak and refractoriness the rates at nu_X = 1 are the gains.
    x, _ = _solve(np.ones_like(safe), numbers | dict(tau_m=1e9), x - np.log(safe), 0.0)
    gains = np.exp(x).reshape(shape)[:, -1, 0]
    return Data(nu_x, a, held[k.size :], rate, cv, gains, float(np.mean(solved)))


def check(data: Data) -> Findings:
    """What the caption says."""
    found, high = Findings(), data.nu_x >= HIGHEST / 2.0
    fires = np.all(np.isfinite(data.rate[:, :, high]), axis=(0, 2))
    found.claim(
        np.all(fires[1:]), "from K = 10^4 on both kinds have self-consistent rates in the upper half of the inputs"
    )
    found.gap(f"at {1.0 - data.solved:.0%} of the points, of low K and low inputs, no such pair was found")
    for kind, name in enumerate(KINDS):
        gain = float(data.gains[kind])
        off = (data.rate[kind] / (gain * data.nu_x) - 1.0)[fires, -1]
        shares = ", ".join(f"{x:+.1%}" for x in off)
        found.claim(
            abs(off[-1]) < 0.12,
            f"{name}: the rate comes to {gain:.2f} nu_X at large K: off by {shares} at {HIGHEST:.0f} Hz",
        )
        poisson = np.abs(data.cv[kind] / (1.0 - T_REF * data.rate[kind] / 1e3) - 1.0)[fires][:, high].max(axis=1)
        found.claim(poisson[-1] < 0.05, f"{name}: the CV to 1 - nu t_ref: off by {poisson[0]:.0%} to {poisson[-1]:.1%}")
    ratio = data.a[:, 1] / data.a[:, 0]
    found.claim(
        np.ptp(ratio) > 1e-3, "the two kinds need different scalings: a_I/a_E " + ", ".join(f"{x:.3f}" for x in ratio)
    )
    return found


def draw(data: Data) -> Any:
    """The figure."""
    figure, axes = panels(2, 3)
    colours = series(len(IN_DEGREES))
    for kind, (name, row) in enumerate(zip(KINDS, axes, strict=True)):
        main = E if name == "E" else I
        row[0].plot(LINE, data.along[:, kind], color=main, label=f"$a_{name}$")
        for i, (k, colour) in enumerate(zip(IN_DEGREES, colours, strict=True)):
            silent = np.all(np.isnan(data.rate[kind, i]))
            row[0].plot(k, data.a[i, kind], "o", color=colour, ms=5)
            label = f"$K = {power(k)}$" + (", none" if silent else "")
            row[1].plot(data.nu_x, data.rate[kind, i], color=colour, label=label)
            row[2].plot(data.nu_x, data.cv[kind, i], color=colour)
        limit = float(data.gains[kind]) * data.nu_x
        row[1].plot(data.nu_x, limit, **LIMIT, label="strong coupling")
        row[2].plot(data.nu_x, 1.0 - T_REF * limit / 1000.0, **LIMIT)
        row[0].set(xscale="log", yscale="log", xlabel="in-degree $K$ (1)", ylabel="efficacy $a$ (1)", ylim=(1e-4, 1e-2))
        row[1].set(xlabel=r"input $\nu_X$ (Hz)", ylabel=rf"rate of {name} neurons (Hz)", ylim=(0.0, None))
        row[2].set(xlabel=r"input $\nu_X$ (Hz)", ylabel=f"CV of intervals, {name} (1)", ylim=(0.0, 1.3))
        row[0].legend()
    axes[0, 1].legend()
    letters(axes.ravel())
    return figure


FIGURE = Figure("networks whose E and I neurons differ", compute, check, draw, 20, 20, lambda points: Cost(40.0, 0.9))
