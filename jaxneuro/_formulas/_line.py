"""Where the panels lie along the potential, and how far down they reach."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ._convention import Function

_SAMPLES = 400
# Far below the reset potential: what a start there loses on the way is exp(-_FORGOTTEN).
_FORGOTTEN = {4: 30.0, 8: 60.0}
_FARTHEST = 1e4
# Panels in the even measure that are there even where nothing changes.
_EVEN = 3.0


class Equation(eqx.Module):
    """dV = A(V) dt + B(V) dW in Ito's sense, and the line from `v_low` over `v_reset` to `v_th`."""

    drift: Function
    noise: Function
    v_low: Float[Array, ""]
    v_reset: Float[Array, ""]
    v_th: Float[Array, ""]

    def slope(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """2 A/B^2 [1/mV]: minus the rate at which a solution of the backward equation grows with V."""
        return 2.0 * self.drift(v) / jnp.square(self.noise(v))


def lowest(drift: Function, noise: Function, v_reset: Float[Array, ""], v_th: Float[Array, ""]) -> Float[Array, ""]:
    """A potential so far down that what starts there is forgotten, exp(-60), or 1e4 times v_th - v_reset."""
    reset, top = lax.stop_gradient((v_reset, v_th))
    span = top - reset
    steps = jnp.exp(jnp.linspace(jnp.log(1e-3), jnp.log(_FARTHEST), _SAMPLES)).astype(span.dtype)
    v = jnp.concatenate([reset - span * steps[::-1], reset[None]])
    slope = 2.0 * drift(v) / jnp.square(noise(v))
    rise = 0.5 * (slope[1:] + slope[:-1]) * jnp.diff(v)
    rise = lax.stop_gradient(jnp.where(jnp.isfinite(rise), rise, 0.0))
    # Summed from the reset potential down: far below the sums are so large that float32 would lose those beside it.
    height = jnp.concatenate([-jnp.cumsum(rise[::-1])[::-1], jnp.zeros(1, span.dtype)])
    gained = lax.cummax(height, axis=0, reverse=True) - height
    enough = gained > _FORGOTTEN[span.dtype.itemsize]
    nearest = jnp.max(jnp.where(enough, jnp.arange(v.size), 0))
    return lax.stop_gradient(v)[nearest]


def edges(equation: Equation, n: int, extra: Float[Array, ""] | float = 0.0) -> Float[Array, "edges"]:
    """n panels from `v_low` to `v_th`, a third of them below `v_reset`, each with an equal share of what changes.

    `extra` [1/ms] is the rate of an oscillation that is followed too. No solution depends on where the panels lie.
    """
    n_low = max(n // 3, 1)
    low = _segment(equation, equation.v_low, equation.v_reset, n_low, extra, toward=1.0)
    high = _segment(equation, equation.v_reset, equation.v_th, max(n - n_low, 1), extra, toward=0.0)
    return jnp.concatenate([low[:-1], high])


def _segment(
    equation: Equation,
    start: Float[Array, ""],
    end: Float[Array, ""],
    n: int,
    extra: Float[Array, ""] | float,
    toward: float,
) -> Float[Array, "edges"]:
    share = jnp.linspace(0.0, 1.0, _SAMPLES).astype(start.dtype)
    if toward:  # samples crowd at the upper end of a long way
        share = 1.0 - jnp.expm1(12.0 * (1.0 - share)) / jnp.expm1(jnp.asarray(12.0, start.dtype))
    fixed_start, fixed_end = lax.stop_gradient((start, end))
    v = fixed_start + (fixed_end - fixed_start) * share
    drift, variance = (lax.stop_gradient(x) for x in (equation.drift(v), jnp.square(equation.noise(v))))
    step = jnp.diff(v)
    pull, spread = 0.5 * (drift[1:] + drift[:-1]), 0.5 * (variance[1:] + variance[:-1])
    bends = jnp.abs(jnp.diff(drift)) / step / (jnp.abs(pull) + 1e-30)
    thins = jnp.abs(jnp.diff(variance)) / step / spread
    grows = 2.0 * jnp.abs(pull) / spread
    # Where the solution falls it follows 1/A, and only what bends counts.
    counts = jnp.where(pull < 0.0, grows, jnp.minimum(grows, bends)) + thins + jnp.sqrt(2.0 * extra / spread)
    counts = jnp.where(jnp.isfinite(counts), counts, 0.0) * step
    total = jnp.sum(counts)
    even = jnp.diff(share) * (_EVEN + 0.02 * total) if not toward else (_EVEN + 0.02 * total) / counts.size
    measure = jnp.concatenate([jnp.zeros(1, start.dtype), jnp.cumsum(counts + even)])
    inner = jnp.interp(jnp.arange(1, n, dtype=start.dtype) / n * measure[-1], measure, share)
    return jnp.concatenate([start[None], start + (end - start) * inner, end[None]])
