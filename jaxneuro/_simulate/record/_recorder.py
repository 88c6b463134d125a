"""What a recorder is, and what it is given."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

from ...models import Firing
from ._layout import Layout
from ._scope import Scope


class Window(eqx.Module):
    """The steps of one block, and what happened in them.

    `soft` holds the spikes of the differentiable populations as floats, with their surrogate derivative,
    `shares` the part of the step that had passed at a spike where it is not the whole. `traced` is what a recorder took
    of the neurons' states in each step: the values of a `Trace`, the crossings of `Spikes` of a threshold of its own.
    """

    steps: Int[Array, "time"]
    spikes: dict[str, Bool[Array, "time _"]]
    traced: Shaped[Array, "time m"] | dict[str, Firing] | None
    soft: dict[str, Float[Array, "time _"]]
    shares: dict[str, Float[Array, "time _"]] = eqx.field(default_factory=dict)


def sum_dtype(name: str, layout: Layout) -> jnp.dtype:
    """The type that spikes of a population are summed in: floats where the sum has a derivative."""
    return jnp.dtype(jnp.result_type(float) if name in layout.differentiable else jnp.int32)


def summed(name: str, window: Window, axis: int, counted: Bool[Array, "time"]) -> Shaped[Array, "_"]:
    """The spikes of a population in the counted steps of a block, summed over its steps (0) or its neurons (1)."""
    if name in window.soft:
        return jnp.sum(jnp.where(counted[:, None], window.soft[name], 0.0), axis=axis)
    return jnp.sum(window.spikes[name] & counted[:, None], axis=axis, dtype=jnp.int32)


class Recorded(eqx.Module):
    """What a recorder hands over: values, and where they need it the numbers behind them and what they run over."""

    values: Any
    counts: Any = None
    times: Any = None
    frequencies: Any = None
    lags: Any = None


class AbstractRecorder(eqx.Module):
    """Gathers something over a run, from the start of its scope on."""

    scope: eqx.AbstractVar[Scope]

    @abc.abstractmethod
    def check(self, layout: Layout, first: int) -> None:
        """Raises `ValueError` where the recorder does not fit the network or the run."""

    @abc.abstractmethod
    def rows(self, first: int, n_steps: int, dt: float) -> int:
        """How many rows its record has; part of the program."""

    @abc.abstractmethod
    def init(self, layout: Layout, rows: int) -> Any:
        """Nothing gathered yet."""

    @abc.abstractmethod
    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        """Takes in one block."""

    @abc.abstractmethod
    def finish(self, carry: Any, layout: Layout) -> Recorded:
        """The record."""
