"""A run and its mean field over each other."""

from typing import TYPE_CHECKING

import numpy as np

from .._simulate import Solution
from ..theory import MeanField
from ._common import RECORDERS, kind_colour, pyplot, style
from ._raster import draw_dots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def overlay(sol: Solution, mf: MeanField, *, most: int = 60) -> "Figure":
    """Draws a run and its mean field over each other: raster, population rate, rates and CVs.

    The run has to hold a `Rate` record named "rate" and a `CV` record named "cv"; records named
    "spikes" (`Spikes`) and "population_rate" (`PopulationRate`) are drawn where they are there.
    Lines are the mean field, everything else the run.

    **Arguments:** `sol`, a run of a network; `mf`, the mean field of the same network; `most`,
    neurons of each population in the raster.

    **Returns:** the figure.

    Raises `ValueError` where a record is missing or the two are of different networks.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
    >>> record = {"rate": jn.record.Rate(), "cv": jn.record.CV(), "spikes": jn.record.Spikes()}
    >>> sol = jn.simulate(net, 0.0, 60.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> figure = jn.plot.overlay(sol, jn.theory.mean_field(net))

    ```
    """
    for needed in ("rate", "cv"):
        if not isinstance(sol.records.get(needed), dict):
            raise ValueError(f"`sol` needs a record {needed!r} of a network, such as jn.record.{RECORDERS[needed]}.")
    names = [name for name in mf.mu if name in sol["rate"]]
    if not names:
        raise ValueError(f"`mf` is of the populations {', '.join(mf.mu)}, `sol` of {', '.join(sol['rate'])}.")
    panels = [key for key in ("spikes", "population_rate") if key in sol.records]
    with pyplot().rc_context(style()):
        return _drawn(sol, mf, names, panels, most)


def _drawn(sol: Solution, mf: MeanField, names: list[str], panels: list[str], most: int) -> "Figure":
    figure = pyplot().figure(figsize=(9, 3.0 + 1.9 * len(panels)), layout="constrained")
    rows = figure.subfigures(len(panels) + 1, 1, height_ratios=[1.9] * len(panels) + [3.0], squeeze=False)[:, 0]
    for key, row in zip(panels, rows, strict=False):
        draw = _draw_spikes if key == "spikes" else _draw_population_rate
        draw(sol, mf, names, row.subplots(), most)
    left, right = rows[-1].subplots(1, 2)
    _draw_distribution(left, sol, "rate", {n: mf.rate[n] for n in names}, "firing rate of a neuron (Hz)")
    _draw_distribution(right, sol, "cv", {n: mf.cv[n] for n in names}, "CV of interspike intervals")
    return figure


def _draw_spikes(sol: Solution, mf: MeanField, names: list[str], ax: "Axes", most: int) -> None:
    record = sol["spikes"]
    shown = {name: record[name] for name in names if name in record} if isinstance(record, dict) else {"": record}
    begin = 0
    for i, (name, trains) in enumerate(shown.items()):
        begin = draw_dots(ax, trains, most, begin, kind_colour(name, i))
    first = min(int(trains.first_step) * trains.dt for trains in shown.values())
    ax.set(ylabel=f"neuron, {' then '.join(shown)}", xlim=(first, sol.t1), ylim=(-0.5, begin - 0.5), xlabel="time (ms)")


def _draw_population_rate(sol: Solution, mf: MeanField, names: list[str], ax: "Axes", most: int) -> None:
    times = sol.times["population_rate"]
    for i, name in enumerate(names):
        drawn = sol["population_rate"][name]
        ax.plot(times, drawn, color=kind_colour(name, i), lw=0.6, alpha=0.7, label=f"{name}, simulated")
    for i, name in enumerate(names):
        width = 2.8 - 1.6 * i / max(1, len(names) - 1)
        ax.axhline(float(mf.rate[name]), color=kind_colour(name, i), lw=width, ls="--", label=f"{name}, mean field")
    ax.set(ylabel="population rate (Hz)", xlim=(sol.t0, sol.t1), xlabel="time (ms)", ylim=(0, None))
    ax.legend(loc="upper right", ncols=2, fontsize="small", framealpha=0.9)


def _draw_distribution(ax: "Axes", sol: Solution, record: str, theory: dict, label: str) -> None:
    values = {n: np.asarray(sol[record][n]) for n in theory}
    known = {n: v[~np.isnan(v)] for n, v in values.items()}
    largest = max((v.max(initial=0.0) for v in known.values()), default=1.0)
    top = max(largest, *(1.05 * float(v) for v in theory.values())) or 1.0
    bins = _bins(np.concatenate(list(known.values())), top)
    for i, (name, value) in enumerate(known.items()):
        if value.size:
            look = {"histtype": "stepfilled", "color": kind_colour(name, i), "alpha": 0.35, "label": name}
            ax.hist(value, bins=bins, density=True, **look)
    # Wide lines below narrow ones, so that equal values show all their colours.
    for i, (name, value) in enumerate(theory.items()):
        ax.axvline(float(value), color=kind_colour(name, i), lw=2.8 - 1.6 * i / max(1, len(theory) - 1), ls="--")
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
