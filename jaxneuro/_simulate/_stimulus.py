"""Currents that an experimenter injects: a number, one a neuron, a table over time or a function of time."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, UInt

from .._numerics import as_callable, as_leaf, check_finite, read_array
from ..statistics import SpikeTrains, unpack


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


class GivenSpikes(eqx.Module):
    """The spikes of a `SpikeSource`, a row a step: true or false, amplitudes, or 32 neurons a word."""

    table: Float[Array, "time n"] | Bool[Array, "time n"] | UInt[Array, "time words"]
    n: int = eqx.field(static=True)

    @property
    def has_amplitudes(self) -> bool:
        """Whether the spikes are floats."""
        return jnp.issubdtype(self.table.dtype, jnp.floating)

    def rows(self, since_start: Int[Array, "time"]) -> Float[Array, "time n"] | Bool[Array, "time n"]:
        """The spikes of the steps of a block."""
        rows = lax.dynamic_slice_in_dim(self.table, since_start[0], since_start.shape[0])
        return unpack(rows, self.n) if self.table.dtype == jnp.uint32 else rows


def make_spikes(name: str, value: Any, n: int, n_steps: int, dt: float) -> GivenSpikes:
    """Checks the spikes of a source population of `n` neurons for a run of `n_steps` steps of `dt` [ms]."""
    if isinstance(value, SpikeTrains):
        _check_trains(name, value, n, n_steps, dt)
        return GivenSpikes(value.words, n)
    known = read_array(value, f"stimulus[{name!r}]")
    if known.shape != (n_steps, n):
        raise ValueError(f"`stimulus` of {name!r} has shape {known.shape}; spikes are (time, n) = ({n_steps}, {n}).")
    if known.dtype == bool:
        return GivenSpikes(jnp.asarray(known), n)
    leaf = as_leaf(value, f"stimulus[{name!r}]")
    check_finite(f"stimulus[{name!r}]", leaf)
    return GivenSpikes(leaf, n)


def _check_trains(name: str, trains: SpikeTrains, n: int, n_steps: int, dt: float) -> None:
    if trains.n != n or trains.words.ndim != 2 or trains.words.shape[0] != n_steps:
        raise ValueError(
            f"`stimulus` of {name!r} are trains of {trains.n} neurons and {trains.words.shape[:-1]} steps; the run has "
            f"{n} and {n_steps}."
        )
    if abs(trains.dt - dt) > 1e-9 * dt:
        raise ValueError(
            f"`stimulus` of {name!r} are trains in steps of {trains.dt:g} ms; those of the run are {dt:g} ms."
        )
    if trains.shares is not None:
        raise ValueError(f"`stimulus` of {name!r} has spikes inside steps; given spikes are at the ends of steps.")


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
