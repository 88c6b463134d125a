"""Spikes of a population."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..statistics import SpikeTrains
from ._common import COLOURS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def raster(trains: SpikeTrains, *, ax: "Axes | None" = None, most: int = 100, colour: str = COLOURS[0]) -> "Axes":
    """Draws the spikes of the first `most` neurons, one row a neuron.

    **Arguments:** `trains`, a record of `Spikes`; `ax`, where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` for a batch of runs or what is no record of spikes, `ImportError` without matplotlib.
    """
    if not isinstance(trains, SpikeTrains):
        raise ValueError(f"`trains` has to be a record of `jn.record.Spikes`; got {type(trains).__name__}.")
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 1:
        raise ValueError(f"`most` has to be a number of neurons of at least 1; got {most!r}.")
    axes: Any = pyplot().figure().gca() if ax is None else ax
    draw_dots(axes, trains, most, 0, colour)
    axes.set(xlabel="time (ms)", ylabel="neuron", ylim=(-0.5, min(most, trains.n) - 0.5))
    return axes


def draw_dots(ax: Any, trains: SpikeTrains, most: int, begin: int, colour: str) -> int:
    """Draws the spikes of up to `most` neurons in the rows from `begin` on; returns the next row."""
    shown = trains.times[:most]
    rows = np.repeat(np.arange(begin, begin + len(shown)), [len(times) for times in shown])
    ax.plot(np.concatenate(shown), rows, ".", color=colour, markersize=2.5, markeredgewidth=0, rasterized=True)
    return begin + len(shown)
