"""A solution as long tables."""

from typing import TYPE_CHECKING

import numpy as np

from ..._numerics import install
from ...statistics import SpikeTrains
from ._parts import Part, parts_of

if TYPE_CHECKING:
    import pandas

    from .._solution import Solution


def as_pandas(sol: "Solution") -> "dict[str, pandas.DataFrame]":
    """One table for each record, a row a value."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"`to_pandas` needs pandas: {install('exchange')} (there is no {error.name}).") from error

    rows: dict[str, list[pandas.DataFrame]] = {}
    units: dict[str, dict[str, str]] = {}
    for part in parts_of(sol):
        columns, own = _columns(part)
        rows.setdefault(part.record, []).append(pandas.DataFrame(columns))
        units.setdefault(part.record, {}).update(own)
    tables = {}
    for name, frames in rows.items():
        tables[name] = pandas.concat(frames, ignore_index=True)
        tables[name].attrs["column_units"] = units[name]
    return tables


def _columns(part: Part) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The columns of a part, and the units of those that have one."""
    if isinstance(part.values, SpikeTrains):
        times = part.values.times
        neuron = np.repeat(np.arange(len(times)), [len(own) for own in times])
        return _named(part, {"neuron": neuron, "time": np.concatenate(times)}), {"time": "ms"}
    values = np.asarray(part.values)
    places = np.indices(values.shape).reshape(values.ndim, values.size)
    columns, units = {}, {} if part.unit is None else {part.record: part.unit}
    if part.axis is not None:
        columns[part.axis.name] = part.axis.values[places[0]]
        units[part.axis.name], places = part.axis.unit, places[1:]
    names = ["neuron"] if len(places) == 1 and part.of_neurons else [f"dim{i}" for i in range(len(places))]
    columns |= dict(zip(names, places, strict=True))
    return _named(part, {**columns, part.record: values.ravel()}), units


def _named(part: Part, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns, after that of the population where it has a name."""
    n = len(next(iter(columns.values())))
    return {"population": np.full(n, part.population), **columns} if part.population else columns
