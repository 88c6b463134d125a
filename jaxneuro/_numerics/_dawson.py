"""Dawson's integral, and integrals of exp(x^2) scaled by their largest value."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ._horner import horner, horner_pair
from ._leaf import as_leaf
from ._polynomials import DAWSON_0, DAWSON_SLOPE, K_DAWSON, X_FAR


def dawson(x: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Returns D(x) = exp(-x^2) int_0^x exp(u^2) du.

    Forward and reverse mode, any order: D' = 1 - 2 x D, with its own table where that cancels.
    """
    return jax.jit(dawson_derivative, static_argnums=0)(0, as_leaf(x))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def dawson_derivative(n: int, x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The n-th derivative of Dawson's integral."""
    if n == 0:
        square = jnp.square(x)
        return x / (1.0 + 2.0 * square) * horner(DAWSON_0, 1.0 - 2.0 * K_DAWSON / (square + K_DAWSON))
    if n == 1:
        far = jnp.abs(x) > X_FAR
        inverse = jnp.square(1.0 / jnp.where(far, x, X_FAR))
        slope_far = inverse * horner(DAWSON_SLOPE, 2.0 * X_FAR**2 * inverse - 1.0)
        near = jnp.where(far, X_FAR, x)
        return jnp.where(far, slope_far, 1.0 - 2.0 * near * dawson_derivative(0, near))
    # Leibniz's rule on D' = 1 - 2 x D
    return -2.0 * (x * dawson_derivative(n - 1, x) + (n - 1) * dawson_derivative(n - 2, x))


@dawson_derivative.defjvp
def _dawson_derivative_jvp(n, primals, tangents):
    (x,), (dx,) = primals, tangents
    return dawson_derivative(n, x), dawson_derivative(n + 1, x) * dx


@jax.custom_jvp
def dawson_difference(x: Float[Array, "..."], y: Float[Array, "..."], gap: Float[Array, "..."]) -> Float[Array, "..."]:
    """D(x) - D(y) for x, y >= 0, with no cancellation where `gap` = x - y is small; give that exactly."""
    c, e = 1.0 / (1.0 + 2.0 * jnp.square(x)), 1.0 / (1.0 + 2.0 * jnp.square(y))
    u, v = 1.0 / (jnp.square(x) + K_DAWSON), 1.0 / (jnp.square(y) + K_DAWSON)
    p = horner_pair(DAWSON_0, 1.0 - 2.0 * K_DAWSON * u, 1.0 - 2.0 * K_DAWSON * v)
    # x c - y e = gap (1 - 2 x y) c e, and t(x) - t(y) = 2 k gap (x + y) u v
    return gap * e * ((1.0 - 2.0 * x * y) * c * p.value + 2.0 * K_DAWSON * y * (x + y) * u * v * p.slope)


@dawson_difference.defjvp
def _dawson_difference_jvp(primals, tangents):
    # With y = x - gap: d = (D'(x) - D'(y)) dx + D'(y) dgap
    x, y, gap = primals
    dx, _, dgap = tangents
    slope = dawson_derivative(1, y)
    return dawson_difference(x, y, gap), (dawson_derivative(1, x) - slope) * dx + slope * dgap
