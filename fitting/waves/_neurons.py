"""A figure of neurons that are near each other, of slow fluctuations, and of excitation that leads a rhythm."""

from typing import Any

import numpy as np

from jaxneuro.plot import pyplot

from ..figures._style import BROWN, GREEN, E, I, letters, style
from ._gamma import Gamma
from ._near import DISTANCE, Near

SHOWN = 300.0


def draw_neurons(near: Near, gamma: Gamma) -> Any:
    """Five panels: a pair, its correlations, Fano factors; a gamma rhythm and its cross-correlation."""
    with style():
        figure = pyplot().figure(figsize=(8.7, 5.0), layout="constrained")
        axes = figure.subplot_mosaic([["pair", "pair", "correlation"], ["fano", "rates", "lag"]])
        pair, correlation, fano, rates, lag = axes.values()
        letters(list(axes.values()))
        _pair(pair, near)
        _correlations(correlation, near)
        fano.plot(list(near.fano), list(near.fano.values()), "o-", color="black", ms=4, label="sheet of waves")
        fano.axhline(1.0, color="0.6", lw=0.8, ls=":", label="Poisson")
        fano.set(xscale="log", xlabel="window (ms)", ylabel="Fano factor of E (1)", ylim=(0.0, None))
        fano.legend()
        _rhythm(rates, lag, gamma)
    return figure


def _pair(ax: Any, near: Near) -> None:
    shown = near.time <= near.time[0] + SHOWN
    for k, (colour, line) in enumerate(((GREEN, "-"), (BROWN, "--"))):
        ax.plot(near.time[shown], near.v[shown, k], color=colour, ls=line, lw=0.9, label=f"neuron {k + 1}")
    ax.set(xlabel="time (ms)", ylabel="$V$ (mV)", ylim=(-82.0, -50.0))
    ax.legend(loc="upper center", ncols=2)


def _correlations(ax: Any, near: Near) -> None:
    names = ["$V$", *(f"spikes,\n{width:g} ms" for width in near.of_counts)]
    heights = [near.of_v, *near.of_counts.values()]
    ax.bar(range(len(names)), heights, 0.6, color=["black", *["0.6"] * len(near.of_counts)])
    ax.set(ylabel=f"correlation {DISTANCE:g} sites apart (1)", ylim=(0.0, 1.0))
    ax.set_xticks(range(len(names)), names)


def _rhythm(rates: Any, lag: Any, gamma: Gamma) -> None:
    shown = gamma.time <= 0.5 * SHOWN
    # Smoothed over 1 ms, so that single spikes are no peaks.
    width = max(round(1.0 / float(gamma.time[1])), 1)
    for kind, colour in (("E", E), ("I", I)):
        smooth = np.convolve(gamma.rate[kind], np.ones(width) / width, mode="same")
        rates.plot(gamma.time[shown], smooth[shown], color=colour, lw=1.0, label=kind)
    rates.set(xlabel="time (ms)", ylabel="rate of the population (Hz)")
    rates.set_ylim(0.0, 1.2 * rates.get_ylim()[1])
    rates.legend(loc="upper right", ncols=2)
    lag.plot(gamma.lags, gamma.correlation, color="black")
    lag.axvline(0.0, color="0.7", lw=0.8, ls=":")
    lag.axvline(gamma.lag, color=I, lw=1.0, ls="--")
    lag.set_title(f"{gamma.lag:g} ms, rhythm of {gamma.frequency:.0f} Hz")
    lag.set(xlabel="I follows E by (ms)", ylabel="correlation of rates (1)")
