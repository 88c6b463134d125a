"""The solution of the backward equation of the LIF neuron in white noise that stays bounded far below threshold.

With x = (V - mu) / sigma and time in units of tau, u solves u''/2 - x u' = z u; exp(-x^2/2) u(x) is the parabolic
cylinder function D_(-z)(-sqrt(2) x), and u(a) / u(b) is the Laplace transform of the first passage from a to b. It is
the adjoint of threshold integration, which runs three solutions of the Fokker-Planck equation down from the threshold:
here one solution runs up to it, in the direction in which it grows, so that nothing cancels.

Followed are u and w = u'/z, which stays finite at z = 0. Below x = -2 the ratio w/u is a continued fraction and
log u its integral; above, Taylor's series of the equation carries both from step to step, scaled at every step.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from .._numerics import gauss_legendre

# With these the response is within 1e-10 over the range of the tests; fewer steps show the order of the scheme.
STEPS = 24
_ORDER = 28
_FRACTIONS = 48
_NODES = 16
_FAR = -2.0
# Steps are even in x|x|/2 + _EVEN x: short where the solution grows like exp(x^2).
_EVEN = 4.0
# What a start loses on the way is exp(-_FORGOTTEN).
_FORGOTTEN = 40.0


class Passage(eqx.Module):
    """w and u at a and b, and int_a^b w dx, all times one common factor."""

    w_a: Complex[Array, "..."]
    u_a: Complex[Array, "..."]
    w_b: Complex[Array, "..."]
    u_b: Complex[Array, "..."]
    integral: Complex[Array, "..."]


class _Start(eqx.Module):
    """Where the steps start, and whether that is later than the base because the base is forgotten at the end."""

    x: Float[Array, "..."]
    late: Bool[Array, "..."]
    w: Complex[Array, "..."]
    u: Complex[Array, "..."]


def passage_from(
    a: Float[Array, "..."], b: Float[Array, "..."], z: Complex[Array, "..."], *, steps: int = STEPS
) -> Passage:
    """The solution between a and b at z, of one shape."""
    dtype = z.dtype
    # Chosen, not minima and maxima, whose derivatives are shared where a or b is -2.
    below = a < _FAR
    base = jnp.where(below, a, _FAR)
    middle = jnp.where(below, jnp.where(b < _FAR, b, _FAR), a)
    low, high = base, jnp.where(below, middle, _FAR)
    rule = gauss_legendre(_NODES, a.dtype)
    inside = rule.nodes.reshape(-1, *[1] * a.ndim)
    slopes = _slope(jnp.concatenate([low[None], high[None], low + (high - low) * inside]), z)

    # From -2 up to a, where a lies above.
    start = _start(base, a, slopes[0], jnp.ones_like(z), z)
    at_a = _climb(start, a, (), z, steps)

    # From a up to -2 or b, where a lies below.
    weights = rule.weights.reshape(inside.shape)
    q = (high - low).astype(dtype) * jnp.sum(weights.astype(dtype) * slopes[2:], axis=0)
    decay = jnp.exp(-z * q)
    w_c, u_c = jnp.where(high > low, slopes[1] * at_a.u, at_a.w), at_a.u
    crossed = at_a.u * q * falling(z * q)
    w_a, u_a = at_a.w * decay, at_a.u * decay

    # From there up to b.
    start = _start(middle, b, w_c, u_c, z)
    carried = tuple(jnp.where(start.late, 0.0, value) for value in (w_a, u_a, crossed))
    at_b = _climb(start, b, carried, z, steps)
    w_a, u_a, crossed = at_b.carried
    return Passage(w_a, u_a, at_b.w, at_b.u, crossed + at_b.integral)


def falling(s: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """(1 - exp(-s)) / s, 1 at 0."""
    small = jnp.abs(lax.stop_gradient(s)) < 0.05
    series = jnp.ones_like(s)
    for k in range(8, 1, -1):
        series = 1.0 - s / k * series
    safe = jnp.where(small, 1.0, s)
    return jnp.where(small, series, (1.0 - jnp.exp(-safe)) / safe)


def _slope(x: Float[Array, "..."], z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """w/u = sqrt(2) D_(-z-1)(t) / D_(-z)(t) with t = -sqrt(2) x, for x <= -2.

    D_(-z)(t) / D_(-z-1)(t) = t + (z + 1) / (t + (z + 2) / (t + ...)), cut at a tail c_k = t + (z + k) / c_(k+1) that is
    taken to change slowly with k, to first order.
    """
    root = math.sqrt(2.0)
    t = (-root * x).astype(z.dtype)
    k = z + (_FRACTIONS + 1.0)
    root_k = jnp.sqrt(t * t + 4.0 * k)
    tail = 0.5 * (t + root_k)
    tail = tail - k / (root_k * (tail * tail + k))

    def outwards(c: Complex[Array, "..."], k: Complex[Array, ""]) -> tuple[Complex[Array, "..."], None]:
        return t + (z + k) / c, None

    c, _ = lax.scan(outwards, tail, jnp.arange(_FRACTIONS, 0, -1).astype(z.dtype))
    return root / c


def _start(
    base: Float[Array, "..."],
    end: Float[Array, "..."],
    w: Complex[Array, "..."],
    u: Complex[Array, "..."],
    z: Complex[Array, "..."],
) -> _Start:
    """`base` with its w and u, or a later start, in the growing solution to leading order, where `end` forgets both.

    u'/u is near y = x + sqrt(x^2 + 2 z), whose real part rises with x, and a wrong start decays still faster.
    """
    at, ends, freq = lax.stop_gradient(base), lax.stop_gradient(end), lax.stop_gradient(z)
    growth = (at + jnp.sqrt(_square(at, freq)).real).astype(at.dtype)
    late = ends - _FORGOTTEN / jnp.maximum(growth, 1e-3)
    squared = jnp.square(ends) - 2.0 * _FORGOTTEN
    climbs = (ends > 0.0) & (squared > 0.0)
    late = jnp.where(climbs, jnp.maximum(late, jnp.sqrt(jnp.where(climbs, squared, 1.0))), late)
    is_late = late > at
    x = jnp.where(is_late, late, base)
    # y = 2 z / (sqrt(x^2 + 2 z) - x), and w/u = y/z.
    leading = 0.5 * (jnp.sqrt(jnp.where(is_late, _square(x, z), 1.0)) - x.astype(z.dtype))
    return _Start(x, is_late, jnp.where(is_late, 1.0, w), jnp.where(is_late, leading, u))


def _square(x: Float[Array, "..."], z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    return jnp.square(x).astype(z.dtype) + 2.0 * z


class _End(eqx.Module):
    """Values at the end of the steps, in one scale."""

    w: Complex[Array, "..."]
    u: Complex[Array, "..."]
    integral: Complex[Array, "..."]
    carried: tuple[Complex[Array, "..."], ...]


def _climb(
    start: _Start,
    end: Float[Array, "..."],
    carried: tuple[Complex[Array, "..."], ...],
    z: Complex[Array, "..."],
    n: int,
) -> _End:
    """w, u and int w dx at `end`, and `carried` in their scale, in `n` steps."""
    low, high = _even(start.x), _even(end)
    share = (jnp.arange(1, n) / n).astype(low.dtype).reshape(-1, *[1] * low.ndim)
    # The solution does not depend on where the steps lie.
    inner = lax.stop_gradient(_uneven(low + (high - low) * share))
    points = jnp.concatenate([start.x[None], inner, end[None]])

    def step(now: _End, at: tuple[Array, Array]) -> tuple[_End, None]:
        x, h = (v.astype(z.dtype) for v in at)
        total, slope = _taylor(x, h, now.w, now.u, z)
        after = _End(slope, now.u + z * total, now.integral + total, now.carried)
        scale = jnp.abs(lax.stop_gradient(after.w)) + jnp.abs(lax.stop_gradient(after.u))
        return jax.tree.map(lambda v: v * (1.0 / scale).astype(z.dtype), after), None

    first = _End(start.w, start.u, jnp.zeros_like(z), carried)
    return lax.scan(step, first, (points[:-1], jnp.diff(points, axis=0)))[0]


def _even(x: Float[Array, "..."]) -> Float[Array, "..."]:
    return 0.5 * x * jnp.abs(x) + _EVEN * x


def _uneven(p: Float[Array, "..."]) -> Float[Array, "..."]:
    return jnp.sign(p) * (jnp.sqrt(_EVEN**2 + 2.0 * jnp.abs(p)) - _EVEN)


def _taylor(
    x: Complex[Array, "..."],
    h: Complex[Array, "..."],
    w: Complex[Array, "..."],
    u: Complex[Array, "..."],
    z: Complex[Array, "..."],
) -> tuple[Complex[Array, "..."], Complex[Array, "..."]]:
    """int w over a step of `h` from `x`, and w at its end.

    With u(x + s) = u + z sum of d_k s^k, the equation gives d_1 = w, d_2 = x d_1 + u and
    (k + 1)(k + 2) d_(k+2) = 2 x (k + 1) d_(k+1) + 2 (z + k) d_k. Kept are d_k h^(k-1).
    """
    first, second = 2.0 * x * h, 2.0 * h * h
    third = second * z
    before, now = w, h * (x * w + u)
    total, slope = before + now, before + 2.0 * now
    for k in range(1, _ORDER - 1):
        both = 1.0 / ((k + 1.0) * (k + 2.0))
        before, now = now, first / (k + 2.0) * now + (second * (k * both) + third * both) * before
        total, slope = total + now, slope + (k + 2.0) * now
    return h * total, slope
