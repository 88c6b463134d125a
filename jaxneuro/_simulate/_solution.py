"""What a run returns."""

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._numerics import Result, Shown, html_table, is_concrete
from ._exchange import as_neo, as_pandas, as_xarray, write_nwb
from .record import TimeAxis

if TYPE_CHECKING:
    import neo
    import pandas
    import xarray


class PopulationMean(eqx.Module):
    """A mean over the neurons that have a value, and how many they are."""

    value: float
    n: int
    of: int

    def __str__(self) -> str:
        return f"{self.value:.4g} (over {self.n:,} of {self.of:,} neurons)"


class Solution(Shown):
    """What a run returns: records by name, the state to go on from, and what became of it.

    `sol["rate"]` is the record of that name: {population: array} for a network, the array itself
    for a single population. `sol.counts["cv"]` holds the number of observations behind each value,
    `sol.times["v"]` the times [ms] of a record over time, `sol.frequencies` [Hz] and `sol.lags` [ms] what
    spectra and autocovariances run over. `sol.t1` and `sol.state` continue the run.
    `print(sol)` gives means over neurons and the number of neurons that each of them averages.
    """

    records: dict[str, Any]
    counts: dict[str, Any]
    frequencies: dict[str, Any]
    lags: dict[str, Any]
    axes: dict[str, TimeAxis]
    state: Any
    result: Result
    failed_step: Int[Array, ""]
    finite: Bool[Array, "populations"]
    t0: float = eqx.field(static=True)
    t1: float = eqx.field(static=True)
    dt: float = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    named_units: tuple[tuple[str, str], ...] = eqx.field(static=True, default=())

    def __getitem__(self, name: str) -> Any:
        if name not in self.records:
            raise KeyError(f"No record {name!r}; there are {', '.join(self.records) or 'none'}.")
        return self.records[name]

    @property
    def times(self) -> dict[str, Float[np.ndarray, "time"]]:
        """The times [ms] of each record over time, in double precision, also of a run in float32."""
        return {name: axis.times() for name, axis in self.axes.items()}

    @property
    def units(self) -> dict[str, str]:
        """The unit of each record that tells it: "Hz", "mV", "1" of pure numbers; of spikes that of their times."""
        return dict(self.named_units)

    def mean(self, name: str) -> Any:
        """The mean of a record over neurons, NaNs left out: {population: `PopulationMean`}.

        Raises `ValueError` for a record that has no one value a neuron, such as one over time or of spikes.
        """
        record = self[name]
        if self._over_more_than_neurons(name):
            raise ValueError(f"`{name}` is no record of neurons; a mean over neurons needs one value a neuron.")
        if isinstance(record, dict):
            return {population: _mean(values) for population, values in record.items()}
        return _mean(record)

    def to_xarray(self) -> "xarray.Dataset":
        """All records as labelled arrays, `rate_E` for the record "rate" of the population "E", with their units.

        Spikes are their times [ms], with the coordinate `neuron_...`. Raises `ValueError` of a batch of solutions.

        ```python
        >>> import jax, jaxneuro as jn
        >>> sol = jn.simulate(jn.Population(jn.Poisson(50.0), 3), 0.0, 100.0, dt=1.0, key=jax.random.key(0))
        >>> data = sol.to_xarray()
        >>> data["rate"].dims, data["rate"].attrs
        (('neuron',), {'units': 'Hz'})

        ```
        """
        return as_xarray(self)

    def to_pandas(self) -> "dict[str, pandas.DataFrame]":
        """A long table for each record, a row a value: population, neuron or time, value; units in
        `attrs["column_units"]`.

        Of spikes the columns are population, neuron and time [ms]. Raises `ValueError` of a batch of solutions.

        ```python
        >>> import jax, jaxneuro as jn
        >>> sources, record = jn.Population(jn.Poisson(50.0), 3), {"spikes": jn.record.Spikes()}
        >>> sol = jn.simulate(sources, 0.0, 100.0, dt=1.0, key=jax.random.key(0), record=record)
        >>> table = sol.to_pandas()["spikes"]
        >>> list(table.columns), len(table) == int(sol["spikes"].counts.sum())
        (['neuron', 'time'], True)

        ```
        """
        return as_pandas(self)

    def to_neo(self) -> "neo.Block":
        """Spikes and records over time as a `neo.Block` of one segment, with units; `jn.io.read_neo` goes back.

        Every neuron has a `SpikeTrain`, with its population and number as annotations; every record over time is an
        `AnalogSignal`. Other records, such as rates, have no place there: see `to_xarray`.

        Raises `ValueError` where there is neither, a record's unit is not known, or this is a batch of solutions;
        `ImportError` without Neo.
        """
        return as_neo(self)

    def to_nwb(self, path: str | os.PathLike, *, session_start: datetime | None = None) -> None:
        """Writes spikes and records over time to a file of Neurodata Without Borders; `jn.io.read_nwb` goes back.

        Spikes are its `units`, a row a neuron; records over time are series of its `acquisition`, with their units.

        **Arguments:** `path` of the file; `session_start`, a date with a time zone, which the format asks for: by
        default 1970, as a run has none.

        Raises as `to_neo`, and `ImportError` without pynwb.
        """
        write_nwb(self, path, session_start)

    def _over_more_than_neurons(self, name: str) -> bool:
        record = self.records[name]
        first = next(iter(record.values())) if isinstance(record, dict) else record
        return name in {**self.axes, **self.frequencies, **self.lags} or not eqx.is_array(first)

    def __str__(self) -> str:
        rows = [f"  {name} {population}".rstrip() + f": {text}" for name, population, text in self._rows()]
        return "\n".join([self._head(), *rows])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html_table(self._head(), ("record", "population", "mean over neurons"), self._rows())

    def _head(self) -> str:
        head = f"Run from {self.t0:g} to {self.t1:g} ms in steps of {self.dt:g} ms"
        return f"{head}: {sentence(self.result)}" if is_concrete(self.result, self.records) else head

    def _rows(self) -> list[tuple[str, str, str]]:
        """(record, population, what there is of it)."""
        if not is_concrete(self.result, self.records):
            return []
        return [
            (name, population, _describe(values, self._over_more_than_neurons(name)))
            for name, record in self.records.items()
            for population, values in (record.items() if isinstance(record, dict) else [("", record)])
        ]


def sentence(result: Result) -> str:
    """What a result code says."""
    if np.ndim(result._value):  # type: ignore[attr-defined]
        return "a batch of results."
    return Result[result]  # type: ignore[index]


def _mean(values: Array) -> PopulationMean:
    known = np.asarray(values)
    n = int(np.sum(~np.isnan(known)))
    return PopulationMean(float(np.nanmean(known)) if n else float("nan"), n, known.size)


def _describe(values: Any, over_axis: bool) -> str:
    if not eqx.is_array(values):
        return str(values)
    return f"array of shape {tuple(jnp.shape(values))}" if over_axis else str(_mean(values))
