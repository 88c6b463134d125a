"""A sweep of 16 values of g over one wiring, beside the same 16 runs in sequence: seconds and memory.

The peer is a loop over `jn.simulate` with the same wiring, compiled beforehand as the sweep is. Memory is the highest
resident set of a fresh process while the runs go on, less that before them: a second copy of the matrix would show.
"""

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._memory import resident
from ._report import Row, compared, median

VALUES = 16
ROUNDS = 5


class Task:
    """The 16 runs of a network of `n` neurons for `duration` ms, in two ways."""

    def __init__(self, n: int, duration: float):
        import jax
        import numpy as np

        import jaxneuro as jn

        sizes: dict[str, Any] = {"n_e": 4 * n // 5, "n_i": n // 5, "c_e": 4 * n // 50, "c_i": n // 50}
        self.values = np.linspace(4.5, 6.5, VALUES)
        self.key = jax.random.key(1)
        self.wiring = jn.wire(jn.networks.brunel(**sizes), key=jax.random.key(0))
        recorders = {"rate": jn.record.Rate(), "cv": jn.record.CV()}

        def simulate(g, key):
            net = jn.networks.brunel(g=g, **sizes)
            return jn.simulate(net, 0.0, duration, dt=0.1, key=key, wiring=self.wiring, record=recorders, throw=False)

        self.simulate = simulate

    @property
    def megabytes(self) -> float:
        """Size of the matrix."""
        import jax

        return sum(leaf.nbytes for leaf in jax.tree.leaves(self.wiring)) / 1e6

    def sweep(self, threads: int | None = None) -> list[float]:
        """Mean rates of E by `jn.sweep`."""
        import jax.numpy as jnp

        import jaxneuro as jn

        def run(point, key):
            sol = self.simulate(point["g"], key)
            return {"rate": jnp.mean(sol["rate"]["E"]), "cv": jnp.nanmean(sol["cv"]["E"])}

        grid = jn.sweep(run, over={"g": self.values}, key=self.key, execution=jn.Threads(threads), progress=False)
        return grid["rate"].values.tolist()

    def in_sequence(self) -> list[float]:
        """The same by a loop."""
        import jax
        import jax.numpy as jnp

        key, rates = jax.random.fold_in(self.key, 0), []
        for g in self.values:
            sol = self.simulate(g, key)
            rates.append(float(jnp.mean(sol["rate"]["E"])))
            float(jnp.nanmean(sol["cv"]["E"]))
        return rates


def _growth(way: str, n: int, duration: float) -> list[float]:
    """Highest resident set less that before, in MB: of the first time, with its compilation, and of the second."""
    task = Task(n, duration)
    found = []
    for _ in range(2):
        Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
        before = resident("VmRSS")
        getattr(task, way)()
        found.append(resident("VmHWM") - before)
    return found


def memory(n: int, duration: float) -> dict[str, list[float]]:
    """`_growth` of both ways, each in a process of its own; nothing where there is no /proc."""
    if not Path("/proc/self/clear_refs").exists():
        return {}
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=1) as pool:
        return {way: pool.apply(_growth, (way, n, duration)) for way in ("sweep", "in_sequence")}


def _seconds(call: Callable[[], list[float]]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def run(n: int = 12_500, durations: tuple[float, ...] = (300.0, 1_000.0)) -> list[Row]:
    """`n` neurons, each duration [ms] a run: the shorter the runs, the more the trace of each sweep weighs."""
    grown = memory(n, durations[0])
    rows = []
    for duration in durations:
        task = Task(n, duration)
        first = _seconds(task.sweep)
        task.in_sequence()
        ours, single, peer = [], [], []
        for _ in range(ROUNDS):
            ours.append(_seconds(task.sweep))
            peer.append(_seconds(task.in_sequence))
            single.append(_seconds(lambda task=task: task.sweep(1)))
        row = compared(f"{VALUES} runs of {n:,} neurons, {duration:g} ms each: jn.sweep", "s", ours, peer)
        share = median(ours) / median(peer)
        row["note"] = f"peer: the same runs in sequence by jn.simulate; ours takes {share:.2f} of it"
        rows += [row, compared("the same in one thread", "s", single, peer)]
        rows.append(compared("first sweep, compilation included", "s", [first], None))
    for i, when in enumerate(("compilation included", "compiled")):
        if grown:
            note = f"the matrix has {task.megabytes:.0f} MB and is there before"
            ours, peer = ([grown[way][i]] for way in ("sweep", "in_sequence"))
            rows.append(compared(f"memory added while they run, {when}", "MB", ours, peer, note))
    return rows
