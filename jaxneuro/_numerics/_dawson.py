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
    return _dawson_pair(x, y, gap)[0]


@dawson_difference.defjvp
def _dawson_difference_jvp(primals, tangents):
    # With y = x - gap: d = (D'(x) - D'(y)) dx + D'(y) dgap
    x, y, gap = primals
    dx, _, dgap = tangents
    slope = dawson_derivative(1, y)
    return dawson_difference(x, y, gap), (dawson_derivative(1, x) - slope) * dx + slope * dgap


@jax.custom_jvp
def exponential_integral(
    x: Float[Array, "..."], y: Float[Array, "..."], gap: Float[Array, "..."], fall: Float[Array, "..."]
) -> Float[Array, "..."]:
    """exp(-x^2) int_y^x exp(u^2) du, x >= y >= 0, with `gap` = x - y and `fall` = exp(y^2 - x^2) - 1 given exactly."""
    difference, at_y = _dawson_pair(x, y, gap)
    return difference - at_y * fall


@exponential_integral.defjvp
def _exponential_integral_jvp(primals, tangents):
    # D(x) - D(y) - D(y) fall, with y = x - gap.
    x, y, gap, fall = primals
    dx, _, dgap, dfall = tangents
    slope = dawson_derivative(1, y)
    by_difference = (dawson_derivative(1, x) - slope) * dx + slope * dgap
    return exponential_integral(x, y, gap, fall), (
        by_difference - slope * (dx - dgap) * fall - dawson_derivative(0, y) * dfall
    )


def _dawson_pair(
    x: Float[Array, "..."], y: Float[Array, "..."], gap: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """D(x) - D(y) and D(y), from one pass over the polynomial."""
    c, e = 1.0 / (1.0 + 2.0 * jnp.square(x)), 1.0 / (1.0 + 2.0 * jnp.square(y))
    u, v = 1.0 / (jnp.square(x) + K_DAWSON), 1.0 / (jnp.square(y) + K_DAWSON)
    p = horner_pair(DAWSON_0, 1.0 - 2.0 * K_DAWSON * u, 1.0 - 2.0 * K_DAWSON * v)
    # x c - y e = gap (1 - 2 x y) c e, and t(x) - t(y) = 2 k gap (x + y) u v
    apart = 2.0 * K_DAWSON * (x + y) * u * v
    difference = gap * e * ((1.0 - 2.0 * x * y) * c * p.value + apart * y * p.slope)
    return difference, y * e * (p.value - apart * gap * p.slope)
