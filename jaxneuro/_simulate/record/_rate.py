"""The rate of each neuron."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Shaped

from ._recorder import AbstractRecorder, Layout, Recorded, Window, sum_dtype, summed
from ._scope import Scope


class Rate(AbstractRecorder):
    """The mean firing rate of each neuron [Hz], from `start` [ms] to the end of the run.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (n,)}; with a derivative where the run has a surrogate.
    """

    unit: ClassVar[str | None] = "Hz"
    scope: Scope

    def __init__(self, *populations: str, start: float = 0.0):
        self.scope = Scope(populations, start)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("Rate", layout, first)

    def init(self, layout: Layout, rows: int) -> dict[str, Shaped[Array, "_"]]:
        return {name: jnp.zeros(layout.sizes[name], sum_dtype(name, layout)) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        counted = window.steps >= self.scope.first_counted(layout)
        return {name: counts + summed(name, window, 0, counted) for name, counts in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        dtype = jnp.result_type(float)
        steps = (layout.first + layout.n_steps - self.scope.first_counted(layout)).astype(dtype)
        rates = {name: counts.astype(dtype) * (1000.0 / layout.dt) / steps for name, counts in carry.items()}
        return Recorded(rates, counts={name: counts.astype(jnp.int32) for name, counts in carry.items()})
