"""What a recorder is, and what it is given."""

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

from ..._numerics import Shown
from ._layout import Layout
from ._scope import Scope
from ._time_axis import TimeAxis
from ._watch import Watch

# {population: {variable: unit}}, as the models of a run tell them.
Units = Mapping[str, Mapping[str, str]]


class Window(Shown):
    """The steps of one block, and what happened in them.

    `soft` holds the spikes of the differentiable populations as floats, with their surrogate derivative,
    `shares` the part of the step that had passed at a spike where it is not the whole. `seen` is what the recorder
    watches, in the order of its `watch`, at the end of each step; `before` the same at the start of the first.
    """

    steps: Int[Array, "time"]
    spikes: dict[str, Bool[Array, "time _"]]
    soft: dict[str, Float[Array, "time _"]]
    shares: dict[str, Float[Array, "time _"]]
    seen: tuple[Shaped[Array, "time _"], ...]
    before: tuple[Shaped[Array, "_"], ...]


def sum_dtype(name: str, layout: Layout) -> jnp.dtype:
    """The type that spikes of a population are summed in: floats where the sum has a derivative."""
    return jnp.dtype(jnp.result_type(float) if name in layout.differentiable else jnp.int32)


def summed(name: str, window: Window, axis: int, counted: Bool[Array, "time"]) -> Shaped[Array, "_"]:
    """The spikes of a population in the counted steps of a block, summed over its steps (0) or its neurons (1)."""
    if name in window.soft:
        return jnp.sum(jnp.where(counted[:, None], window.soft[name], 0.0), axis=axis)
    return jnp.sum(window.spikes[name] & counted[:, None], axis=axis, dtype=jnp.int32)


def unit_of_watched(recorder: "AbstractRecorder", layout: Layout, variables: Units) -> str | None:
    """The unit of what is recorded of a variable, by the units of all variables; None where they do not tell it."""
    watch = recorder.watch(layout)[0]
    # An input by its origin has the unit of its sum.
    own = variables.get(watch.population, {}).get(".".join(watch.variable.split(".")[:2]))
    return None if own is None or recorder.unit is None else recorder.unit.format(own)


class Recorded(Shown):
    """What a recorder hands over: values, and where they need it the numbers behind them and what they run over."""

    values: Any
    counts: Any = None
    frequencies: Any = None
    lags: Any = None


class AbstractRecorder(Shown):
    """Gathers something over a run, from the start of its scope on.

    A recorder of one's own is `init`, `update` and `finish`, and `watch` where it looks at states.
    """

    scope: eqx.AbstractVar[Scope]
    unit: ClassVar[str | None] = None
    """The unit of its values, "1" of pure numbers, {} for that of the variable it watches; None if not told."""

    def check(self, layout: Layout, first: int) -> None:
        """Raises `ValueError` where the recorder does not fit the network or the run."""
        self.scope.check(layout, first)
        for watch in self.watch(layout):
            watch.check(f"{type(self).__name__}", layout)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        """What it wants to see of the states, `Watch(population, variable)` each; nothing unless told."""
        return ()

    def takes_variance(self) -> bool:
        """Whether it takes a variance over time, which the potential has not where weights have heavy tails."""
        return False

    def wants_times(self) -> bool:
        """Whether it wants the times of spikes inside their steps, `window.shares`."""
        return False

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        """How many rows its record has where they follow from the steps of the run; part of the program."""
        return 0

    def time_axis(self, first: int, n_steps: int, dt: float) -> TimeAxis | None:
        """The times of the rows of its record, for `sol.times`; None of a record that is not over time."""
        return None

    @abc.abstractmethod
    def init(self, layout: Layout, rows: int) -> Any:
        """Nothing gathered yet."""

    @abc.abstractmethod
    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        """Takes in one block."""

    @abc.abstractmethod
    def finish(self, carry: Any, layout: Layout) -> Recorded:
        """The record."""
