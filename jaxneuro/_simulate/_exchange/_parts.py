"""What a solution holds, part by part: one record of one population each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np

from ..._numerics import is_concrete
from ...statistics import SpikeTrains
from ..record import States

if TYPE_CHECKING:
    from .._solution import Solution

_AXES = (("times", "time", "ms"), ("frequencies", "frequency", "Hz"), ("lags", "lag", "ms"))


@dataclass(frozen=True)
class Axis:
    """What the first dimension of a record runs over."""

    name: str
    unit: str
    values: np.ndarray


@dataclass(frozen=True)
class Part:
    """A record of one population, "" where there is one alone; `unit` is None where nobody tells it.

    `values` is an array, or `SpikeTrains`; with an axis its first dimension runs over that.
    """

    record: str
    population: str
    values: np.ndarray | SpikeTrains
    unit: str | None
    axis: Axis | None
    of_neurons: bool = True
    """Whether its last dimension, where it is the only one beside the axis, runs over neurons."""

    @property
    def name(self) -> str:
        """ "rate_E", or "rate" where there is one population."""
        return f"{self.record}_{self.population}" if self.population else self.record


def parts_of(sol: "Solution") -> list[Part]:
    """All parts; raises `ValueError` of a batch of solutions, or where they are traced."""
    if not is_concrete(sol.records, sol.result):
        raise ValueError("A solution is handed over outside of jit, vmap and grad: here its numbers are not known yet.")
    if np.ndim(sol.failed_step):
        raise ValueError(
            f"This is a batch of {np.shape(sol.failed_step)} solutions: take one, `jax.tree.map(lambda x: x[0], sol)`, "
            "or let `jn.sweep` label them all."
        )
    return [part for name in sol.records for part in _of_record(sol, name)]


def _of_record(sol: "Solution", name: str) -> Iterator[Part]:
    record, unit = sol.records[name], sol.units.get(name)
    for population, values in record.items() if isinstance(record, Mapping) else [("", record)]:
        if isinstance(values, SpikeTrains):
            yield Part(name, population, values, unit, None)
        elif isinstance(values, States):
            own = Axis("time", "ms", np.asarray(values.times))
            yield Part(name, population, np.asarray(values.as_array()), unit, own)
        else:
            axis = _axis(sol, name, population)
            for inner, array in _arrays(values):
                own = axis if axis is not None and array.ndim and len(array) == len(axis.values) else None
                label = "_".join([x for x in (population, inner) if x])
                yield Part(name, label, array, None if inner else unit, own, not inner)


def _axis(sol: "Solution", name: str, population: str) -> Axis | None:
    for attribute, label, unit in _AXES:
        found = getattr(sol, attribute).get(name)
        found = found.get(population) if isinstance(found, Mapping) else found
        if found is not None:
            return Axis(label, unit, np.asarray(found))
    return None


def _arrays(values: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Arrays by their names inside a record: "" of one that is an array itself."""
    if isinstance(values, Mapping | eqx.Module):
        for key, inner in (values if isinstance(values, Mapping) else vars(values)).items():
            yield from (("_".join([x for x in (str(key), below) if x]), array) for below, array in _arrays(inner))
    elif values is not None:
        yield "", np.asarray(values)
