"""The resting potential of a membrane with channels, and whether it stays there."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics import implicit_roots

_GRID = 160
_HALVINGS = 40
# exp(J t) is squared this often: up to a million times the time of the fastest mode.
_SQUARINGS = 24

Current = Callable[[Any, Float[Array, "*n"]], Float[Array, "*n"]]


def first_rest(steady: Current, model: Any, low: Float[Array, "*n"], high: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """The lowest potential v at which the current `steady(model, v)` out of the cell turns positive; NaN for none.

    Derivatives: of the implicit function, forward and reverse mode.
    """
    found = searched_rest(steady, *lax.stop_gradient((model, low, high)))
    return implicit_roots(lambda v: steady(model, v), found)


def searched_rest(steady: Current, model: Any, low: Float[Array, "*n"], high: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """The same without derivatives: by a grid and halvings."""
    width = (high - low) / _GRID

    def look(k: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        """While nothing is found, moves the upper end along the grid; once it is, halves what is left."""
        below, above = ends
        searching = jnp.isnan(below)
        middle = jnp.where(searching, above + width, 0.5 * (below + above))
        inward = steady(model, middle) <= 0.0
        found = searching & ~inward
        below = jnp.where(found, above, jnp.where(~searching & inward, middle, below))
        return below, jnp.where(searching | ~inward, middle, above)

    below, above = lax.fori_loop(0, _GRID + _HALVINGS, look, (jnp.full_like(low, jnp.nan), low))
    return 0.5 * (below + above)


def grows(jacobian: Float[Array, "*n k k"]) -> Bool[Array, "*n"]:
    """Whether dx/dt = J x has a mode that grows: whether the spectral radius of exp(J t) is above 1.

    By repeated squaring and not by eigenvalues, which not every device has.
    """
    # Neurons stand last and products are sums of rows: a CPU is slow at a batch of small matrix products.
    j = jnp.moveaxis(jacobian, (-2, -1), (0, 1))
    size = jnp.max(jnp.sum(jnp.abs(j), axis=1), axis=0)
    x = 0.125 * j / jnp.maximum(size, jnp.finfo(j.dtype).tiny)
    one = jnp.eye(j.shape[0], dtype=x.dtype).reshape(j.shape[:2] + (1,) * size.ndim)
    step = one + _times(x, one + _times(x, one + _times(x, one + x / 4.0) / 3.0) / 2.0)

    nothing = 32 * jnp.finfo(x.dtype).eps

    def square(now: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        times, power, growth = now
        power = _times(power, power)
        norm = jnp.max(jnp.sum(jnp.abs(power), axis=1), axis=0)
        # log of the norm over the number of first steps that have passed.
        return times + 1.0, power / norm, growth + jnp.log(norm) * jnp.exp2(-(times + 1.0))

    def undecided(now: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        # A power whose norm is below 1 has its spectral radius there too: nothing grows.
        times, _, growth = now
        return (times < _SQUARINGS) & jnp.any(growth >= -nothing)

    start = (jnp.zeros((), x.dtype), step, jnp.zeros(size.shape, step.dtype))
    return lax.while_loop(undecided, square, start)[2] > nothing


def _times(a: Float[Array, "k k *n"], b: Float[Array, "k k *n"]) -> Float[Array, "k k *n"]:
    return jnp.sum(a[:, :, None] * b[None], axis=1)
