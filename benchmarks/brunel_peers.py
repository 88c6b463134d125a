"""Seconds for 1 s of Brunel's network: ours, NEST, Brian2, brainevent and plain loops; builds, compilation, memory.

Everyone simulates 12,500 neurons at (g, ratio) = (5, 2) from rest, with steps of 0.1 ms and sources drawn with
repetition; once with one delay of 1.5 ms, once with delays drawn for every synapse from 0.1 to 3 ms. Ours records
rates and CVs, NEST and Brian2 record spikes, brainevent and the plain loops count them. Seconds are those of the
simulation alone, after wiring, building and compiling, which have rows of their own. All take turns.
"""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import jaxneuro as jn

from ._memory import resident
from ._plain import dense, scatter, simulator, weights
from ._report import Row, compared, median
from ._worker import Worker, worker_or_none

# Name: the delay of ours and [low, high] of the peers [ms].
DELAYS: dict[str, tuple[Any, tuple[float, float]]] = {
    "delay 1.5 ms": (1.5, (1.5, 1.5)),
    "delays from 0.1 to 3 ms": (jn.UniformDelay(0.1, 3.0), (0.1, 3.0)),
}
# Of 1 s, what a plain loop has to run: its time does not depend on the number of spikes.
DENSE_SHARE, SCATTER_SHARE = 0.02, 0.1


class Ours:
    """The network wired, and runs of it."""

    def __init__(self, delay: Any, duration: float):
        self.net, self.duration = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0, delay=delay), duration
        start = time.perf_counter()
        self.wiring = jax.block_until_ready(jn.wire(self.net, key=jax.random.key(1)))
        self.wire, self.rate = time.perf_counter() - start, 0.0

    def run(self, seed: int) -> float:
        """Seconds of a run with its records on the host."""
        record = {"rate": jn.record.Rate(), "cv": jn.record.CV()}
        start = time.perf_counter()
        sol = jn.simulate(
            self.net, 0.0, self.duration, dt=0.1, key=jax.random.key(seed), wiring=self.wiring, record=record
        )
        # Over all neurons, as the peers report it.
        self.rate = float(np.mean(np.concatenate([np.asarray(sol["rate"][name]) for name in self.net.names])))
        np.asarray(sol["cv"]["E"])
        return time.perf_counter() - start


class Peer:
    """A peer in its worker: seconds of its runs, of what comes before, and what it uses."""

    def __init__(self, name: str, worker: Worker | None, duration: float, **settings: Any):
        self.name, self.worker, self.duration, self.settings = name, worker, duration, settings
        self.seconds: list[float] = []
        self.before: dict[str, list[float]] = {}
        self.rate = self.memory = float("nan")
        self.absent = "" if worker is not None else "its environment is absent"

    def prepare(self) -> None:
        """Builds and compiles what can be used again."""
        if self.worker is not None and "multapses" not in self.settings:
            self._ask("build", task="build", duration=self.duration, **self.settings)

    def run(self, seed: int) -> None:
        """One run; NEST builds before each."""
        if self.worker is None:
            return
        if "multapses" in self.settings:
            answer = self._ask("run", seed=seed, duration=self.duration, **self.settings)
        else:
            answer = self._ask("run", task="run")
        if answer:
            self.seconds.append(answer["simulate"])
            self.rate, self.memory = answer["rate"], answer["memory"]

    def close(self) -> None:
        """Ends the worker."""
        if self.worker is not None:
            self.worker.close()

    def _ask(self, when: str, **request: Any) -> dict[str, Any]:
        assert self.worker is not None
        try:
            answer = self.worker.ask(**request)
        except (RuntimeError, BrokenPipeError) as error:  # such as no OpenMP in the compiler
            self.worker, self.absent = None, f"failed to {when}: {error}"
            return {}
        for what in ("build", "compile", "setup"):
            if what in answer:
                self.before.setdefault(what, []).append(answer[what])
        return answer


def peers_of(delay: tuple[float, float], duration: float) -> list[Peer]:
    """The peers that know such delays."""
    found = []
    for threads in (1, 2):
        name = f"{threads} thread" + "s" * (threads > 1)
        settings: dict[str, Any] = {"threads": threads, "delay": delay}
        found.append(Peer(f"NEST, {name}", worker_or_none("brunel", "nest"), duration, multapses=True, **settings))
        found.append(Peer(f"Brian2 in C++, {name}", worker_or_none("brunel", "brian2"), duration, **settings))
    if delay[0] == delay[1]:
        found.append(Peer("brainevent", worker_or_none("brunel", "brainevent"), duration))
    return found


class Plain:
    """A plain loop over the same wiring: seconds, scaled to the duration of the others."""

    def __init__(self, make: Callable[..., Any], share: float, ours: Ours):
        matrix = weights(ours.wiring)
        deliver, self.stored = make(matrix)
        self.simulate, self.steps, self.share = simulator(deliver, matrix.shape[0]), 1, share
        self.first = self._seconds(0)
        self.steps = max(1, round(ours.duration * share / 0.1))
        self.seconds: list[float] = []

    def run(self, seed: int) -> None:
        self.seconds.append(self._seconds(seed) / self.share)

    def _seconds(self, seed: int) -> float:
        start = time.perf_counter()
        self.simulate(self.stored, jax.random.key(seed), self.steps).block_until_ready()
        return time.perf_counter() - start


def _highest_memory(delay: str, duration: float) -> float:
    ours = Ours(DELAYS[delay][0], duration)
    ours.run(0)
    return resident("VmHWM")


def own_memory(delay: str, duration: float) -> float:
    """Highest resident set [MB] of a process that wires, compiles and runs."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_highest_memory, (delay, duration))


def rows_of(delay: str, ours: Ours, seconds: list[float], peers: list[Peer], highest: float) -> list[Row]:
    """Times and memory beside the peers; the first of our `seconds` compiled."""
    rows = []
    for peer in peers:
        note = peer.absent or f"rates of all neurons in the last run {ours.rate:.2f} and {peer.rate:.2f} Hz"
        rows.append(compared(f"{delay}: simulated, beside {peer.name}", "s", seconds[1:], peer.seconds, note))
    rows.append(
        compared(f"{delay}: compilation (first run less a later)", "s", [seconds[0] - median(seconds[1:])], None)
    )
    rows.append(compared(f"{delay}: wiring", "s", [ours.wire], None))
    rows.append(compared(f"{delay}: highest memory", "MB", [highest], None, "a process that wires, compiles and runs"))
    for peer in peers:
        parts = {what: median(found) for what, found in peer.before.items()}
        if parts:
            note = "peer: " + ", ".join(f"{what} {value:.3g} s" for what, value in parts.items())
            rows.append(compared(f"{delay}: before a run, {peer.name}", "s", [ours.wire], [sum(parts.values())], note))
        if peer.seconds:
            rows.append(compared(f"{delay}: highest memory, {peer.name}", "MB", [highest], [peer.memory]))
    return rows


def compare(delay: str, rounds: int, duration: float, shares: tuple[float, float]) -> list[Row]:
    """All rows of one kind of delay."""
    own, theirs = DELAYS[delay]
    highest = own_memory(delay, duration)
    ours, peers = Ours(own, duration), peers_of(theirs, duration)
    ways = (dense, scatter) if theirs[0] == theirs[1] else ()
    plains = [Plain(way, share, ours) for way, share in zip(ways, shares, strict=False)]
    for peer in peers:
        peer.prepare()
    seconds = [ours.run(0)]
    for seed in range(1, rounds + 1):
        seconds.append(ours.run(seed))
        for contestant in (*peers, *plains):
            contestant.run(seed)
    for peer in peers:
        peer.close()
    rows = rows_of(delay, ours, seconds, peers, highest)
    for name, plain, share in zip(("a float32 matrix", "scatter-add"), plains, shares, strict=False):
        note = f"peer: {share:g} of the time was run and scaled up; its first step took {plain.first:.2g} s"
        what = f"{delay}: simulated, beside a plain loop, {name}"
        rows.append(compared(what, "s", seconds[1:], plain.seconds, note))
    return rows


def run(
    rounds: int = 5, duration: float = 1_000.0, shares: tuple[float, float] = (DENSE_SHARE, SCATTER_SHARE)
) -> list[Row]:
    """`duration` ms a run; the first run of ours compiles. `shares` of it are run by the plain loops."""
    return [row for delay in DELAYS for row in compare(delay, rounds, duration, shares)]
