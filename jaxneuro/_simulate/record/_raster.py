"""The spikes of a population as numbers, with a derivative."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._time_axis import TimeAxis


class Raster(AbstractRecorder):
    """The spikes of one population, 0 or 1 for every step and neuron, as a loss over spike trains needs them.

    Where the run has a surrogate they carry its derivative; `Spikes` stores 32 times more in the same memory.

    **Arguments:** `population`, its name; `start` [ms].

    **Records:** (time, n); the times [ms] of the ends of the steps in `sol.times`.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.Network({"E": jn.Population(jn.Poisson(50.0), 20)})
    >>> record = {"raster": jn.record.Raster("E"), "rate": jn.record.Rate(), "cv": jn.record.CV(),
    ...           "population": jn.record.PopulationRate(width=1.0)}
    >>> sol = jn.simulate(net, 0.0, 50.0, dt=0.5, key=jax.random.key(0), record=record)
    >>> sol["raster"].shape, sol["rate"]["E"].shape, sol["cv"]["E"].shape, sol["population"]["E"].shape
    ((100, 20), (20,), (20,), (50,))

    ```
    """

    unit: ClassVar[str | None] = "1"
    scope: Scope

    def __init__(self, population: str, *, start: float = 0.0):
        self.scope = Scope((population,), start)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("Raster", layout, first)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return self.scope.steps(first, n_steps, dt)

    def time_axis(self, first: int, n_steps: int, dt: float) -> TimeAxis:
        return TimeAxis(self.scope.begin(first, dt) + 1, self.rows(first, n_steps, dt), dt)

    def init(self, layout: Layout, rows: int) -> Float[Array, "time n"]:
        return jnp.zeros((rows, layout.sizes[self.scope.populations[0]]), jnp.result_type(float))

    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        name = self.scope.populations[0]
        values = window.soft[name] if name in window.soft else window.spikes[name]
        if self.scope.start == 0.0:  # every step from the first on: one contiguous piece
            at = window.steps[0] - layout.first
            return lax.dynamic_update_slice_in_dim(carry, values.astype(carry.dtype), at, 0)
        rows = window.steps - self.scope.first_counted(layout)
        rows = jnp.where(rows < 0, carry.shape[0], rows)  # a negative index would count from the end
        return carry.at[rows].set(values.astype(carry.dtype), mode="drop")

    def finish(self, carry: Any, layout: Layout) -> Recorded:
        return Recorded(carry)
