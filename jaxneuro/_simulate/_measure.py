"""How long the parts of a run take, by leaving them out one after the other."""

import time
from collections.abc import Callable
from typing import Any

import jax

from .._network import BinaryNetwork, Network, Population
from ..models import AbstractODE, AbstractRunner
from ._driver import SINGLE
from ._explanation import Measured
from ._simulate import simulate
from ._wire import wire

# Steps of a brief run, and how often it is timed: the shortest is the one that least disturbed.
_STEPS = 2_000
_ROUNDS = 7


class Measurer(AbstractRunner):
    """Runs the model briefly with everything, without recorders, without projections, and without drives."""

    def __init__(self, n_steps: int, dt: float):
        self.n_steps, self.dt = min(n_steps, _STEPS), dt

    def network(self, net: Network) -> Measured:
        wiring = wire(net, key=jax.random.key(0)) if net.projections else None
        runs = {"whole": self._run(net, wiring=wiring), "bare": self._run(net, wiring=wiring, record={})}
        if net.projections:
            runs["alone"] = self._run(Network(net.populations, drives=net.drives), record={})
        if net.drives:
            runs["silent"] = self._run(Network(net.populations), record={})
        compiling, took = self._timed(runs)
        bare = took["bare"]
        alone = took.get("alone", bare)
        silent = took.get("silent", alone)
        recorders = took["whole"] - bare
        return Measured(self.n_steps, compiling, took["whole"], bare - alone, alone - silent, silent, recorders)

    def population(self, population: Population) -> Measured:
        return self.network(Network({SINGLE: population}))

    def binary(self, net: BinaryNetwork) -> Measured:
        return self._without_recorders(net, wiring=wire(net, key=jax.random.key(0)))

    def equation(self, model: AbstractODE) -> Measured:
        return self._without_recorders(model)

    def _without_recorders(self, model: Any, **more: Any) -> Measured:
        runs = {"whole": self._run(model, **more), "bare": self._run(model, record={}, **more)}
        compiling, took = self._timed(runs)
        whole, bare = took["whole"], took["bare"]
        return Measured(self.n_steps, compiling, whole, None, None, bare, whole - bare)

    def _run(self, model: Any, **more: Any) -> Callable[[], None]:
        def run() -> None:
            end = self.n_steps * self.dt
            sol = simulate(model, 0.0, end, dt=self.dt, key=jax.random.key(1), throw=False, **more)
            jax.block_until_ready((sol.records, sol.state))

        return run

    def _timed(self, runs: dict[str, Callable[[], None]]) -> tuple[float, dict[str, float]]:
        """Seconds that the first run takes longer at first than later, and microseconds a step of each."""
        first = {name: _seconds(run) for name, run in runs.items()}
        rounds = [{name: _seconds(run) for name, run in runs.items()} for _ in range(_ROUNDS)]
        shortest = {name: min(took[name] for took in rounds) for name in runs}
        per_step = {name: 1e6 * seconds / self.n_steps for name, seconds in shortest.items()}
        return max(0.0, first["whole"] - shortest["whole"]), per_step


def _seconds(run: Callable[[], None]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin
