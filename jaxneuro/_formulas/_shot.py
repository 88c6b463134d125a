"""First passage of a leaky membrane that Poisson spikes of fixed efficacy move, without any diffusion.

    -(V - v_rest)/tau_m T' + sum of R_j [T(V + b_j (E_j - V)) - T(V)] = -1,    T = 0 from the threshold on,

for the mean time T from V to the threshold, by collocation on panels: one linear solve, with the constant part of T as
an unknown of its own, without which the condition would be T/tau. Times still too long for the float type are solved
for at a lower threshold, and continued by the exponent

    log T(th) - log T(th') = int_th'^th p dV,    sum of R_j [exp(p b_j (E_j - V)) - 1] = p (V - v_rest)/tau_m, p > 0.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics import gauss_legendre
from ._shot_panels import BENEATH, PANELS, POINTS, chebyshev, panel_of, places, reading, shot_edges

# The largest exponent of T that the linear solve may have: about 1e-20 Hz in float64, 1e-9 Hz in float32.
_MOST_FOLDS = {4: 27.0, 8: 55.0}
_NODES = 24
# By which share of the way to the middle of a panel its ends are moved inwards to see where they land: far above
# what rounding does to a potential.
_INWARDS = {4: 1e-3, 8: 1e-5}
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

    def balance(self, v: Float[Array, "n"], p: Float[Array, "n"]) -> Float[Array, "n"]:
        """The equation of the exponent's slope p: 0 at 0, convex."""
        jumps = self.share * (self.reversal - v[:, None])
        return jnp.sum(self.per_ms * jnp.expm1(p[:, None] * jumps), axis=1) - p * (v - self.v_rest) / self.tau_m


class ShotPassage(eqx.Module):
    """`log_time` [log ms] from reset to threshold; `variance` over the squared mean; whether it was `continued`."""

    log_time: Float[Array, ""]
    variance: Float[Array, ""]
    continued: Bool[Array, ""]


class ShotExponent(eqx.Module):
    """`folds`: the integral of p from the mean to the threshold, 0 above; `continued`: too many for the solve."""

    folds: Float[Array, ""]
    continued: Bool[Array, ""]


class Passed(eqx.Module):
    """A solution of the backward equation: its value at the reset potential, and what is beside it elsewhere."""

    at_reset: Float[Array, ""]
    beside: Float[Array, "size"]


class ShotSystem(eqx.Module):
    """The linear system of the backward equation, the ends of its panels, and the row that reads at reset.

    `lost` is minus what the matrix makes of a constant: the spikes a millisecond that lead over the threshold.
    """

    matrix: Float[Array, "size size"]
    edges: Float[Array, "edges"]
    row: Float[Array, "size"]
    lost: Float[Array, "size"]

    def solve(self, right: Float[Array, "size"]) -> Passed:
        """matrix (t + w) = right, with w = 0 at the reset potential.

        Times that are long are nearly constant, and what the rounded matrix makes of a constant would be all that
        decides them; apart, the constant t meets `lost`, which is exact.
        """
        zero = jnp.zeros(1, right.dtype)
        above = jnp.concatenate([self.matrix, -self.lost[:, None]], axis=1)
        bordered = jnp.concatenate([above, jnp.concatenate([self.row, zero])[None]], axis=0)
        found = jnp.linalg.solve(bordered, jnp.concatenate([right, zero]))
        return Passed(found[-1], found[:-1])


@jax.jit
def shot_passage(seen: ShotInput) -> ShotPassage:
    """Mean and variance of the first passage time."""
    threshold, added = _reachable(seen)
    system = shot_system(seen, threshold)
    stands = equations(seen.v_th.dtype)
    first = system.solve(-stands)
    second = system.solve(-2.0 * (first.at_reset + first.beside) * stands)
    time, square = first.at_reset, second.at_reset
    positive = time > 0.0
    log_time = jnp.log(jnp.where(positive, time, 1.0)) + added
    variance = square / jnp.square(jnp.where(positive, time, 1.0)) - 1.0
    continued = added > 0.0
    return ShotPassage(jnp.where(positive, log_time, jnp.nan), jnp.where(continued, 1.0, variance), continued)


@jax.jit
def shot_log_time(seen: ShotInput) -> Float[Array, ""]:
    """The log of the mean first passage time [log ms]."""
    threshold, added = _reachable(seen)
    system = shot_system(seen, threshold)
    time = system.solve(-equations(seen.v_th.dtype)).at_reset
    positive = time > 0.0
    return jnp.where(positive, jnp.log(jnp.where(positive, time, 1.0)) + added, jnp.nan)


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


def shot_system(seen: ShotInput, threshold: Float[Array, ""]) -> ShotSystem:
    """The system for the passage to `threshold`."""
    up = seen.per_ms * seen.share * jnp.maximum(seen.reversal - threshold, 0.0)
    main = jnp.argmax(lax.stop_gradient(up))
    lowest = jnp.minimum(jnp.minimum(jnp.min(seen.reversal), seen.v_rest), seen.v_reset)
    edges = shot_edges(threshold, seen.v_rest, lowest, seen.share[main], seen.reversal[main])
    v, dtype = places(edges), edges.dtype
    slopes = jnp.asarray(chebyshev()[1], dtype)
    drift = -(v - seen.v_rest) / seen.tau_m * (2.0 / jnp.diff(edges))[:, None]
    blocks = drift[:, :, None] * slopes
    eye = jnp.eye(PANELS, dtype=dtype)
    matrix = (eye[:, None, :, None] * blocks[:, :, None, :]).reshape(_SIZE, _SIZE)
    matrix = matrix - jnp.sum(seen.per_ms) * jnp.eye(_SIZE, dtype=dtype)
    middle = 0.5 * (edges[1:] + edges[:-1])

    def landed(per_ms: Array, share: Array, reversal: Array) -> tuple[Float[Array, "size size"], Float[Array, "size"]]:
        to, centre = v + share * (reversal - v), middle + share * (reversal - middle)
        # Which panel a point lands in, of two that meet, is decided by where the middle of its own does.
        inner = to + _INWARDS[dtype.itemsize] * (centre[:, None] - to)
        inside = (inner < threshold).astype(dtype)
        panel = panel_of(edges, inner.reshape(-1))
        rows = reading(edges, panel, to.reshape(-1)).reshape(_SIZE, _SIZE)
        return per_ms * inside.reshape(-1, 1) * rows, per_ms * (1.0 - inside.reshape(-1))

    lost = jnp.zeros(_SIZE, dtype)
    for j in range(seen.per_ms.shape[0]):
        to, over = landed(seen.per_ms[j], seen.share[j], seen.reversal[j])
        matrix, lost = matrix + to, lost + over
    stands, rows = (jnp.asarray(x, dtype) for x in _joined())
    matrix = stands[:, None] * matrix + rows
    # Where the threshold had to be lowered beneath the reset potential the time from the mean is as long.
    start = jnp.where(seen.v_reset < threshold, seen.v_reset, lax.stop_gradient(jnp.minimum(seen.mean(), threshold)))
    row = reading(edges, panel_of(edges, start[None]), start[None]).reshape(_SIZE)
    return ShotSystem(matrix, edges, row, stands * lost)


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


def _reachable(seen: ShotInput) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """A threshold whose passage the linear solve can tell, and the exponent from there to the real one."""
    mean, dtype = seen.mean(), seen.v_th.dtype
    fixed, centre = lax.stop_gradient((seen, mean))
    rule = gauss_legendre(_NODES, dtype)
    way = jnp.maximum(fixed.v_th - centre, 0.0)

    def exponent(share: Float[Array, ""]) -> Float[Array, ""]:
        """From `share` of the way down from the threshold to the mean, up to the threshold."""
        v = fixed.v_th - share * way * rule.nodes
        return share * way * jnp.sum(rule.weights * shot_slope(fixed, v))

    most = jnp.asarray(_MOST_FOLDS[dtype.itemsize], dtype)
    excess = jnp.where(way > 0.0, exponent(jnp.asarray(0.98, dtype)), 0.0) - most

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        enough = exponent(middle) > excess
        return jnp.where(enough, low, middle), jnp.where(enough, middle, high)

    zero, one = jnp.zeros((), dtype), jnp.ones((), dtype)
    share = lax.fori_loop(0, 20, halve, (zero, one))[1]
    threshold = jnp.where(excess > 0.0, fixed.v_th - share * way, seen.v_th)
    v = threshold + (seen.v_th - threshold) * rule.nodes
    safe = jnp.where(excess > 0.0, v, seen.v_th)
    added = (seen.v_th - threshold) * jnp.sum(rule.weights * shot_slope(seen, safe))
    return threshold, jnp.where(excess > 0.0, added, 0.0)


def shot_exponent(seen: ShotInput) -> ShotExponent:
    """The exponent of the passage time."""
    mean, dtype = seen.mean(), seen.v_th.dtype
    below = mean < seen.v_th
    rule = gauss_legendre(_NODES, dtype)
    way = jnp.where(below, seen.v_th - mean, 1.0)
    v = jnp.where(below, mean, seen.v_th - 1.0) + way * rule.nodes
    folds = jnp.where(below, way * jnp.sum(rule.weights * shot_slope(seen, v)), 0.0)
    return ShotExponent(folds, folds > _MOST_FOLDS[dtype.itemsize])
