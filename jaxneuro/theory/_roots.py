"""All self-consistent log-rates: by sign changes for one unknown, from many starts for several."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jaxtyping import Array, Bool, Float

# Rates are searched from here, in Hz; a root below shows as a residual that is negative at the lower end.
LEAST_RATE = 1e-10
N_GRID = 512
MOST_ROOTS = 9
N_STARTS = 64
_SOLVED = 1e-7  # of log rate: far above rounding, far below the distance of two roots that differ

Residual = Callable[[Float[Array, "unknowns"]], Float[Array, "unknowns"]]


class Roots(eqx.Module):
    """Candidate roots in log rate [log Hz], and which of them are roots, each once."""

    log_rates: Float[Array, "roots unknowns"]
    found: Bool[Array, "roots"]


def search_line(residual: Residual, log_most: Float[Array, ""]) -> Roots:
    """Every sign change of one residual on 512 points from 1e-10 Hz to `log_most`, and a root below.

    `residual(x)` is log Phi(exp x) - x, positive far below and negative at saturation. Where it turns
    between points, the extremum joins the grid: just beyond a fold two roots lie closer together than
    any grid.
    """
    evaluate = jax.vmap(lambda x: residual(x[None])[0])
    grid = jnp.log(LEAST_RATE) + (log_most - jnp.log(LEAST_RATE)) * jnp.linspace(0.0, 1.0, N_GRID)
    grid = jnp.sort(jnp.concatenate([grid, _vertices(evaluate, grid)]))
    values = evaluate(grid)
    # A formula may be NaN where it does not hold.
    changes = ((values[:-1] > 0) != (values[1:] > 0)) & ~jnp.isnan(values[:-1] + values[1:])
    (at,) = jnp.nonzero(changes, size=MOST_ROOTS - 1, fill_value=-1)
    inside = jax.vmap(lambda i: _bisect(residual, grid[i], grid[i + 1], i >= 0))(at)

    # Below the grid the residual's slope is -1 to all accuracy: one more step of x <- log Phi is exact.
    def settle(_: Array, x: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.where(jnp.isfinite(x), x + residual(x[None])[0], x)  # without any noise the log rate is -inf

    below = jax.lax.fori_loop(0, 3, settle, grid[0] + values[0])
    quiescent = values[0] < 0
    roots = jnp.concatenate([below[None], inside])[:, None]
    return Roots(roots, jnp.concatenate([quiescent[None], at >= 0]))


def _vertices(
    evaluate: Callable[[Float[Array, "n"]], Float[Array, "n"]], grid: Float[Array, "points"]
) -> Float[Array, "inner"]:
    """The extremum between the neighbours of each inner point, by parabolas ever closer; else the point."""
    inner, spacing = grid[1:-1], grid[1] - grid[0]

    def refine(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        x, turns = carry
        width = spacing * 0.1 ** i.astype(x.dtype)
        # One call for the three points of every parabola: it is compiled once.
        values = evaluate(jnp.concatenate([x - width, x, x + width]))
        before, middle, after = values.reshape(3, -1)
        extreme = ((middle >= before) & (middle >= after)) | ((middle <= before) & (middle <= after))
        turns = jnp.where(i == 0, extreme, turns)
        curvature = before - 2.0 * middle + after
        safe = jnp.isfinite(curvature) & (curvature != 0)
        offset = 0.5 * (before - after) / jnp.where(safe, curvature, 1.0)
        move = jnp.where(turns & safe, jnp.clip(offset, -2.0, 2.0), 0.0)
        return x + width * move, turns

    return jax.lax.fori_loop(0, 3, refine, (inner, jnp.ones(inner.shape, bool)))[0]


def _bisect(
    residual: Residual, low: Float[Array, ""], high: Float[Array, ""], exists: Bool[Array, ""]
) -> Float[Array, ""]:
    middle = (low + high) / 2.0

    def bracketed(x: Float[Array, ""], _: None) -> Float[Array, ""]:
        return jnp.where(exists, residual(x[None])[0], middle - x)

    eps = float(jnp.finfo(low.dtype).eps)
    solver = optx.Bisection(rtol=8 * eps, atol=8 * eps)
    options = {"lower": jnp.minimum(low, high), "upper": jnp.maximum(low, high)}
    solution = optx.root_find(bracketed, solver, middle, options=options, max_steps=64, throw=False)
    return solution.value


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
    return _told_apart(ends, jax.vmap(residual)(ends))


def _solver(dtype: np.dtype) -> optx.LevenbergMarquardt:
    """It ends where a step is below the tolerance; of log rates to 23, float32 has steps of 1e-6 by rounding alone."""
    tolerance = 1e-12 if dtype == jnp.float64 else 1e-5
    return optx.LevenbergMarquardt(rtol=tolerance, atol=tolerance)


def polish(residual: Residual, roots: Roots) -> Roots:
    """The roots of a dear residual from those of a cheap one like it, one after another; those that meet are one."""
    solver = _solver(roots.log_rates.dtype)

    def improved(root: tuple[Float[Array, "unknowns"], Bool[Array, ""]]) -> tuple[Array, Array]:
        start, wanted = root

        # Of a batch of networks both branches run, until the last of them is done: what is not wanted is done at once.
        def missed(y: Float[Array, "unknowns"], _: None) -> Float[Array, "unknowns"]:
            return jnp.where(wanted, residual(y), 0.0)

        def solve(x: Float[Array, "unknowns"]) -> tuple[Array, Array]:
            end = optx.root_find(missed, solver, x, max_steps=50, throw=False).value
            return end, residual(end)

        return jax.lax.cond(wanted, solve, lambda x: (x, jnp.full_like(x, jnp.inf)), start)

    known = jnp.all(jnp.isfinite(roots.log_rates), axis=1)
    starts = jnp.where((roots.found & known)[:, None], roots.log_rates, 0.0)
    ends, misses = jax.lax.map(improved, (starts, roots.found & known))
    polished = _told_apart(ends, misses)
    # A network without any noise is silent in every theory.
    wanted = (roots.found & known)[:, None]
    return Roots(jnp.where(wanted, ends, roots.log_rates), (polished.found & wanted[:, 0]) | (roots.found & ~known))


def _told_apart(ends: Float[Array, "roots unknowns"], misses: Float[Array, "roots unknowns"]) -> Roots:
    """Which of `ends` are roots, by what their residuals miss, each once."""
    slack = _SOLVED if ends.dtype == jnp.float64 else 1e-3
    solved = jnp.all(jnp.abs(misses) < slack, axis=1)
    close = jnp.all(jnp.abs(ends[:, None] - ends[None]) < 100 * slack, axis=2)
    earlier = jnp.tril(close & solved[None], k=-1)
    return Roots(ends, solved & ~jnp.any(earlier, axis=1))
