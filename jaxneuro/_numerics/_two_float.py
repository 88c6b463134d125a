"""Sums of two floats: arithmetic with about twice the digits of its type, where float32 is too coarse.

Dekker (1971), doi:10.1007/BF01397083; Knuth's exact sum. Factors are split by their bits, which stays right where a
compiler contracts a product and a sum.
"""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


class TwoFloat(eqx.Module):
    """`high + low`, with |low| at most half a unit in the last place of `high`."""

    high: Float[Array, "*shape"]
    low: Float[Array, "*shape"]

    @staticmethod
    def of(x: Float[Array, "*shape"]) -> "TwoFloat":
        """The number itself."""
        return TwoFloat(x, jnp.zeros_like(x))

    def __add__(self, other: "TwoFloat") -> "TwoFloat":
        total, error = _exact_sum(self.high, other.high)
        return _renormalised(total, error + (self.low + other.low))

    def __mul__(self, other: "TwoFloat") -> "TwoFloat":
        product, error = _exact_product(self.high, other.high)
        return _renormalised(product, error + (self.high * other.low + self.low * other.high))

    def __truediv__(self, other: "TwoFloat") -> "TwoFloat":
        quotient = self.high / other.high
        rest = self + TwoFloat.of(-quotient) * other
        return _renormalised(quotient, (rest.high + rest.low) / other.high)

    def over(self, x: Float[Array, "*shape"]) -> "TwoFloat":
        """This divided by a number of the single type."""
        quotient = self.high / x
        rest = self + TwoFloat(*_exact_product(-quotient, x))
        return _renormalised(quotient, (rest.high + rest.low) / x)


def _exact_sum(a: Float[Array, "*a"], b: Float[Array, "*b"]) -> tuple[Array, Array]:
    total = a + b
    b_seen = total - a
    return total, (a - (total - b_seen)) + (b - b_seen)


def _split(*numbers: Float[Array, "..."]) -> list[tuple[Array, Array]]:
    """Of each number the upper and the lower half of the digits; their products are exact."""
    halves = []
    for x in numbers:
        if x.dtype == jnp.float64:
            bits, mask = lax.bitcast_convert_type(x, jnp.uint64), jnp.uint64(0xFFFFFFFFF8000000)
        else:
            bits, mask = lax.bitcast_convert_type(x, jnp.uint32), jnp.uint32(0xFFFFF000)
        upper = lax.bitcast_convert_type(bits & mask, x.dtype)
        halves.append((upper, x - upper))
    return halves


def _exact_product(a: Float[Array, "*a"], b: Float[Array, "*b"]) -> tuple[Array, Array]:
    product = a * b
    (a_up, a_down), (b_up, b_down) = _split(a, b)
    return product, ((a_up * b_up - product) + a_up * b_down + a_down * b_up) + a_down * b_down


def _renormalised(high: Float[Array, "*shape"], low: Float[Array, "*shape"]) -> TwoFloat:
    total = high + low
    return TwoFloat(total, low - (total - high))
