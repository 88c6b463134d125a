"""Figures of runs and theory. matplotlib is loaded when a figure is asked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._simulate import Solution
from .statistics import SpikeTrains
from .theory import MeanField

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from xarray import DataArray, Dataset

COLOURS = ("#0b5fa5", "#c4442b", "#3a7d44", "#7b5aa6", "#8a6d3b")


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Figures need matplotlib: pip install 'jaxneuro[plot]'.") from error
    return plt


def raster(trains: SpikeTrains, *, ax: "Axes | None" = None, most: int = 100, colour: str = COLOURS[0]) -> "Axes":
    """Draws the spikes of the first `most` neurons, one row a neuron.

    **Arguments:** `trains`, a record of `Spikes`; `ax`, where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` for a batch of runs, `ImportError` without matplotlib.
    """
    axes: Any = _pyplot().figure().gca() if ax is None else ax
    _dots(axes, trains, most, 0, colour)
    axes.set(xlabel="time (ms)", ylabel="neuron", ylim=(-0.5, min(most, trains.n) - 0.5))
    return axes


def _dots(ax: Any, trains: SpikeTrains, most: int, begin: int, colour: str) -> int:
    """Draws the spikes of up to `most` neurons in the rows from `begin` on; returns the next row."""
    shown = trains.times[:most]
    rows = np.repeat(np.arange(begin, begin + len(shown)), [len(times) for times in shown])
    ax.plot(np.concatenate(shown), rows, ".", color=colour, markersize=2.5, markeredgewidth=0, rasterized=True)
    return begin + len(shown)


def state(sol: Solution, *, most: int = 50, span: float = 200.0) -> "Figure":
    """Draws the last `span` [ms] of a run: spikes of the first population above the rate of the population.

    The run has to hold a `Spikes` record named "spikes" and a `PopulationRate` record named
    "population_rate", best in bins of 0.1 to 1 ms.

    **Arguments:** `sol`; `most`, neurons in the raster; `span` [ms], all of the run where it is shorter.

    **Returns:** the figure.

    Raises `ValueError` where a record is missing, `ImportError` without matplotlib.

    Source: the arrangement of Brunel (2000), doi:10.1023/A:1008925309027, Fig. 8.
    """
    for needed in ("spikes", "population_rate"):
        if needed not in sol.records:
            raise ValueError(f"`sol` needs a record {needed!r}, such as jn.record.{_RECORDERS[needed]}.")
    figure = _pyplot().figure(figsize=(7, 4), layout="constrained")
    draw_state(sol, *figure.subplots(2, 1, sharex=True, height_ratios=[3, 2]), most=most, span=span)
    return figure


def draw_state(sol: Solution, above: "Axes", below: "Axes", *, most: int = 50, span: float = 200.0) -> None:
    """Draws what `state` shows on given axes.

    **Arguments:** as of `state`; `above` for the raster, `below` for the rate.
    """
    spikes, rates = sol["spikes"], sol["population_rate"]
    name, trains = next(iter(spikes.items())) if isinstance(spikes, dict) else ("", spikes)
    rate = next(iter(rates.values())) if isinstance(rates, dict) else rates
    raster(trains, ax=above, most=most)
    above.set(xlabel="", ylabel=f"neuron {name}".rstrip())
    times = np.asarray(sol.times["population_rate"])
    shown = times >= sol.t1 - span
    below.plot(times[shown], np.asarray(rate)[shown], color=COLOURS[0], lw=0.7)
    first = max(sol.t1 - span, int(trains.first_step) * trains.dt, float(times[0]))
    below.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(first, sol.t1), ylim=(0, None))


def overlay(sol: Solution, mf: MeanField, *, most: int = 60) -> "Figure":
    """Draws a run and its mean field over each other: raster, population rate, rates and CVs.

    The run has to hold a `Rate` record named "rate" and a `CV` record named "cv"; records named
    "spikes" (`Spikes`) and "population_rate" (`PopulationRate`) are drawn where they are there.
    Lines are the mean field, everything else the run.

    **Arguments:** `sol`, a run of a network; `mf`, the mean field of the same network; `most`,
    neurons of each population in the raster.

    **Returns:** the figure.

    Raises `ValueError` where a record is missing or the two are of different networks.
    """
    for needed in ("rate", "cv"):
        if not isinstance(sol.records.get(needed), dict):
            raise ValueError(f"`sol` needs a record {needed!r} of a network, such as jn.record.{_RECORDERS[needed]}.")
    names = [name for name in mf.mu if name in sol["rate"]]
    if not names:
        raise ValueError(f"`mf` is of the populations {', '.join(mf.mu)}, `sol` of {', '.join(sol['rate'])}.")
    panels = [key for key in ("spikes", "population_rate") if key in sol.records]
    figure = _pyplot().figure(figsize=(9, 3.0 + 1.9 * len(panels)), layout="constrained")
    rows = figure.subfigures(len(panels) + 1, 1, height_ratios=[1.9] * len(panels) + [3.0], squeeze=False)[:, 0]
    for key, row in zip(panels, rows, strict=False):
        draw = _draw_spikes if key == "spikes" else _draw_population_rate
        draw(sol, mf, names, row.subplots(), most)
    left, right = rows[-1].subplots(1, 2)
    _draw_distribution(left, sol, "rate", {n: mf.rate[n] for n in names}, "firing rate of a neuron (Hz)")
    _draw_distribution(right, sol, "cv", {n: mf.cv[n] for n in names}, "CV of interspike intervals")
    return figure


_RECORDERS = {
    "rate": "Rate()",
    "cv": "CV()",
    "spikes": 'Spikes("E")',
    "population_rate": "PopulationRate()",
}


def _draw_spikes(sol: Solution, mf: MeanField, names: list[str], ax: "Axes", most: int) -> None:
    record = sol["spikes"]
    shown = {name: record[name] for name in names if name in record} if isinstance(record, dict) else {"": record}
    begin = 0
    for trains, colour in zip(shown.values(), COLOURS, strict=False):
        begin = _dots(ax, trains, most, begin, colour)
    first = min(int(trains.first_step) * trains.dt for trains in shown.values())
    ax.set(ylabel=f"neuron, {' then '.join(shown)}", xlim=(first, sol.t1), ylim=(-0.5, begin - 0.5), xlabel="time (ms)")


def _draw_population_rate(sol: Solution, mf: MeanField, names: list[str], ax: "Axes", most: int) -> None:
    times = sol.times["population_rate"]
    for name, colour in zip(names, COLOURS, strict=False):
        ax.plot(times, sol["population_rate"][name], color=colour, lw=0.6, alpha=0.7, label=f"{name}, simulated")
    for i, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        width = 2.8 - 1.6 * i / max(1, len(names) - 1)
        ax.axhline(float(mf.rate[name]), color=colour, lw=width, ls="--", label=f"{name}, mean field")
    ax.set(ylabel="population rate (Hz)", xlim=(sol.t0, sol.t1), xlabel="time (ms)", ylim=(0, None))
    ax.legend(loc="upper right", ncols=2, fontsize="small", framealpha=0.9)


def _draw_distribution(ax: "Axes", sol: Solution, record: str, theory: dict, label: str) -> None:
    values = {n: np.asarray(sol[record][n]) for n in theory}
    known = {n: v[~np.isnan(v)] for n, v in values.items()}
    largest = max((v.max(initial=0.0) for v in known.values()), default=1.0)
    top = max(largest, *(1.05 * float(v) for v in theory.values())) or 1.0
    bins = _bins(np.concatenate(list(known.values())), top)
    for (name, value), colour in zip(known.items(), COLOURS, strict=False):
        if value.size:
            ax.hist(value, bins=bins, density=True, histtype="stepfilled", color=colour, alpha=0.35, label=name)
    # Wide lines below narrow ones, so that equal values show all their colours.
    for i, (value, colour) in enumerate(zip(theory.values(), COLOURS, strict=False)):
        ax.axvline(float(value), color=colour, lw=2.8 - 1.6 * i / max(1, len(theory) - 1), ls="--")
    simulated = ", ".join(f"{n} {v.mean():.3g} (n = {v.size:,})" if v.size else f"{n} none" for n, v in known.items())
    solved = ", ".join(f"{n} {float(v):.3g}" for n, v in theory.items())
    ax.set_title(f"simulated: {simulated}\nmean field (dashed): {solved}", fontsize="small", loc="left")
    unit = " (1/Hz)" if record == "rate" else ""
    ax.set(xlabel=label, ylabel=f"density{unit}", xlim=(0, bins[-1]))
    if any(value.size for value in known.values()):
        ax.legend(fontsize="small")


def _bins(values: np.ndarray, top: float) -> list[float]:
    """About 40 bins from 0 to `top`; counts of spikes make rates a comb, whose teeth no bin may split unevenly."""
    distinct = np.unique(values)
    width = top / 40
    if 1 < distinct.size < 200:
        tooth = float(np.diff(distinct).min())
        width = tooth * max(1.0, np.ceil(width / tooth))
        return (np.arange(np.ceil(top / width) + 2) * width - tooth / 2).tolist()
    return (np.arange(42) * width).tolist()


def phase_diagram(grid: "Dataset", *, names: Sequence[str] | None = None) -> "Figure":
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
    >>> figure = jn.plot.phase_diagram(grid)

    ```
    """
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
    figure = _pyplot().figure(figsize=(4.6 * columns, 3.4 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for name, ax in zip(names, panels, strict=False):
        _draw_over_grid(ax, grid[name], name)
    for ax in panels[len(names) :]:
        ax.remove()
    return figure


def _draw_over_grid(ax: "Axes", values: "DataArray", name: str) -> None:
    axes = [str(dim) for dim in values.dims if dim != "seed"]
    unit = values.attrs.get("units", "1")
    label = name.replace("_", " ") + (f" ({unit})" if unit != "1" else "")
    mean = values.mean("seed", skipna=True) if "seed" in values.dims else values
    if len(axes) == 1:
        x = np.asarray(values[axes[0]])
        if "seed" in values.dims and values.sizes["seed"] > 1:
            ax.plot(x, np.asarray(values.transpose(axes[0], "seed")), ".", color=COLOURS[0], alpha=0.4, ms=3)
        ax.plot(x, np.asarray(mean), "o-", color=COLOURS[0], ms=3, lw=1.4)
        ax.set(xlabel=axes[0], ylabel=label)
        return
    first, second = axes
    heights = np.ma.masked_invalid(np.asarray(mean.transpose(second, first)))
    drawn = ax.pcolormesh(np.asarray(values[first]), np.asarray(values[second]), heights, shading="nearest")
    ax.figure.colorbar(drawn, ax=ax, label=label)
    ax.set(xlabel=first, ylabel=second)
