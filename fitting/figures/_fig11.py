"""Fig. 11: networks along the scaling (D10), and their gain over g, by Ito's theory."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import ItoNoise, conductance_density, linear_gain, network_gain, scale_efficacy

from ._curves import network_cv, network_rates, seen_by
from ._figure import Cost, Figure, Findings
from ._membrane import E_E, E_I, T_REF, THRESHOLD
from ._style import LIMIT, letters, panels, power, series

# The efficacy is not printed: that of Fig. 12 is taken.
A, K, G, GAMMA = 5e-4, 1e5, 20.0, 0.25
IN_DEGREES = (1e3, 1e4, 1e5, 1e6)
LINE = np.geomspace(3e2, 3e7, 61)
HIGHEST, SHOWN = 60.0, 20.0  # nu_X [Hz], and that of the densities
V = np.linspace(-75.0, -55.0, 401)
GAINS_A, GAINS_K = (0.002, 0.003, 0.004), 1e4
INHIBITIONS = np.geomspace(8.0, 1_600.0, 60)  # g


@dataclass(frozen=True)
class Data:
    """Networks (in-degree, nu_X), and gains (efficacy, g), NaN where there is none."""

    nu_x: NDArray[np.float64]
    a: NDArray[np.float64]
    along: NDArray[np.float64]
    rate: NDArray[np.float64]
    cv: NDArray[np.float64]
    density: NDArray[np.float64]
    gain: float
    gains: NDArray[np.float64]

    @property
    def mu(self) -> NDArray[np.float64]:
        """The mean potential [mV] without leak, (efficacy, g)."""
        inhibition = INHIBITIONS * GAMMA * self.gains
        return ((1.0 + self.gains) * E_E + inhibition * E_I) / (1.0 + self.gains + inhibition)


def _gains() -> NDArray[np.float64]:
    def one(a: Any, g: Any) -> Any:
        return network_gain(a=a, k=GAINS_K, g=g, gamma=GAMMA, noise=ItoNoise()).rho_simplified

    a, g = np.meshgrid(GAINS_A, INHIBITIONS, indexing="ij")
    found = jax.jit(jax.vmap(one))(jnp.asarray(a.ravel()), jnp.asarray(g.ravel()))
    return np.asarray(found).reshape(a.shape)


def compute(points: int) -> Data:
    """Self-consistent rates, densities and gains."""
    nu_x, noise = np.linspace(HIGHEST / points, HIGHEST, points), ItoNoise()
    like = jn.networks.conductance_based(a=A, k=K, g=G, gamma=GAMMA, nu_x=20.0)
    held = np.asarray(scale_efficacy(np.concatenate([IN_DEGREES, LINE]), like=like, noise=noise))
    a, k = held[: len(IN_DEGREES)], np.array(IN_DEGREES)
    every: dict[str, Any] = dict(a=np.repeat(a, points), k=np.repeat(k, points), g=G, noise=noise)
    inputs = np.tile(nu_x, k.size)
    rate = network_rates(inputs, **every)
    cv = network_cv(inputs, rate, **every)
    rate, cv = rate.reshape(k.size, points), cv.reshape(k.size, points)
    density = []
    for x, y, row in zip(a, k, rate, strict=True):
        seen = seen_by(SHOWN, np.interp(SHOWN, nu_x, row))
        density.append(conductance_density(V, **seen, a=x, k=y, g=G, gamma=GAMMA, noise=noise))
    gain = float(network_gain(a=A, k=K, g=G, gamma=GAMMA, noise=noise).rho_simplified)
    return Data(nu_x, a, held[k.size :], rate, cv, np.array(density), gain, _gains())


def _moments(density: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard deviation [mV] and skewness of densities."""
    p = density / density.sum(axis=1, keepdims=True)
    mean = p @ V
    off = V - mean[:, None]
    sd = np.sqrt((p * off**2).sum(axis=1))
    return sd, (p * off**3).sum(axis=1) / sd**3


def check(data: Data) -> Findings:
    """What the caption and appendix D say."""
    found, high = Findings(), data.nu_x > HIGHEST / 3.0
    off = np.abs(data.rate / (data.gain * data.nu_x) - 1.0)[:, high].max(axis=1)
    shares = ", ".join(f"{x:.1%}" for x in off)
    found.claim(np.all(np.diff(off) < 0.0), f"the response tends to {data.gain:.2f} nu_X as K grows: off by {shares}")
    poisson = np.abs(data.cv / (1.0 - T_REF * data.rate / 1000.0) - 1.0)[:, high].max(axis=1)
    found.claim(np.all(np.diff(poisson) < 0.0), f"the CV to 1 - nu t_ref: off by {poisson[0]:.1%} to {poisson[-1]:.1%}")
    sd, skewness = _moments(data.density)
    found.claim(
        np.all(np.diff(sd) < 0.0), "the potential's SD falls slowly: " + ", ".join(f"{x:.2f}" for x in sd) + " mV"
    )
    skews = ", ".join(f"{x:.2f}" for x in skewness)
    found.claim(abs(skewness[-1]) < 0.5 * abs(skewness[0]), f"its density comes closer to a Gaussian: skewness {skews}")
    ranges, least = [], []
    for row in data.gains:
        exists = np.flatnonzero(~np.isnan(row))
        ranges.append((INHIBITIONS[exists[0]], INHIBITIONS[exists[-1]]))
        low = int(np.nanargmin(row))
        least.append(row[low])
        found.claim(
            exists[0] < low < exists[-1], f"at a = {GAINS_A[len(least) - 1]:g} the gain falls, then rises with g; "
            f"it is finite from g = {ranges[-1][0]:.0f} to {ranges[-1][1]:.0f}",
        )  # fmt: skip
    found.claim(
        np.all(np.diff(least) > 0.0) and np.all(np.diff([high - low for low, high in ranges]) < 0.0),
        "a larger a raises the gain and makes that range smaller",
    )
    found.gap(f"at the upper end inhibitory efficacies g a are {ranges[0][1] * GAINS_A[0]:.1f} and less, not small")
    return found


def _draw_gains(gain: Any, potential: Any, data: Data) -> None:
    for a, row, mu, ls in zip(GAINS_A, data.gains, data.mu, ("-", "--", "-."), strict=True):
        gain.plot(INHIBITIONS, row, color="black", ls=ls, label=f"$a$ = {a:g}")
        potential.plot(INHIBITIONS, mu, color="black", ls=ls, label=f"$a$ = {a:g}")
    current = INHIBITIONS * GAMMA - 1.0
    gain.plot(
        INHIBITIONS,
        np.where(current > 0.0, 1.0 / current, np.nan),
        color="0.5",
        ls=":",
        label="currents, $1/(g\\gamma - 1)$",
    )
    noiseless = np.asarray(linear_gain(g=INHIBITIONS, gamma=GAMMA))
    gain.plot(
        INHIBITIONS,
        np.where(np.isfinite(noiseless), noiseless, np.nan),
        color="0.5",
        ls="--",
        lw=0.8,
        label="without noise, (21)",
    )
    gain.set(xscale="log", yscale="log", xlabel="ratio $g$ (1)", ylabel=r"gain $\rho$ (1)")
    gain.set_ylim(1e-5, 100.0)
    gain.legend(loc="lower left")
    potential.axhline(THRESHOLD, color="0.5", lw=0.8)
    potential.axhline(E_I, color="0.5", lw=0.8)
    for level, name in ((THRESHOLD, r"$\theta$"), (E_I, "$E_I$")):
        potential.text(INHIBITIONS[-1], level, name, color="0.4", ha="right", va="bottom")
    potential.set(xscale="log", xlim=gain.get_xlim(), xlabel="ratio $g$ (1)", ylabel=r"mean potential $\mu$ (mV)")


def draw(data: Data) -> Any:
    """The figure."""
    figure, grid = panels(2, 3)
    axes, colours = grid.ravel(), series(len(IN_DEGREES))
    for i, (k, colour) in enumerate(zip(IN_DEGREES, colours, strict=True)):
        axes[0].plot(data.nu_x, data.rate[i], color=colour, label=f"$K = {power(k)}$")
        axes[1].plot(data.nu_x, data.cv[i], color=colour)
        axes[2].plot(k, data.a[i], "o", color=colour, ms=5)
        axes[3].plot(V, data.density[i], color=colour)
    axes[0].plot(data.nu_x, data.gain * data.nu_x, **LIMIT, label=r"$\rho\nu_X$")
    axes[0].set(xlabel=r"input $\nu_X$ (Hz)", ylabel="rate (Hz)")
    axes[0].legend()
    axes[1].plot(data.nu_x, 1.0 - T_REF * data.gain * data.nu_x / 1000.0, **LIMIT, label=r"$1 - \tau_{rp}\nu$")
    axes[1].set(xlabel=r"input $\nu_X$ (Hz)", ylabel="CV of intervals (1)", ylim=(0.0, 1.3))
    axes[1].legend()
    axes[2].plot(LINE, data.along, color="black", zorder=0, label="(D10)")
    axes[2].set(xscale="log", yscale="log", xlabel="in-degree $K$ (1)", ylabel="efficacy $a$ (1)", ylim=(1e-4, 1e-2))
    axes[2].legend()
    axes[3].set(xlabel=rf"potential $V$ (mV) at $\nu_X$ = {SHOWN:.0f} Hz", ylabel="density (1/mV)", ylim=(0.0, None))
    _draw_gains(axes[4], axes[5], data)
    axes[4].set_title(f"$K = {power(GAINS_K)}$")
    letters(axes)
    return figure


FIGURE = Figure(
    "networks at strong coupling, and the finite range of g", compute, check, draw, 30, 30, lambda p: Cost(40.0, 0.9)
)
