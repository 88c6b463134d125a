"""Fig. 13: networks beside four theories of the noise, as K grows along (D10)."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import (
    AbstractNoise,
    EffectiveNoise,
    ItoNoise,
    ShotNoise,
    StratonovichNoise,
    conductance_density,
    network_gain,
    scale_efficacy,
)

from ._curves import network_cv, network_rates, seen_by
from ._figure import Cost, Figure, Findings
from ._membrane import T_REF, THRESHOLD
from ._style import LIGHT_BLUE, LIMIT, THEORIES, letters, panels

A, K, G, GAMMA = 0.0016, 1_000.0, 20.0, 0.25
NOISES: dict[str, AbstractNoise] = {
    "Effective": EffectiveNoise(),
    "Ito": ItoNoise(),
    "Stratonovich": StratonovichNoise(),
    "Shot": ShotNoise(),
}
LARGE = (1e4, 1e5, 1e6)  # in-degrees at which theories alone are compared
V = np.linspace(-75.0, -55.0, 161)
BLOCK = 50.0  # ms, whose mean rates are taken as independent


@dataclass(frozen=True)
class Size:
    """In-degrees, neurons of each of four populations over K, inputs [Hz], length, start and step [ms]; theory over."""

    k: tuple[float, ...]
    n_per_k: int
    nu_x: tuple[float, ...]
    end: float
    start: float
    dt: float
    line: tuple[float, ...] = (10.0, 15.0, 20.0, 30.0, 45.0, 60.0)
    theories: tuple[str, ...] = tuple(NOISES)

    @property
    def synapses(self) -> float:
        """Of the largest network: two populations of neurons with (2 + gamma) K inputs each."""
        largest = max(self.k)
        return 2.0 * self.n_per_k * largest * (2.0 + GAMMA) * largest

    @property
    def gigabytes(self) -> float:
        """Measured: 1.3 GB at 45 million synapses, after which theories take what the network took."""
        return 0.6 + 16e-9 * self.synapses

    @property
    def seconds(self) -> float:
        """Measured: 30 ns a synaptic event and 60 ns a neuron and step; 200 ns a synapse to wire."""
        total = 60.0
        for k in self.k:
            neurons, rate = 2.0 * self.n_per_k * k, 2.0 * sum(self.nu_x) + 0.02 * len(self.nu_x)
            events = neurons * (2.0 + GAMMA) * k * rate / 1000.0 * self.end
            total += 3e-8 * events + len(self.nu_x) * neurons * self.end / self.dt * 6e-8
            total += 2e-7 * neurons * (2.0 + GAMMA) * k
        return total


@dataclass(frozen=True)
class Data:
    """Runs (in-degree, nu_X), `error` of their rates, and theories by name (in-degree, line).

    Densities are at the first input.
    """

    size: Size
    a: NDArray[np.float64]
    run: dict[str, NDArray[np.float64]]
    density: NDArray[np.float64]
    line: NDArray[np.float64]
    rate: dict[str, NDArray[np.float64]]
    cv: dict[str, NDArray[np.float64]]
    densities: dict[str, NDArray[np.float64]]
    gain: float
    large: dict[str, NDArray[np.float64]]


def network(k: float, a: float, nu_x: float, size: Size) -> jn.Network:
    """E and I neurons, each with external neurons of their own; delays U[0, 10] ms of E synapses, U[0, 1] of I."""
    n = round(size.n_per_k * k)
    lif = jn.LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    excitatory, inhibitory = jn.DeltaConductance(0.0), jn.DeltaConductance(-75.0)
    slow, fast = jn.UniformDelay(0.0, 10.0), jn.UniformDelay(0.0, 1.0)
    both, many, few = ("E", "I"), jn.FixedInDegree(k), jn.FixedInDegree(GAMMA * k)
    projections = [
        jn.Projection("E", both, excitatory, weight=a, connectivity=many, delay=slow),
        jn.Projection("I", both, inhibitory, weight=G * a, connectivity=few, delay=fast),
    ]
    populations = {name: jn.Population(lif, n) for name in both}
    for name in both:  # a delay of a Poisson spike changes nothing
        populations[f"X_{name}"] = jn.Population(jn.Poisson(nu_x), n)
        projections.append(
            jn.Projection(f"X_{name}", name, excitatory, weight=a, connectivity=many, delay=1.0)
        )  # fmt: skip
    return jn.Network(populations, projections)


def _runs(size: Size, a: NDArray[np.float64]) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    found, densities = [], []
    record: dict[str, Any] = {
        "rate": jn.record.Rate(start=size.start),
        "cv": jn.record.CV(start=size.start),
        "blocks": jn.record.PopulationRate("E", "I", width=BLOCK, start=size.start),
        "v": jn.record.Histogram(
            "E.v", low=V[0], high=V[-1], bins=V.size - 1, start=size.start, every=10, without="refractory"
        ),
    }
    for k, efficacy in zip(size.k, a, strict=True):
        wiring = None
        for i, nu_x in enumerate(size.nu_x):
            net, key = network(k, float(efficacy), nu_x, size), jax.random.key(0)
            wiring = jn.wire(net, key=key) if wiring is None else wiring
            sol = jn.simulate(net, 0.0, size.end, dt=size.dt, key=key, record=record, wiring=wiring)
            rates = jnp.concatenate([sol["rate"]["E"], sol["rate"]["I"]])
            cv = np.concatenate([np.asarray(sol["cv"][name]) for name in ("E", "I")])
            blocks = np.mean([np.asarray(sol["blocks"][name]) for name in ("E", "I")], axis=0)
            error = np.std(blocks, ddof=1) / np.sqrt(blocks.size)
            found.append((float(jnp.mean(rates)), float(np.nanmean(cv)), float(error)))
            if i == 0:  # a density integrates to the share of time that neurons are not held at reset
                densities.append(np.asarray(sol["v"].values) * (1.0 - T_REF * found[-1][0] / 1000.0))
    table = np.reshape(found, (len(size.k), len(size.nu_x), 3))
    return {"rate": table[..., 0], "cv": table[..., 1], "error": table[..., 2]}, np.array(densities)


def _theory(size: Size, a: Any, noise: AbstractNoise) -> tuple[Any, Any, Any]:
    """Rates and CVs (in-degree, line) and densities (in-degree, V)."""
    line, k = np.array(size.line), np.array(size.k)
    inputs = np.tile(line, k.size)
    numbers: dict[str, Any] = dict(a=np.repeat(a, line.size), k=np.repeat(k, line.size), g=G, noise=noise)
    rate = network_rates(inputs, **numbers)
    cv = network_cv(inputs, rate, **numbers).reshape(k.size, -1)
    rate = rate.reshape(k.size, -1)
    densities = []
    for x, y, row in zip(a, k, rate, strict=True):
        seen = seen_by(size.nu_x[0], np.interp(size.nu_x[0], line, row))
        densities.append(conductance_density(V, **seen, a=x, k=y, g=G, gamma=GAMMA, noise=noise))
    return rate, cv, np.array(densities)


def _large(like: jn.Network, theories: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Rates at nu_X = 20 Hz and large in-degrees along (D10)."""
    a = np.asarray(scale_efficacy(np.array(LARGE), like=like, noise=ItoNoise()))
    inputs = np.full(len(LARGE), 20.0)
    return {name: network_rates(inputs, a=a, k=np.array(LARGE), g=G, noise=NOISES[name]) for name in theories}


def compute(size: Size) -> Data:
    """Runs and theories; efficacies by (D10), of Ito's theory, from a = 0.0016 at K = 1,000."""
    like = jn.networks.conductance_based(a=A, k=K, g=G, gamma=GAMMA, nu_x=20.0)
    a = np.asarray(scale_efficacy(np.array(size.k), like=like, noise=ItoNoise()))
    run, density = _runs(size, a)
    rate, cv, densities = {}, {}, {}
    for name in size.theories:
        rate[name], cv[name], densities[name] = _theory(size, a, NOISES[name])
    gain = float(network_gain(a=A, k=K, g=G, gamma=GAMMA, noise=ItoNoise()).rho_simplified)
    line = np.array(size.line)
    return Data(size, a, run, density, line, rate, cv, densities, gain, _large(like, size.theories))


def check(data: Data) -> Findings:
    """What the caption and appendix E say."""
    found, size = Findings(), data.size
    rates = [f"{x:.1f} +- {y:.1f} Hz" for x, y in zip(data.run["rate"][:, 0], data.run["error"][:, 0], strict=True)]
    found.gap(
        f"runs have {', '.join(rates)} at {size.nu_x[0]:g} Hz: neurons share inputs and fluctuate together, of which "
        f"{(size.end - size.start) / 1000.0:g} s are few"
    )
    for name in size.theories:
        listed = []
        for i, k in enumerate(size.k):
            at = np.interp(size.nu_x, data.line, data.rate[name][i])
            off = data.run["rate"][i] / at - 1.0
            listed.append(f"{off[0]:+.1%} at K = {k:g}")
        found.gap(f"runs over {name} at {size.nu_x[0]:g} Hz: " + ", ".join(listed))
    off = [
        abs(float(np.interp(size.nu_x[0], data.line, data.rate[name][-1]) / data.run["rate"][-1, 0] - 1.0))
        for name in size.theories
    ]
    found.claim(min(off) < 0.25, f"the nearest theory is within {min(off):.1%} of the runs: qualitative agreement")
    cv = data.run["cv"][-1, 0]
    found.claim(cv > 0.5, f"firing is irregular: CV {cv:.2f}, of few intervals of each neuron, which makes it low")
    sd = []
    for row in data.density:
        p, centres = row / row.sum(), 0.5 * (V[1:] + V[:-1])
        sd.append(float(np.sqrt(p @ (centres - p @ centres) ** 2)))
    found.gap("SD of the potential in runs: " + ", ".join(f"{x:.2f}" for x in sd) + " mV")
    if {"Shot", "Ito"} <= set(size.theories):
        ratio = data.large["Shot"] / data.large["Ito"]
        shown = ", ".join(f"{x:.3f}" for x in ratio)
        found.claim(np.all(np.abs(ratio - 1.0) > 0.005), "along (D10) spikes and diffusion stay apart")
        found.gap(
            f"appendix E says that agreement improves as a falls; spikes over Ito are {shown} at K = 10^4, 10^5, 10^6: "
            "the exponents differ"
        )
    found.gap(
        f"steps of {size.dt:g} ms (0.01 in the paper): 13% of the rate are lost at 0.05 ms, a = 0.01, nu_X = 20 Hz"
    )
    n = round(size.n_per_k * max(size.k))
    found.gap(
        f"{size.end / 1000.0:g} s of four populations of {n:,}; 10 s of 10 K or 100 K each in the paper, K not printed"
    )
    return found


def draw(data: Data) -> Any:
    """The figure: a column an in-degree."""
    size = data.size
    figure, axes = panels(3, len(size.k), width=3.6 * max(2, len(size.k)), height=7.5)
    for i, k in enumerate(size.k):
        for name in size.theories:
            look = THEORIES[name]
            axes[0, i].plot(data.line, data.rate[name][i], **look, label=name)
            axes[1, i].plot(data.line, data.cv[name][i], **look)
            axes[2, i].plot(V, data.densities[name][i], **look)
        axes[0, i].plot(data.line, data.gain * data.line, **LIMIT, label=r"$\rho\nu_X$")
        runs = dict(color=LIGHT_BLUE, ls="none", marker="o", ms=5)
        axes[0, i].errorbar(size.nu_x, data.run["rate"][i], data.run["error"][i], **runs, label="run")
        axes[1, i].plot(size.nu_x, data.run["cv"][i], **runs)
        axes[2, i].stairs(data.density[i], V, color=LIGHT_BLUE, lw=1.0)
        axes[0, i].set(xlabel=r"input $\nu_X$ (Hz)", ylabel="rate (Hz)", title=f"$K$ = {k:g}, $a$ = {data.a[i]:.2g}")
        axes[1, i].set(xlabel=r"input $\nu_X$ (Hz)", ylabel="CV of intervals (1)", ylim=(0.0, 1.2))
        axes[2, i].axvline(THRESHOLD, color="0.5", lw=0.8)
        largest = 1.2 * max(float(data.densities[name][i].max()) for name in size.theories if name != "Shot")
        axes[2, i].set(
            xlabel=rf"potential $V$ (mV), $\nu_X$ = {size.nu_x[0]:g} Hz", ylabel="density (1/mV)", ylim=(0.0, largest)
        )
    axes[0, 0].legend()
    letters(axes.ravel())
    return figure


SMALL = Size((500.0, 1_000.0), 10, (20.0,), 500.0, 100.0, 0.05)
PAPER = Size((500.0, 1_000.0, 2_000.0), 10, (10.0, 20.0, 30.0, 45.0), 10_000.0, 500.0, 0.01)
FIGURE = Figure(
    "networks beside four theories of the noise, as K grows", compute, check, draw, SMALL, PAPER,
    lambda size: Cost(size.seconds, size.gigabytes),
    not_run="10 s at K = 2,000 in steps of 0.01 ms, for four inputs.",
)  # fmt: skip
