"""Delays that are trained."""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import as_leaf, check_finite, to_milliseconds, violates
from ..connectivity import AbstractDelay, StepRange


class TrainableDelay(AbstractDelay):
    """Delays that are leaves, to be trained: a spike is shared between the two neighbouring steps, linearly.

        arrivals at t + k dt of a spike at t: max(0, 1 - |value/dt - k|) of it.

    The step of a spike acts on every later one as `value` says, and its derivative by `value` is that of the
    interpolation, one-sided where `value` is a whole number of steps.

    **Arguments:**

    - `value`: [ms], a number, one a source (pre,), or one a synapse (post, pre), inside [`low`, `high`].
    - `low`, `high`: [ms], the range that training may use, part of the program: `low` is at least one step and bounds
      the block of a run, and one matrix product is done for each step of the range.

    Raises `ValueError` where a known `value` lies outside; a traced one is taken to the nearest end, with derivative 0
    beyond it.

    ```python
    >>> import jaxneuro as jn
    >>> delay = jn.TrainableDelay([2.5, 4.0], low=1.0, high=10.0)

    ```

    Source: Goltz et al. (2025), doi:10.1038/s41467-025-63120-y, on learning with delays; the interpolation is that of
    Hammouamri, Khalfaoui-Hassani and Masquelier (2024), arXiv:2306.17670, at width 0.
    """

    value: Float[Array, "*pairs"]
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __init__(self, value: Any, *, low: float, high: float):
        self.value = as_leaf(value, "value")
        self.low, self.high = to_milliseconds("low", low), to_milliseconds("high", high)
        check_finite("value", self.value)
        if not 0 < self.low <= self.high:
            raise ValueError(f"`TrainableDelay` needs 0 < low <= high; got {low} and {high} ms.")
        if self.value.ndim > 2:
            raise ValueError(f"`value` has to be a number, (pre,) or (post, pre); got shape {self.value.shape}.")
        if violates(lambda v: (v >= self.low) & (v <= self.high), self.value):
            raise ValueError(f"`value` has to lie within [{self.low:g}, {self.high:g}] ms; got {self.value}.")

    def steps(self, name: str, dt: float) -> StepRange:
        least, most = math.floor(self.low / dt + 1e-6), math.ceil(self.high / dt - 1e-6)
        if least < 1:
            raise ValueError(f"`{name}.low` is {self.low:g} ms, less than a step of {dt:g} ms.")
        return StepRange(least, most)

    def check_given(self, n_pre: int, n_post: int) -> None:
        allowed = ((), (n_pre,), (n_post, n_pre))
        if self.value.shape not in allowed:
            raise ValueError(f"`delay` has values of shape {self.value.shape}; they have to be one of {allowed}.")

    def shares(self, dt: float, least: int, most: int) -> Float[Array, "steps *pairs"]:
        """The part of a spike that arrives after `least`, ..., `most` steps."""
        steps = jnp.clip(self.value / dt, self.low / dt, self.high / dt)
        k = jnp.arange(least, most + 1, dtype=steps.dtype).reshape(-1, *(1,) * steps.ndim)
        # At a whole number of steps the derivative is that of a longer delay.
        ahead = steps - k
        return jnp.where(ahead >= 0, jnp.maximum(0.0, 1.0 - ahead), jnp.maximum(0.0, 1.0 + ahead))
