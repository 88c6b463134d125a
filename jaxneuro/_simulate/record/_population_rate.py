"""The rate of each population over time."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int

from ..._numerics import count_steps
from ._counts_in_bins import check_width
from ._recorder import AbstractRecorder, Layout, Recorded, Window, sum_dtype, summed
from ._scope import Scope
from ._time_axis import TimeAxis


class PopulationRate(AbstractRecorder):
    """The rate of each population over time [Hz], in bins of `width` [ms] counted from t = 0.

    **Arguments:** names of populations, all by default; `width`, a multiple of dt; `start`.

    **Records:** {population: (bins,)}, the centres of the bins in `sol.times`. A bin that the run
    covers in part is normalised by the part. With a derivative where the run has a surrogate.
    """

    unit: ClassVar[str | None] = "Hz"
    scope: Scope
    width: float = eqx.field(static=True)

    def __init__(self, *populations: str, width: float = 1.0, start: float = 0.0):
        self.scope, self.width = Scope(populations, start), width

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("PopulationRate", layout, first)
        check_width("width", self.width, layout.dt)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        width = count_steps("width", self.width, dt)
        begin = self.scope.begin(first, dt)
        return (first + n_steps - 1) // width - begin // width + 1

    def time_axis(self, first: int, n_steps: int, dt: float) -> TimeAxis:
        bins = self.scope.begin(first, dt) // count_steps("width", self.width, dt)
        return TimeAxis(bins, self.rows(first, n_steps, dt), self.width, 0.5)

    def init(self, layout: Layout, rows: int) -> dict[str, Any]:
        names = self.scope.names(layout)
        return {"": jnp.zeros(rows, jnp.int32)} | {name: jnp.zeros(rows, sum_dtype(name, layout)) for name in names}

    def _bins(self, steps: Int[Array, "time"], layout: Layout) -> Int[Array, "time"]:
        width = count_steps("width", self.width, layout.dt)
        begin = self.scope.first_counted(layout)
        return jnp.where(steps >= begin, steps // width - begin // width, -1)

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        bins = self._bins(window.steps, layout)
        # Negative indices would wrap: they are sent past the end, where they are dropped.
        bins = jnp.where(bins < 0, carry[""].shape[0], bins)
        every = jnp.ones(bins.shape, bool)
        totals = {name: summed(name, window, 1, every) for name in carry if name} | {"": jnp.ones_like(bins)}
        return {name: counts.at[bins].add(totals[name], mode="drop") for name, counts in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        dtype = jnp.result_type(float)
        steps = carry[""].astype(dtype)
        rates = {
            name: counts.astype(dtype) * (1000.0 / layout.dt) / steps / layout.sizes[name]
            for name, counts in carry.items()
            if name
        }
        return Recorded(rates)
