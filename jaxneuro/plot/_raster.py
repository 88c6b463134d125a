"""Spikes of a population."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import told
from ..statistics import SpikeTrains
from ._common import axes_or_new, kind_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def raster(
    trains: SpikeTrains | Mapping[str, SpikeTrains],
    *,
    ax: "Axes | None" = None,
    most: int = 100,
    colour: str | None = None,
) -> "Axes":
    """Draws the spikes of the first `most` neurons of each population, one row a neuron.

    **Arguments:** `trains`, a record of `Spikes`, of one population or of several, {name: trains}, which are drawn one
    above the other with their names and mean rates [Hz]; `ax`, where to draw, by default a new figure; `colour` of all
    dots, by default that of excitation or inhibition by the name.

    **Returns:** the axes.

    Raises `ValueError` for a batch of runs or what is no record of spikes, `ImportError` without matplotlib.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2, j=1.0)
    >>> record = {"spikes": jn.record.Spikes("E", "I")}
    >>> sol = jn.simulate(net, 0.0, 30.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> jn.plot.raster(sol["spikes"]).get_xlabel()
    'time (ms)'

    ```
    """
    several = trains if isinstance(trains, Mapping) else {"": trains}
    for name, each in several.items():
        if not isinstance(each, SpikeTrains):
            argument = f"`trains[{name!r}]`" if name else "`trains`"
            raise ValueError(f"{argument} has to be a record of `jn.record.Spikes`; got {type(each).__name__}.")
    if not several:
        raise ValueError("`trains` holds no population.")
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 1:
        raise ValueError(f"`most` has to be a number of neurons of at least 1; got {told(most)}.")
    axes = axes_or_new(ax, 6.0, 3.4)
    row = 0
    for index, (name, each) in enumerate(several.items()):
        row = draw_dots(axes, each, most, row, colour or kind_colour(name, index), _label(name, each))
    if any(several):
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), markerscale=3.0)
    axes.set(xlabel="time (ms)", ylabel="neuron", ylim=(-0.5, row - 0.5))
    return axes


def _label(name: str, trains: SpikeTrains) -> str | None:
    seconds = 1e-3 * trains.dt * trains.words.shape[-2]
    return f"{name}, {trains.counts.mean() / seconds:.3g} Hz" if name else None


def draw_dots(ax: Any, trains: SpikeTrains, most: int, begin: int, colour: str, label: str | None = None) -> int:
    """Draws the spikes of up to `most` neurons in the rows from `begin` on; returns the next row."""
    shown = trains.times[:most]
    rows = np.repeat(np.arange(begin, begin + len(shown)), [len(times) for times in shown])
    dots = {"color": colour, "markersize": 2.5, "markeredgewidth": 0, "rasterized": True, "label": label}
    ax.plot(np.concatenate(shown), rows, ".", **dots)
    return begin + len(shown)
