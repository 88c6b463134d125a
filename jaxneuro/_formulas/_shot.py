"""First passage of a leaky membrane that Poisson spikes of fixed efficacy move, without any diffusion.

    -(V - v_rest)/tau_m T' + sum of R_j [T(V + b_j (E_j - V)) - T(V)] = -1,    T = 0 from the threshold on,

for the mean time T from V to the threshold, by collocation on panels: one linear solve, with the constant part of T as
an unknown of its own, without which the condition would be T/tau. Beneath the threshold

    T(V) = t + exp(-S(V)) u(V),    S(V) = int_V^th p dV,
    sum of R_j [exp(p b_j (E_j - V)) - 1] = p (V - v_rest)/tau_m,    p > 0:

what is left for the panels, u, varies slowly, however long the time and however small the jumps. Any S would do;
below the mean potential p is set to 0, and just above it is smoothed.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics import gauss_legendre
from ._shot_panels import (
    BENEATH,
    PANELS,
    POINTS,
    chebyshev,
    panel_of,
    places,
    reading,
    shot_edges,
    upper_integrals,
)

# The exponent of T from which on it is said that the time rests on it: about 1e-20 Hz in float64, 1e-9 Hz in float32.
_MOST_FOLDS = {4: 27.0, 8: 55.0}
_NODES = 24
# By which share of the way to the middle of a panel its ends are moved inwards to see where they land: far above
# what rounding does to a potential.
_INWARDS = {4: 1e-3, 8: 1e-5}
# How many standard deviations of the potential beneath its mean still count.
_DEEP = 12.0
_SIZE = PANELS * POINTS


class ShotInput(eqx.Module):
    """A leaky membrane and its spikes: m streams of `per_ms` R_j, `share` b_j and `reversal` E_j."""

    tau_m: Float[Array, ""]
    v_rest: Float[Array, ""]
    v_th: Float[Array, ""]
    v_reset: Float[Array, ""]
    per_ms: Float[Array, "m"]
    share: Float[Array, "m"]
    reversal: Float[Array, "m"]

    def mean(self) -> Float[Array, ""]:
        """Where the mean drift is 0."""
        pull = self.per_ms * self.share
        leak = 1.0 / self.tau_m
        return (leak * self.v_rest + jnp.sum(pull * self.reversal)) / (leak + jnp.sum(pull))

    def sd(self) -> Float[Array, ""]:
        """The standard deviation of the potential, far from the threshold."""
        pull = self.per_ms * self.share
        spread = jnp.sum(pull * self.share * jnp.square(self.reversal - self.mean()))
        return jnp.sqrt(0.5 * spread / (1.0 / self.tau_m + jnp.sum(pull)))

    def balance(self, v: Float[Array, "n"], p: Float[Array, "n"]) -> Float[Array, "n"]:
        """The equation of the exponent's slope p: 0 at 0, convex."""
        jumps = self.share * (self.reversal - v[:, None])
        return jnp.sum(self.per_ms * jnp.expm1(p[:, None] * jumps), axis=1) - p * (v - self.v_rest) / self.tau_m


class ShotPassage(eqx.Module):
    """`log_time` [log ms] from reset to threshold; `variance` over the squared mean."""

    log_time: Float[Array, ""]
    variance: Float[Array, ""]


class ShotExponent(eqx.Module):
    """`folds`: the integral of p from the mean to the threshold, 0 above; `continued`: so many that it is said."""

    folds: Float[Array, ""]
    continued: Bool[Array, ""]


class Passed(eqx.Module):
    """A solution of the backward equation over exp(`most`): at the reset potential, and at all points."""

    at_reset: Float[Array, ""]
    everywhere: Float[Array, "size"]


class ShotSystem(eqx.Module):
    """The linear system of the backward equation for u, with the ends of its panels and `folds`, S at the points.

    `lost` is minus what the matrix makes of a constant: the spikes a millisecond that lead over the threshold, times
    exp(S). `anchor` reads u where it is 0 by choice; `reset` reads exp(-S) u at the reset potential.
    """

    matrix: Float[Array, "size size"]
    edges: Float[Array, "edges"]
    folds: Float[Array, "size"]
    anchor: Float[Array, "size"]
    reset: Float[Array, "size"]
    lost: Float[Array, "size"]

    @property
    def most(self) -> Float[Array, ""]:
        """S in the well."""
        return self.folds[0]

    def bordered(self) -> Float[Array, "more more"]:
        """The matrix for u and t.

        Times that are long are nearly constant, and what the rounded matrix makes of a constant would be all that
        decides them; apart, the constant t meets `lost`, which is exact.
        """
        above = jnp.concatenate([self.matrix, -self.lost[:, None]], axis=1)
        zero = jnp.zeros(1, self.lost.dtype)
        return jnp.concatenate([above, jnp.concatenate([self.anchor, zero])[None]], axis=0)

    def solve(self, right: Float[Array, "size"]) -> Passed:
        """What the backward equation with `right` for its right side has for a solution."""
        weighted = right * jnp.exp(self.folds - self.most)
        found = jnp.linalg.solve(self.bordered(), jnp.concatenate([weighted, jnp.zeros(1, right.dtype)]))
        u, constant = found[:-1], found[-1]
        return Passed(constant + self.reset @ u, constant + jnp.exp(-self.folds) * u)


@jax.jit
def shot_passage(seen: ShotInput) -> ShotPassage:
    """Mean and variance of the first passage time."""
    system = shot_system(seen)
    stands = equations(seen.v_th.dtype)
    first = system.solve(-stands)
    second = system.solve(-2.0 * first.everywhere * stands)
    time, square = first.at_reset, second.at_reset
    variance = square / jnp.square(jnp.where(time > 0.0, time, 1.0)) - 1.0
    return ShotPassage(_log(time, system.most), variance)


@jax.jit
def shot_log_time(seen: ShotInput) -> Float[Array, ""]:
    """The log of the mean first passage time [log ms]."""
    system = shot_system(seen)
    return _log(system.solve(-equations(seen.v_th.dtype)).at_reset, system.most)


def _log(time: Float[Array, ""], most: Float[Array, ""]) -> Float[Array, ""]:
    positive = time > 0.0
    return jnp.where(positive, jnp.log(jnp.where(positive, time, 1.0)) + most, jnp.nan)


def equations(dtype: np.dtype) -> Float[Array, "size"]:
    """1 at the points where the equation stands, 0 where panels are joined instead."""
    return jnp.asarray(_joined()[0], dtype)


def _joined() -> tuple[np.ndarray, np.ndarray]:
    """Which rows stand for the equation, and the rows that join panels.

    The drift runs towards the resting potential, the end of the lowest `BENEATH` panels, where its factor is 0: from
    there outwards each panel takes its first value from the one before.
    """
    stands, rows = np.ones(_SIZE), np.zeros((_SIZE, _SIZE))
    for k in range(BENEATH + 1, PANELS):
        i = k * POINTS
        stands[i], rows[i, i], rows[i, i - 1] = 0.0, 1.0, -1.0
    for k in range(BENEATH - 1):
        i = (k + 1) * POINTS - 1
        stands[i], rows[i, i], rows[i, i + 1] = 0.0, 1.0, -1.0
    return stands, rows


def shot_system(seen: ShotInput) -> ShotSystem:
    """The system for the passage from reset to threshold."""
    edges = _edges(seen)
    v, dtype, fixed = places(edges), edges.dtype, lax.stop_gradient(seen)
    width = jnp.diff(edges)
    slopes = jnp.asarray(chebyshev()[1], dtype)
    steps = lax.stop_gradient(0.5 * width[:, None] * (_steepness(fixed, v) @ jnp.asarray(upper_integrals(), dtype).T))
    above = jnp.cumsum(steps[::-1, 0])[::-1] - steps[:, 0]
    folds = (steps + above[:, None]).reshape(-1)
    drift = -(v - seen.v_rest) / seen.tau_m * (2.0 / width)[:, None]
    # exp(-S) u has the slope exp(-S) (u' - S' u).
    blocks = drift[:, :, None] * (slopes - (steps @ slopes.T)[:, :, None] * jnp.eye(POINTS, dtype=dtype))
    eye = jnp.eye(PANELS, dtype=dtype)
    matrix = (eye[:, None, :, None] * blocks[:, :, None, :]).reshape(_SIZE, _SIZE)
    matrix = matrix - jnp.sum(seen.per_ms) * jnp.eye(_SIZE, dtype=dtype)
    lost = jnp.zeros(_SIZE, dtype)
    for j in range(seen.per_ms.shape[0]):
        inside, rows = _landed(edges, v, seen.v_th, seen.share[j], seen.reversal[j])
        rows = jnp.exp(jnp.where(inside, folds - rows @ folds, 0.0))[:, None] * rows
        matrix = matrix + seen.per_ms[j] * jnp.where(inside[:, None], rows, 0.0)
        lost = lost + seen.per_ms[j] * jnp.where(inside, 0.0, jnp.exp(jnp.where(inside, 0.0, folds)))
    stands, joins = (jnp.asarray(x, dtype) for x in _joined())
    start = jnp.minimum(fixed.v_reset, fixed.mean())
    anchor, reset = (
        reading(edges, panel_of(edges, x[None]), x[None]).reshape(_SIZE)
        for x in (lax.stop_gradient(start), seen.v_reset)
    )
    reset = jnp.exp(-reset @ folds) * reset
    return ShotSystem(stands[:, None] * matrix + joins, edges, folds, anchor, reset, stands * lost)


def _edges(seen: ShotInput) -> Float[Array, "edges"]:
    up = seen.per_ms * seen.share * jnp.maximum(seen.reversal - seen.v_th, 0.0)
    main = jnp.argmax(lax.stop_gradient(up))
    mean, sd = seen.mean(), jnp.maximum(seen.sd(), 1e-6)
    far = jnp.minimum(jnp.minimum(mean, seen.v_rest), seen.v_reset) - _DEEP * sd
    reached = jnp.maximum(jnp.min(seen.reversal), lax.stop_gradient(far))
    lowest = jnp.minimum(jnp.minimum(reached, seen.v_rest), seen.v_reset)
    return shot_edges(seen.v_th, seen.v_rest, lowest, seen.share[main], seen.reversal[main], mean, sd)


def _landed(
    edges: Float[Array, "edges"],
    v: Float[Array, "panels points"],
    threshold: Float[Array, ""],
    share: Float[Array, ""],
    reversal: Float[Array, ""],
) -> tuple[Bool[Array, "size"], Float[Array, "size size"]]:
    """Which points one spike leaves beneath the threshold, and the rows that read where it takes them."""
    middle = 0.5 * (edges[1:] + edges[:-1])
    to, centre = v + share * (reversal - v), middle + share * (reversal - middle)
    # Which panel a point lands in, of two that meet, is decided by where the middle of its own does.
    inner = (to + _INWARDS[edges.dtype.itemsize] * (centre[:, None] - to)).reshape(-1)
    # Further down than what counts it stays at the end.
    to = jnp.maximum(to.reshape(-1), edges[0])
    rows = reading(edges, panel_of(edges, inner), to).reshape(_SIZE, _SIZE)
    return inner < threshold, rows


def _steepness(fixed: ShotInput, v: Float[Array, "panels points"]) -> Float[Array, "panels points"]:
    """-S': p, smoothed towards 0 where the mean potential is."""
    mean, flat = fixed.mean(), lax.stop_gradient(v).reshape(-1)
    above = (flat > mean) & (mean < fixed.v_th)
    slope = jnp.where(above, shot_slope(fixed, jnp.where(above, flat, fixed.v_th)), 0.0)
    square = jnp.square((flat - mean) * slope)
    return jnp.where(above, slope * square / (1.0 + square), 0.0).reshape(v.shape)


def shot_slope(seen: ShotInput, v: Float[Array, "n"]) -> Float[Array, "n"]:
    """p(V) [1/mV] above the mean potential."""
    fixed, at = lax.stop_gradient((seen, v))
    top = jnp.max(jnp.where(fixed.reversal > at[:, None], fixed.share * (fixed.reversal - at[:, None]), 0.0), axis=1)
    most = 60.0 / jnp.maximum(top, 1e-30)

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        below = fixed.balance(at, middle) < 0.0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    # Near p = 0 the balance is lost in rounding: the root of its parabola is a lower end there.
    _, p = lax.fori_loop(0, 50, halve, (jnp.zeros_like(at), most))
    _, steep = jax.jvp(lambda x: fixed.balance(at, x), (p,), (jnp.ones_like(p),))
    return p - (seen.balance(v, p) - fixed.balance(at, p)) / steep


def shot_exponent(seen: ShotInput) -> ShotExponent:
    """The exponent of the passage time."""
    mean, dtype = seen.mean(), seen.v_th.dtype
    below = mean < seen.v_th
    rule = gauss_legendre(_NODES, dtype)
    way = jnp.where(below, seen.v_th - mean, 1.0)
    v = jnp.where(below, mean, seen.v_th - 1.0) + way * rule.nodes
    folds = jnp.where(below, way * jnp.sum(rule.weights * shot_slope(seen, v)), 0.0)
    return ShotExponent(folds, folds > _MOST_FOLDS[dtype.itemsize])
