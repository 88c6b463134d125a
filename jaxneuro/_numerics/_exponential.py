"""exp, exp - 1 and log(1 + x), which XLA for CPUs takes four to seven times as long for in float64.

In float32 they are JAX's own. In float64 exp(x) = 2^n exp(r) with |r| <= log(2)/2, and 1 + x = 2^n m with m between
1/sqrt(2) and sqrt(2), log m = 2 atanh((m - 1)/(m + 1)): 2^n and m are written and read as bits.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from ._horner import horner
from ._polynomials import ARC, RISE
from ._primitive import define_elementwise

# log(2) in two parts: a whole number below 2048 times the first has no rounding.
_HIGH, _LOW = 6.93145751953125e-1, 1.42860682030941723212e-6
_LEAST, _MOST = -708.0, 709.0
# The exponent of a float64 stands above 52 bits, 1023 too high; 2^52 and a whole number have it in the lowest bits.
_SHIFT, _BIAS, _TWO_52 = 52, 1023.0, 4503599627370496.0
_BITS_OF_1, _BITS_OF_ROOT_HALF, _BITS_OF_TWO_52 = 0x3FF0000000000000, 0x3FE6A09E667F3BCD, 0x4330000000000000
_FRACTION = 0x000FFFFFFFFFFFFF


@jax.custom_jvp
def exponential(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """exp(x); in float64 0 below exp(-708) and infinite above exp(709)."""
    return jnp.exp(x) if x.dtype != jnp.float64 else _exponential.bind(x)


@exponential.defjvp
def _exponential_jvp(primals, tangents):
    value = exponential(*primals)
    return value, value * tangents[0]


@jax.custom_jvp
def exponential_less_one(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """exp(x) - 1, with no cancellation at small x."""
    return jnp.expm1(x) if x.dtype != jnp.float64 else _exponential_less_one.bind(x)


@exponential_less_one.defjvp
def _exponential_less_one_jvp(primals, tangents):
    return exponential_less_one(*primals), exponential(*primals) * tangents[0]


@jax.custom_jvp
def log_one_plus(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """log(1 + x), with no cancellation at small x; NaN below -1."""
    return jnp.log1p(x) if x.dtype != jnp.float64 else _log_one_plus.bind(x)


@log_one_plus.defjvp
def _log_one_plus_jvp(primals, tangents):
    return log_one_plus(*primals), tangents[0] / (1.0 + primals[0])


def _reduced(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """2^n and exp(r) - 1 of x = n log(2) + r."""
    x = jnp.clip(x, _LEAST, _MOST)
    n = lax.round(x * (1.0 / math.log(2.0)), lax.RoundingMethod.TO_NEAREST_EVEN)
    r = x - n * _HIGH - n * _LOW
    exponent = _bits(n + (_TWO_52 + _BIAS)) << _SHIFT
    return lax.bitcast_convert_type(exponent, jnp.float64), r + r * r * horner(RISE, r)


def _write_exponential(x: Float[Array, "..."]) -> Float[Array, "..."]:
    power, rise = _reduced(x)
    found = jnp.where(x < _LEAST, 0.0, power + power * rise)
    return jnp.where(x > _MOST, jnp.inf, found)


def _write_exponential_less_one(x: Float[Array, "..."]) -> Float[Array, "..."]:
    power, rise = _reduced(x)
    return jnp.where(x > _MOST, jnp.inf, power * rise + (power - 1.0))


def _write_log_one_plus(x: Float[Array, "..."]) -> Float[Array, "..."]:
    # Near 0 the sum 1 + x would lose the digits of x, which is m - 1 itself there.
    near = (x > -0.29) & (x < 0.41)
    bits = _bits(1.0 + x) + (_BITS_OF_1 - _BITS_OF_ROOT_HALF)
    n = lax.bitcast_convert_type((bits >> _SHIFT) | _BITS_OF_TWO_52, jnp.float64) - (_TWO_52 + _BIAS)
    m = lax.bitcast_convert_type((bits & _FRACTION) + _BITS_OF_ROOT_HALF, jnp.float64)
    n, f = jnp.where(near, 0.0, n), jnp.where(near, x, m - 1.0)
    s = f / (2.0 + f)
    square = s * s
    found = n * _HIGH + (2.0 * (s + s * square * horner(ARC, square)) + n * _LOW)
    beyond = jnp.where(x == -1.0, -jnp.inf, jnp.where(x == jnp.inf, jnp.inf, jnp.nan))
    return jnp.where((x > -1.0) & (x < jnp.inf), found, beyond)


def _bits(x: Float[Array, "..."]) -> Int[Array, "..."]:
    return lax.bitcast_convert_type(x, jnp.int64)


_exponential = define_elementwise("jaxneuro_exp", _write_exponential)
_exponential_less_one = define_elementwise("jaxneuro_expm1", _write_exponential_less_one)
_log_one_plus = define_elementwise("jaxneuro_log1p", _write_log_one_plus)
