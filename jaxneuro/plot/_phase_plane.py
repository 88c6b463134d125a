"""The phase plane of a model of two variables."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from .._simulate import Solution
from ..analysis import FixedPoints, nullclines
from ..models import AbstractODE
from ._common import COLOURS, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID = 21


def phase_plane(
    model: AbstractODE,
    *,
    box: Any,
    runs: "tuple[Solution, ...] | list[Solution]" = (),
    fixed_points: FixedPoints | None = None,
    record: str = "rate",
    labels: tuple[str, str] = (r"$\nu_E$ (Hz)", r"$\nu_I$ (Hz)"),
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws nullclines, directions, trajectories and fixed points of a model of two variables.

    On a nullcline one of the variables stands still: dy_1/dt = 0 or dy_2/dt = 0.

    **Arguments:**

    - `model`: a rate model with two variables.
    - `box`: (low, high), numbers or (2,), what is shown.
    - `runs`: solutions with a trace `record` of both variables, every one a trajectory.
    - `fixed_points`: of `jn.analysis.fixed_points`; stable ones are filled.
    - `labels`: of the axes; `ax`, where to draw.

    **Returns:** the axes.

    Raises `ValueError` where the model has not two variables or an argument does not fit, `ImportError` without
    matplotlib.

    ```python
    >>> import jaxneuro as jn
    >>> pair = jn.networks.ei_rate()
    >>> run = jn.simulate(pair, 0.0, 500.0, dt=0.5)
    >>> found = jn.analysis.fixed_points(pair, box=(0.0, 60.0))
    >>> ax = jn.plot.phase_plane(pair, box=(0.0, 60.0), runs=[run], fixed_points=found)

    ```
    """
    if not isinstance(model, AbstractODE) or model.size() != 2 or jnp.shape(model.initial()) != (2,):
        raise ValueError("`model` has to be a rate model of two variables, such as `jn.networks.ei_rate()`.")
    if any(not isinstance(run, Solution) for run in runs):
        raise ValueError("`runs` has to be a list of what `jn.simulate` returns.")
    if not isinstance(fixed_points, FixedPoints | None):
        raise ValueError(f"`fixed_points` has to be of `jn.analysis.fixed_points`; got {type(fixed_points).__name__}.")
    lines = nullclines(model, box=box)
    low, high = (np.broadcast_to(np.asarray(end, float), (2,)) for end in box)
    x, y = (np.linspace(low[k], high[k], _GRID) for k in range(2))
    points = jnp.asarray(np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1), jnp.result_type(float))
    slopes = np.asarray(jax.vmap(jax.vmap(lambda p: model.vector_field(0.0, p)))(points))
    axes = axes_or_new(ax, 4.8, 4.0)
    axes.streamplot(
        x, y, slopes[..., 0].T, slopes[..., 1].T, color="#c9c9c9", density=0.9, linewidth=0.7, arrowsize=0.8
    )
    names = [f"d{label.split(' (')[0]}/dt = 0" for label in labels]
    for colour, name, pieces in zip(COLOURS[:2], names, (lines.first, lines.second), strict=True):
        for k, piece in enumerate(pieces):
            axes.plot(
                piece[:, 0], piece[:, 1], color=colour, linewidth=1.6, label=name if k == 0 else None, clip_on=False
            )
    for run in runs:
        path = np.asarray(run[record])
        if path.ndim != 2 or path.shape[1] != 2:
            raise ValueError(f"`record` has to name a trace of both variables; {record!r} has shape {path.shape}.")
        axes.plot(path[:, 0], path[:, 1], color="k", linewidth=1.0)
        axes.plot(*path[0], "k.", markersize=5)
    if fixed_points is not None:
        for point, stable in zip(fixed_points.y, fixed_points.stable, strict=True):
            axes.plot(*point, "o", color="k", markerfacecolor="k" if stable else "w", markersize=7, zorder=5)
    axes.set(xlabel=labels[0], ylabel=labels[1], xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.legend(frameon=True, framealpha=0.9, fontsize="small", loc="upper right")
    return axes
