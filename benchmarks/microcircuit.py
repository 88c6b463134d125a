"""The cortical microcircuit at full density: wiring, 1 s of biology, bytes a synapse, memory; the floor; the peers.

77,169 neurons and 298,880,968 synapses, steps of 0.1 ms, rates and CVs recorded. Ours wires, compiles in a first short
run, and then goes on from its state for the timed one. NEST with two threads builds the same network, and runs alone
after ours. The floor is what synaptic events and updates of neurons cost by themselves, each as it is implemented here:
the events of the timed run times the nanoseconds of one, measured on the largest projection, and the updates times
those of a population under its drive alone.
"""

import argparse
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

from ._memory import resident
from ._report import Row, compared, table
from ._worker import worker_or_none

# Runs are this long [ms]; the first is a warm-up.
DT, PART = 0.1, 500.0
PUBLISHED = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])  # Hz, of NEST at full size


class Ours:
    """The column wired, and a run of it that goes on after a warm-up."""

    def __init__(self, scale: float):
        self.net = jn.networks.microcircuit(scale, scale)
        start = time.perf_counter()
        self.wiring = jax.block_until_ready(jn.wire(self.net, key=jax.random.key(0)))
        self.wired = time.perf_counter() - start
        leaves = jax.tree.leaves(self.wiring.operators)
        self.bytes = sum(leaf.nbytes for leaf in leaves) / self.wiring.nnz

    def run(self, t0: float, t1: float, state: Any = None) -> tuple[float, jn.Solution]:
        """Seconds of a run from `t0` to `t1` [ms] with its records on the host."""
        start = time.perf_counter()
        sol = jn.simulate(
            self.net, t0, t1, dt=DT, key=jax.random.key(1), wiring=self.wiring, state=state,
            record={"rate": jn.record.Rate(start=t0), "cv": jn.record.CV(start=t0)},
        )  # fmt: skip
        jax.device_get((sol["rate"], sol["cv"]))
        return time.perf_counter() - start, sol

    def events(self, rates: np.ndarray) -> float:
        """Synaptic events in a second at these rates [Hz] of the populations."""
        by_name = dict(zip(self.net.names, rates, strict=True))
        sizes = {name: population.n or 0 for name, population in self.net.populations.items()}
        return sum(
            by_name[p.pre] * sizes[p.pre] * operator.nnz / sizes[p.pre]
            for p, operator in zip(self.net.projections, self.wiring.operators, strict=True)
            if operator is not None
        )


def ns_an_event(ours: Ours) -> float:
    """Of the projection with most synapses, at 4 Hz: a call with spikes less a call without."""
    operator = max((own for own in ours.wiring.operators if own is not None), key=lambda own: own.nnz)
    steps = operator.delay_steps(DT, 1, 60)
    scheduled = operator.scheduled(steps, 160, jnp.asarray(0, jnp.int32))
    push = jax.jit(lambda spikes: jnp.sum(scheduled.push(scheduled.nothing(), spikes)))
    spikes = jnp.asarray(np.random.default_rng(0).random((100, operator.n_pre)) < 4e-3 * DT)
    events = int(jnp.sum(spikes)) * operator.nnz / operator.n_pre
    times = {}
    for rows in (spikes, spikes & False):
        push(rows).block_until_ready()
        found = []
        for _ in range(5):
            start = time.perf_counter()
            push(rows).block_until_ready()
            found.append(time.perf_counter() - start)
        times[bool(rows.any())] = min(found)
    return 1e9 * (times[True] - times.get(False, 0.0)) / events


def ns_an_update(ours: Ours) -> float:
    """Of a step of a neuron under its drive, without projections."""
    net = jn.Network(dict(ours.net.populations), [], list(ours.net.drives))
    found = []
    for _ in range(3):  # the first compiles
        start = time.perf_counter()
        sol = jn.simulate(net, 0.0, 50.0, dt=DT, key=jax.random.key(1))
        jax.block_until_ready(sol["rate"])
        found.append(time.perf_counter() - start)
    return 1e9 * min(found[1:]) / (50.0 / DT * sum(population.n or 0 for population in net.populations.values()))


def beside(what: str, unit: str, ours: float, peer: float | None, note: str = "") -> Row:
    """A row of one number each."""
    return compared(what, unit, [ours], None if peer is None else [peer], note)


def run(scale: float = 1.0, duration: float = 1_000.0) -> list[Row]:
    """`scale` of neurons and synapses; `duration` [ms], in parts of 500 ms, is timed and told as seconds for 1 s."""
    ours = Ours(scale)
    first, sol = ours.run(0.0, PART)
    parts, timed = [], 0.0
    for k in range(1, 1 + max(1, round(duration / PART))):  # equally long: one program
        taken, sol = ours.run(k * PART, (k + 1) * PART, sol.state)
        timed += taken
        parts.append([mean.value for mean in sol.mean("rate").values()])
    duration, rates = PART * len(parts), np.mean(parts, axis=0)
    seconds, highest = timed * 1_000.0 / duration, resident("VmHWM")
    nest = worker_or_none("microcircuit", "nest")
    answer: dict[str, Any] = {}
    if nest is not None:
        answer = nest.ask(seed=1, threads=2, warm_up=PART, duration=duration, scale=scale)
        nest.close()
    absent = "" if answer else "its environment is absent"
    off = f"rates off the published ones by at most {100 * np.max(np.abs(rates / PUBLISHED - 1)):.0f}%"
    peer = {what: answer[what] if answer else None for what in ("build", "simulate", "memory")}
    if answer:
        peer["simulate"] = answer["simulate"] * 1_000.0 / duration
        off += f", of NEST by {100 * np.max(np.abs(np.array(answer['rates']) / PUBLISHED - 1)):.0f}%"
    events, updates = ours.events(rates), 1e3 / DT * sum(p.n or 0 for p in ours.net.populations.values())
    event, update = ns_an_event(ours), ns_an_update(ours)
    floor = 1e-9 * (events * event + updates * update)
    told = f"{events:.3g} events of {event:.3g} ns and {updates:.3g} updates of {update:.3g} ns, on one core"
    return [
        beside("wiring, beside NEST's build", "s", ours.wired, peer["build"], absent),
        beside("1 s of biology, beside NEST with 2 threads", "s", seconds, peer["simulate"], off),
        beside("compilation (first run less its share)", "s", first - seconds * PART / 1_000.0, None),
        beside("the floor of 1 s", "s", floor, None, told),
        beside("at rest", "bytes a synapse", ours.bytes, None, f"{ours.wiring.nnz:,} synapses"),
        beside("highest memory, beside NEST's", "MB", highest, peer["memory"]),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.microcircuit", description="At another size.")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--duration", type=float, default=1_000.0, help="timed, ms")
    options = parser.parse_args()
    print(table(run(options.scale, options.duration)))
