"""Fig. 14: synapses with a time course suppress one neuron's response as K grows: runs beside (G9), (G10), (G11)."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import (
    Crossings,
    LongFilter,
    ShortFilter,
    ShotNoise,
    conductance_rate,
    lif_rate_filtered,
    scale_efficacy,
)

from ._figure import Cost, Figure, Findings
from ._membrane import RESET, T_REF, THRESHOLD, Membrane
from ._style import AMBER, GREEN, PURPLE, letters, panels

NEURON: dict[str, Any] = dict(g=12.0, gamma=0.25)
A, K, ETA = 0.006, 1e3, 1.46
NU_X = 20.0  # Hz, not printed
TAU_S = (0.1, 0.3, 1.0)  # ms
LINE = np.geomspace(5e2, 2e5, 40)
REGIMES = {
    "(G9), short": (ShortFilter(), dict(color=GREEN, ls="--")),
    "(G10), crossings": (Crossings(), dict(color=AMBER, ls="-.")),
    "(G11), long": (LongFilter(), dict(color=PURPLE, ls=":")),
}


@dataclass(frozen=True)
class Size:
    """In-degrees, neurons of each run, its length [ms], and steps for each of the shorter of tau and tau_S."""

    k: tuple[float, ...]
    n: int
    end: float
    per_time: float


@dataclass(frozen=True)
class Data:
    """Rates [Hz] of runs (tau_S, in-degree) with their standard errors, and of theory over K."""

    size: Size
    tau: NDArray[np.float64]
    line_tau: NDArray[np.float64]
    run: NDArray[np.float64]
    error: NDArray[np.float64]
    at_once: NDArray[np.float64]
    theory: dict[str, NDArray[np.float64]]
    at_runs: dict[str, NDArray[np.float64]]
    joined: NDArray[np.float64]
    spikes: NDArray[np.float64]


def _membranes(k: Any) -> list[Membrane]:
    like = jn.networks.conductance_neuron(a=A, k=K, eta=ETA, nu_x=NU_X, **NEURON)
    a = np.asarray(scale_efficacy(np.asarray(k), like=like))
    return [Membrane(a=float(x), k=float(y), r_e=NU_X, r_i=ETA * NU_X, **NEURON) for x, y in zip(a, k, strict=True)]


def _rates(membranes: list[Membrane], regime: Any) -> NDArray[np.float64]:
    """(tau_S, in-degree)."""
    mu, tau = (np.array([getattr(m, what) for m in membranes]) for what in ("mu", "tau"))
    sigma = np.array([m.sigma(m.mu) for m in membranes])
    numbers: dict[str, Any] = dict(
        tau=tau, tau_s=np.array(TAU_S)[:, None], v_th=THRESHOLD, v_reset=RESET, t_ref=T_REF, regime=regime
    )
    return np.asarray(lif_rate_filtered(mu, sigma, **numbers))


def _step(tau: float, tau_s: float, per_time: float) -> float:
    """A step [ms] that divides 0.1 ms and resolves the quicker of both times."""
    return 0.1 / max(1, int(np.ceil(0.1 * per_time / min(tau, tau_s))))


def _run(m: Membrane, tau_s: float, size: Size) -> tuple[float, float]:
    net = jn.networks.conductance_neuron(
        a=m.a, k=m.k, eta=ETA, nu_x=NU_X, n=size.n, tau_s=tau_s, **NEURON
    )  # fmt: skip
    record = {"rate": jn.record.Rate(start=100.0)}
    dt = _step(m.tau, tau_s, size.per_time)
    rate = jn.simulate(net, 0.0, size.end, dt=dt, key=jax.random.key(0), record=record)["rate"]["E"]
    return float(jnp.mean(rate)), float(jnp.std(rate) / np.sqrt(size.n))


def compute(size: Size) -> Data:
    """Runs at every K and tau_S, and theory over K."""
    runs, along = _membranes(size.k), _membranes(LINE)
    found = np.array([[_run(m, tau_s, size) for m in runs] for tau_s in TAU_S])
    at_once = conductance_rate(NU_X, a=np.array([m.a for m in along]), k=LINE, eta=ETA, **NEURON)
    theory = {name: _rates(along, regime) for name, (regime, _) in REGIMES.items()}
    at_runs = {name: _rates(runs, regime) for name, (regime, _) in REGIMES.items()}
    taus = [np.array([m.tau for m in one]) for one in (runs, along)]
    numbers: dict[str, Any] = dict(a=np.array([m.a for m in runs]), k=np.array(size.k), eta=ETA, **NEURON)
    spikes = np.asarray(conductance_rate(NU_X, noise=ShotNoise(), **numbers))
    joined = _rates(along, None)
    return Data(
        size, taus[0], taus[1], found[..., 0], found[..., 1], np.asarray(at_once), theory, at_runs, joined, spikes
    )


def check(data: Data) -> Findings:
    """What the caption says."""
    found = Findings()
    ratio = np.array(TAU_S)[:, None] / data.tau
    k = ", ".join(f"{x:g}" for x in data.size.k)
    rates = ["; ".join(f"{x:.1f}" for x in row) for row in data.run]
    shown = ", ".join(f"{tau_s:g} ms: {row}" for tau_s, row in zip(TAU_S, rates, strict=True))
    found.claim(
        np.all(np.diff(data.run, axis=1) <= 0.0),
        "the rates fall as K grows along (14), which keeps them where synapses act at once",
    )
    found.claim(np.all(np.diff(data.run.sum(axis=1)) < 0.0), f"longer time courses suppress (K = {k}): {shown} Hz")
    at = np.interp(np.log(data.size.k), np.log(LINE), data.at_once)
    for name, regime, inside in (("(G9)", "(G9), short", ratio < 0.15), ("(G11)", "(G11), long", ratio > 3.0)):
        shares = np.abs(data.at_runs[regime][inside] / np.maximum(data.run[inside], 1e-9) - 1.0)
        loud = data.run[inside] > 1.0
        if loud.any():
            ends = " to ".join(dict.fromkeys(f"{x:.0%}" for x in (shares[loud].min(), shares[loud].max())))
            found.gap(f"{name} is off the runs by {ends} where it is meant")
    left = (data.run[0, 0] / data.spikes[0], data.at_runs["(G9), short"][0, 0] / at[0])
    found.gap(
        f"runs are of spikes, which at once fire at {data.spikes[0]:.1f} Hz at K = {data.size.k[0]:g}, and not at the "
        f"{at[0]:.1f} Hz of (10): tau_S = {TAU_S[0]:g} ms leaves {left[0]:.2f} of it, by (G9) {left[1]:.2f}"
    )
    found.gap(f"steps are 1/{data.size.per_time:g} of the quicker of tau and tau_S")
    return found


def _draw(axes: Any, x: Any, line: Any, data: Data, i: int) -> None:
    axes.plot(line, data.at_once, color="black", lw=1.0, label="at once, (10)")
    for name, (_, look) in REGIMES.items():
        axes.plot(line, data.theory[name][i], **look, label=name)
    axes.plot(line, data.joined[i], color="0.6", lw=0.8, label="joined")
    fires, least = data.run[i] > 0.0, 1000.0 / (data.size.n * (data.size.end - 100.0))
    runs = np.where(fires, data.run[i], np.nan)
    axes.errorbar(x, runs, data.error[i], fmt="o", color="black", ms=4, label="runs")
    axes.plot(x, np.where(fires, np.nan, least), "v", mfc="white", color="black", ms=5, label="runs without a spike")
    axes.plot(x, data.spikes, "x", color="black", ms=5, label="spikes at once, theory")
    axes.set(xscale="log", yscale="log", ylabel="rate (Hz)", ylim=(0.5 * least, 300.0))


def draw(data: Data) -> Any:
    """The figure."""
    figure, axes = panels(2, 3)
    for i, tau_s in enumerate(TAU_S):
        _draw(axes[0, i], data.size.k, LINE, data, i)
        _draw(axes[1, i], tau_s / data.tau, tau_s / data.line_tau, data, i)
        axes[0, i].set(xlabel="in-degree $K$ (1)", title=rf"$\tau_S$ = {tau_s:g} ms")
        axes[1, i].set_xlabel(r"$\tau_S/\tau$ (1)")
    handles, names = axes[0, 2].get_legend_handles_labels()  # five curves, then marks
    for axis, which in ((axes[0, 2], slice(5)), (axes[1, 2], slice(5, None))):
        axis.legend(handles[which], names[which], loc="upper right", bbox_to_anchor=(1.0, 0.72))
    letters(axes.ravel())
    return figure


SMALL = Size((1e3, 1e4, 1e5), 100, 400.0, 10.0)
PAPER = Size((1e3, 3e3, 1e4, 3e4, 1e5), 400, 2_100.0, 20.0)
FIGURE = Figure(
    "synaptic time constants and one neuron's response", compute, check, draw, SMALL, PAPER,
    lambda size: Cost(20.0 + 2e-7 * size.n * size.end * size.per_time * 600.0, 0.8), float64=False,
    not_run="neither its length nor its number of neurons is printed; a longer run stands in for it.",
)  # fmt: skip
