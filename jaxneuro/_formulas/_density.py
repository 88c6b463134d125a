"""Stationary density of the membrane potential of the LIF neuron in white noise."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import (
    as_leaf,
    check_broadcast,
    check_finite,
    check_positive,
    dawson_derivative,
    dawson_difference,
    where_defined,
)
from ._arguments import LifArguments
from ._passage import Limits, passage, silent, size


def lif_density(
    v: ArrayLike,
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    tau: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
) -> Float[Array, "..."]:
    """Returns the stationary density of the membrane potential of a LIF neuron driven by white noise.

        P(V) = (2 nu tau / sigma) exp(-y^2) int_max(y, a)^b exp(x^2) dx,
        y = (V - mu) / sigma,  a = (v_reset - mu) / sigma,  b = (v_th - mu) / sigma,

    and 0 from the threshold on. It integrates to 1 - nu t_ref, the share of the time outside refractoriness.

    **Arguments:** `v`: potential [mV]; the others as `lif_rate`, with `sigma` > 0. All broadcast together.

    **Returns:** the density [1/mV], in the broadcast shape.

    Raises as `lif_rate`, and `ValueError` where `v` is not finite or `sigma` is 0; NaN under jit.

    Derivatives: forward and reverse mode, any order. The slope in `v` jumps at `v_reset` and at `v_th`, where that
    from the left is given.

    ```python
    >>> from jaxneuro.theory import lif_density
    >>> print(f"{lif_density(15.0, 18.0, 5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0):.5f} per mV")
    0.12078 per mV

    ```

    Source: Sanzeni, Histed, Brunel (2022), Phys Rev X 12, 011044, doi:10.1103/PhysRevX.12.011044, equation (17).
    """
    arguments = LifArguments(mu, sigma, tau, v_th, v_reset, t_ref)
    check_positive("sigma", arguments.sigma)
    potential = as_leaf(v, "v")
    check_broadcast({"v": potential} | vars(arguments))
    check_finite("v", potential)
    return _density(potential, arguments)


@jax.jit
def _density(v: Float[Array, "..."], arguments: LifArguments) -> Float[Array, "..."]:
    mu, sigma, tau, v_th, v_reset, t_ref = arguments.values()
    below = v < v_th
    inside = jnp.where(below, v, v_reset)
    at = Limits(mu, sigma, v_th, v_reset)
    y = (inside - mu) / at.sigma
    above_reset = inside > v_reset
    low = jnp.where(above_reset, y, at.a)
    integral = _scaled_integral(low, at.b, jnp.where(above_reset, (v_th - inside) / at.sigma, at.width))
    # The exponents: -b+^2 of the rate, max(|low|, b)^2 of the integral and -y^2, added so that nothing cancels.
    behind = jnp.where(above_reset, 0.0, (inside - v_reset) / at.sigma * (y + at.a))
    exponent = jnp.where(size(low) > at.b, -at.exponent - behind, -jnp.square(y))
    interval = t_ref * jnp.exp(-at.exponent) + tau * passage(at)
    density = 2.0 * tau / at.sigma * integral / interval * jnp.exp(exponent)
    # So far below that no spike comes: the free membrane.
    free = silent(mu, sigma, v_th)
    safe = jnp.where(free & (sigma > 0.0), sigma, 1.0)
    gauss = jnp.exp(-jnp.square((inside - jnp.where(free, mu, 0.0)) / safe)) / (safe * math.sqrt(math.pi))
    density = jnp.where(free, gauss, density)
    return where_defined(
        arguments.valid() & (sigma > 0.0) & jnp.isfinite(v), jnp.where(below, density, 0.0), v, *arguments.values()
    )


def _scaled_integral(
    low: Float[Array, "..."], high: Float[Array, "..."], gap: Float[Array, "..."]
) -> Float[Array, "..."]:
    """int_low^high exp(x^2) dx, times exp(-max(|low|, |high|)^2); `gap` = high - low > 0 is given exactly."""
    first, second = size(low), size(high)
    swap = first > second
    large, small = jnp.where(swap, first, second), jnp.where(swap, second, first)
    same_side = (low > 0.0) == (high > 0.0)
    step = jnp.where(same_side, gap, large - small)
    rise = step * (large + small)
    # With int_0^x exp(u^2) du = exp(x^2) D(x): a difference of two on one side of 0, else a sum.
    difference = dawson_difference(large, small, step) - dawson_derivative(0, small) * jnp.expm1(-rise)
    total = dawson_derivative(0, large) + dawson_derivative(0, small) * jnp.exp(-rise)
    return jnp.where(same_side, difference, total)
