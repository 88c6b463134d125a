"""What a sweep found, over its axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._sweep import check_libraries
from ._common import COLOURS, label, pyplot, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from xarray import DataArray, Dataset


def sweep(grid: "Dataset", *, names: Sequence[str] | None = None) -> "Figure":
    """Draws variables of a sweep, one panel each: a map over two axes, a line over one.

    Seeds are averaged, NaNs left out; over one axis each seed is also a dot. A point without any
    value stays blank.

    **Arguments:** `grid`, what `jn.sweep` returned, or a part of it with one or two axes; `names`,
    of variables with one value a run, by default all of them that are no result codes.

    **Returns:** the figure.

    Raises `ValueError` where a variable is missing or has other dimensions, `ImportError` without
    matplotlib.

    ```python
    >>> import jax, jaxneuro as jn
    >>> def run(point, key):
    ...     rate = jn.theory.lif_rate(point["mu"], point["sigma"], tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    ...     return {"rate": rate}
    >>> grid = jn.sweep(run, over={"mu": [15.0, 20.0, 25.0], "sigma": [1.0, 5.0]}, key=jax.random.key(0))
    >>> figure = jn.plot.sweep(grid)

    ```
    """
    check_libraries(store=False)
    import xarray

    if not isinstance(grid, xarray.Dataset):
        raise ValueError(f"`grid` has to be the Dataset that `jn.sweep` returned; got {type(grid).__name__}.")
    if isinstance(names, str):
        raise ValueError(f"`names` has to be a list of names; got the string {names!r}: write [{names!r}].")
    grid = grid.squeeze([dim for dim in grid.dims if dim != "seed" and grid.sizes[dim] == 1])
    if names is None:
        names = [str(name) for name, values in grid.data_vars.items() if "flag_values" not in values.attrs]
    for name in names:
        if name not in grid.data_vars:
            raise ValueError(f"`names`: there is no {name!r}; there are {', '.join(map(str, grid.data_vars))}.")
        axes = [str(dim) for dim in grid[name].dims if dim != "seed"]
        if not 1 <= len(axes) <= 2 or any(dim not in grid.coords for dim in axes):
            raise ValueError(f"`grid`: {name!r} has the dimensions {axes}; one or two axes of the sweep can be drawn.")
    if not names:
        raise ValueError("`names` is empty: name at least one variable to draw.")
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    with pyplot().rc_context(style()):
        figure = pyplot().figure(figsize=(4.6 * columns, 3.4 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for name, ax in zip(names, panels, strict=False):
        _draw_over_grid(ax, grid[name], name)
    for ax in panels[len(names) :]:
        ax.remove()
    return figure


def _draw_over_grid(ax: "Axes", values: "DataArray", name: str) -> None:
    axes = [str(dim) for dim in values.dims if dim != "seed"]
    unit = values.attrs.get("units", "1")
    what = name.replace("_", " ") + (f" ({unit})" if unit != "1" else "")
    mean = values.mean("seed", skipna=True) if "seed" in values.dims else values
    if len(axes) == 1:
        x = np.asarray(values[axes[0]])
        if "seed" in values.dims and values.sizes["seed"] > 1:
            ax.plot(x, np.asarray(values.transpose(axes[0], "seed")), ".", color=COLOURS[0], alpha=0.4, ms=3)
        ax.plot(x, np.asarray(mean), "o-", color=COLOURS[0], ms=3, lw=1.4)
        ax.set(xlabel=label(axes[0]), ylabel=what)
        return
    first, second = axes
    heights = np.ma.masked_invalid(np.asarray(mean.transpose(second, first)))
    drawn = ax.pcolormesh(np.asarray(values[first]), np.asarray(values[second]), heights, shading="nearest")
    ax.figure.colorbar(drawn, ax=ax, label=what)
    ax.set(xlabel=label(first), ylabel=label(second))
