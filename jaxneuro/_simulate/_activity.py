"""What a run of a binary network records: activities of units and populations, and the states themselves."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt

from .._numerics import count_steps
from ..connectivity import pack_bits, unpack_bits
from .record import AbstractRecorder, Layout, Recorded, Window

# The one variable of a binary population in `Layout.fields`.
ACTIVE = "active"


class States(eqx.Module):
    """The states of a binary population at the ends of steps, one bit a unit.

    `as_array()` gives booleans (time, n); `times` are in ms.
    """

    words: UInt[Array, "time words"]
    times: Float[Array, "time"]
    n: int = eqx.field(static=True)

    def as_array(self) -> Bool[Array, "time n"]:
        """Whether each unit is active at each of `times`."""
        return unpack_bits(self.words, self.n)


class AbstractActivityRecorder(AbstractRecorder):
    """A recorder of binary units; it looks at their states at the end of every step."""

    populations: eqx.AbstractVar[tuple[str, ...] | None]

    def check(self, layout: Layout, first: int) -> None:
        """Raises `ValueError` where a population does not exist or `start` lies outside the run."""
        for name in self.populations or ():
            if name not in layout.sizes:
                raise ValueError(f"A recorder names the population {name!r}; there are {', '.join(layout.sizes)}.")
        for name in chosen(self, layout):
            if layout.fields[name] != (ACTIVE,):
                raise ValueError(
                    f"`jn.record.{type(self).__name__}` records binary units, which {name!r} has not: "
                    "take `jn.record.Rate()` or another recorder of spikes."
                )
        begin = count_steps("start", self.start, layout.dt)
        end = first + layout.n_steps
        if not 0 <= begin < end:
            raise ValueError(
                f"`start` has to lie between 0 and the end of the run, {end * layout.dt:g} ms; got {self.start:g} ms."
            )

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return first + n_steps - max(first, count_steps("start", self.start, dt))

    @abc.abstractmethod
    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        """Takes in steps; `window.spikes` holds the states at their ends, {population: (time, n)}."""


def chosen(recorder: AbstractActivityRecorder, layout: Layout) -> tuple[str, ...]:
    """The recorded populations, all by default."""
    return tuple(layout.sizes) if recorder.populations is None else recorder.populations


def _begin(recorder: AbstractActivityRecorder, layout: Layout) -> Int[Array, ""]:
    return jnp.maximum(layout.first, count_steps("start", recorder.start, layout.dt))


def _rows_of(recorder: AbstractActivityRecorder, window: Window, layout: Layout, n_rows: int) -> Int[Array, "time"]:
    """The row of each step; past the end, where it is dropped, before `start`."""
    rows = window.steps - _begin(recorder, layout)
    return jnp.where(rows < 0, n_rows, rows)


def _times(recorder: AbstractActivityRecorder, layout: Layout, n_rows: int) -> Float[Array, "time"]:
    ends = _begin(recorder, layout) + 1 + jnp.arange(n_rows, dtype=jnp.int32)
    return ends.astype(jnp.result_type(float)) * layout.dt


def _names(populations: tuple[str, ...]) -> tuple[str, ...] | None:
    if not all(isinstance(name, str) for name in populations):
        raise ValueError(f"A recorder takes names of populations; got {populations!r}.")
    return populations or None


class MeanActivity(AbstractActivityRecorder):
    """The activity of each binary unit averaged over time, m_i, from `start` [ms] to the end of the run.

    The mean over units of m_i^2 estimates q plus the mean of m_i (1 - m_i) over the number of
    independent samples, about the time over two tau.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (n,)}, the mean over the ends of steps; their number in `sol.counts`.
    """

    populations: tuple[str, ...] | None = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, *populations: str, start: float = 0.0):
        self.populations, self.start = _names(populations), start

    def init(self, layout: Layout, rows: int) -> dict[str, Int[Array, "_"]]:
        return {name: jnp.zeros(layout.sizes[name], jnp.int32) for name in chosen(self, layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        counted = (window.steps >= _begin(self, layout))[:, None]
        return {
            name: total + jnp.sum(window.spikes[name] & counted, axis=0, dtype=jnp.int32)
            for name, total in carry.items()
        }

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        dtype = jnp.result_type(float)
        steps = layout.first + layout.n_steps - _begin(self, layout)
        means = {name: total.astype(dtype) / steps.astype(dtype) for name, total in carry.items()}
        return Recorded(means, counts={name: jnp.full_like(total, steps) for name, total in carry.items()})


class PopulationActivity(AbstractActivityRecorder):
    """The share of active units of each population at the end of every step from `start` [ms] on.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (time,)}; the times [ms] in `sol.times`.
    """

    populations: tuple[str, ...] | None = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, *populations: str, start: float = 0.0):
        self.populations, self.start = _names(populations), start

    def init(self, layout: Layout, rows: int) -> dict[str, Int[Array, "_"]]:
        return {name: jnp.zeros(rows, jnp.int32) for name in chosen(self, layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        updated = {}
        for name, counts in carry.items():
            rows = _rows_of(self, window, layout, counts.shape[0])
            updated[name] = counts.at[rows].set(jnp.sum(window.spikes[name], axis=1, dtype=jnp.int32), mode="drop")
        return updated

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        dtype = jnp.result_type(float)
        shares = {name: counts.astype(dtype) / layout.sizes[name] for name, counts in carry.items()}
        n_rows = next(iter(carry.values())).shape[0]
        return Recorded(shares, times=_times(self, layout, n_rows))


class UnitStates(AbstractActivityRecorder):
    """The states of binary units at the end of every step from `start` [ms] on, one bit a unit and step.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: `States`}.
    """

    populations: tuple[str, ...] | None = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, *populations: str, start: float = 0.0):
        self.populations, self.start = _names(populations), start

    def init(self, layout: Layout, rows: int) -> dict[str, UInt[Array, "_ _"]]:
        return {name: jnp.zeros((rows, -(-layout.sizes[name] // 32)), jnp.uint32) for name in chosen(self, layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        updated = {}
        for name, words in carry.items():
            rows = _rows_of(self, window, layout, words.shape[0])
            updated[name] = words.at[rows].set(pack_bits(window.spikes[name]), mode="drop")
        return updated

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        return Recorded(
            {
                name: States(words, _times(self, layout, words.shape[0]), layout.sizes[name])
                for name, words in carry.items()
            }
        )
