"""What of a solution Neo and NWB have a place for: spikes, and records in equal steps of time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...statistics import SpikeTrains
from ._parts import Part, parts_of

if TYPE_CHECKING:
    from .._solution import Solution


@dataclass(frozen=True)
class Series:
    """A record over time: (time, neurons) from `start` [ms] on in steps of `step` [ms]."""

    name: str
    values: np.ndarray
    unit: str
    start: float
    step: float


@dataclass(frozen=True)
class Trains:
    """Spikes of one population, from `begin` to `end` [ms] in steps of `step` [ms]; `inside`: at times inside them."""

    name: str
    population: str
    times: list[np.ndarray]
    begin: float
    end: float
    step: float
    inside: bool


def over_time(sol: "Solution", call: str) -> tuple[list[Trains], list[Series]]:
    """All of these; raises `ValueError` where there is none, or a unit is not known."""
    trains, series = [], []
    for part in parts_of(sol):
        if isinstance(part.values, SpikeTrains):
            trains.append(_trains(part, part.values))
        elif part.axis is not None and part.axis.name == "time":
            series.append(_series(part, sol.dt, call))
    if not trains and not series:
        recorded = ", ".join(sol.records) or "nothing"
        raise ValueError(
            f"`{call}` is for spikes and records over time, and this run recorded {recorded}: record "
            "`jn.record.Spikes()` or `Trace`, or take `to_xarray`."
        )
    return trains, series


def _trains(part: Part, trains: SpikeTrains) -> Trains:
    first, n_steps = int(trains.first_step), trains.words.shape[0]
    own = (first * trains.dt, (first + n_steps) * trains.dt, trains.dt)
    return Trains(part.record, part.population, trains.times, *own, trains.shares is not None)


def _series(part: Part, dt: float, call: str) -> Series:
    if part.unit is None:
        raise ValueError(
            f"`{call}`: the unit of `{part.record}` is not known, and a file without one would be guessed at; a "
            "recorder tells it by `unit`, a model by `variable_units`."
        )
    times, values = part.axis.values, np.asarray(part.values)  # type: ignore[union-attr]
    step = float(f"{times[1] - times[0]:.9g}") if len(times) > 1 else dt
    # One column a neuron, what is not over neurons in one.
    return Series(part.name, values.reshape(len(times), -1), part.unit, float(times[0]), step)
