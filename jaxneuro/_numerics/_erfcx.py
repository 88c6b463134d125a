"""The scaled complementary error function."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ._leaf import as_leaf
from ._moment import moment


def erfcx(x: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Returns exp(x^2) erfc(x), which falls like 1 / (sqrt(pi) x) and never reaches 0.

    `jax.scipy.special.erfcx` returns exactly 0 near x = 26.6 in float64 and from 9.2 to 9.4 in
    float32 (jax 0.10), with wrong gradients there. Below x = -26.6 (float32: -9.4) the value overflows.
    Forward and reverse mode, any order: erfcx'(x) = -2 m_1(x) / sqrt(pi) for x >= 0 (see `moment`).
    """
    return _erfcx(as_leaf(x))


def _erfcx(x: Float[Array, "..."]) -> Float[Array, "..."]:
    negative = x < 0.0
    positive_side = moment(0, jnp.where(negative, -x, x)) / math.sqrt(math.pi)
    # erfcx(-x) = 2 exp(x^2) - erfcx(x). Guard the argument: exp(x^2) of a large x has no place in a gradient.
    square = jnp.square(jnp.where(negative, x, 0.0))
    return jnp.where(negative, 2.0 * jnp.exp(square) - positive_side, positive_side)


_erfcx = jax.jit(_erfcx)
