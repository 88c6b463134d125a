"""Figures of runs and theory. matplotlib is loaded when a figure is asked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._simulate import Solution
from .statistics import SpikeTrains
from .theory import Boundary, MeanField, PhaseMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


_RECORDERS = {"rate": "Rate()", "cv": "CV()"}


def phase_diagram(
    found: PhaseMap, *, classes: np.ndarray | None = None, names: Sequence[str] = (), ax: "Axes | None" = None
) -> "Axes":
    """Draws the lines between the regimes of a network over two parameters, on theory or on simulated classes.

    Solid lines are where an oscillation of the state of highest rate starts to grow, with its
    frequency at their middle, dashed those of the lowest, and dotted where states come and go. The
    cells are the frequency of the leading mode of the highest state where it grows, white where all
    decay; or, where `classes` are given, the regimes that a simulation found.

    **Arguments:** `found`, of `theory.phase_boundaries`; `classes`, integers (first, second) over the
    axes of `found`, negative where unknown, and `names`, one a class; `ax`, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` where `classes` has another shape or a class has no name.
    """
    axes: Any = _pyplot().figure(layout="constrained").gca() if ax is None else ax
    (x_name, x), (y_name, y) = found.axes.items()
    if classes is None:
        frequency = np.where(found.highest(found.growth) > 0, found.highest(found.frequency), np.nan)
        cells = axes.pcolormesh(x, y, frequency.T, cmap="viridis_r", alpha=0.6, shading="nearest", rasterized=True)
        axes.figure.colorbar(cells, ax=axes, label="frequency of the leading growing mode (Hz)")
    else:
        _draw_classes(axes, x, y, np.asarray(classes), names)
    for line in found.boundaries:
        _draw_boundary(axes, line)
    axes.set(xlabel=x_name, ylabel=y_name, xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return axes


def _draw_classes(ax: Any, x: np.ndarray, y: np.ndarray, classes: np.ndarray, names: Sequence[str]) -> None:
    if classes.shape != (x.size, y.size) or classes.dtype.kind not in "iu":
        raise ValueError(f"`classes` has to be integers of shape {(x.size, y.size)}; got {classes.shape}.")
    if classes.max(initial=-1) >= len(names):
        raise ValueError(f"`names` has to name every class; got {len(names)} for class {classes.max()}.")
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    colours = ListedColormap([COLOURS[k % len(COLOURS)] for k in range(len(names))])
    shown = np.ma.masked_less(classes, 0)
    limits = {"vmin": -0.5, "vmax": len(names) - 0.5}
    ax.pcolormesh(x, y, shown.T, cmap=colours, alpha=0.4, shading="nearest", rasterized=True, **limits)
    handles = [Patch(color=colours(k), alpha=0.4, label=name) for k, name in enumerate(names)]
    ax.legend(handles=handles, fontsize="small", loc="upper left", framealpha=0.9)


def _draw_boundary(ax: Any, line: Boundary) -> None:
    style = ":" if line.saddle_node else "-" if line.highest else "--"
    ax.plot(*line.points.T, style, color="black", lw=1.6)
    if not line.saddle_node and len(line.points) > 2:
        middle = len(line.points) // 2
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
        text = f"{line.frequency[middle]:.0f} Hz"
        ax.text(*line.points[middle], text, fontsize="small", ha="center", va="center", bbox=box)


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
