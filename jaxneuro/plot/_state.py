"""Spikes above the rate of their population."""

from typing import TYPE_CHECKING

import numpy as np

from .._numerics import told
from .._simulate import Solution
from ..statistics import SpikeTrains
from ._common import RECORDERS, kind_colour, pyplot, style
from ._raster import raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def state(sol: Solution, *, most: int = 50, span: float = 200.0) -> "Figure":
    """Draws the last `span` [ms] of a run: spikes of the first population above the rate of the population.

    The run has to hold a `Spikes` record named "spikes" and a `PopulationRate` record named
    "population_rate", best in bins of 0.1 to 1 ms.

    **Arguments:** `sol`; `most`, neurons in the raster; `span` [ms], all of the run where it is shorter.

    **Returns:** the figure.

    Raises `ValueError` where a record is missing or of another kind, where it is not known which population the
    spikes are of, or `span` is not positive; `ImportError` without matplotlib.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
    >>> record = {"spikes": jn.record.Spikes(), "population_rate": jn.record.PopulationRate()}
    >>> sol = jn.simulate(net, 0.0, 60.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> figure = jn.plot.state(sol)

    ```

    Source: the arrangement of Brunel (2000), doi:10.1023/A:1008925309027, Fig. 8.
    """
    if not isinstance(sol, Solution):
        raise ValueError(f"`sol` has to be what `jn.simulate` returns; got {type(sol).__name__}.")
    for needed in ("spikes", "population_rate"):
        if needed not in sol.records:
            raise ValueError(f"`sol` needs a record {needed!r}, such as jn.record.{RECORDERS[needed]}.")
    with pyplot().rc_context(style()):
        figure = pyplot().figure(figsize=(7, 4), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    draw_state(sol, above, below, most=most, span=span)
    return figure


def draw_state(sol: Solution, above: "Axes", below: "Axes", *, most: int = 50, span: float = 200.0) -> None:
    """Draws what `state` shows on given axes.

    **Arguments:** as of `state`; `above` for the raster, `below` for the rate.
    """
    if not isinstance(span, int | float) or not 0 < span < float("inf"):
        raise ValueError(f"`span` has to be a positive number of ms; got {told(span)}.")
    spikes, rates = sol["spikes"], sol["population_rate"]
    name, trains = next(iter(spikes.items())) if isinstance(spikes, dict) else ("", spikes)
    if not isinstance(trains, SpikeTrains):
        raise ValueError(
            f"`sol` holds no spikes under 'spikes' but {type(trains).__name__}; record jn.record.Spikes()."
        )
    if isinstance(rates, dict):
        name = name or _owner(sol, trains, rates)
        if name not in rates:
            raise ValueError(f"`sol` has spikes of {name!r} and population rates of {', '.join(rates)}.")
    rate = rates[name] if isinstance(rates, dict) else rates
    times = sol.times["population_rate"]
    shown = times >= sol.t1 - span
    if np.sum(shown) < 2:
        raise ValueError(f"`span` of {span:g} ms holds {np.sum(shown)} bins of the rate: it is in ms, not in seconds.")
    raster(trains, ax=above, most=most, colour=kind_colour(name))
    above.set(xlabel="", ylabel=f"neuron {name}".rstrip())
    below.plot(times[shown], np.asarray(rate)[shown], color=kind_colour(name), lw=0.7)
    first = max(sol.t1 - span, int(trains.first_step) * trains.dt, float(times[0]))
    below.set(xlabel="time (ms)", ylabel=f"rate {name} (Hz)".replace("  ", " "), xlim=(first, sol.t1), ylim=(0, None))


def _owner(sol: Solution, trains: SpikeTrains, rates: dict) -> str:
    """The population that a bare record of spikes is of: the one of its size."""
    sizes = {name: np.shape(neurons.v)[-1] for name, neurons in sol.state.neurons.items()}
    fitting = [name for name in rates if sizes.get(name) == trains.n]
    if len(fitting) != 1:
        raise ValueError(
            f"`sol`: spikes of {trains.n:,} neurons do not tell which of {', '.join(rates)} they are of; record "
            "`jn.record.Spikes()` of all, or the rate of that population alone."
        )
    return fitting[0]
