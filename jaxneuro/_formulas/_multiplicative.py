"""First passage of a linear drift in noise whose variance is a parabola of the potential: the double integral (A13).

With dV = (mu - V)/tau dt + sqrt(s2 q(V)) dW in Ito's sense, q(V) = (V - centre)^2 + spread^2, the mean time from reset
to threshold is

    T = 2/s2 int_reset^th dv int_-inf^v dx exp(H(v) - H(x)) / q(x),    H(v) - H(x) = c int_x^v (u - mu)/q(u) du,

c = 2/(s2 tau). N = exp(-H)/q, the density without a threshold, has one peak. Above it the inner integral is the area of
N up to v, which is tabulated as a polynomial; below it, where N rises steeply, it is a rule of its own at every v. The
largest exponent stands outside, so that log T is finite however long T is.
"""

import math
from collections.abc import Callable
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .._numerics import exponential, gauss_legendre, horner, log_one_plus
from ._convention import AbstractConvention
from ._line import Equation, lowest

# What exp(-FOLDS) leaves is below rounding.
_FOLDS = {4: 18.0, 8: 34.0}
_FARTHEST = 40.0


# atan(y)/y in powers of y^2, for y up to tan(pi/8): by interpolation at Chebyshev's points, to 7e-17.
_ARC_TANGENT = (
    1.0,
    -0.3333333333332844,
    0.1999999999885511,
    -0.14285714180976467,
    0.11111106180455946,
    -0.09090773074808414,
    0.07689953496306857,
    -0.06640233930429408,
    0.056883492268090106,
    -0.04348052215716462,
    0.021135373157693246,
)

# Nodes over v and over x, below the peak and above it; with these T is known to 1e-9 or better.
_BELOW = (12, 40)
_ABOVE = (24, 48)


class QuadraticDiffusion(eqx.Module):
    """dV = (mu - V)/tau dt + sqrt(s2 ((V - centre)^2 + spread2)) dW, in Ito's sense; ms and mV."""

    mu: Float[Array, ""]
    tau: Float[Array, ""]
    s2: Float[Array, ""]
    centre: Float[Array, ""]
    spread2: Float[Array, ""]

    def variance(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """q(V) [mV^2]."""
        return jnp.square(v - self.centre) + self.spread2

    def strength(self) -> Float[Array, ""]:
        """c: the drift against the noise."""
        return 2.0 / (self.s2 * self.tau)

    def climb(self, v: Float[Array, "..."], s: Float[Array, "..."]) -> Float[Array, "..."]:
        """H(v) - H(v - s), from differences that lose no digits where s is small."""
        x = v - self.centre
        logarithm = -0.5 * self._log_variance(v, s)
        # Two arc tangents' difference over the spread is one of (spread s)/below.
        below = self.spread2 + x * (x - s)
        angle = _angle(below, s, self.spread2)
        return self.strength() * (logarithm + (self.centre - self.mu) * angle)

    def log_density(self, v: Float[Array, "..."], s: Float[Array, "..."]) -> Float[Array, "..."]:
        """log N(v - s) - log N(v)."""
        return self.climb(v, s) - self._log_variance(v, s)

    def _log_variance(self, v: Float[Array, "..."], s: Float[Array, "..."]) -> Float[Array, "..."]:
        """log q(v - s) - log q(v)."""
        least = float(jnp.finfo(v.dtype).eps) - 1.0
        return log_one_plus(jnp.maximum(-s * (2.0 * (v - self.centre) - s) / self.variance(v), least))

    def under(self, convention: AbstractConvention) -> "QuadraticDiffusion":
        """The form in Ito's sense of the equation read by `convention`: the drift stays linear."""
        drift = convention.drift(self.drift, self.noise)
        at, slope = jax.jvp(drift, (self.mu,), (jnp.ones_like(self.mu),))
        return QuadraticDiffusion(self.mu - at / slope, -1.0 / slope, self.s2, self.centre, self.spread2)

    def drift(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """A(V) [mV/ms]."""
        return (self.mu - v) / self.tau

    def noise(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """B(V) [mV/sqrt(ms)]."""
        return jnp.sqrt(self.s2 * self.variance(v))


def quadratic_diffusion(
    leak: Float[Array, ""],
    drift: Float[Array, ""],
    additive: Float[Array, ""],
    per_ms: Float[Array, "m"],
    square: Float[Array, "m"],
    reversal: Float[Array, "m"],
) -> QuadraticDiffusion:
    """The diffusion of a membrane: m conductances add a K r = `per_ms` and a^2 K r = `square` [1/ms] at `reversal`.

    `leak` [1/ms], `drift` without conductances [mV/ms], `additive`: squared noise of currents [mV^2/ms].
    """
    tau = 1.0 / (leak + jnp.sum(per_ms))
    mu = tau * (drift + jnp.sum(per_ms * reversal))
    s2 = jnp.sum(square)
    centre = jnp.sum(square * reversal) / s2
    spread2 = (jnp.sum(square * jnp.square(reversal - centre)) + additive) / s2
    return QuadraticDiffusion(mu, tau, s2, centre, spread2)


def diffusion_equation(diffusion: QuadraticDiffusion, *, v_reset: Float[Array, ""], v_th: Float[Array, ""]) -> Equation:
    """The same for threshold integration."""
    low = lowest(diffusion.drift, diffusion.noise, v_reset, v_th)
    return Equation(diffusion.drift, diffusion.noise, low, v_reset, v_th)


def log_passage(diffusion: QuadraticDiffusion, v_th: Float[Array, ""], v_reset: Float[Array, ""]) -> Float[Array, ""]:
    """log of the mean time [ms] from `v_reset` to `v_th`."""
    fixed = lax.stop_gradient(diffusion)
    peak = fixed.centre + fixed.strength() * (fixed.mu - fixed.centre) / (fixed.strength() + 2.0)
    width = jnp.sqrt(fixed.variance(peak) / (fixed.strength() + 2.0))
    highest = jnp.where(v_th > peak, diffusion.climb(v_th, v_th - peak), 0.0)
    above = _above(diffusion, fixed, peak, width, highest, v_th, v_reset)
    below = _below(diffusion, fixed, peak, width, v_th, v_reset)
    total = above + exponential(-highest) * below
    return math.log(2.0) - jnp.log(diffusion.s2) + highest + jnp.log(total)


def _above(
    diffusion: QuadraticDiffusion,
    fixed: QuadraticDiffusion,
    peak: Float[Array, ""],
    width: Float[Array, ""],
    highest: Float[Array, ""],
    v_th: Float[Array, ""],
    v_reset: Float[Array, ""],
) -> Float[Array, ""]:
    """The part of the integral with v above the peak, times exp(-highest). x = peak + width sinh(t)."""
    dtype = peak.dtype
    folds = _FOLDS[dtype.itemsize]
    zero, far = jnp.zeros((), dtype), jnp.asarray(_FARTHEST, dtype)
    low = _where_zero(lambda t: -folds - fixed.log_density(peak, width * jnp.sinh(t)), zero, far, 14)
    high = _where_zero(lambda t: -folds - fixed.log_density(peak, -width * jnp.sinh(t)), zero, far, 14)

    def height(t: Float[Array, "x"]) -> Float[Array, "x"]:
        return exponential(diffusion.log_density(peak, -width * jnp.sinh(t))) * width * jnp.cosh(t)

    # Where the threshold lies below the peak there is no such part: nothing is read there, where it would overflow.
    v_th = jnp.where(v_th > peak, v_th, peak)
    start = jnp.where(v_reset > peak, v_reset, peak)
    start = jnp.where(start < v_th, start, v_th)
    length = lax.stop_gradient(v_th - start)
    share = _where_zero(
        lambda f: fixed.climb(lax.stop_gradient(v_th), f * length) - folds, zero, jnp.ones((), dtype), 24
    )
    start = jnp.where(share < 1.0, v_th - share * length, start)

    rule = gauss_legendre(_ABOVE[0], dtype)
    v = start + (v_th - start) * rule.nodes
    left = gauss_legendre(_ABOVE[1], dtype)
    area = low * jnp.sum(left.weights * height(-low * left.nodes))
    top = jnp.arcsinh((v - peak) / width)
    within = jnp.where(top < high, top, high) / high
    points, to_area = _antiderivative(_ABOVE[1])
    coefficients = jnp.asarray(to_area, dtype) @ height(high * jnp.asarray(points, dtype))
    inner = (area + high * _clenshaw(coefficients, 2.0 * within - 1.0)) / diffusion.variance(peak)
    outer = exponential(diffusion.climb(v, v - peak) - highest)
    return (v_th - start) * jnp.sum(rule.weights * outer * inner)


def _below(
    diffusion: QuadraticDiffusion,
    fixed: QuadraticDiffusion,
    peak: Float[Array, ""],
    width: Float[Array, ""],
    v_th: Float[Array, ""],
    v_reset: Float[Array, ""],
) -> Float[Array, ""]:
    """The part with v below the peak, where N(v - s) falls with s: s = reach(v) sinh(t)."""
    dtype = peak.dtype
    end = jnp.where(v_th < peak, v_th, peak)
    start = jnp.where(v_reset < end, v_reset, end)
    outer, inner = gauss_legendre(_BELOW[0], dtype), gauss_legendre(_BELOW[1], dtype)
    first, last = jnp.arcsinh((start - peak) / width), jnp.arcsinh((end - peak) / width)
    place = first + (last - first) * outer.nodes
    v = peak + width * jnp.sinh(place)
    at = lax.stop_gradient(v)
    reach = 1.0 / ((fixed.strength() + 2.0) * (peak - at) / fixed.variance(at) + 1.0 / width)
    folds = _FOLDS[dtype.itemsize]
    most = _where_zero(
        lambda t: -folds - fixed.log_density(at, reach * jnp.sinh(t)), jnp.zeros_like(at), _FARTHEST + at * 0.0, 7
    )
    sinh, cosh = _sinh_cosh(most[:, None] * inner.nodes)
    heights = exponential(diffusion.log_density(v[:, None], reach[:, None] * sinh)) * cosh
    areas = reach * most * jnp.sum(inner.weights * heights, axis=1) / diffusion.variance(v)
    return (last - first) * jnp.sum(outer.weights * areas * width * jnp.cosh(place))


def _angle(x: Float[Array, "..."], s: Float[Array, "..."], spread2: Float[Array, ""]) -> Float[Array, "..."]:
    """The angle of the point (x, spread s) over the spread, also where the spread is 0.

    tan(angle/4) over the spread comes by halving the angle twice; what is left is a short series.
    """
    square = jnp.square(x) + spread2 * jnp.square(s)
    square = jnp.where(square > 0.0, square, 1.0)
    half = s / (jnp.abs(x) + jnp.sqrt(square))
    quarter = half / (1.0 + jnp.sqrt(1.0 + spread2 * jnp.square(half)))
    acute = 4.0 * quarter * horner(_ARC_TANGENT, spread2 * jnp.square(quarter))
    # Without any spread what lies beyond the centre is never reached.
    full = math.pi / jnp.sqrt(jnp.where(spread2 > 0.0, spread2, 1e-20))
    return jnp.where(x >= 0.0, acute, jnp.where(s < 0.0, -full, full) - acute)


def _sinh_cosh(t: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """sinh and cosh of t from one exponential; relative to sinh the rounding is that of 1 over t."""
    up = exponential(t)
    down = 1.0 / up
    return 0.5 * (up - down), 0.5 * (up + down)


def _where_zero(
    rising: Callable[[Array], Array], low: Float[Array, "*n"], high: Float[Array, "*n"], steps: int
) -> Float[Array, "*n"]:
    """The zero of a rising function by halving; `high` where it never rises above 0."""

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        above = rising(middle) > 0.0
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    return lax.fori_loop(0, steps, halve, (low, high))[1]


@cache
def _antiderivative(n: int) -> tuple[np.ndarray, np.ndarray]:
    """n points of [0, 1], and the matrix from values there to the Chebyshev series of the integral from 0."""
    angles = (np.arange(n) + 0.5) * math.pi / n
    points = np.cos(angles)
    series = 2.0 / n * np.cos(np.outer(np.arange(n), angles))
    series[0] *= 0.5
    integrated = np.stack([np.polynomial.chebyshev.chebint(row, lbnd=-1.0) for row in series.T], axis=1)
    return 0.5 * (1.0 + points), 0.5 * integrated


def _clenshaw(coefficients: Float[Array, "terms"], y: Float[Array, "n"]) -> Float[Array, "n"]:
    """The sum of coefficients times the Chebyshev polynomials at y."""

    after, later = jnp.zeros_like(y), jnp.zeros_like(y)
    for k in range(coefficients.shape[0] - 1, 0, -1):
        after, later = coefficients[k] + 2.0 * y * after - later, after
    return coefficients[0] + y * after - later
