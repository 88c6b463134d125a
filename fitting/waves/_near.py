"""Neurons that are near: how their potentials and their spikes go together, and how slowly rates fluctuate."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

import jaxneuro as jn

DISTANCE = 4.0
# Bins [ms] in which spikes are counted for correlations, and windows [ms] of Fano factors.
BINS = (2.0, 10.0, 50.0)
WINDOWS = (2.0, 10.0, 50.0, 100.0, 250.0, 500.0)
# Potentials of the pair are kept each 0.25 ms.
EVERY = 5


@dataclass(frozen=True)
class Near:
    """Of neurons E at `DISTANCE`: correlations of V and of counts {bin: value}; Fano factors {window: value}; one pair.

    `time` [ms] and `v` [mV], (time, 2), are of two such neurons that fire.
    """

    of_v: float
    of_counts: dict[float, float]
    fano: dict[float, float]
    time: Float[np.ndarray, "time"]
    v: Float[np.ndarray, "time 2"]


def near(net: jn.Network, state: Any, begin: float, duration: float, side: int, *, dt: float, seed: int) -> Near:
    """Goes on with a run of the sheet, for `duration` [ms] at least 1000."""
    first = side * (side // 2) + side // 4
    record: dict[str, Any] = {
        "v": jn.record.PairCorrelation("E.v", width=1.0, distances=[DISTANCE], start=begin),
        "pair": jn.record.Trace("E.v", neurons=[first, first + round(DISTANCE)], every=EVERY, start=begin),
    }
    for width in BINS:
        record[f"counts {width:g}"] = jn.record.PairCorrelation("E", width=width, distances=[DISTANCE], start=begin)
    for width in WINDOWS:
        record[f"fano {width:g}"] = jn.record.Fano("E", window=width, start=begin)
    sol = jn.simulate(net, begin, begin + duration, dt=dt, key=jax.random.key(seed), state=state, record=record)
    v = np.asarray(sol["pair"])
    return Near(
        float(sol["v"]["E.v"][0]),
        {width: float(sol[f"counts {width:g}"]["E"][0]) for width in BINS},
        {width: float(np.nanmean(sol[f"fano {width:g}"]["E"])) for width in WINDOWS},
        np.arange(1, len(v) + 1) * EVERY * dt,
        v,
    )


def report_near(found: Near) -> str:
    """Three lines."""
    counts = ", ".join(f"{value:.3f} in {width:g} ms" for width, value in found.of_counts.items())
    fano = ", ".join(f"{value:.2f} in {width:g} ms" for width, value in found.fano.items())
    return (
        f"neurons {DISTANCE:g} sites apart, one run: correlation of V {found.of_v:.3f}, of spike counts {counts}\n"
        f"Fano factor of E, one run: {fano}"
    )
