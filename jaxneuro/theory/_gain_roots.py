"""The roots of the conditions of a gain: along a line for one kind of neurons, in the plane for two.

What a condition costs is its compilation: each search evaluates it in one place, at a row of points after another.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from ._mean_field import decays

# Log rates are searched between these multiples of a reference rate.
_LEAST, _MOST = 1e-4, 1e3
# Points on the line, and how often the interval with the root is divided into so many.
_LINE, _ZOOMS = 400, 6
# Points on a side of the plane; cells that Newton's method starts from, its steps, and the distance of its differences.
_SIDE, _CELLS, _STEPS = 128, 16, 40
_APART = {4: 1e-3, 8: 1e-6}
_SOLVED = {4: 1e-3, 8: 1e-8}

# The residuals log(answer/rate), one a kind of neurons, at log rates relative to the reference; and whether they count.
Conditions = Callable[[Float[Array, "kinds"]], tuple[Float[Array, "kinds"], Bool[Array, ""]]]


def lowest_root(conditions: Conditions, kinds: int, dtype: Any) -> tuple[Float[Array, "kinds"], Bool[Array, ""]]:
    """The lowest stable root, and whether there is one; where there is none it is 0."""
    evaluate = jax.vmap(conditions)
    return _on_line(evaluate, dtype) if kinds == 1 else _in_plane(evaluate, dtype)


def _on_line(evaluate: Callable[..., Any], dtype: Any) -> tuple[Float[Array, "1"], Bool[Array, ""]]:
    """Where a residual that counts at both ends of an interval falls through 0."""
    share = jnp.linspace(0.0, 1.0, _LINE).astype(dtype)

    def zoom(_: Array, ends: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        low, high, exists = ends
        x = low + (high - low) * share
        values, counts = evaluate(x[:, None])
        falls = counts[:-1] & counts[1:] & (values[:-1, 0] > 0.0) & (values[1:, 0] <= 0.0)
        # Where rounding hides the sign, the interval stays.
        at, seen = jnp.argmax(falls), jnp.any(falls)
        hidden = exists & ~seen
        return jnp.where(hidden, low, x[at]), jnp.where(hidden, high, x[at + 1]), exists | seen

    start = (jnp.log(jnp.asarray(_LEAST, dtype)), jnp.log(jnp.asarray(_MOST, dtype)), jnp.zeros((), bool))
    low, high, exists = lax.fori_loop(0, _ZOOMS, zoom, start)
    return jnp.where(exists, 0.5 * (low + high), 0.0)[None], exists


def _in_plane(evaluate: Callable[..., Any], dtype: Any) -> tuple[Float[Array, "2"], Bool[Array, ""]]:
    """Newton's method by differences, from cells of a grid at whose corners the residuals change their sign."""
    line = jnp.linspace(jnp.log(_LEAST), jnp.log(_MOST), _SIDE).astype(dtype)
    apart = _APART[jnp.dtype(dtype).itemsize]
    around = apart * jnp.asarray([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype)

    def advance(i: Array, carry: tuple[Array, ...]) -> tuple[Array, ...]:
        table, x, *_ = carry
        row = jnp.stack([jnp.full(_SIDE, line[jnp.minimum(i, _SIDE - 1)]), line], axis=1)
        near = (x[:, None] + around).reshape(-1, 2)
        padded = jnp.zeros((_SIDE, 2), dtype).at[: near.shape[0]].set(near)
        values, counts = evaluate(jnp.where(i < _SIDE, row, padded))
        # A root of both residuals is one of their difference, which tells curves apart that run side by side.
        signs = jnp.concatenate([values > 0.0, values[:, :1] > values[:, 1:]], axis=1)
        table = jnp.where(i < _SIDE, table.at[jnp.minimum(i, _SIDE - 1)].set(signs), table)
        seen = values[: near.shape[0]].reshape(_CELLS, 3, 2)
        slopes = jnp.swapaxes(seen[:, 1:] - seen[:, :1], 1, 2) / apart
        move = jax.vmap(_solved)(slopes, seen[:, 0])
        starts, cells = _starts(table, line)
        after = jnp.where(i < _SIDE, starts, x - jnp.clip(move, -0.2, 0.2))
        good = counts[: near.shape[0]].reshape(_CELLS, 3)[:, 0]
        small = jnp.max(jnp.abs(seen[:, 0]), axis=1) < _SOLVED[jnp.dtype(dtype).itemsize]
        return table, after, cells & good & small & jax.vmap(decays)(slopes)

    begun = (jnp.zeros((_SIDE, _SIDE, 3), bool), jnp.zeros((_CELLS, 2), dtype), jnp.zeros(_CELLS, bool))
    _, ends, found = lax.fori_loop(0, _SIDE + _STEPS, advance, begun)
    found = found & jnp.all((ends > line[0]) & (ends < line[-1]), axis=1)
    best = jnp.argmin(jnp.where(found, jnp.sum(ends, axis=1), jnp.inf))
    exists = jnp.any(found)
    return jnp.where(exists, ends[best], 0.0), exists


def _starts(above: Bool[Array, "side side signs"], line: Float[Array, "side"]) -> tuple[Array, Array]:
    """The middles of the cells at whose corners all signs differ, and which of them are cells."""
    corners = (above[:-1, :-1], above[1:, :-1], above[:-1, 1:], above[1:, 1:])
    some = corners[0] | corners[1] | corners[2] | corners[3]
    every = corners[0] & corners[1] & corners[2] & corners[3]
    rows, columns = jnp.nonzero(jnp.all(some & ~every, axis=2), size=_CELLS, fill_value=-1)
    middle = 0.5 * (line[1:] + line[:-1])
    return jnp.stack([middle[rows], middle[columns]], axis=1), rows >= 0


def _solved(matrix: Float[Array, "2 2"], right: Float[Array, "2"]) -> Float[Array, "2"]:
    """Cramer's rule; 0 where there is no solution."""
    determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    turned = jnp.stack(
        [matrix[1, 1] * right[0] - matrix[0, 1] * right[1], matrix[0, 0] * right[1] - matrix[1, 0] * right[0]]
    )
    move = turned / jnp.where(determinant == 0.0, 1.0, determinant)
    return jnp.where(jnp.isfinite(move) & (determinant != 0.0), move, 0.0)
