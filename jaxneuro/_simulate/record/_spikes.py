"""The spikes themselves."""

from typing import Any

import jax.numpy as jnp

from ...statistics import SpikeTrains
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class Spikes(AbstractRecorder):
    """The spikes themselves, one bit a neuron and step.

    Where a spike is a crossing of a threshold, as of Hodgkin-Huxley neurons, its time is interpolated within the step,
    for two more bytes a neuron and step.

    **Arguments:** names of populations, all by default; `start` [ms].

    **Records:** `SpikeTrains` where one population is named, else {population: `SpikeTrains`}.
    """

    scope: Scope

    def __init__(self, *populations: str, start: float = 0.0):
        self.scope = Scope(populations, start)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return self.scope.steps(first, n_steps, dt)

    def init(self, layout: Layout, rows: int) -> dict[str, Any]:
        def nothing(name: str) -> SpikeTrains:
            n = layout.sizes[name]
            shares = jnp.zeros((rows, n), jnp.uint16) if name in layout.within_step else None
            words = jnp.zeros((rows, -(-n // 32)), jnp.uint32)
            return SpikeTrains(words, self.scope.first_counted(layout), n, layout.dt, shares)

        return {name: nothing(name) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        rows = window.steps - self.scope.first_counted(layout)
        return {
            name: trains.written(rows, window.spikes[name], window.shares.get(name)) for name, trains in carry.items()
        }

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        if len(self.scope.populations) == 1:
            return Recorded(carry[self.scope.populations[0]])
        return Recorded(carry)
