"""The phase plane of a model of two variables."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from .._simulate import Solution
from ..analysis import FixedPoints
from ..models import AbstractODE
from ._common import COLOURS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID = 401


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

    Raises `ValueError` where the model has not two variables, `ImportError` without matplotlib.

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
    low, high = (np.broadcast_to(np.asarray(end, float), (2,)) for end in box)  # type: ignore[misc,union-attr]
    x, y = (np.linspace(low[k], high[k], _GRID) for k in range(2))
    points = jnp.asarray(np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1), jnp.result_type(float))
    field = jax.vmap(jax.vmap(lambda p: model.vector_field(0.0, p)))
    slopes = np.asarray(field(points))
    axes: Any = pyplot().figure(figsize=(4.8, 4.0), layout="constrained").gca() if ax is None else ax
    every = _GRID // 20
    axes.streamplot(
        x[::every], y[::every], slopes[::every, ::every, 0].T, slopes[::every, ::every, 1].T,
        color="#c9c9c9", density=0.9, linewidth=0.7, arrowsize=0.8,
    )  # fmt: skip
    names = [f"d{label.split(' (')[0]}/dt = 0" for label in labels]
    for k, colour in enumerate(COLOURS[:2]):
        axes.contour(x, y, slopes[..., k].T, levels=[0.0], colors=colour, linewidths=1.6)
        axes.plot([], [], color=colour, label=names[k])
    for run in runs:
        path = np.asarray(run[record])
        axes.plot(path[:, 0], path[:, 1], color="k", linewidth=1.0)
        axes.plot(*path[0], "k.", markersize=5)
    if fixed_points is not None:
        for point, stable in zip(fixed_points.y, fixed_points.stable, strict=True):
            axes.plot(*point, "o", color="k", markerfacecolor="k" if stable else "w", markersize=7, zorder=5)
    axes.set(xlabel=labels[0], ylabel=labels[1], xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.legend(frameon=True, framealpha=0.9, fontsize="small", loc="upper right")
    return axes
