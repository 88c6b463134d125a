"""The sheet of Keane and Gong (2015), doi:10.1523/JNEUROSCI.1669-14.2015: what is measured of its waves."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

import jaxneuro as jn

from ._near import Near, near

DT = 0.05
WARM_UP, MEASURED = 500.0, 1_500.0
# How often potentials and conductances are looked at [steps].
EVERY = 20
LOOKED_AT = 225
# How long the last run goes on for neurons that are near [ms].
LONGER = 1_000.0
Frames = Float[np.ndarray, "frames side side"]
# {name: (number asked for, by how much a mean over seeds may differ, unit)}
ASKED = {
    "rate of E": (22.3, 0.12 * 22.3, "Hz"),
    "rate of I": (22.6, 0.12 * 22.6, "Hz"),
    "skewness of V": (1.79, 0.15, ""),
    "correlation of V at 4 sites": (0.51, 0.05, ""),
    "correlation of V at half a side": (0.0, 0.05, ""),
    "g_I follows g_E by": (3.0, 0.5, "ms"),
    "speed": (2.0, 0.15, "sites/ms"),
    "CV": (1.05, 0.12, ""),
}


@dataclass(frozen=True)
class Waves:
    """Measures by name, one a seed, and of the last run where spikes were: (frames, side, side), 0.5 ms each.

    `near` tells of neurons that are near in that run, gone on with.
    """

    side: int
    measures: dict[str, Float[np.ndarray, "seeds"]]
    frames: Frames
    near: Near


def waves(seeds: int = 5, side: int = 150, measured: float = MEASURED) -> Waves:
    """Runs the sheet from `seeds` starts: 500 ms, and then as many as are measured."""
    if seeds < 1 or not 100.0 <= measured < np.inf:
        raise ValueError(f"`seeds` has to be at least 1 and `measured` at least 100 ms; got {seeds} and {measured:g}.")
    net = jn.networks.keane_gong(side=side)
    start, sites = WARM_UP, range(0, side * side, max(side * side // LOOKED_AT, 1))
    some: Any = dict(each=True, neurons=list(sites))
    record = {
        "rate": jn.record.Rate(start=start),
        "cv": jn.record.CV(start=start),
        "skewness": jn.record.VoltageSkewness("E", start=start),
        "near": jn.record.PairCorrelation("E.v", width=EVERY * DT, distances=[4.0, float(side // 2)], start=start),
        "lag": jn.record.Lag(
            "E.input.conductance.E", "E.input.conductance.I", max_lag=12.0, every=EVERY, start=start, **some
        ),
        "speed": jn.record.WaveSpeed("E", distances=(2.0, 12.0), max_lag=12.0, start=start),
    }
    found: dict[str, list[float]] = {name: [] for name in ASKED}
    state, end, last = None, start + measured, seeds - 1
    for seed in range(seeds):
        sol = jn.simulate(net, 0.0, end, dt=DT, key=jax.random.key(seed), record=record)
        state = sol.state
        for name, value in _measures(sol).items():
            found[name].append(value)
    frames = _frames(net, state, end, last, side)
    more = near(net, state, end, LONGER, side, dt=DT, seed=last)
    return Waves(side, {name: np.array(values) for name, values in found.items()}, frames, more)


def _measures(sol: jn.Solution) -> dict[str, float]:
    near = np.asarray(sol["near"]["E.v"])
    return {
        "rate of E": float(np.mean(sol["rate"]["E"])),
        "rate of I": float(np.mean(sol["rate"]["I"])),
        "skewness of V": float(sol["skewness"]["E"]),
        "correlation of V at 4 sites": float(near[0]),
        "correlation of V at half a side": float(near[1]),
        "g_I follows g_E by": float(np.nanmedian(sol["lag"])),
        "speed": float(sol["speed"]),
        "CV": float(np.nanmean(sol["cv"]["E"])),
    }


def _frames(net: jn.Network, state: object, begin: float, seed: int, side: int) -> Frames:
    """Spikes of 60 ms more, in bins of 0.5 ms."""
    record = {"spikes": jn.record.Raster("E")}
    sol = jn.simulate(net, begin, begin + 60.0, dt=DT, key=jax.random.key(seed), state=state, record=record)
    return np.asarray(sol["spikes"], float).reshape(-1, round(0.5 / DT), side, side).sum(axis=1)


def rhythm(
    inhibition: float, seeds: int = 1, side: int = 100, measured: float = 1_000.0
) -> Float[np.ndarray, "seeds 2"]:
    """Rate [Hz] and CV of E with another strength of inhibition, one row a seed."""
    net, found = jn.networks.keane_gong(side=side, inhibition=inhibition), []
    record = {"rate": jn.record.Rate(start=WARM_UP), "cv": jn.record.CV(start=WARM_UP)}
    for seed in range(seeds):
        sol = jn.simulate(net, 0.0, WARM_UP + measured, dt=DT, key=jax.random.key(seed), record=record)
        found.append((float(np.mean(sol["rate"]["E"])), float(np.nanmean(sol["cv"]["E"]))))
    return np.array(found)


def report_waves(found: Waves) -> str:
    """A table of the measures beside what was asked for."""
    seeds = len(found.measures["speed"])
    lines = [f"sheet of side {found.side}, means over {seeds} seeds (standard error)"]
    for name, values in found.measures.items():
        asked, margin, unit = ASKED[name]
        error = f" ({values.std(ddof=1) / np.sqrt(seeds):.3f})" if seeds > 1 else ""
        told = f"below {margin:g}" if asked == 0.0 else f"{asked:g} +- {margin:.3g}"
        met = abs(values.mean()) < margin if asked == 0.0 else abs(values.mean() - asked) <= margin
        lines.append(f"  {name:32s} {values.mean():7.3f}{error:9s} {unit:9s} asked {told}{'' if met else '   MISSED'}")
    return "\n".join(lines)
