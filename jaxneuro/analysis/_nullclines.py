"""Where one of two variables stands still."""

from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_count
from ..models import AbstractODE
from ..theory._contours import crossings, polylines
from ._fixed_points import box_of
from ._vector import Flat, check_model, flat


class Nullclines(Shown):
    """Lines on which dy_1/dt = 0 (`first`) and dy_2/dt = 0 (`second`): polylines (points, 2), one for each piece."""

    first: tuple[Float[np.ndarray, "_ 2"], ...]
    second: tuple[Float[np.ndarray, "_ 2"], ...]


def nullclines(model: AbstractODE, *, box: Any, n: int = 201, stimulus: ArrayLike | None = None) -> Nullclines:
    """The nullclines of a model of two variables: dy_1/dt = 0 on one, dy_2/dt = 0 on the other.

    They are found where dy/dt changes its sign between neighbours on a grid, and placed between them by a straight
    line: exactly where dy/dt is linear. They meet in the fixed points.

    **Arguments:** `model`, a rate model of two variables; `box`, (low, high), numbers or (2,), the region; `n`, points
    of the grid along each variable; `stimulus`, a number or (2,).

    **Returns:** `Nullclines`, in numpy.

    Raises `ValueError` where an argument does not fit. Derivatives: none.

    ```python
    >>> import jaxneuro as jn
    >>> lines = jn.analysis.nullclines(jn.networks.ei_rate(), box=(0.0, 60.0))
    >>> [line.max(axis=0).round(3).tolist() for line in lines.second]                  # v_I = [v_E - 10]_+
    [[60.0, 50.0]]

    ```

    Source: Strogatz (2015), Nonlinear Dynamics and Chaos, section 6.1; source text 002.
    """
    check_model(model, stimulus)
    check_count("n", n, "a number of points of at least 2", least=2)
    field, own = flat(model, None if stimulus is None else as_leaf(stimulus, "stimulus"))
    if own.size != 2:
        raise ValueError(f"`model` has to have two variables, such as `jn.networks.ei_rate()`; it has {own.size}.")
    low, high = (np.broadcast_to(np.asarray(end), (2,)) for end in box_of(box, 2))
    # One more point below, so that a line along the lower edge, as of a rectified rate at 0, has a change of sign.
    grids = [low[k] + (high[k] - low[k]) * np.arange(-1, n) / (n - 1) for k in range(2)]
    points = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1)
    slopes = np.asarray(_on_grid(field, as_leaf(points, "points")))
    return Nullclines(*(_lines(slopes[..., k], points, low) for k in range(2)))


@eqx.filter_jit
def _on_grid(field: Flat, points: Float[Array, "n n 2"]) -> Float[Array, "n n 2"]:
    return jax.vmap(jax.vmap(field))(points)


def _lines(
    slope: Float[np.ndarray, "n n"], points: Float[np.ndarray, "n n 2"], low: Float[np.ndarray, "2"]
) -> tuple[Float[np.ndarray, "_ 2"], ...]:
    edges = crossings(slope, lambda first, second: np.ones(len(first), bool))
    at = np.stack([edges.interpolate(points[..., k]) for k in range(2)], axis=-1)
    inside = np.all(at >= low - 1e-9 * (points[-1, -1] - low), axis=-1)
    pieces = [
        piece
        for line in polylines(edges, slope.shape)
        for piece in np.split(line, np.flatnonzero(np.diff(inside[line])) + 1)
    ]
    return tuple(at[piece] for piece in pieces if inside[piece[0]])
