"""All self-consistent log-rates: by sign changes for one unknown, from many starts for several."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jax import lax
from jaxtyping import Array, Bool, Float, Int

# Rates are searched from here, in Hz; a root below shows as a residual that is negative at the lower end.
LEAST_RATE = 1e-10
N_GRID = 512
N_STARTS = 64
# Of the search on a line: points evaluated at once, extrema and roots that are followed at most, how often an extremum
# is come closer to, and the parts that an interval with a root is divided into, down to rounding.
_ROW, _SLOTS, _REFINEMENTS, _PARTS = 64, 8, 3, 8
_DIVISIONS = {4: 7, 8: 15}
# The points of a difference that is the slope at a root, from it [log Hz].
_APART = {4: 1e-2, 8: 1e-4}
_SOLVED = 1e-7  # of log rate: far above rounding, far below the distance of two roots that differ

Residual = Callable[[Float[Array, "unknowns"]], Float[Array, "unknowns"]]


class Roots(eqx.Module):
    """Candidate roots in log rate [log Hz], and which of them are roots, each once.

    `matrices`: of the linearised dynamics there, the slopes of the residual, where they are known.
    """

    log_rates: Float[Array, "roots unknowns"]
    found: Bool[Array, "roots"]
    matrices: Float[Array, "roots n n"] | None = None


class _Line(eqx.Module):
    """What is known on the line: the `points` to be evaluated next, and what became of those before."""

    points: Float[Array, "row"]
    table: Float[Array, "grid"]
    near: Int[Array, "slots"]
    turns: Float[Array, "slots"]
    width: Float[Array, "slots"]
    low: Float[Array, "slots"]
    high: Float[Array, "slots"]
    positive: Bool[Array, "slots"]
    exists: Bool[Array, "slots"]
    slopes: Float[Array, "slots"]
    below: Float[Array, ""]


def search_line(residual: Residual, log_most: Float[Array, ""]) -> Roots:
    """Every sign change of one residual on 512 points from 1e-10 Hz to `log_most`, and a root below.

    `residual(x)` is log Phi(exp x) - x, positive far below and negative at saturation. Where it turns
    before it reaches 0, the extremum joins the grid: just beyond a fold two roots lie closer together than
    any grid.

    What a residual costs is its compilation: it stands in one place, of a loop that evaluates a row of
    points after another. They fill the grid, come closer to the extrema, and divide the intervals with a root.
    """
    evaluate, dtype = jax.vmap(lambda x: residual(x[None])[0]), log_most.dtype
    low = jnp.log(jnp.asarray(LEAST_RATE, dtype))
    grid = low + (log_most - low) * jnp.asarray(np.linspace(0.0, 1.0, N_GRID), dtype)

    def fill(i: Array, now: _Line, values: Float[Array, "row"]) -> _Line:
        table = lax.dynamic_update_slice(now.table, values, (i * _ROW,))
        following = lax.dynamic_slice(grid, (jnp.minimum((i + 1) * _ROW, N_GRID - _ROW),), (_ROW,))
        return eqx.tree_at(lambda line: (line.points, line.table), now, (following, table))

    def filled(i: Array, now: _Line, values: Float[Array, "row"]) -> _Line:
        return _turning(grid, fill(i, now, values))

    def bracket(i: Array, now: _Line, values: Float[Array, "row"]) -> _Line:
        return _bracketed(grid, now, values)

    def advance(i: Array, now: _Line) -> _Line:
        each = (fill, filled, _turn, bracket, _divide, _divided, _slope)
        return lax.switch(stages[i], each, i, now, evaluate(now.points))

    rows, divisions = N_GRID // _ROW, _DIVISIONS[dtype.itemsize]
    stages = jnp.asarray([*[0] * (rows - 1), 1, *[2] * _REFINEMENTS, 3, *[4] * (divisions - 1), 5, 6], jnp.int32)
    few, no = jnp.zeros(_SLOTS, dtype), jnp.zeros(_SLOTS, bool)
    none = jnp.zeros(_SLOTS, jnp.int32)
    begun = _Line(grid[:_ROW], jnp.zeros(N_GRID, dtype), none, few, few, few, few, no, no, few, jnp.zeros((), dtype))
    found = lax.fori_loop(0, len(stages), advance, begun)
    roots = jnp.concatenate([found.below[None], 0.5 * (found.low + found.high)])[:, None]
    exists = jnp.concatenate([found.table[:1] < 0, found.exists])
    slopes = jnp.concatenate([jnp.full(1, -1.0, dtype), found.slopes])
    return Roots(roots, exists, slopes[:, None, None])


def _row(*values: Float[Array, "..."]) -> Float[Array, "row"]:
    """Values side by side, filled up with zeros."""
    seen = [value.reshape(-1) for value in values]
    return jnp.concatenate([*seen, jnp.zeros(_ROW - sum(v.size for v in seen), seen[0].dtype)])


def _turning(grid: Float[Array, "grid"], now: _Line) -> _Line:
    """The points of a full grid at which the residual turns before it reaches 0, the closest to it."""
    before, middle, after = now.table[:-2], now.table[1:-1], now.table[2:]
    above = (middle > 0) & (middle <= before) & (middle <= after)
    under = (middle < 0) & (middle >= before) & (middle >= after)
    nearness, at = lax.top_k(jnp.where(above | under, -jnp.abs(middle), -jnp.inf), _SLOTS)
    # Elsewhere nothing moves.
    turns, width = grid[at + 1], jnp.where(jnp.isfinite(nearness), grid[1] - grid[0], 0.0)
    points = _row(turns - width, turns, turns + width)
    return eqx.tree_at(
        lambda line: (line.points, line.near, line.turns, line.width), now, (points, at + 1, turns, width)
    )


def _turn(i: Array, now: _Line, values: Float[Array, "row"]) -> _Line:
    """Closer to the extrema, by parabolas through three points ever closer together."""
    before, middle, after = values[: 3 * _SLOTS].reshape(3, _SLOTS)
    curvature = before - 2.0 * middle + after
    safe = jnp.isfinite(curvature) & (curvature != 0)
    offset = 0.5 * (before - after) / jnp.where(safe, curvature, 1.0)
    turns = now.turns + now.width * jnp.where(safe, jnp.clip(offset, -2.0, 2.0), 0.0)
    width = 0.1 * now.width
    points = _row(turns - width, turns, turns + width)
    return eqx.tree_at(lambda line: (line.points, line.turns, line.width), now, (points, turns, width))


def _bracketed(grid: Float[Array, "grid"], now: _Line, values: Float[Array, "row"]) -> _Line:
    """The intervals at whose ends the signs differ: of the grid, and before and after an extremum."""
    reached, turning = values[_SLOTS : 2 * _SLOTS], now.width > 0
    ends = [
        jnp.stack([jnp.concatenate(numbers) for numbers in zip(*pairs, strict=True)])
        for pairs in (
            ((grid[:-1], now.table[:-1]), (grid[now.near - 1], now.table[now.near - 1]), (now.turns, reached)),
            ((grid[1:], now.table[1:]), (now.turns, reached), (grid[now.near + 1], now.table[now.near + 1])),
        )
    ]
    (_, at_low), (_, at_high) = ends
    # A formula may be NaN where it does not hold.
    changes = ((at_low > 0) != (at_high > 0)) & ~jnp.isnan(at_low + at_high)
    changes = changes & jnp.concatenate([jnp.ones(N_GRID - 1, bool), turning, turning])
    exists, place = lax.top_k(changes.astype(at_low.dtype), _SLOTS)  # of equal ones the first
    (low, start), (high, _) = ends[0][:, place], ends[1][:, place]
    below = grid[0] + now.table[0]
    points = _row(_inside(low, high), below)
    return _Line(points, now.table, now.near, now.turns, now.width, low, high, start > 0, exists > 0, now.slopes, below)


def _inside(low: Float[Array, "slots"], high: Float[Array, "slots"]) -> Float[Array, "slots inner"]:
    share = jnp.asarray(np.arange(1, _PARTS) / _PARTS, low.dtype)
    return low[:, None] + (high - low)[:, None] * share


def _divide(i: Array, now: _Line, values: Float[Array, "row"]) -> _Line:
    """Of every interval the first part at whose end the sign is the other, and another step below."""
    inner = now.points[: _SLOTS * (_PARTS - 1)].reshape(_SLOTS, _PARTS - 1)
    same = (values[: inner.size].reshape(inner.shape) > 0) == now.positive[:, None]
    # How many ends have the sign of the first, up to one that has not.
    part = jnp.sum(jnp.cumprod(same, axis=1, dtype=jnp.int32), axis=1).astype(inner.dtype)
    step = (now.high - now.low) / _PARTS
    low = now.low + part * step
    high = jnp.where(part == _PARTS - 1, now.high, low + step)
    # Below the grid the residual's slope is -1 to all accuracy: one more step of x <- log Phi is exact.
    finite = jnp.isfinite(now.below)  # without any noise the log rate is -inf
    below = jnp.where(finite, now.below + values[inner.size], now.below)
    points = _row(_inside(low, high), below)
    return eqx.tree_at(lambda line: (line.points, line.low, line.high, line.below), now, (points, low, high, below))


def _divided(i: Array, now: _Line, values: Float[Array, "row"]) -> _Line:
    now = _divide(i, now, values)
    middle, apart = 0.5 * (now.low + now.high), _APART[now.low.dtype.itemsize]
    return eqx.tree_at(lambda line: line.points, now, _row(middle - apart, middle + apart))


def _slope(i: Array, now: _Line, values: Float[Array, "row"]) -> _Line:
    below, above = values[: 2 * _SLOTS].reshape(2, _SLOTS)
    return eqx.tree_at(lambda line: line.slopes, now, (above - below) / (2.0 * _APART[now.low.dtype.itemsize]))


def search_starts(residual: Residual, n_unknowns: int, log_most: Float[Array, ""]) -> Roots:
    """Roots of several residuals from 64 starts: half with equal rates, half spread over the box."""
    half = N_STARTS // 2
    ladder = np.tile(np.linspace(0.0, 1.0, half)[:, None], (1, n_unknowns))
    # A rank-one lattice by the powers of the root of x^(d+1) = x + 1 (Roberts 2018) fills the box evenly.
    ratio = np.roots([1.0, *([0.0] * (n_unknowns - 1)), -1.0, -1.0]) if n_unknowns > 0 else np.ones(1)
    base = max(r.real for r in ratio if abs(r.imag) < 1e-12)
    spread = (0.5 + np.arange(1, half + 1)[:, None] * base ** -np.arange(1, n_unknowns + 1)) % 1.0
    unit = jnp.asarray(np.concatenate([ladder, spread]), log_most.dtype)
    # Where Phi of a silent network puts the rates: the quiescent root, however deep.
    starts = jnp.log(1e-4) + (log_most - jnp.log(1e-4)) * unit
    quiet = jnp.full((1, n_unknowns), jnp.log(LEAST_RATE), log_most.dtype)
    quiet = quiet + residual(quiet[0])[None]
    starts = jnp.concatenate([quiet, starts])
    solver = _solver(log_most.dtype)

    def solve(start: Float[Array, "unknowns"]) -> Float[Array, "unknowns"]:
        return optx.root_find(lambda x, _: residual(x), solver, start, max_steps=200, throw=False).value

    ends = jax.vmap(solve)(starts)
    return Roots(ends, told_apart(ends, jax.vmap(residual)(ends)))


def _solver(dtype: np.dtype) -> optx.LevenbergMarquardt:
    """It ends where a step is below the tolerance; of log rates to 23, float32 has steps of 1e-6 by rounding alone."""
    tolerance = 1e-12 if dtype == jnp.float64 else 1e-5
    return optx.LevenbergMarquardt(rtol=tolerance, atol=tolerance)


def told_apart(ends: Float[Array, "roots unknowns"], misses: Float[Array, "roots unknowns"]) -> Bool[Array, "roots"]:
    """Which of `ends` are roots, by what their residuals miss, each once."""
    slack = _SOLVED if ends.dtype == jnp.float64 else 1e-3
    solved = jnp.all(jnp.abs(misses) < slack, axis=1)
    close = jnp.all(jnp.abs(ends[:, None] - ends[None]) < 100 * slack, axis=2)
    earlier = jnp.tril(close & solved[None], k=-1)
    return solved & ~jnp.any(earlier, axis=1)
