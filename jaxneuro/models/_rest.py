"""The resting potential of a membrane with channels."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

_GRID = 400
_HALVINGS = 30

Current = Callable[[Float[Array, "*n"]], Float[Array, "*n"]]


def first_rest(
    steady: Current, slope: Current, low: Float[Array, "*n"], high: Float[Array, "*n"]
) -> Float[Array, "*n"]:
    """The lowest potential at which the steady current out of the cell turns from negative to positive; NaN for none.

    Two Newton steps at the end carry the derivative of the implicit function.
    """
    width = (high - low) / _GRID

    def look(k: Any, found: Float[Array, "*n"]) -> Float[Array, "*n"]:
        left = low + width * jnp.asarray(k, low.dtype)
        rises = (steady(left) <= 0.0) & (steady(left + width) > 0.0)
        return jnp.where(jnp.isnan(found) & rises, left, found)

    left = lax.fori_loop(0, _GRID, look, jnp.full_like(low, jnp.nan))

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        middle = 0.5 * (ends[0] + ends[1])
        below = steady(middle) <= 0.0
        return jnp.where(below, middle, ends[0]), jnp.where(below, ends[1], middle)

    below, above = lax.fori_loop(0, _HALVINGS, halve, (left, left + width))
    v = lax.stop_gradient(0.5 * (below + above))
    for _ in range(2):
        v = lax.stop_gradient(v)
        v = v - steady(v) / lax.stop_gradient(slope(v))
    return v
