"""The first spike times of each neuron, as numbers with a derivative."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..._numerics import check_count, distinguishes_steps
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class FirstTimes(eqx.Module):
    """Times [ms] of the first spikes, and how many spikes there have been."""

    times: Float[Array, "n n_spikes"]
    counts: Int[Array, "n"]


class SpikeTimes(AbstractRecorder):
    """The first spike times of each neuron of a population [ms], infinite where it has fewer spikes.

    With `spike_times=InsideSteps()` they have exact derivatives; of other runs they are numbers, `Spikes` keeps
    all of them.

    **Arguments:** `population`, its name; `n_spikes`, how many are kept; `start` [ms].

    **Records:** (n, n_spikes); `sol.counts` has the number of all spikes, (n,).

    Raises `ValueError` where `n_spikes` is no positive integer; at the run where float32 cannot tell its last steps
    apart.

    ```python
    >>> import jaxneuro as jn
    >>> recorder = jn.record.SpikeTimes("E", 2)

    ```
    """

    unit: ClassVar[str | None] = "ms"
    scope: Scope
    n_spikes: int = eqx.field(static=True)

    def __init__(self, population: str, n_spikes: int = 1, *, start: float = 0.0):
        self.n_spikes = check_count("n_spikes", n_spikes, "a positive number of spikes")
        self.scope = Scope((population,), start)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("SpikeTimes", layout, first)
        end = (first + layout.n_steps) * layout.dt
        if not distinguishes_steps(end, layout.dt):
            raise ValueError(
                f"`record` has `SpikeTimes`, and at {end:.10g} ms float32 cannot tell times apart that are a step of "
                f"{layout.dt:g} ms apart: set `jax_enable_x64`, or take `Spikes`, whose times are float64."
            )

    def wants_times(self) -> bool:
        return True

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return self.n_spikes

    def init(self, layout: Layout, rows: int) -> FirstTimes:
        n = layout.sizes[self.scope.populations[0]]
        return FirstTimes(jnp.full((n, rows), jnp.inf, jnp.result_type(float)), jnp.zeros(n, jnp.int32))

    def update(self, carry: FirstTimes, window: Window, layout: Layout) -> FirstTimes:
        name = self.scope.populations[0]
        spikes = window.spikes[name] & (window.steps >= self.scope.first_counted(layout))[:, None]
        shares = window.shares.get(name, jnp.ones((), carry.times.dtype))
        times = (window.steps[:, None].astype(carry.times.dtype) + shares) * layout.dt
        rank = carry.counts + jnp.cumsum(spikes, axis=0, dtype=jnp.int32) - 1
        slot = jnp.where(spikes, rank, self.n_spikes)  # out of range where there is nothing to keep
        neuron = jnp.broadcast_to(jnp.arange(spikes.shape[1], dtype=jnp.int32), slot.shape)
        kept = carry.times.at[neuron, slot].set(jnp.broadcast_to(times, slot.shape), mode="drop")
        return FirstTimes(kept, carry.counts + jnp.sum(spikes, axis=0, dtype=jnp.int32))

    def finish(self, carry: Any, layout: Layout) -> Recorded:
        return Recorded(carry.times, counts=carry.counts)
