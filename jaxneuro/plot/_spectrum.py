"""Power spectra of population rates."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .._numerics import told
from .._simulate import Solution
from ..statistics import PowerSpectrum
from ._common import LINES, axes_or_new, kind_colour, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def spectrum(
    found: Solution | PowerSpectrum | Mapping[str, PowerSpectrum], *, record: str = "spectrum", ax: "Axes | None" = None
) -> "Axes":
    """Draws the power spectrum of the rate of each population.

    Where a run also holds a `Rate` record named "rate", a thin line is the level of as many independent Poisson
    neurons, S = r/N: a peak about as high as that is noise and no oscillation. The lowest two frequencies, from which
    the mean of each segment is taken, are left out.

    **Arguments:** `found`, a run with a record of `jn.record.Spectrum` named `record`, or what
    `jn.statistics.power_spectrum` returns, one or {name: spectrum}; `ax`, where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` for what is no spectrum or of several runs, `ImportError` without matplotlib.

    ```python
    >>> import jax, jaxneuro as jn
    >>> trains = jn.statistics.poisson_trains(50.0, 0.0, 5_000.0, n=10, key=jax.random.key(0))
    >>> found = jn.statistics.power_spectrum(trains, width=1.0, segment=200.0, t0=0.0, t1=5_000.0)
    >>> jn.plot.spectrum(found).get_ylabel()
    'power of the rate (Hz)'

    ```
    """
    if isinstance(found, Solution):
        curves, levels = _of_a_run(found, record)
    else:
        several = named(found, "found", PowerSpectrum, "a run, or what `jn.statistics.power_spectrum` returns")
        curves = {name: (np.asarray(one.frequencies), np.asarray(one.density)) for name, one in several.items()}
        levels = {}
    axes = axes_or_new(ax)
    for index, (name, (frequencies, density)) in enumerate(curves.items()):
        if density.ndim != 1:
            raise ValueError(f"`found` holds spectra of shape {density.shape}; draw one run of the batch.")
        colour = kind_colour(name, index)
        axes.plot(frequencies[2:], density[2:], LINES[index % len(LINES)], color=colour, label=name or None)
        if name in levels:
            axes.axhline(levels[name], color=colour, lw=0.7, label=f"{name} if independent".strip())
    axes.set(xlabel="frequency (Hz)", ylabel="power of the rate (Hz)", yscale="log", xlim=(0.0, frequencies[-1]))
    if any(curves) or levels:
        axes.legend(frameon=False, fontsize="small")
    return axes


def _of_a_run(sol: Solution, record: str) -> tuple[dict, dict]:
    """{population: (frequencies, density)} and {population: level of independent neurons}."""
    if record not in sol.frequencies:
        raise ValueError(f"`record` has to name a record of `jn.record.Spectrum`; got {told(record)}.")
    frequencies, densities = np.asarray(sol.frequencies[record]), sol[record]
    several = densities if isinstance(densities, dict) else {"": densities}
    rates = sol.records.get("rate", {})
    rates = rates if isinstance(rates, dict) else {"": rates}
    levels = {name: float(np.mean(rates[name])) / np.shape(rates[name])[-1] for name in several if name in rates}
    return {name: (frequencies, np.asarray(values)) for name, values in several.items()}, levels
