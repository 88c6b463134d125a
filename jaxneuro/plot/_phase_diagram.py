"""Regimes of a network over two parameters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..theory import Boundary, PhaseMap
from ._common import CLASS_ALPHA, CLASS_COLOURS, axes_or_new, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def phase_diagram(
    found: PhaseMap,
    *,
    classes: np.ndarray | None = None,
    names: Sequence[str] = (),
    over: Mapping[str, np.ndarray] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws the lines between the regimes of a network over two parameters, on theory or on simulated classes.

    Solid lines are where an oscillation of the state of highest rate starts to grow, with its
    frequency at their middle, dashed those of the lowest, and dotted where states come and go. The
    cells are the frequency of the leading mode of the highest state where it grows, white where all
    decay; or, where `classes` are given, the regimes that a simulation found.

    **Arguments:**

    - `found`: of `theory.phase_boundaries`.
    - `classes`: integers (first, second), negative where unknown, and `names`, one a class, such as the
      codes of `jn.analysis.State`.
    - `over`: the axes of `classes`, {name: values}, by default those of `found`.
    - `ax`: by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` where `classes` or `over` has another shape, or a class has no name.
    """
    if not isinstance(found, PhaseMap):
        raise ValueError(f"`found` has to be what `jn.theory.phase_boundaries` returns; got {type(found).__name__}.")
    if classes is None and (len(names) or over is not None):
        raise ValueError("`names` and `over` are of `classes`, and none are given.")
    axes = axes_or_new(ax, 6.4, 4.4)
    (x_name, x), (y_name, y) = found.axes.items()
    if classes is None:
        frequency = np.where(found.highest(found.growth) > 0, found.highest(found.frequency), np.nan)
        cells = axes.pcolormesh(x, y, frequency.T, cmap="viridis_r", alpha=0.6, shading="nearest", rasterized=True)
        axes.figure.colorbar(cells, ax=axes, label="frequency of the leading growing mode (Hz)")
    else:
        simulated = dict(found.axes if over is None else over)
        if set(simulated) != set(found.axes):
            raise ValueError(f"`over` has the axes {', '.join(simulated)}; the lines have {x_name} and {y_name}.")
        x_simulated, y_simulated = np.asarray(simulated[x_name]), np.asarray(simulated[y_name])
        draw_classes(axes, x_simulated, y_simulated, np.asarray(classes), names)
    for line in found.boundaries:
        _draw_boundary(axes, line)
    axes.set(xlabel=label(x_name), ylabel=label(y_name))
    if not found.boundaries:
        axes.set_title("theory has no boundary between regimes here", fontsize="small")
    _name_lines(axes, found.boundaries)
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return axes


def draw_classes(ax: Any, x: np.ndarray, y: np.ndarray, classes: np.ndarray, names: Sequence[str]) -> None:
    """Draws a cell for each class over (x, y), and names those that are there beside the axes."""
    if classes.shape != (x.size, y.size) or classes.dtype.kind not in "iu":
        got = f"{classes.dtype} of shape {classes.shape}"
        raise ValueError(f"`classes` has to be integers of shape {(x.size, y.size)}; got {got}.")
    if classes.max(initial=-1) >= len(names):
        raise ValueError(f"`names` has to name every class; got {len(names)} for class {classes.max()}.")
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    # One colour a class whatever the data: the same class looks the same in every diagram.
    if len(names) > len(CLASS_COLOURS):
        raise ValueError(f"`names` has {len(names)} classes; up to {len(CLASS_COLOURS)} can be told apart.")
    colours = ListedColormap(CLASS_COLOURS[: len(names)])
    shown = np.ma.masked_less(classes, 0)
    limits = {"vmin": -0.5, "vmax": len(names) - 0.5}
    ax.pcolormesh(x, y, shown.T, cmap=colours, alpha=CLASS_ALPHA, shading="nearest", rasterized=True, **limits)
    present = np.unique(classes[classes >= 0])
    handles = [Patch(color=colours(k), alpha=CLASS_ALPHA, label=names[k]) for k in present]
    legend = ax.legend(
        handles=handles, fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1.0), title="simulated"
    )
    ax.add_artist(legend)
    legend.set_clip_on(False)  # which `add_artist` sets: the layout makes no room for what is clipped to the axes


def _draw_boundary(ax: Any, line: Boundary) -> None:
    style, _ = _style(line)
    ax.plot(*line.points.T, style, color="black", lw=1.6)
    if not line.saddle_node and len(line.points) > 2:
        middle = len(line.points) // 2
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
        text = f"{line.frequency[middle]:.0f} Hz"
        ax.text(*line.points[middle], text, fontsize="small", ha="center", va="center", bbox=box)


def _style(line: Boundary) -> tuple[str, str]:
    """How a line is drawn, and what it says."""
    if line.saddle_node:
        return ":", "states come and go"
    if line.highest:
        return "-", "highest state: oscillation grows"
    return "--", "lowest state: oscillation grows"


def _name_lines(ax: Any, lines: Sequence[Boundary]) -> None:
    from matplotlib.lines import Line2D

    styles = sorted({_style(line) for line in lines})
    handles = [Line2D([], [], color="black", lw=1.6, ls=style, label=name) for style, name in styles]
    if handles:
        ax.legend(handles=handles, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False)
