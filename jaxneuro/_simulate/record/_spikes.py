"""The spikes themselves."""

from typing import Any

import jax.numpy as jnp

from ...statistics import SpikeTrains, pack
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class Spikes(AbstractRecorder):
    """The spikes themselves, one bit a neuron and step.

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
        return {name: jnp.zeros((rows, -(-layout.sizes[name] // 32)), jnp.uint32) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        rows = window.steps - self.scope.first_counted(layout)
        return {
            name: words.at[jnp.where(rows < 0, words.shape[0], rows)].set(pack(window.spikes[name]), mode="drop")
            for name, words in carry.items()
        }

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        first = self.scope.first_counted(layout)
        trains = {name: SpikeTrains(words, first, layout.sizes[name], layout.dt) for name, words in carry.items()}
        if len(self.scope.populations) == 1:
            return Recorded(trains[self.scope.populations[0]])
        return Recorded(trains)
