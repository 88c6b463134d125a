"""The mean first-passage integral of the LIF neuron in white noise, and its derivatives, free of overflow."""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._numerics import (
    exponential,
    exponential_integral,
    exponential_less_one,
    moment,
    moment_difference,
    moment_integral,
)

TWO_ROOT_PI = 2.0 * math.sqrt(math.pi)


def silent(mu: Float[Array, "..."], sigma: Float[Array, "..."], v_th: Float[Array, "..."]) -> Bool[Array, "..."]:
    """Where no noise lifts the potential to the threshold. What is made of `Limits` has to be replaced there.

    That is where there is no noise, and where the square of (v_th - mu) / sigma overflows.
    """
    most = 0.1 * float(jnp.finfo(sigma.dtype).max) ** 0.5
    return ((sigma == 0.0) & (mu <= v_th)) | (v_th - mu > most * sigma)


class Limits(eqx.Module):
    """The limits b = (v_th - mu) / sigma and a = (v_reset - mu) / sigma, and what is made of them.

    `width` is b - a without cancellation; a plus stands for max(., 0), and `rise` is b+^2 - a+^2.
    """

    sigma: Float[Array, "..."]
    b: Float[Array, "..."]
    a: Float[Array, "..."]
    width: Float[Array, "..."]
    b_plus: Float[Array, "..."]
    a_plus: Float[Array, "..."]
    gap_plus: Float[Array, "..."]
    gap_size: Float[Array, "..."]
    rise: Float[Array, "..."]
    exponent: Float[Array, "..."]

    def __init__(
        self,
        mu: Float[Array, "..."],
        sigma: Float[Array, "..."],
        v_th: Float[Array, "..."],
        v_reset: Float[Array, "..."],
    ):
        distance = v_th - v_reset
        quiet = silent(mu, sigma, v_th)
        mu, sigma = jnp.where(quiet, v_reset, mu), jnp.where(quiet, distance, sigma)
        # Below this floor the noise is lost in the rounding of the noiseless rate, and above it nothing overflows.
        floor = 1e-12 if sigma.dtype == jnp.float32 else 1e-30
        self.sigma = jnp.where(sigma > floor * distance, sigma, floor * distance)
        inverse = 1.0 / self.sigma
        self.b = (v_th - mu) * inverse
        self.a = (v_reset - mu) * inverse
        self.width = distance * inverse
        self.b_plus = jnp.where(self.b > 0.0, self.b, 0.0)
        self.a_plus = jnp.where(self.a > 0.0, self.a, 0.0)
        self.gap_plus = jnp.where(self.a > 0.0, self.width, self.b_plus)
        # |b| - |a|
        self.gap_size = jnp.where(self.a > 0.0, self.width, jnp.where(self.b > 0.0, self.b + self.a, -self.width))
        self.rise = self.gap_plus * (self.b_plus + self.a_plus)
        self.exponent = jnp.square(self.b_plus)


def size(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """|x| with derivative -1 at 0, where `jnp.abs` has 0."""
    return jnp.where(x > 0.0, x, -x)


def square_exponential(at: Limits) -> Float[Array, "..."]:
    """int_a+^b+ exp(x^2) dx, times exp(-b+^2)."""
    return exponential_integral(at.b_plus, at.a_plus, at.gap_plus, exponential_less_one(-at.rise))


def passage(at: Limits) -> Float[Array, "..."]:
    """sqrt(pi) int_a^b erfcx(-x) dx, times exp(-b+^2).

    With erfcx(-x) = 2 exp(x^2) - erfcx(x) on the positive side it is twice sqrt(pi) times the integral of exp(x^2)
    from a+ to b+, and the integral of m_0 = sqrt(pi) erfcx from |b| to |a|, whatever the signs of a and b.
    """
    decaying = moment_integral(size(at.a), size(at.b), -at.gap_size)
    return TWO_ROOT_PI * square_exponential(at) + jnp.square(exponential(-0.5 * at.exponent)) * decaying


class PassageSlopes(eqx.Module):
    """With f(x) = sqrt(pi) erfcx(-x): what the derivatives of the passage integral are made of, times exp(-b+^2)."""

    at_b: Float[Array, "..."]
    at_a: Float[Array, "..."]
    difference: Float[Array, "..."]
    weighted: Float[Array, "..."]


def passage_slopes(at: Limits) -> PassageSlopes:
    """f(b), f(a), f(b) - f(a) and b f(b) - a f(a), each scaled as `passage` is, each without cancellation."""
    high, low = size(at.b), size(at.a)
    sign_b = jnp.where(at.b > 0.0, -1.0, 1.0).astype(at.b.dtype)
    sign_a = jnp.where(at.a > 0.0, -1.0, 1.0).astype(at.b.dtype)
    scale = exponential(-at.exponent)
    fall = exponential_less_one(-at.rise)
    step_b = jnp.where(at.b > 0.0, 1.0, 0.0).astype(at.b.dtype)
    step_a = jnp.where(at.a > 0.0, exponential(-at.rise), 0.0)
    m_b, m_a = sign_b * moment(0, high), sign_a * moment(0, low)
    # f(x) = 2 sqrt(pi) exp(x^2) - m_0(x) for x > 0 and m_0(-x) for x <= 0
    same_side = sign_b * moment_difference(0, high, low, at.gap_size)
    decaying = jnp.where(sign_b == sign_a, same_side, m_b - m_a)
    growing = jnp.where(at.a > 0.0, -fall, step_b)
    # x f(x) = 2 sqrt(pi) x+ exp(x+^2) - 1 + m_1(|x|)
    return PassageSlopes(
        at_b=TWO_ROOT_PI * step_b + scale * m_b,
        at_a=TWO_ROOT_PI * step_a + scale * m_a,
        difference=TWO_ROOT_PI * growing + scale * decaying,
        weighted=TWO_ROOT_PI * (at.gap_plus - at.a_plus * fall) + scale * moment_difference(1, high, low, at.gap_size),
    )
