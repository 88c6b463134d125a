"""What a run of a binary network records: activities of units and populations, and the states themselves."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt

from ..._numerics import is_concrete
from ...connectivity import pack_bits, unpack_bits
from ._layout import Layout
from ._recorder import AbstractRecorder, Recorded, Window
from ._scope import Scope
from ._time_axis import TimeAxis
from ._watch import Watch

# The one variable of a binary population in `Layout.fields`.
ACTIVE = "active"


class States(eqx.Module):
    """The states of a binary population at the ends of steps, one bit a unit, from the step `first` on.

    `as_array()` gives booleans (time, n); `times` are in ms.
    """

    words: UInt[Array, "*batch time words"]
    first: Int[Array, "*batch"]
    n: int = eqx.field(static=True)
    dt: float = eqx.field(static=True)

    @property
    def times(self) -> Float[np.ndarray, "*batch time"] | Float[Array, "*batch time"]:
        """The ends of the steps [ms], in double precision outside of jit."""
        index = np.arange(1, self.words.shape[-2] + 1)
        if is_concrete(self.first):
            return (np.asarray(self.first)[..., None] + index) * self.dt
        ends = self.first[..., None] + jnp.asarray(index, jnp.int32)
        return ends.astype(jnp.result_type(float)) * self.dt

    def __str__(self) -> str:
        return f"states of {self.n:,} units at {self.times.size:,} times"

    def as_array(self) -> Bool[Array, "time n"]:
        """Whether each unit is active at each of `times`."""
        return unpack_bits(self.words, self.n)


class Activities(eqx.Module):
    """The binary populations that a recorder records, and the rows of the steps that count."""

    scope: Scope

    def check(self, recorder: str, layout: Layout, first: int) -> None:
        """Raises `ValueError` where a population is unknown or not binary, or the record would be empty."""
        self.scope.check(layout, first)
        for name in self.scope.names(layout):
            if ACTIVE not in layout.fields[name]:
                raise ValueError(
                    f"`jn.record.{recorder}` records binary units, which {name!r} has not: "
                    "take `jn.record.Rate()` or another recorder of spikes."
                )

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        """The states of these populations."""
        return tuple([Watch(name, ACTIVE) for name in self.scope.names(layout)])

    def seen(self, window: Window, layout: Layout) -> dict[str, Bool[Array, "time n"]]:
        """Who is active, by population."""
        return dict(zip(self.scope.names(layout), window.seen, strict=True))

    def rows_of(self, window: Window, layout: Layout, n_rows: int) -> Int[Array, "time"]:
        """The row of each step; past the end, where it is dropped, before the start."""
        rows = window.steps - self.scope.first_counted(layout)
        return jnp.where(rows < 0, n_rows, rows)


class MeanActivity(AbstractRecorder):
    """The activity of each binary unit averaged over time, m_i, from `start` [ms] to the end of the run.

    The mean over units of m_i^2 estimates q plus the mean of m_i (1 - m_i) over the number of
    independent samples, about the time over two tau.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (n,)}, the mean over the ends of steps; their number in `sol.counts`.
    """

    unit: ClassVar[str | None] = "1"
    scope: Scope

    def __init__(self, *populations: str, start: float = 0.0):
        self.scope = Scope(populations, start)

    def check(self, layout: Layout, first: int) -> None:
        Activities(self.scope).check("MeanActivity", layout, first)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return Activities(self.scope).watch(layout)

    def init(self, layout: Layout, rows: int) -> dict[str, Int[Array, "_"]]:
        return {name: jnp.zeros(layout.sizes[name], jnp.int32) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        counted = (window.steps >= self.scope.first_counted(layout))[:, None]
        active = Activities(self.scope).seen(window, layout)
        return {name: total + jnp.sum(active[name] & counted, axis=0, dtype=jnp.int32) for name, total in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        dtype = jnp.result_type(float)
        steps = layout.first + layout.n_steps - self.scope.first_counted(layout)
        means = {name: total.astype(dtype) / steps.astype(dtype) for name, total in carry.items()}
        return Recorded(means, counts={name: jnp.full_like(total, steps) for name, total in carry.items()})


class PopulationActivity(AbstractRecorder):
    """The share of active units of each population at the end of every step from `start` [ms] on.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (time,)}; the times [ms] in `sol.times`.
    """

    unit: ClassVar[str | None] = "1"
    scope: Scope

    def __init__(self, *populations: str, start: float = 0.0):
        self.scope = Scope(populations, start)

    def check(self, layout: Layout, first: int) -> None:
        Activities(self.scope).check("PopulationActivity", layout, first)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return Activities(self.scope).watch(layout)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return self.scope.steps(first, n_steps, dt)

    def time_axis(self, first: int, n_steps: int, dt: float) -> TimeAxis:
        return TimeAxis(self.scope.begin(first, dt) + 1, self.rows(first, n_steps, dt), dt)

    def init(self, layout: Layout, rows: int) -> dict[str, Int[Array, "_"]]:
        return {name: jnp.zeros(rows, jnp.int32) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        updated, active = {}, Activities(self.scope).seen(window, layout)
        for name, counts in carry.items():
            rows = Activities(self.scope).rows_of(window, layout, counts.shape[0])
            updated[name] = counts.at[rows].set(jnp.sum(active[name], axis=1, dtype=jnp.int32), mode="drop")
        return updated

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        dtype = jnp.result_type(float)
        shares = {name: counts.astype(dtype) / layout.sizes[name] for name, counts in carry.items()}
        return Recorded(shares)


class UnitStates(AbstractRecorder):
    """The states of binary units at the end of every step from `start` [ms] on, one bit a unit and step.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: `States`}.
    """

    unit: ClassVar[str | None] = "1"
    scope: Scope

    def __init__(self, *populations: str, start: float = 0.0):
        self.scope = Scope(populations, start)

    def check(self, layout: Layout, first: int) -> None:
        Activities(self.scope).check("UnitStates", layout, first)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return Activities(self.scope).watch(layout)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return self.scope.steps(first, n_steps, dt)

    def time_axis(self, first: int, n_steps: int, dt: float) -> TimeAxis:
        return TimeAxis(self.scope.begin(first, dt) + 1, self.rows(first, n_steps, dt), dt)

    def init(self, layout: Layout, rows: int) -> dict[str, UInt[Array, "_ _"]]:
        return {name: jnp.zeros((rows, -(-layout.sizes[name] // 32)), jnp.uint32) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        updated, active = {}, Activities(self.scope).seen(window, layout)
        for name, words in carry.items():
            rows = Activities(self.scope).rows_of(window, layout, words.shape[0])
            updated[name] = words.at[rows].set(pack_bits(active[name]), mode="drop")
        return updated

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        first = self.scope.first_counted(layout)
        return Recorded({name: States(words, first, layout.sizes[name], layout.dt) for name, words in carry.items()})
