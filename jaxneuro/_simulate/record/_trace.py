"""A variable of the neurons over time."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import lax

from ..._numerics import check_count
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._time_axis import TimeAxis
from ._watch import Watch, check_variable, chosen_neurons, watched


class Trace(AbstractRecorder):
    """A variable of the neurons over time, such as the potential: `Trace("E.v")`.

    **Arguments:**

    - `variable`: "population.variable", or the variable alone for a single population. Beside the variables of the
      model there is what neurons hear in a step: "E.input.current" [mV], "E.input.conductance" (relative to leak),
      "E.input.kick", "E.input.noise" and "E.input.log_decay", summed over all sources, and "E.input.conductance.I" from
      the population I alone, "E.input.current.drives[0]" from a drive, "E.input.current.stimulus" from the stimulus. A
      conductance g gives the current "E.input.conductance_times_reversal" less g V.
    - `every`: record each step whose end, (k + 1) dt, is a multiple of `every` steps.
    - `neurons`: a slice, a sequence of indices, or true and false for each neuron; all by default.
    - `start`: [ms].

    **Records:** (time, neurons); the times [ms] in `sol.times`.
    """

    unit: ClassVar[str | None] = "{}"
    variable: str = eqx.field(static=True)
    every: int = eqx.field(static=True)
    neurons: Any = eqx.field(static=True)
    of: int | None = eqx.field(static=True)
    """How many neurons a mask speaks of."""
    scope: Scope

    def __init__(self, variable: str, *, every: int = 1, neurons: Any = None, start: float = 0.0):
        self.every = check_count("every", every, "a positive number of steps")
        check_variable("variable", variable)
        self.variable, self.scope = variable, Scope((), start)
        self.neurons, self.of = chosen_neurons(neurons)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return (watched(self.variable, layout, self.neurons),)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)
        own = self.watch(layout)[0]
        own.check(f"Trace({self.variable!r})", layout, self.of)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        begin = self.scope.begin(first, dt)
        return (first + n_steps) // self.every - begin // self.every

    def time_axis(self, first: int, n_steps: int, dt: float) -> TimeAxis:
        begin = self.scope.begin(first, dt)
        return TimeAxis(begin // self.every + 1, self.rows(first, n_steps, dt), self.every * dt)

    def init(self, layout: Layout, rows: int) -> Any:
        own = self.watch(layout)[0]
        width = own.count(layout.sizes[own.population])
        return jnp.zeros((rows, width), jnp.result_type(float))

    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        if self.every == 1 and self.scope.start == 0.0:  # every step from the first on: one contiguous piece
            at = window.steps[0] - layout.first
            return lax.dynamic_update_slice_in_dim(carry, window.seen[0].astype(carry.dtype), at, 0)
        ends = window.steps + 1
        begin = self.scope.first_counted(layout)
        sampled = (ends % self.every == 0) & (window.steps >= begin)
        # What is not sampled goes to rows of its own beyond the end: with repeated ones the derivative would need the
        # whole record at every checkpoint. Added to zeros, and not set, for the derivative of that copies no record.
        beyond = carry.shape[0] + jnp.arange(ends.shape[0], dtype=ends.dtype)
        rows = jnp.where(sampled, ends // self.every - begin // self.every - 1, beyond)
        return carry.at[rows].add(window.seen[0].astype(carry.dtype), mode="drop", unique_indices=True)

    def finish(self, carry: Any, layout: Layout) -> Recorded:
        return Recorded(carry)
