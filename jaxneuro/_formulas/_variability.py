"""Coefficient of variation of the inter-spike intervals of the LIF neuron in white noise."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import (
    TAIL_AT_ZERO,
    dawson_derivative,
    gauss_legendre,
    moment_integral,
    tail,
    tail_difference,
    tail_integral,
    where_defined,
)
from ._arguments import LifArguments
from ._passage import Limits, passage, silent, size, square_exponential
from ._rate import log_rate_tangent

FOUR_OVER_ROOT_PI = 4.0 / math.sqrt(math.pi)
NODES = 32  # 24 already reach 1e-12 of the whole
_ONE_BEYOND = 9.0  # exp(-81)
REACH = 7.0  # exp(-49): beyond, the part done by quadrature is lost in rounding


def lif_cv(
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    tau: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
) -> Float[Array, "..."]:
    """Returns the coefficient of variation of the inter-spike intervals of a LIF neuron driven by white noise.

        CV^2 = 2 pi nu^2 tau^2 int_a^b dx exp(x^2) int_-inf^x dy exp(y^2) (1 + erf y)^2,
        a = (v_reset - mu) / sigma,  b = (v_th - mu) / sigma.

    **Arguments:** as `lif_rate`: `mu`, `sigma`, `v_th`, `v_reset` [mV], `tau`, `t_ref` [ms], broadcast together.

    **Returns:** the CV [1], in the broadcast shape: near 1 deep below threshold, 0 without noise above it. Where
    `sigma` is 0 and mu <= v_th, where no spike comes, it is the limit 1, with derivatives 0.

    Raises as `lif_rate`.

    Derivatives: forward and reverse mode, any order; the first from the end points of the integrals.

    ```python
    >>> from jaxneuro.theory import lif_cv
    >>> print(f"{lif_cv(18.0, 5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0):.4f}")
    0.6665

    ```

    Source: Sanzeni, Histed, Brunel (2022), Phys Rev X 12, 011044, doi:10.1103/PhysRevX.12.011044, equation (15);
    Brunel (2000), J Comput Neurosci 8, 183, doi:10.1023/A:1008925309027.
    """
    arguments = LifArguments(mu, sigma, tau, v_th, v_reset, t_ref)
    return _cv(arguments)


@jax.jit
def _cv(arguments: LifArguments) -> Float[Array, "..."]:
    return where_defined(arguments.valid(), cv_kernel(*arguments.values()), *arguments.values())


@jax.custom_jvp
def cv_kernel(
    mu: Float[Array, "..."],
    sigma: Float[Array, "..."],
    tau: Float[Array, "..."],
    v_th: Float[Array, "..."],
    v_reset: Float[Array, "..."],
    t_ref: Float[Array, "..."],
) -> Float[Array, "..."]:
    """The CV. Far above threshold it is proportional to `sigma`, which keeps tiny noise away from underflow."""
    used = _used_noise(mu, sigma, v_th)
    at = Limits(mu, used, v_th, v_reset)
    interval = t_ref * jnp.exp(-at.exponent) + tau * passage(at)
    cv = tau * jnp.sqrt(2.0 * math.pi * _variance_integral(at)) / interval
    return jnp.where(silent(mu, sigma, v_th), 1.0, cv * (sigma / at.sigma))


@cv_kernel.defjvp
def _cv_jvp(primals, tangents):
    # CV = tau sqrt(2 pi J) nu, and
    # sigma dJ = k(b) dv_th - k(a) dv_reset - (k(b) - k(a)) dmu - (b k(b) - a k(a)) dsigma,
    # where k(x) = exp(x^2) int_-inf^x exp(y^2) (1 + erf y)^2 dy.
    mu, sigma, tau, v_th, v_reset, t_ref = primals
    dmu, dsigma, dtau, dv_th, dv_reset, _ = tangents
    used = _used_noise(mu, sigma, v_th)
    at = Limits(mu, used, v_th, v_reset)
    at_b, at_a = _inner(at.b), jnp.exp(-2.0 * at.rise) * _inner(at.a)
    below = tail_difference(size(at.b), size(at.a), at.gap_size)
    difference = jnp.where(at.b > 0.0, at_b - at_a, below)
    weighted = at.width * at_b + at.a * difference
    # CV(sigma) = ratio CV(used): the slopes of all but sigma carry the ratio.
    ratio = sigma / at.sigma
    change = ratio * (at_b * dv_th - at_a * dv_reset - difference * dmu) - weighted * dsigma
    spread = 0.5 * change / at.sigma / _variance_integral(at)
    cv = cv_kernel(mu, used, tau, v_th, v_reset, t_ref)
    tangent = cv * (spread + ratio * (dtau / tau + log_rate_tangent(primals, tangents)))
    # Deep below threshold what the CV misses to 1, and its slope, are of the order of exp(-b^2), lost in cancellation.
    return cv_kernel(*primals), jnp.where(silent(mu, sigma, v_th) | (at.b > _ONE_BEYOND), 0.0, tangent)


def _used_noise(mu: Float[Array, "..."], sigma: Float[Array, "..."], v_th: Float[Array, "..."]) -> Float[Array, "..."]:
    """`sigma`, or more where (mu - v_th) / sigma is so large that its inverse square is lost in rounding."""
    least = (mu - v_th) * (1e-4 if sigma.dtype == jnp.float32 else 1e-8)
    return jnp.where(sigma < least, least, sigma)


def _inner(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """exp(x^2) int_-inf^x exp(y^2) (1 + erf y)^2 dy, times exp(-2 x^2) for x > 0."""
    positive = x > 0.0
    up = jnp.where(positive, x, 0.0)
    scale = jnp.exp(-jnp.square(up))
    # With (1 + erf y)^2 = 4 - 4 erfc y + (erfc y)^2 for y > 0.
    middle = 2.0 * TAIL_AT_ZERO - FOUR_OVER_ROOT_PI * moment_integral(up, jnp.zeros_like(up), up)
    above = scale * (middle - scale * tail(up)) + 4.0 * dawson_derivative(0, up)
    return jnp.where(positive, above, tail(jnp.where(positive, 0.0, -x)))


def _variance_integral(at: Limits) -> Float[Array, "..."]:
    """int_a^b of `exp(x^2) int_-inf^x exp(y^2) (1 + erf y)^2 dy`, times exp(-2 b+^2).

    The tails integrate to one difference whatever the signs. Of what `_inner` has more for x > 0, the
    parts with exp(x^2) and with Dawson's integral are closed; the part with the integral of m_0, which is
    small against them by exp(-b^2), is done by quadrature.
    """
    scale = jnp.exp(-at.exponent)
    growth = square_exponential(at)
    ends = dawson_derivative(0, at.b_plus) + dawson_derivative(0, at.a_plus) * jnp.exp(-at.rise)
    closed = 2.0 * growth * (TAIL_AT_ZERO * scale + ends)
    tails = tail_integral(size(at.a), size(at.b), -at.gap_size)
    return closed - FOUR_OVER_ROOT_PI * _decaying_part(at) + jnp.square(scale) * tails


def _decaying_part(at: Limits) -> Float[Array, "..."]:
    """int_a+^b+ exp(x^2) (int_0^x m_0) dx, times exp(-2 b+^2)."""
    rule = gauss_legendre(NODES, at.b.dtype)
    inside = at.b_plus < REACH
    high = jnp.where(inside, at.b_plus, REACH)
    low = jnp.where(at.a_plus < high, at.a_plus, high)
    width = jnp.where(inside, at.gap_plus, high - low)
    x = low[..., None] + width[..., None] * rule.nodes
    height = jnp.exp(jnp.square(x) - 2.0 * at.exponent[..., None]) * moment_integral(x, jnp.zeros_like(x), x)
    return width * jnp.sum(rule.weights * height, axis=-1)
