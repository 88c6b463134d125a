"""What `run` returns: names, numbers and arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._numerics import Result, told
from ._grid import Grid

_ITEM = type(Result.successful)  # of any `eqx.Enumeration`; Equinox has no public name for it


@dataclass(frozen=True)
class Output:
    """One variable of the result: what one run gives of it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: dict[str, Any]


def read_outputs(returned: Any) -> tuple[list[Output], list[Array]]:
    """The variables in what `run` returned, and their values; raises `ValueError`."""
    if not isinstance(returned, Mapping) or not returned:
        raise ValueError(
            f"`run` has to return a dict of at least one {{name: number or array}}; got {type(returned).__name__}."
        )
    outputs, values = [], []
    for name, value in returned.items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"`run` has to name what it returns with strings; got {told(name)}.")
        array = _as_array(name, value)
        outputs.append(Output(name, array.shape, np.dtype(array.dtype), _attributes(value)))
        values.append(array)
    return outputs, values


def _as_array(name: str, value: Any) -> Array:
    """A value as an array of a type that numpy and zarr know."""
    if isinstance(value, _ITEM):
        value = value._value  # type: ignore[attr-defined]
    if not isinstance(value, jax.Array | np.ndarray | np.generic | bool | int | float):
        raise ValueError(
            f"`run` returned {name!r} as {type(value).__name__}; it has to be a number, an array of numbers or a "
            "result code: give every part of a dict or a tuple a name of its own."
        )
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "biuf":
        raise ValueError(f"`run` returned {name!r} of dtype {value.dtype}; it has to be bool, integer or float.")
    array = jnp.asarray(value)
    if not any(jnp.issubdtype(array.dtype, kind) for kind in (jnp.bool_, jnp.integer, jnp.floating)):
        raise ValueError(f"`run` returned {name!r} of dtype {array.dtype}; it has to be bool, integer or float.")
    if np.dtype(array.dtype).kind in "biuf":
        return array
    # bfloat16, int4 and the like, which only JAX knows
    return array.astype(jnp.float32 if jnp.issubdtype(array.dtype, jnp.floating) else jnp.int32)


def _attributes(value: Any) -> dict[str, Any]:
    """A result code says what its numbers mean, in the words of the CF conventions."""
    return code_attributes(value._enumeration) if isinstance(value, _ITEM) else {}  # type: ignore[attr-defined]


def code_attributes(enumeration: Any) -> dict[str, Any]:
    """The values and names of result codes."""
    items = enumeration._name_to_item
    return {"flag_values": [int(item._value) for item in items.values()], "flag_meanings": " ".join(items)}


def name_dims(outputs: list[Output], dims: Any, grid: Grid) -> dict[str, tuple[str, ...]]:
    """The names of each variable's own dimensions; raises `ValueError` where they do not fit."""
    given = {} if dims is None else dims
    if not isinstance(given, Mapping):
        raise ValueError(f"`dims` has to be a dict of {{name: names of its dimensions}}; got {told(given)}.")
    known = [output.name for output in outputs]
    for name in given:
        if name not in known:
            raise ValueError(f"`dims` names {name!r}, which `run` does not return; it returns {', '.join(known)}.")
    named, sizes = {}, {}
    for output in outputs:
        if output.name in grid.names:
            raise ValueError(f"`run` returned {output.name!r}, which is the name of an axis: give it another name.")
        own = _own_dims(output, given.get(output.name))
        for dim, size in zip(own, output.shape, strict=True):
            if dim in grid.names or dim in known:
                raise ValueError(f"`dims`: {dim!r} is already the name of an axis or a variable; give another.")
            if sizes.setdefault(dim, size) != size:
                raise ValueError(f"`dims`: {dim!r} has length {sizes[dim]} in one variable and {size} in another.")
        named[output.name] = own
    return named


def _own_dims(output: Output, given: Any) -> tuple[str, ...]:
    if given is None:
        return tuple(f"{output.name}_dim{i}" for i in range(len(output.shape)))
    n = len(output.shape)
    is_names = isinstance(given, tuple | list) and all(isinstance(dim, str) and dim for dim in given)
    if not is_names or len(given) != n or len(set(given)) != n:
        raise ValueError(
            f"`dims[{output.name!r}]` has to be a tuple of {n} different names, one for each axis of shape "
            f"{output.shape}; got {told(given)}."
        )
    return tuple(given)
