"""Currents that an experimenter injects: a number, one a neuron, a table over time or a function of time."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from .._numerics import as_callable, as_leaf, check_finite


class Stimulus(eqx.Module):
    """The injected current of one population, in the units of its model's current [mV for LIF]."""

    table: Float[Array, "time n"] | None
    constant: Float[Array, "*n"] | None
    function: Any
    dt: float = eqx.field(static=True)
    share: float = eqx.field(static=True, default=0.0)
    """Where in its step a function is called: 0 at the start, 1/2 in the middle."""

    def rows(self, since_start: Int[Array, "time"], steps: Int[Array, "time"]) -> Float[Array, "time ..."]:
        """The current of each step of a block; a function is called at the time [ms] of its share."""
        if self.table is not None:
            return lax.dynamic_slice_in_dim(self.table, since_start[0], since_start.shape[0])
        if self.constant is not None:
            return jnp.broadcast_to(self.constant, (steps.shape[0], *self.constant.shape))
        function: Any = self.function
        times = (steps.astype(jnp.result_type(float)) + self.share) * self.dt
        return jax.vmap(lambda t: as_leaf(function(t), "stimulus"))(times)

    def within(self, row: Float[Array, "*n"], t: Float[Array, ""]) -> Float[Array, "*n"]:
        """The current at a time `t` [ms] inside the step whose row is `row`: what is no function is constant there."""
        if self.function is None:
            return row
        function: Any = self.function
        return as_leaf(function(t), "stimulus")


def make_stimulus(name: str, value: Any, n: int, n_steps: int, dt: float, share: float = 0.0) -> Stimulus:
    """Checks a stimulus for a population of `n` neurons and a run of `n_steps` steps."""
    if callable(value):
        function: Any = value
        shape = jax.eval_shape(lambda t: as_leaf(function(t), "stimulus"), as_leaf(0.0)).shape
        if shape not in ((), (n,)):
            raise ValueError(f"`stimulus` of {name!r}: the function returns shape {shape}; it has to be () or ({n},).")
        return Stimulus(None, None, as_callable(value), dt, share)
    leaf = as_leaf(value, f"stimulus[{name!r}]")
    check_finite(f"stimulus[{name!r}]", leaf)
    if leaf.shape in ((), (n,)):
        return Stimulus(None, leaf, None, dt)
    if leaf.shape in ((n_steps, n), (n_steps, 1)):
        return Stimulus(leaf, None, None, dt)
    raise ValueError(
        f"`stimulus` of {name!r} has shape {leaf.shape}; it has to be a number, ({n},) or (time, n) = ({n_steps}, {n})."
    )
