"""The tail function of the second moment of a first-passage time, and its integral."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._horner import horner, horner_pair
from ._moment import moment
from ._polynomials import TAIL, TAIL_INTEGRAL, K


@jax.custom_jvp
def tail(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """k(x) = exp(x^2) int_x^inf exp(-u^2) erfcx(u)^2 du for x >= 0; falls like 1 / (2 pi x^3)."""
    s = K / (x + K)
    return s**3 * horner(TAIL, 1.0 - 2.0 * s)


@tail.defjvp
def _tail_jvp(primals, tangents):
    # k' = 2 x k - erfcx^2
    (x,), (dx,) = primals, tangents
    value = tail(x)
    return value, (2.0 * x * value - jnp.square(moment(0, x)) / math.pi) * dx


def tail_difference(x: Float[Array, "..."], y: Float[Array, "..."], gap: Float[Array, "..."]) -> Float[Array, "..."]:
    """k(x) - k(y) for x, y >= 0, with no cancellation where `gap` = x - y is small; give that exactly."""
    s, r = K / (x + K), K / (y + K)
    p = horner_pair(TAIL, 1.0 - 2.0 * s, 1.0 - 2.0 * r)
    step = -s * r * gap / K  # s - r
    return step * ((s * s + s * r + r * r) * p.value - 2.0 * r**3 * p.slope)


@jax.custom_jvp
def tail_integral(x: Float[Array, "..."], y: Float[Array, "..."], gap: Float[Array, "..."]) -> Float[Array, "..."]:
    """The integral of k from y to x, both >= 0 in any order, with `gap` = x - y given exactly."""
    s, r = K / (x + K), K / (y + K)
    p = horner_pair(TAIL_INTEGRAL, 1.0 - 2.0 * s, 1.0 - 2.0 * r)
    step = s * r * gap / K  # r - s
    return step * ((s + r) * p.value - 2.0 * r * r * p.slope)


@tail_integral.defjvp
def _tail_integral_jvp(primals, tangents):
    # With y = x - gap: d = (k(x) - k(y)) dx + k(y) dgap
    x, y, gap = primals
    dx, _, dgap = tangents
    return tail_integral(x, y, gap), tail_difference(x, y, gap) * dx + tail(y) * dgap
