"""A solution in a file of NWB."""

import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..._numerics import install, replacing
from ._over_time import Series, Trains, over_time

if TYPE_CHECKING:
    from .._solution import Solution

# What NWB measures in, and the factor to it. Its times are in seconds.
_SI = {"mV": ("volts", 1e-3), "ms": ("seconds", 1e-3), "Hz": ("hertz", 1.0), "pA": ("amperes", 1e-12)}
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


def write_nwb(sol: "Solution", path: str | os.PathLike, session_start: datetime | None) -> None:
    """Writes the file, whole or not at all."""
    try:
        import pynwb
    except ImportError as error:
        raise ImportError(f"`to_nwb` needs pynwb: {install('exchange')} (there is no {error.name}).") from error
    if session_start is not None and (not isinstance(session_start, datetime) or session_start.tzinfo is None):
        raise ValueError(f"`session_start` has to be a `datetime` with a time zone; got {session_start!r}.")
    trains, series = over_time(sol, "to_nwb")
    made_of: Any = pynwb  # its classes are made when it is imported, so that a type checker sees none of them
    file = made_of.NWBFile("A run of jaxneuro", str(uuid.uuid4()), session_start or _NO_DATE)
    if trains:
        _add_trains(made_of, file, trains)
    for own in series:
        file.add_acquisition(_as_series(made_of, own))
    with replacing(path) as temporary, made_of.NWBHDF5IO(str(temporary), "w") as writer:
        writer.write(file)


def _add_trains(pynwb: Any, file: Any, all_trains: list[Trains]) -> None:
    """A row a neuron, also of those that never spiked."""
    file.units = pynwb.misc.Units(name="units", description="neurons of the run", resolution=all_trains[0].step / 1e3)
    columns = {
        "record": "the name of the record",
        "population": "the population of the neuron",
        "neuron": "its number in the population",
        "dt_ms": "the step of the run [ms]",
        "inside": "whether spikes are at times inside steps",
    }
    for name, about in columns.items():
        file.add_unit_column(name, about)
    for trains in all_trains:
        for neuron, times in enumerate(trains.times):
            file.add_unit(
                spike_times=times / 1e3, obs_intervals=[[trains.begin / 1e3, trains.end / 1e3]], record=trains.name,
                population=trains.population, neuron=neuron, dt_ms=trains.step, inside=trains.inside,
            )  # fmt: skip


def _as_series(pynwb: Any, series: Series) -> Any:
    unit, factor = _SI.get(series.unit, (series.unit, 1.0))
    return pynwb.TimeSeries(
        name=series.name, data=series.values, unit=unit, conversion=factor, starting_time=series.start / 1e3,
        rate=1e3 / series.step,
    )  # fmt: skip
