"""Moments of half a Gaussian, the family that erfcx and all its derivatives belong to."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._exponential import log_one_plus
from ._horner import horner, horner_pair
from ._polynomials import MOMENT_0, MOMENT_1, MOMENT_2, PRIMITIVE, K

_TABLES = (MOMENT_0, MOMENT_1, MOMENT_2)


def _pulled_in(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """s = k / (x + k), which takes [0, inf) to (0, 1]."""
    return K / (x + K)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def moment(n: int, x: Float[Array, "..."]) -> Float[Array, "..."]:
    """m_n(x) = 2 int_0^inf u^n exp(-u^2 - 2 x u) du for x >= 0, so m_0(x) = sqrt(pi) erfcx(x)."""
    if n >= len(_TABLES):
        # By parts: 2 m_n = (n - 1) m_(n-2) - 2 x m_(n-1). It cancels at large x, but is met only from
        # the third derivative on.
        return 0.5 * (n - 1) * moment(n - 2, x) - x * moment(n - 1, x)
    s = _pulled_in(x)
    return s ** (n + 1) * horner(_TABLES[n], 1.0 - 2.0 * s)


@moment.defjvp
def _moment_jvp(n, primals, tangents):
    # m_n' = -2 m_(n+1)
    (x,), (dx,) = primals, tangents
    return moment(n, x), -2.0 * moment(n + 1, x) * dx


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def moment_difference(
    n: int, x: Float[Array, "..."], y: Float[Array, "..."], gap: Float[Array, "..."]
) -> Float[Array, "..."]:
    """m_n(x) - m_n(y) for x, y >= 0, with no cancellation where `gap` = x - y is small; give that exactly."""
    if n >= len(_TABLES):
        return moment(n, x) - moment(n, y)
    s, r = _pulled_in(x), _pulled_in(y)
    p = horner_pair(_TABLES[n], 1.0 - 2.0 * s, 1.0 - 2.0 * r)
    step = (-1.0 / K) * s * r * gap  # s - r
    powers = sum(s**i * r ** (n - i) for i in range(n + 1))  # (s^(n+1) - r^(n+1)) / (s - r)
    return step * (powers * p.value - 2.0 * r ** (n + 1) * p.slope)


@moment_difference.defjvp
def _moment_difference_jvp(n, primals, tangents):
    # With y = x - gap: d = (m_n'(x) - m_n'(y)) dx + m_n'(y) dgap, m_n' = -2 m_(n+1)
    x, y, gap = primals
    dx, _, dgap = tangents
    out = moment_difference(n, x, y, gap)
    return out, -2.0 * (moment_difference(n + 1, x, y, gap) * dx + moment(n + 1, y) * dgap)


@jax.custom_jvp
def moment_integral(x: Float[Array, "..."], y: Float[Array, "..."], gap: Float[Array, "..."]) -> Float[Array, "..."]:
    """The integral of m_0 from y to x, both >= 0 in any order, with `gap` = x - y given exactly."""
    # s and r of `_pulled_in`, in one division.
    inverse = 1.0 / ((x + K) * (y + K))
    s, r = K * (y + K) * inverse, K * (x + K) * inverse
    slope = horner_pair(PRIMITIVE, 1.0 - 2.0 * s, 1.0 - 2.0 * r).slope
    # The integral is log((x + k) / (y + k)) and a polynomial. Take the logarithm of the ratio above 1.
    rising = gap > 0.0
    logarithm = log_one_plus(jnp.abs(gap) * jnp.where(rising, r, s) * (1.0 / K))
    return jnp.where(rising, logarithm, -logarithm) + (2.0 / K) * s * r * gap * slope


@moment_integral.defjvp
def _moment_integral_jvp(primals, tangents):
    # With y = x - gap: d = (m_0(x) - m_0(y)) dx + m_0(y) dgap
    x, y, gap = primals
    dx, _, dgap = tangents
    return moment_integral(x, y, gap), moment_difference(0, x, y, gap) * dx + moment(0, y) * dgap
