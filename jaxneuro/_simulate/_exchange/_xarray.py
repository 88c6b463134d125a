"""A solution as labelled arrays."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._numerics import install
from ...statistics import SpikeTrains
from ._parts import Part, parts_of

if TYPE_CHECKING:
    import xarray

    from .._solution import Solution


def as_xarray(sol: "Solution") -> "xarray.Dataset":
    """One variable for each record of each population."""
    try:
        import xarray
    except ImportError as error:
        raise ImportError(f"`to_xarray` needs xarray: {install('exchange')} (there is no {error.name}).") from error
    from .._solution import sentence

    variables, coordinates = {}, {}
    for part in parts_of(sol):
        add = _spikes if isinstance(part.values, SpikeTrains) else _array
        add(part, variables, coordinates)
    noted = {"t0_ms": sol.t0, "t1_ms": sol.t1, "dt_ms": sol.dt, "result": sentence(sol.result)}
    return xarray.Dataset(variables, coordinates, noted)


def _spikes(part: Part, variables: dict[str, Any], coordinates: dict[str, Any]) -> None:
    """Times over the spikes of all neurons, each with its neuron."""
    times = part.values.times  # type: ignore[union-attr]
    dim = f"spike_{part.name}"
    variables[part.name] = (dim, np.concatenate(times), {"units": "ms"})
    coordinates[f"neuron_{part.name}"] = (dim, np.repeat(np.arange(len(times)), [len(own) for own in times]))


def _array(part: Part, variables: dict[str, Any], coordinates: dict[str, Any]) -> None:
    values, dims = np.asarray(part.values), []
    if part.axis is not None:
        # All populations of a record share their times, and so their name.
        dim = f"{part.axis.name}_{part.record}"
        if dim in coordinates and len(coordinates[dim][1]) != len(part.axis.values):
            dim = f"{part.axis.name}_{part.name}"
        coordinates[dim] = (dim, part.axis.values, {"units": part.axis.unit})
        dims.append(dim)
    left = values.ndim - len(dims)
    if left == 1 and part.of_neurons:
        whose = part.population if part.axis is None else part.name
        dims.append(f"neuron_{whose}" if whose else "neuron")
    elif left:
        dims += [f"{part.name}_dim{i}" for i in range(left)]
    variables[part.name] = (tuple(dims), values, {} if part.unit is None else {"units": part.unit})
