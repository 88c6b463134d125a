"""Recordings out of Neurodata Without Borders."""

import os
from typing import Any

import numpy as np

from .._numerics import as_path, check_dt, install
from ..statistics import SpikeTrains
from ._recording import Recording, Signal, decimal, in_our_unit, trains_of


def read_nwb(path: str | os.PathLike, *, dt: float | None = None) -> Recording:
    """Reads the spikes and the series of a file of Neurodata Without Borders, in ms, mV, Hz and pA.

    Its `units` are the neurons, by their column `population` where they have one, as `Solution.to_nwb` writes it, and
    else one population "units". Signals are the series of its acquisition and stimulus that have a rate.

    **Arguments:** `path` of the file; `dt`, the steps of spikes [ms], where the file does not have that of a run: a
    spike goes to the end of its step.

    **Returns:** a `results.Recording`: `spikes`, `signals` and `voltage_trace`.

    Raises `ValueError` where a series has no unit, a neuron two spikes in one step, or the file is no NWB; `OSError`
    where it cannot be opened; `ImportError` without pynwb.

    ```python
    >>> import os, tempfile, jax, jaxneuro as jn
    >>> path = os.path.join(tempfile.mkdtemp(), "run.nwb")
    >>> sources, record = jn.Population(jn.Poisson(50.0), 3), {"spikes": jn.record.Spikes()}
    >>> sol = jn.simulate(sources, 0.0, 100.0, dt=1.0, key=jax.random.key(0), record=record)
    >>> sol.to_nwb(path)
    >>> back = jn.io.read_nwb(path)
    >>> bool((back.spikes["spikes"].raster() == sol["spikes"].raster()).all())
    True

    ```
    """
    try:
        import pynwb
    except ImportError as error:
        raise ImportError(f"`read_nwb` needs pynwb: {install('exchange')} (there is no {error.name}).") from error
    dt, path = None if dt is None else check_dt(dt), as_path("path", path)
    if not path.is_file():
        raise FileNotFoundError(f"`path` {path} does not exist.")
    try:
        made_of: Any = pynwb  # its classes are made when it is imported
        with made_of.NWBHDF5IO(str(path), "r", load_namespaces=True) as reader:
            file = reader.read()
            return Recording({} if file.units is None else _spikes(file.units, dt), _signals(file))
    except (KeyError, OSError, TypeError) as error:
        raise ValueError(f"`path` {path} is no file of NWB that can be read: {error}.") from None


def _spikes(units: Any, dt: float | None) -> dict[str, SpikeTrains]:
    """{population: trains}, with the record in front where it is recorded twice."""
    columns = units.colnames

    def column(name: str, otherwise: Any) -> list[Any]:
        return list(units[name][:]) if name in columns else [otherwise] * len(units)

    groups: dict[tuple[str, str], list[int]] = {}
    for row, own in enumerate(zip(column("record", ""), column("population", ""), strict=True)):
        groups.setdefault((str(own[0]), str(own[1])), []).append(row)
    names = [population or record or "units" for record, population in groups]
    twice = len(set(names)) < len(names)
    neurons, steps, inside = column("neuron", 0), column("dt_ms", None), column("inside", False)
    found = {}
    for ((record, population), rows), name in zip(groups.items(), names, strict=True):
        rows.sort(key=lambda row: neurons[row])
        times = [1e3 * np.asarray(units["spike_times"][row], float) for row in rows]
        step = steps[rows[0]] if dt is None else dt
        begin, end = _ends(units, rows, times)
        label = f"{record}_{population}" if twice and record else name
        own = None if step is None else float(step)
        found[label] = trains_of(f"`path`: the units of {name!r}", times, begin, end, own, bool(inside[rows[0]]))
    return found


def _ends(units: Any, rows: list[int], times: list[np.ndarray]) -> tuple[float, float]:
    """When the neurons were observed [ms], or from 0 to their last spike."""
    if "obs_intervals" in units.colnames:
        held = [np.asarray(units["obs_intervals"][row]) for row in rows]
        return decimal(1e3 * min(own.min() for own in held)), decimal(1e3 * max(own.max() for own in held))
    return 0.0, decimal(max((own.max() for own in times if own.size), default=0.0))


def _signals(file: Any) -> dict[str, Signal]:
    """All series with a rate."""
    found = {}
    for name, series in {**file.acquisition, **file.stimulus}.items():
        if getattr(series, "rate", None) is None or getattr(series, "data", None) is None:
            continue
        data = np.asarray(series.data[:])
        values = data if not series.offset else data * series.conversion + series.offset
        factor = 1.0 if series.offset else series.conversion
        values, unit = in_our_unit(f"`path`: the series {name!r}", values, series.unit, factor)
        found[name] = Signal(values, unit, decimal(1e3 * series.starting_time), decimal(1e3 / series.rate))
    return found
