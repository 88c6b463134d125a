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
from jaxtyping import Array, Complex, Float

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


def passage_from(
    a: Float[Array, "..."], b: Float[Array, "..."], z: Complex[Array, "..."], *, steps: int = STEPS
) -> Passage:
    """The solution between a and b at z, of one shape.

    It climbs twice, in one place of the program: from -2 up to a, where a lies above, and from there, or from where the
    continued fraction ends, up to b.
    """
    # Chosen, not minima and maxima, whose derivatives are shared where a or b is -2.
    below = a < _FAR
    base = jnp.where(below, a, _FAR)
    middle = jnp.where(below, jnp.where(b < _FAR, b, _FAR), a)
    low, high = base, jnp.where(below, middle, _FAR)
    rule = gauss_legendre(_NODES, a.dtype)
    inside = rule.nodes.reshape(-1, *[1] * a.ndim)
    slopes = _slope(jnp.concatenate([low[None], high[None], low + (high - low) * inside]), z)

    # From a up to -2 or b, where a lies below, u grows by exp(z q).
    q = times(high - low, jnp.sum(times(rule.weights.reshape(inside.shape), slopes[2:]), axis=0))
    decay, crossing = jnp.exp(-z * q), q * falling(z * q)

    def climb(now: _State, leg: tuple[Array, Array, Array]) -> tuple[_State, None]:
        begin, end, is_first = leg
        at = _climb(_started(begin, end, now, z), end, z, steps)
        crossed = _State(
            jnp.where(high > low, slopes[1] * at.u, at.w), at.u, at.w * decay, at.u * decay, at.u * crossing
        )
        return jax.tree.map(lambda x, y: jnp.where(is_first, x, y), crossed, at), None

    nothing = jnp.zeros_like(z)
    begun = _State(slopes[0], jnp.ones_like(z), nothing, nothing, nothing)
    legs = (jnp.stack([base, middle]), jnp.stack([a, b]), jnp.asarray([True, False]))
    found, _ = lax.scan(climb, begun, legs)
    return Passage(found.w_a, found.u_a, found.w, found.u, found.crossed)


def times(real: Float[Array, "..."], value: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """A product with a real number: a third of what two complex ones take."""
    return lax.complex(real * value.real, real * value.imag)


def over(one: Complex[Array, "..."], other: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """A quotient of numbers whose squares are far from the ends of the floats, without the checks for those."""
    return times(1.0 / (jnp.square(other.real) + jnp.square(other.imag)), one * jnp.conj(other))


def root(x: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """The square root with a real part of at least 0, of numbers as in `over` and not 0."""
    right = x.real >= 0.0
    length = jnp.sqrt(jnp.square(x.real) + jnp.square(x.imag))
    large = jnp.sqrt(0.5 * (length + jnp.where(right, x.real, -x.real)))
    small = 0.5 * x.imag / large
    up = x.imag >= 0.0
    return lax.complex(
        jnp.where(right, large, jnp.where(up, small, -small)), jnp.where(right, small, jnp.where(up, large, -large))
    )


def falling(s: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """(1 - exp(-s)) / s, 1 at 0."""
    small = jnp.abs(lax.stop_gradient(s)) < 0.05
    series = jnp.ones_like(s)
    for k in range(8, 1, -1):
        series = 1.0 - s * (1.0 / k) * series
    safe = jnp.where(small, 1.0, s)
    return jnp.where(small, series, (1.0 - jnp.exp(-safe)) / safe)


def _slope(x: Float[Array, "..."], z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """w/u = sqrt(2) D_(-z-1)(t) / D_(-z)(t) with t = -sqrt(2) x, for x <= -2.

    D_(-z)(t) / D_(-z-1)(t) = t + (z + 1) / (t + (z + 2) / (t + ...)), cut at a tail c_k = t + (z + k) / c_(k+1) that is
    taken to change slowly with k, to first order.
    """
    t = (-math.sqrt(2.0) * x).astype(z.dtype)
    k = z + (_FRACTIONS + 1.0)
    root_k = root(t * t + 4.0 * k)
    tail = 0.5 * (t + root_k)
    tail = tail - over(k, root_k * (tail * tail + k))

    def outwards(c: Complex[Array, "..."], k: Complex[Array, ""]) -> tuple[Complex[Array, "..."], None]:
        return t + over(z + k, c), None

    c, _ = lax.scan(outwards, tail, jnp.arange(_FRACTIONS, 0, -1).astype(z.dtype))
    return over(jnp.full_like(c, math.sqrt(2.0)), c)


class _State(eqx.Module):
    """w and u where the steps are, at a, and int w dx from a on, in one scale."""

    w: Complex[Array, "..."]
    u: Complex[Array, "..."]
    w_a: Complex[Array, "..."]
    u_a: Complex[Array, "..."]
    crossed: Complex[Array, "..."]


class _Start(eqx.Module):
    """Where the steps start, and what is known there."""

    x: Float[Array, "..."]
    known: _State


def _started(base: Float[Array, "..."], end: Float[Array, "..."], known: _State, z: Complex[Array, "..."]) -> _Start:
    """`base` with what is known there, or a later start, in the growing solution to leading order, where `end` forgets.

    u'/u is near y = x + sqrt(x^2 + 2 z), whose real part rises with x, and a wrong start decays still faster.
    """
    at, ends, freq = lax.stop_gradient(base), lax.stop_gradient(end), lax.stop_gradient(z)
    growth = at + root(_square(at, freq)).real
    late = ends - _FORGOTTEN / jnp.maximum(growth, 1e-3)
    squared = jnp.square(ends) - 2.0 * _FORGOTTEN
    climbs = (ends > 0.0) & (squared > 0.0)
    late = jnp.where(climbs, jnp.maximum(late, jnp.sqrt(jnp.where(climbs, squared, 1.0))), late)
    is_late = late > at
    x = jnp.where(is_late, late, base)
    # y = 2 z / (sqrt(x^2 + 2 z) - x), and w/u = y/z.
    leading = 0.5 * (root(jnp.where(is_late, _square(x, z), 1.0)) - x.astype(z.dtype))
    forgotten = _State(jnp.ones_like(leading), leading, *[jnp.zeros_like(leading)] * 3)
    return _Start(x, jax.tree.map(lambda new, old: jnp.where(is_late, new, old), forgotten, known))


def _square(x: Float[Array, "..."], z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    return jnp.square(x).astype(z.dtype) + 2.0 * z


class _Step(eqx.Module):
    """What is known at `x`, and int w dx and w a step later, which are not used before the next step.

    A loop computes a number of its carry once, but one that is used in several numbers as often as that.
    """

    x: Float[Array, "..."]
    known: _State
    total: Complex[Array, "..."]
    slope: Complex[Array, "..."]

    def end(self, z: Complex[Array, "..."]) -> _State:
        now = self.known
        return _State(self.slope, now.u + z * self.total, now.w_a, now.u_a, now.crossed + self.total)


def _climb(start: _Start, end: Float[Array, "..."], z: Complex[Array, "..."], n: int) -> _State:
    """What becomes of a start at `end`, in `n` steps. The solution does not depend on where the steps lie."""
    low, high = _even(lax.stop_gradient(start.x)), _even(lax.stop_gradient(end))

    def step(now: _Step, share: tuple[Array, Array]) -> tuple[_Step, None]:
        part, is_last = share
        after = now.end(z)
        w, u = lax.stop_gradient((after.w, after.u))
        scale = 1.0 / (jnp.abs(w.real) + jnp.abs(w.imag) + jnp.abs(u.real) + jnp.abs(u.imag))
        known = jax.tree.map(lambda v: times(scale, v), after)
        following = jnp.where(is_last, end, _uneven(low + (high - low) * part))
        total, slope = _taylor(now.x, following - now.x, known.w, known.u, z)
        return _Step(following, known, total, slope), None

    shares = (jnp.arange(1, n + 1) / n).astype(low.dtype), jnp.arange(1, n + 1) == n
    begun = _Step(start.x, start.known, jnp.zeros_like(z), start.known.w)
    return lax.scan(step, begun, shares)[0].end(z)


def _even(x: Float[Array, "..."]) -> Float[Array, "..."]:
    return 0.5 * x * jnp.abs(x) + _EVEN * x


def _uneven(p: Float[Array, "..."]) -> Float[Array, "..."]:
    return jnp.sign(p) * (jnp.sqrt(_EVEN**2 + 2.0 * jnp.abs(p)) - _EVEN)


def _taylor(
    x: Float[Array, "..."],
    h: Float[Array, "..."],
    w: Complex[Array, "..."],
    u: Complex[Array, "..."],
    z: Complex[Array, "..."],
) -> tuple[Complex[Array, "..."], Complex[Array, "..."]]:
    """int w over a step of `h` from `x`, and w at its end.

    With u(x + s) = u + z sum of d_k s^k, the equation gives d_1 = w, d_2 = x d_1 + u and
    (k + 1)(k + 2) d_(k+2) = 2 x (k + 1) d_(k+1) + 2 (z + k) d_k. Kept are d_k h^(k-1).
    """
    first, second = 2.0 * x * h, 2.0 * h * h
    third = times(second, z)
    before, now = w, times(h, times(x, w) + u)
    total, slope = before + now, before + 2.0 * now
    for k in range(1, _ORDER - 1):
        both = 1.0 / ((k + 1.0) * (k + 2.0))
        back = lax.complex(second * (k * both) + third.real * both, third.imag * both)
        before, now = now, times(first * (1.0 / (k + 2.0)), now) + back * before
        total, slope = total + now, slope + times(jnp.full_like(h, k + 2.0), now)
    return times(h, total), slope
