"""Divided differences of the exponential: what exponential integrators and pairs of time constants are made of."""

from math import factorial

import jax.numpy as jnp
from jaxtyping import Array, Float

# Where both arguments are below 1 in size, the series to these many terms is exact to rounding.
_TERMS = {4: 12, 8: 19}
_HYPERBOLIC = 9


def phi(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The integral of exp(x u) over u in (0, 1): (exp(x) - 1)/x, 1 at x = 0."""
    near = jnp.abs(x) < 0.02
    safe = jnp.where(near, 1.0, x)
    series = 1.0 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x / 5040)))))
    return jnp.where(near, series, jnp.expm1(safe) / safe)


def phi_difference(p: Float[Array, "..."], q: Float[Array, "..."]) -> Float[Array, "..."]:
    """(phi(p) - phi(q))/(p - q), and its limit phi'(p) where p = q, with its derivatives.

    It is the divided difference of exp at p, q and 0, the sum of h_k(p, q)/(k + 2)! with h_k = p h_(k-1) + q^k the sum
    of all products of k factors p and q. Beyond the reach of the series it is (exp[l, s] - exp[s, 0])/l, l being the
    larger in size, and exp[l, s] = exp(s) phi(l - s) does not divide by what may be 0.
    """
    near = (jnp.abs(p) < 1.0) & (jnp.abs(q) < 1.0)
    a, b = jnp.where(near, p, 0.0), jnp.where(near, q, 0.0)
    series, total, power = 0.5, jnp.ones_like(a * b), jnp.ones_like(b)
    for k in range(1, _TERMS[total.dtype.itemsize]):
        power = power * b
        total = a * total + power
        series = series + total * (1.0 / factorial(k + 2))
    first = jnp.abs(p) >= jnp.abs(q)
    large, small = jnp.where(near, 1.0, jnp.where(first, p, q)), jnp.where(near, 0.0, jnp.where(first, q, p))
    return jnp.where(near, series, (jnp.exp(small) * phi(large - small) - phi(small)) / large)


def decayed(x: Float[Array, "..."], y: Float[Array, "..."]) -> Float[Array, "..."]:
    """(exp(-x) - exp(-y))/(y - x) of positive numbers, and its limit exp(-x) where they meet, with its derivatives."""
    first = x <= y
    low, high = jnp.where(first, x, y), jnp.where(first, y, x)
    return jnp.exp(-low) * phi(low - high)


def decayed_behind(x: Float[Array, "..."], y: Float[Array, "..."], z: Float[Array, "..."]) -> Float[Array, "..."]:
    """(decayed(x, z) - decayed(y, z))/(y - x), the same whatever the order of the three, also where they meet.

    It is the divided difference of exp at -x, -y and -z, taken from the least of the three, so that nothing overflows.
    """
    first = x <= y
    low, high = jnp.where(first, x, y), jnp.where(first, y, x)
    before = z <= low
    least, middle = jnp.where(before, z, low), jnp.where(before, low, z)
    return jnp.exp(-least) * phi_difference(least - middle, least - high)


def log_ratio_over_difference(a: Float[Array, "..."], b: Float[Array, "..."]) -> Float[Array, "..."]:
    """log(a/b)/(a - b) of positive numbers, 1/a where they are equal, with its derivatives.

    Near there 2 artanh(z)/(a - b) with z = (a - b)/(a + b), that is 2 (1 + z^2/3 + z^4/5 + ...)/(a + b).
    """
    z = (a - b) / (a + b)
    near = jnp.abs(z) < 0.1
    square, series = jnp.where(near, z * z, 0.0), 0.0
    for k in reversed(range(_HYPERBOLIC)):
        series = series * square + 1.0 / (2 * k + 1)
    difference = jnp.where(near, 1.0, a - b)
    return jnp.where(near, 2.0 * series / (a + b), jnp.log(a / b) / difference)
