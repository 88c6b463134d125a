"""The resting potential of a membrane with channels."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .._numerics import implicit_roots

_GRID = 160
_HALVINGS = 40

Current = Callable[[Float[Array, "*n"]], Float[Array, "*n"]]


def first_rest(steady: Current, low: Float[Array, "*n"], high: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """The lowest potential at which the steady current out of the cell turns from negative to positive; NaN for none.

    Derivatives: of the implicit function, forward and reverse mode.
    """
    width = (high - low) / _GRID

    def look(k: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        """While nothing is found, moves the upper end along the grid; once it is, halves what is left."""
        below, above = ends
        searching = jnp.isnan(below)
        middle = jnp.where(searching, above + width, 0.5 * (below + above))
        inward = steady(middle) <= 0.0
        found = searching & ~inward
        below = jnp.where(found, above, jnp.where(~searching & inward, middle, below))
        return below, jnp.where(searching | ~inward, middle, above)

    start = (jnp.full_like(low, jnp.nan), low)
    below, above = lax.fori_loop(0, _GRID + _HALVINGS, look, start)
    # A bound method of a model cannot be hashed, which JAX asks of a function; a function can.
    return implicit_roots(lambda v: steady(v), lax.stop_gradient(0.5 * (below + above)))
