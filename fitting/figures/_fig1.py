"""Fig. 1: what stronger coupling does to a neuron with currents and to one with conductances: traces and rates."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import conductance_rate, lif_rate

from ._figure import Cost, Figure, Findings
from ._membrane import RESET, T_REF, TAU_LEAK, THRESHOLD, Membrane
from ._style import GREEN, PURPLE, letters, panels

# The input is not printed: nu_X [Hz] such that the first neurons fire irregularly.
NU_X = {"currents": 30.0, "conductances": 20.0}
V_TH, V_RESET = 20.0, 10.0  # of the neuron with currents, from rest [mV]
# Name: in-degree, efficacy [mV], and the imbalance 1 - g gamma eta, with g = gamma = 1.
CURRENTS = {"i": (1_000.0, 0.3, 0.075), "ii": (50_000.0, 0.3, 0.075), "iii": (50_000.0, 0.04, 0.01)}
# Name: in-degree, efficacy; 1 - g gamma eta = -2.8, again with g = gamma = 1.
CONDUCTANCES = {"i": (1_000.0, 0.01), "ii": (50_000.0, 0.01), "iii": (50_000.0, 0.001)}
RATIOS: dict[str, Any] = dict(g=1.0, gamma=1.0)
ETA = 3.8
LINE = np.geomspace(1e3, 1e5, 41)
SHOWN = 100.0  # ms


@dataclass(frozen=True)
class Size:
    """Neurons of each run, its length [ms] and its step [ms]."""

    n: int
    end: float
    dt: float


@dataclass(frozen=True)
class Run:
    """One neuron's potential [mV], with spikes and without, and rates and CVs of all."""

    trace: NDArray[np.float64]
    free: NDArray[np.float64]
    rate: float
    cv: float
    theory: float
    mu: float


@dataclass(frozen=True)
class Data:
    """Runs by kind and name."""

    size: Size
    runs: dict[str, dict[str, Run]]
    exact: float


def _network(neuron: jn.LIF, synapses: Any, drives: Any, n: int) -> jn.Network:
    made = [
        jn.PoissonDrive("E", synapse, weight=weight, n_sources=k, rate=rate)
        for synapse, (weight, k, rate) in zip(synapses, drives, strict=True)
    ]
    return jn.Network({"E": jn.Population(neuron, n)}, drives=made)


def _run(net: jn.Network, free: jn.Network, size: Size, theory: float, mu: float) -> Run:
    record = {
        "v": jn.record.Trace("E.v", neurons=slice(0, 1)),
        "rate": jn.record.Rate(start=50.0),
        "cv": jn.record.CV(start=50.0),
    }
    how: dict[str, Any] = dict(dt=size.dt, key=jax.random.key(1))
    sol = jn.simulate(net, 0.0, size.end, record=record, **how)
    without = jn.simulate(free, 0.0, SHOWN, record={"v": record["v"]}, **how)
    trace = np.asarray(sol["v"])[: round(SHOWN / size.dt), 0]
    return Run(
        trace, np.asarray(without["v"])[:, 0], float(jnp.mean(sol["rate"]["E"])), _mean(sol["cv"]["E"]), theory, mu
    )


def _mean(values: Any) -> float:
    """The mean over neurons that have a CV; NaN where none has."""
    known = np.asarray(values)[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _currents(size: Size) -> dict[str, Run]:
    found, nu = {}, NU_X["currents"]
    synapses = (jn.DeltaCurrent(), jn.DeltaCurrent())
    for name, (k, j, off) in CURRENTS.items():
        drives = ((j, k, nu), (-j, k, (1.0 - off) * nu))
        nets = [
            _network(jn.LIF(tau_m=TAU_LEAK, v_rest=0.0, v_th=top, v_reset=V_RESET, t_ref=T_REF), synapses, drives, n)
            for top, n in ((V_TH, size.n), (1e6, 1))
        ]
        mu, sigma = TAU_LEAK / 1e3 * j * k * nu * off, j * np.sqrt(TAU_LEAK / 1e3 * k * nu * (2.0 - off))
        theory = lif_rate(mu, sigma, tau=TAU_LEAK, v_th=V_TH, v_reset=V_RESET, t_ref=T_REF)
        found[name] = _run(nets[0], nets[1], size, float(theory), mu)
    return found


def _conductances(size: Size) -> dict[str, Run]:
    found, nu = {}, NU_X["conductances"]
    synapses = (jn.DeltaConductance(0.0), jn.DeltaConductance(-75.0))
    for name, (k, a) in CONDUCTANCES.items():
        drives = ((a, k, nu), (RATIOS["g"] * a, RATIOS["gamma"] * k, ETA * nu))
        nets = [
            _network(jn.LIF(tau_m=TAU_LEAK, v_rest=-80.0, v_th=top, v_reset=RESET, t_ref=T_REF), synapses, drives, n)
            for top, n in ((THRESHOLD, size.n), (1e6, 1))
        ]
        theory = float(conductance_rate(nu, a=a, k=k, eta=ETA, **RATIOS))
        mu = Membrane(a=a, k=k, r_e=nu, r_i=ETA * nu, **RATIOS).mu
        found[name] = _run(nets[0], nets[1], size, theory, mu)
    return found


def _without_a_clock(size: Size) -> float:
    """The rate [Hz] of the first neuron with conductances, from spike to spike of its input."""
    k, a = CONDUCTANCES["i"]
    net = jn.networks.conductance_neuron(a=a, k=k, eta=ETA, nu_x=NU_X["conductances"], n=size.n, **RATIOS)
    events = jn.simulate_events(net, size.end, most=round(size.n * size.end / 4.0), key=jax.random.key(2))
    times = np.asarray(events.times)
    return float(np.sum((times > 50.0) & np.isfinite(times)) / (size.n * (size.end - 50.0) / 1000.0))


def compute(size: Size) -> Data:
    """Six runs, each with a neuron that has no threshold beside it."""
    runs = {"currents": _currents(size), "conductances": _conductances(size)}
    return Data(size, runs, _without_a_clock(size))


def check(data: Data) -> Findings:
    """What the caption and section III say."""
    found, top = Findings(), 1000.0 / T_REF
    currents, conductances = data.runs["currents"], data.runs["conductances"]

    def shown(name: str, kind: dict[str, Run]) -> str:
        run = kind[name]
        return f"{run.rate:.1f} Hz, CV {run.cv:.2f}, mean {run.mu:.1f} mV; theory {run.theory:.1f} Hz"

    first = currents["i"]
    found.claim(
        first.mu < V_TH and first.cv > 0.5, f"currents i fire irregularly, below threshold: {shown('i', currents)}"
    )
    second = currents["ii"]
    found.claim(second.mu > V_TH and second.cv < 0.3, f"ii regularly, far above threshold: {shown('ii', currents)}")
    third = currents["iii"]
    found.claim(third.mu < V_TH and third.cv > 0.5, f"iii irregularly again, by 1/sqrt(K): {shown('iii', currents)}")
    first = conductances["i"]
    found.claim(
        first.mu < THRESHOLD and first.cv > 0.5,
        f"conductances i fire irregularly, below threshold: {shown('i', conductances)}",
    )
    second = conductances["ii"]
    found.claim(
        second.mu < THRESHOLD and second.rate > 0.6 * top and second.cv < 0.5,
        f"ii saturated and regularly, though the mean is below threshold: {shown('ii', conductances)}",
    )
    third = conductances["iii"]
    found.claim(third.rate < 0.1, f"iii not at all, by 1/sqrt(K): {shown('iii', conductances)}")
    found.gap(
        f"the clock of {data.size.dt:g} ms: {first.rate:.1f} Hz where a run without one has {data.exact:.1f}, and "
        f"theory (effective noise) {first.theory:.1f}"
    )
    return found


def _draw_traces(axes: Any, data: Data, kind: str, name: str) -> None:
    run = data.runs[kind][name]
    low, high = (V_RESET, V_TH) if kind == "currents" else (RESET, THRESHOLD)
    t = data.size.dt * np.arange(run.trace.size)
    if name == "ii":
        axes.plot(t, run.free, color="#b9a3d6", lw=0.4, label="without spikes")
    axes.plot(t, run.trace, color=PURPLE, lw=0.6)
    for level, label in ((low, None), (high, "reset, threshold")):
        axes.axhline(level, color="black", lw=0.8, ls="--", label=label)
    axes.axhline(run.mu, color=GREEN, lw=0.8, ls="--", label=r"equilibrium $\mu$")
    bottom = float(np.quantile(run.free, 0.01)) - 2.0
    top = max(high, run.mu, float(np.quantile(run.free, 0.99)) if name == "ii" else high) + 3.0
    axes.set(xlim=(0.0, SHOWN), ylim=(min(low - 4.0, bottom), top), xlabel="time (ms)", title=f"{kind} {name}")


def _draw_strengths(drift: Any, noise: Any, kind: str) -> None:
    nu = NU_X[kind]
    if kind == "currents":
        rows = (
            ("$J$ constant", "-", 0.3 * np.ones_like(LINE)),
            (r"$J \sim 1/\sqrt{K}$", "--", 0.3 * np.sqrt(1e3 / LINE)),
        )
        for label, ls, j in rows:
            drift.plot(LINE, j * LINE * nu / 1e3 * 0.075, color="black", ls=ls, label=label)
            noise.plot(LINE, j * np.sqrt(LINE * nu / 1e3 * 1.925), color="black", ls=ls)
        drift.set_ylabel("drift at rest (mV/ms)")
    else:
        rows = (
            ("$a$ constant", "-", 0.01 * np.ones_like(LINE)),
            (r"$a \sim 1/\sqrt{K}$", "--", 0.01 * np.sqrt(1e3 / LINE)),
        )
        for label, ls, efficacy in rows:
            made = [Membrane(a=a, k=k, r_e=nu, r_i=ETA * nu, **RATIOS) for a, k in zip(efficacy, LINE, strict=True)]
            drift.plot(LINE, [1.0 / m.tau for m in made], color="black", ls=ls, label=label)
            noise.plot(LINE, [m.sigma(m.mu) / np.sqrt(m.tau) for m in made], color="black", ls=ls)
        drift.set_ylabel(r"drift a mV from $\mu$ (mV/ms)")
    noise.set_ylabel(r"noise $\sigma/\sqrt{\tau}$ (mV/$\sqrt{\mathrm{ms}}$)")
    for axis in (drift, noise):
        axis.set(xscale="log", yscale="log", xlabel="in-degree $K$ (1)")
    drift.legend()


def draw(data: Data) -> Any:
    """The figure."""
    figure, axes = panels(2, 5, width=13.0)
    for row, kind in zip(axes, data.runs, strict=True):
        for axis, name in zip(row[:3], data.runs[kind], strict=True):
            _draw_traces(axis, data, kind, name)
        row[0].set_ylabel("potential (mV)" if kind == "conductances" else "potential from rest (mV)")
        _draw_strengths(row[3], row[4], kind)
    axes[0, 1].legend(loc="lower right")  # in the other rows it would lie on the traces
    letters([axes[0, 0], axes[0, 3], axes[0, 4], axes[1, 0], axes[1, 3], axes[1, 4]])
    return figure


SMALL = Size(100, 300.0, 0.02)
FIGURE = Figure(
    "a neuron with currents and one with conductances, as K grows", compute, check, draw, SMALL, SMALL,
    lambda size: Cost(30.0, 0.8), float64=False,
)  # fmt: skip
