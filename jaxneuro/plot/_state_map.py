"""States that a sweep found over two parameters."""

from typing import TYPE_CHECKING

import numpy as np

from .._sweep import check_libraries
from ..analysis import State
from ..theory import PhaseMap
from ._common import axes_or_new, label
from ._phase_diagram import draw_classes, phase_diagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from xarray import Dataset


def state_map(
    grid: "Dataset", *, name: str | None = None, lines: PhaseMap | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draws the states of a network over two parameters, as a sweep found them; of several seeds the most frequent.

    **Arguments:**

    - `grid`: of `jn.sweep` over two axes, with codes of `jn.analysis.classify_state(sol).code`.
    - `name`: of the variable that holds them, by default the first that begins with "state".
    - `lines`: theory's over the same two axes, of `jn.theory.phase_boundaries`, drawn on top.
    - `ax`: where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` where `grid` has no such variable or other axes, `ImportError` without matplotlib.

    ```python
    >>> import xarray, jaxneuro as jn
    >>> codes = [[jn.analysis.State.SR, jn.analysis.State.AI], [jn.analysis.State.SR, jn.analysis.State.fast_SI]]
    >>> grid = xarray.Dataset({"state_E": (("g", "j"), codes)}, {"g": [3.0, 6.0], "j": [0.1, 0.2]})
    >>> jn.plot.state_map(grid).get_xlabel()
    '$g$'

    ```
    """
    check_libraries(store=False)
    import xarray

    if not isinstance(grid, xarray.Dataset):
        raise ValueError(f"`grid` has to be the Dataset that `jn.sweep` returned; got {type(grid).__name__}.")
    if name is None:
        name = next((str(one) for one in grid.data_vars if str(one).startswith("state")), "state")
    if name not in grid.data_vars:
        raise ValueError(f"`name`: there is no {name!r}; there are {', '.join(map(str, grid.data_vars))}.")
    axes_names = [str(dim) for dim in grid[name].dims if dim != "seed"]
    if len(axes_names) != 2 or any(dim not in grid.coords for dim in axes_names):
        raise ValueError(f"`grid`: {name!r} has the axes {', '.join(axes_names) or 'none'}; two can be drawn.")
    over = {dim: np.asarray(grid[dim]) for dim in (axes_names if lines is None else lines.axes) if dim in grid.coords}
    codes = grid[name].transpose(*over, ...)
    values = np.asarray(codes).reshape(*codes.shape[:2], -1)
    if not np.all(np.isin(values, list(State))):
        raise ValueError(f"`name`: {name!r} does not hold codes of `jn.analysis.State`, 0 to {max(State)}.")
    counts = np.stack([(values == state).sum(axis=-1) for state in State])
    states = np.asarray([int(state) for state in State])[np.argmax(counts, axis=0)]
    words = [str(state) for state in State]
    if lines is not None:
        return phase_diagram(lines, classes=states, names=words, over=over, ax=ax)
    axes = axes_or_new(ax, 6.4, 4.4)
    x, y = over.values()
    draw_classes(axes, x, y, states, words)
    axes.set(**dict(zip(("xlabel", "ylabel"), map(label, over), strict=True)))
    return axes
