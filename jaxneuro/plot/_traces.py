"""Membrane potentials with their spikes."""

from typing import TYPE_CHECKING

import numpy as np

from .._numerics import check_count, told
from .._simulate import Solution
from ..statistics import SpikeTrains
from ._common import axes_or_new, kind_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def traces(
    sol: Solution,
    *,
    record: str = "v",
    spikes: SpikeTrains | None = None,
    most: int = 5,
    unit: str = "mV",
    colour: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws the potentials of a few neurons, one above the other, with a stroke at every spike.

    A model with a threshold resets its potential where it spikes, so that the trace itself shows no spike.

    **Arguments:**

    - `sol`: a run with a `Trace` named `record`, such as `jn.record.Trace("E.v", neurons=slice(0, 5))`.
    - `spikes`: a record of `Spikes` whose first neurons are those of the trace, in the same order.
    - `most`: neurons that are drawn; of one alone the axis shows values, of several a bar their scale.
    - `unit`: of the trace; `colour`, by default that of excitation; `ax`, where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` for a record that is no trace of one run or spikes of fewer neurons, `ImportError` without
    matplotlib.

    ```python
    >>> import jax, jaxneuro as jn
    >>> cells = jn.Network({"E": jn.Population(jn.LIF(), 3)}, drives=[jn.WhiteNoiseDrive("E", mu=25.0, sigma=3.0)])
    >>> record = {"v": jn.record.Trace("E.v"), "spikes": jn.record.Spikes("E")}
    >>> sol = jn.simulate(cells, 0.0, 100.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> ax = jn.plot.traces(sol, spikes=sol["spikes"])

    ```
    """
    if not isinstance(sol, Solution):
        raise ValueError(f"`sol` has to be what `jn.simulate` returns; got {type(sol).__name__}.")
    if record not in sol.times:
        raise ValueError(
            f"`record` has to name a `jn.record.Trace`; got {told(record)}, there are {', '.join(sol.times)}."
        )
    values, times = np.asarray(sol[record], float), sol.times[record]
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise ValueError(f"`record` has to be a trace of one run, (time, neurons); got shape {values.shape}.")
    check_count("most", most, "a number of neurons of at least 1")
    shown = values[:, :most]
    if spikes is not None and (not isinstance(spikes, SpikeTrains) or spikes.n < shown.shape[1]):
        got = f"of {spikes.n} neurons" if isinstance(spikes, SpikeTrains) else type(spikes).__name__
        raise ValueError(f"`spikes` has to be a record of `Spikes` of {shown.shape[1]} neurons or more; got {got}.")
    axes = axes_or_new(ax, 6.0, 3.4)
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    height = (high - low) or 1.0
    row = 1.5 * height if shown.shape[1] > 1 else 0.0
    colour = kind_colour("E") if colour is None else colour
    for place, trace in enumerate(shown.T):
        axes.plot(times, trace + place * row, color=colour, lw=0.8)
        if spikes is not None:
            at = np.asarray(spikes.times[place])
            axes.vlines(
                at[at <= times[-1]], high + place * row, high + place * row + 0.35 * height, color=colour, lw=0.8
            )
    axes.set(xlabel="time (ms)", ylabel=f"potential ({unit})", xlim=(times[0], times[-1]))
    if row:
        _draw_scale(axes, height, low, unit)
    return axes


def _draw_scale(axes: "Axes", height: float, low: float, unit: str) -> None:
    """A bar of a round length in place of the axis, whose numbers would hold for one row alone."""
    power = 10.0 ** np.floor(np.log10(height))
    length = power * max(step for step in (1.0, 2.0, 5.0) if step * power <= height)
    axes.plot(
        [1.015, 1.015], [low, low + length], color="k", lw=2.0, clip_on=False, transform=axes.get_yaxis_transform()
    )
    where = axes.get_yaxis_transform()
    axes.text(1.03, low + 0.5 * length, f"{length:g} {unit}", transform=where, va="center", fontsize="small")
    axes.set(yticks=[], ylabel="neurons")
    axes.spines["left"].set_visible(False)
