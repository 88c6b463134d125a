"""How the cost of a run grows with neurons, synapses, batch and rate: ms a step and ns a synaptic event.

Brunel's network at g = 5, from potentials spread between reset and threshold; after a warm-up the same run goes on and
is timed. Neurons: 500 inputs each, 400 of them from E, and every delivery that fits into memory. Synapses, batch
(`vmap` over one wiring) and rate: 10,000 neurons and the default delivery. Weights: 5,000 neurons with 500 inputs each
whose weights are drawn, beside the same network with one weight, whose spikes are counted (the peer of the row; weights
may cost 2.5 times as much, a ratio of 0.4). A synaptic event is one spike that arrives at one neuron; its time is that
of the whole run, neurons and noise included, over the number of events.

`python -m benchmarks.growth --figure FILE` draws the rows, `--json REPORT` those of an earlier run.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

import jaxneuro as jn

from ._report import Row, compared

DT = 0.1
WAYS = {"Rows": jn.delivery.Rows, "NativeSparse": jn.delivery.NativeSparse, "Sparse": jn.delivery.Sparse}
WAYS |= {"Product": jn.delivery.Product, "Procedural": jn.delivery.Procedural}
# Largest number of neurons: a dense matrix has n^2 bytes (two for Product), lists 2 or 4 for each of 500 n synapses
# and several times that while they are drawn.
LARGEST = {"Rows": 30_000, "Product": 30_000, "NativeSparse": 100_000, "Sparse": 100_000, "Procedural": 1_000_000}
# Neurons: timed milliseconds of biological time.
SIZES = {1_000: 300.0, 10_000: 300.0, 30_000: 150.0, 100_000: 60.0, 1_000_000: 15.0}
AXES = {"neurons": "neurons", "synapses": "inputs of a neuron", "batch": "networks in a batch", "rate": "rate [Hz]"}


@dataclass(frozen=True)
class Case:
    """One network to time, and where it stands in the figure; `at` None: at its rate."""

    axis: str
    series: str
    at: float | None
    n: int = 10_000
    in_degree: int = 500
    ratio: float = 2.0
    batch: int = 1
    duration: float = 300.0
    own_weights: bool = False
    own_delays: bool = False

    @property
    def warm_up(self) -> float:
        """Milliseconds before the timed ones."""
        return min(60.0, 2.0 * self.duration)

    def network(self) -> jn.Network:
        """Brunel's network of this size; J times the in-degree is the same for all."""
        c_e = 4 * self.in_degree // 5
        net = jn.networks.brunel(
            5.0, self.ratio, j=80.0 / c_e, n_e=4 * self.n // 5, n_i=self.n // 5, c_e=c_e, c_i=self.in_degree // 5,
            initial=jn.initial.UniformPotential(10.0, 20.0),
            delay=jn.UniformDelay(0.5, 3.0) if self.own_delays else 1.5,
        )  # fmt: skip
        if not self.own_weights:
            return net
        drawn = [
            jn.Projection(
                p.pre, p.post, p.synapse, weight=jn.LogNormalWeight(p.law.scale, 0.5), connectivity=p.connectivity,
                delay=p.delay,
            )
            for p in net.projections
        ]  # fmt: skip
        return jn.Network(net.populations, drawn, net.drives)


def cases(largest: int) -> Iterator[Case]:
    """All of them, up to a number of neurons."""
    # Product belongs to GPUs: on a CPU a step takes a second.
    names = [name for name in WAYS if name != "Product" or jax.default_backend() != "cpu"]
    for n, duration in SIZES.items():
        for name in names:
            if n <= min(largest, LARGEST[name]):
                yield Case("neurons", name, n, n=n, duration=duration)
    n = min(10_000, largest)
    for in_degree in (125, 250, 500, 1_000, 2_000):
        if in_degree <= n // 5:
            yield Case("synapses", "default", in_degree, n=n, in_degree=in_degree)
    in_degree = min(1_000, n // 10)
    for batch in (1, 4, 16):
        yield Case("batch", "default", batch, n=n, in_degree=in_degree, batch=batch, duration=150.0)
    for ratio in (1.1, 1.5, 2.0, 3.0, 4.0):
        yield Case("rate", "default", None, n=n, in_degree=in_degree, ratio=ratio)


def weight_cases(largest: int) -> Iterator[tuple[Case, Case]]:
    """Drawn weights, each beside the same network with one weight; plain is what runs without numba."""
    n = min(5_000, largest)
    size: dict[str, Any] = dict(axis="weights", at=n, n=n, in_degree=n // 10, duration=150.0)
    for own_delays, series in ((False, "NativeSparse"), (False, "Rows"), (True, "NativeSparse"), (True, "Sparse")):
        alike = series if own_delays else "Rows"  # what counts are delivered by
        counts = Case(series=alike, own_delays=own_delays, **size)
        yield Case(series=series, own_weights=True, own_delays=own_delays, **size), counts


def measure_weights(largest: int, rounds: int) -> list[Row]:
    """A step with drawn weights beside a step with counts."""
    rows = []
    for case, counts in weight_cases(largest):
        ours, peer = (row[0] for row in (measure(case, rounds), measure(counts, rounds)))
        delays = "delays of their own" if case.own_delays else "one delay"
        what = f"weights: {case.n:,} x {case.in_degree:,}, {delays}, {case.series}: a step"
        assert ours["ours"] is not None
        assert peer["ours"] is not None
        rows.append(compared(what, "ms", [ours["ours"]], [peer["ours"]], "beside counts"))
    return rows


def _one(case: Case, t0: float, t1: float, wiring: jn.Wiring, key: PRNGKeyArray, state: Any) -> Any:
    """Final state, and rates [Hz] of E and I, of a run."""
    sol = jn.simulate(case.network(), t0, t1, dt=DT, key=key, wiring=wiring, state=state, throw=False)
    return sol.state, {name: jnp.mean(rate) for name, rate in sol["rate"].items()}


def _simulate(case: Case, wiring: jn.Wiring, key: PRNGKeyArray, t0: float, t1: float, state: Any) -> Any:
    """The same of a batch of runs over one wiring."""
    if case.batch == 1:
        return _one(case, t0, t1, wiring, key, state)
    return _batched(case, t0, t1, wiring, jax.random.split(key, case.batch), state)


# The case is part of the program, by its value: a function made anew for each call would compile anew.
@eqx.filter_jit
def _batched(case: Case, t0: float, t1: float, wiring: jn.Wiring, keys: PRNGKeyArray, state: Any) -> Any:
    axes = (None, 0, None if state is None else 0)
    return eqx.filter_vmap(lambda *one: _one(case, t0, t1, *one), in_axes=axes)(wiring, keys, state)


def measure(case: Case, rounds: int) -> list[Row]:
    """Two rows: a step, and a synaptic event."""
    key, t0 = jax.random.key(1), case.warm_up
    start = time.perf_counter()
    delivery = None if case.series == "default" else WAYS[case.series]()
    wiring = jax.block_until_ready(jn.wire(case.network(), key=jax.random.key(0), delivery=delivery))
    wired = time.perf_counter() - start
    state, _ = _simulate(case, wiring, key, 0.0, t0, None)
    rates: dict[str, Any] = {}
    seconds = []
    for _ in range(rounds + 1):  # the first compiles
        start = time.perf_counter()
        _, rates = jax.block_until_ready(_simulate(case, wiring, key, t0, t0 + case.duration, state))
        seconds.append(time.perf_counter() - start)
    seconds = seconds[1:]
    rate = float(0.8 * jnp.mean(rates["E"]) + 0.2 * jnp.mean(rates["I"]))
    # Every E and every I neuron has as many targets on average, `in_degree`.
    events = rate * case.duration / 1000.0 * case.n * case.in_degree * case.batch
    megabytes = sum(leaf.nbytes for leaf in jax.tree.leaves(wiring) if hasattr(leaf, "nbytes")) / 1e6
    what = f"{case.axis}: {case.n:,} x {case.in_degree:,}, {case.series}"
    what += f", ratio {case.ratio:g}" if case.axis == "rate" else f", batch of {case.batch}" * (case.axis == "batch")
    at: dict[str, str | float] = {"axis": case.axis, "series": case.series, "x": rate if case.at is None else case.at}
    note = f"{rate:.3g} Hz; wiring {megabytes:.4g} MB, drawn in {wired:.3g} s"
    steps = case.duration / DT
    step = compared(f"{what}: a step", "ms", [1e3 * s / steps for s in seconds], None, note)
    event = compared(f"{what}: an event", "ns", [1e9 * s / max(1.0, events) for s in seconds], None)
    for row in (step, event):
        row["at"] = at
    return [step, event]


def run(largest: int = 1_000_000, rounds: int = 3) -> list[Row]:
    """Networks of up to `largest` neurons; the largest of all is timed once."""
    rows = []
    for case in cases(largest):
        rows += measure(case, 1 if case.n >= 1_000_000 else rounds)
        jax.clear_caches()  # each case compiled a program of its own, which is not needed again
    return rows + measure_weights(largest, rounds)


def _look(place: int) -> dict[str, str]:
    """Of a series in all panels: a colour of its own, and a marker that is told apart without it."""
    return {
        "color": jn.plot.COLOURS[place % 5],
        "marker": "osD^vPX*"[place % 8],
        "linestyle": ("-", "--")[place // 5 % 2],
    }


def draw(rows: list[Row], path: str) -> None:
    """A panel for each axis: ms a step above, ns an event below."""
    plt = jn.plot.pyplot()
    plt.rcParams.update(jn.plot.style())
    figure, axes = plt.subplots(2, len(AXES), figsize=(13, 6), layout="constrained", sharex="col", sharey="row")
    drawn = dict.fromkeys(row["at"]["series"] for row in rows if "at" in row)
    looks = {series: _look(place) for place, series in enumerate(drawn)}
    for column, (axis, label) in enumerate(AXES.items()):
        for upper, unit in ((0, "ms"), (1, "ns")):
            ax = axes[upper, column]
            found = [row for row in rows if row.get("at", {}).get("axis") == axis and row["unit"] == unit]
            for series in dict.fromkeys(row["at"]["series"] for row in found if "at" in row):
                points = [(r["at"]["x"], r["ours"]) for r in found if "at" in r and r["at"]["series"] == series]
                ax.loglog(*zip(*points, strict=True), ms=4, lw=1.4, label=series, **looks[series])
            if upper == 0 and found:
                ax.legend(fontsize="small", frameon=False)
            ax.grid(alpha=0.25)
        axes[1, column].set_xlabel(label)
        if axis != "neurons":  # less than two decades: the values themselves
            places = sorted({float(row["at"]["x"]) for row in rows if "at" in row and row["at"]["axis"] == axis})
            axes[1, column].set_xticks(places, [f"{x:.3g}" if x < 1_000 else f"{x:,.0f}" for x in places])
            axes[1, column].set_xticks([], minor=True)
    axes[0, 0].set_ylabel("ms a step")
    axes[1, 0].set_ylabel("ns a synaptic event")
    low, high = axes[1, 0].get_ylim()
    places = [x for x in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if low <= x <= high]
    axes[1, 0].set_yticks(places, [f"{x:g}" for x in places])
    axes[1, 0].set_yticks([], minor=True)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description="Draws how the cost grows.")
    parser.add_argument("--figure", required=True, metavar="FILE", help="where to write the figure")
    parser.add_argument("--json", type=Path, metavar="REPORT", help="draw the rows of this report, and run nothing")
    options = parser.parse_args()
    draw(json.loads(options.json.read_text())["rows"] if options.json else run(), options.figure)
