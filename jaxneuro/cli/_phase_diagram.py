"""The figure of a sweep's states: what was simulated as cells, theory's lines on top."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

# Theory's grid is at least as fine as this: its lines are interpolated between its points.
_FINEST = 13


def draw_states(
    grid: "xarray.Dataset", axes: Mapping[str, np.ndarray], make: Callable, fixed: Mapping, progress: bool | None
) -> "Figure":
    """The states of the first population over two axes; of several seeds the most frequent."""
    from .. import plot, theory

    first = next(str(name) for name in grid.data_vars if str(name).startswith("state_"))
    fine: dict[str, Any] = {
        name: np.linspace(*_cell_edges(values), max(_FINEST, len(values) + 1)) for name, values in axes.items()
    }
    found = theory.phase_boundaries(partial(make, **fixed), over=fine, progress=progress)
    ax = plot.state_map(grid, name=first, lines=found)
    ax.set_title(f"{grid.attrs['network']}: simulated states of {first.removeprefix('state_')}, lines of theory")
    return ax.figure  # type: ignore[return-value]


def _cell_edges(values: np.ndarray) -> tuple[float, float]:
    """The outer edges of the cells of an axis; positive where all values are."""
    low = values[0] - 0.5 * (values[1] - values[0])
    return (low if values[0] <= 0 or low > 0 else values[0]), values[-1] + 0.5 * (values[-1] - values[-2])
