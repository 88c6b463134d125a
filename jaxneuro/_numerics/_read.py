"""What a user hands over, read with its meaning: numbers, marks, labels and indices, whatever holds them.

`np.asarray` drops a unit, a mask and a missing value without a word. Every argument therefore comes through here.
"""

import numbers
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool

# Where libraries of physical quantities keep the unit: quantities, pint, unyt and Neo; astropy; Brian.
_UNIT_ATTRIBUTES = ("units", "unit", "dim")
_NO_UNIT = {"", "1", "dimensionless", "none"}
_SIMPLE = {float, int, bool, complex, str, bytes, np.float64, np.float32, np.float16, np.int64, np.int32, np.bool_}


def read_array(value: Any, name: str | None) -> np.ndarray | Array:
    """`value` as a plain array of any dtype; an array of jax, also a traced one, stays what it is.

    Raises `ValueError`, naming the argument `name`, where a unit, a mask or a missing value would be lost, and where
    `value` is no array: a ragged list, a set, a generator, a sparse matrix.
    """
    if isinstance(value, jax.Array):
        return value
    if type(value) in _SIMPLE:
        return np.asarray(value)
    _refuse_unit(value, name)
    value = getattr(value, "magnitude", value)  # of a quantity without a unit
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.is_masked(value):
            raise ValueError(f"{_said(name)} has masked values; leave them out, for example with `.compressed()`.")
        return np.asarray(value.data)
    if isinstance(value, list | tuple):
        return _joined(value, name)
    try:
        known = np.asarray(value)
    except Exception:  # what a container raises that cannot be an array is its own affair
        raise _no_array(value, name) from None
    if known.dtype.kind != "O":
        return known
    if known.ndim == 0:
        if isinstance(value, numbers.Real):  # a fraction, an integer beyond 64 bits
            return np.asarray(_as_float(value, name))
        raise _no_array(value, name)
    return np.asarray(_joined(known.ravel().tolist(), name)).reshape(known.shape)


def read_numbers(value: Any, name: str | None) -> np.ndarray | Array:
    """`value` as an array of real numbers, floats or integers; true and false are none."""
    known = read_array(value, name)
    if is_real(known):
        return known
    if isinstance(known, np.ndarray) and known.dtype.kind == "O":  # integers beyond 64 bits
        return np.asarray([_as_float(x, name) for x in known.ravel()]).reshape(known.shape)
    got = f"an array of dtype {known.dtype}" if isinstance(value, jax.Array) else _shown(value)
    raise ValueError(f"{_said(name)} has to be a real number or an array of them; got {got}.")


def is_real(known: np.ndarray | Array) -> bool:
    """Whether an array is of floats or integers, not of true and false or of spans of time."""
    if isinstance(known, np.ndarray) and known.dtype.kind in "mMOb":
        return False
    return jnp.issubdtype(known.dtype, jnp.floating) or jnp.issubdtype(known.dtype, jnp.integer)


def read_marks(value: Any, name: str) -> np.ndarray | Bool[Array, "..."]:
    """`value` as an array of true and false."""
    known = read_array(value, name)
    if known.dtype != bool and known.size:
        raise ValueError(f"`{name}` has to hold true and false; got {_shown(value)}.")
    return known.astype(bool)


def read_labels(value: Any, name: str, meaning: Mapping[str, bool]) -> np.ndarray | Bool[Array, "..."]:
    """`value` as an array of true and false: as given, or labels by their `meaning`, in capitals or not."""
    known = read_array(value, name)
    if known.dtype.kind not in "US":
        return read_marks(known, name)
    lower = np.char.lower(np.char.strip(known.astype(str)))
    wrong = ~np.isin(lower, list(meaning))
    if wrong.any():
        row = int(np.argmax(wrong.ravel()))
        allowed = ", ".join(sorted(meaning))
        raise ValueError(f"`{name}` has the label {str(known.ravel()[row])!r} at {row}; a label is one of {allowed}.")
    return np.isin(lower, [label for label, true in meaning.items() if true])


def read_indices(value: Any, name: str) -> tuple[np.ndarray, int | None]:
    """`value` as whole numbers, (m,), and of a mask, whose true places they are, its length (otherwise None)."""
    given = read_array(value, name)
    if isinstance(given, Tracer):
        raise ValueError(f"`{name}` decides the program and cannot be traced: give known indices.")
    known = np.asarray(given)
    if known.dtype == bool and known.ndim == 1:
        return np.nonzero(known)[0], known.size
    if known.size == 0 and known.ndim <= 1:
        return known.astype(int).ravel(), None
    if known.dtype.kind not in "iu" or known.ndim > 1:
        raise ValueError(f"`{name}` has to hold whole numbers, or true and false for each; got {_shown(value)}.")
    return np.atleast_1d(known).astype(int), None


def _refuse_unit(value: Any, name: str | None) -> None:
    if isinstance(value, np.generic | datetime | timedelta) or type(value) in (np.ndarray, list, tuple):
        return
    attributes = getattr(value, "attrs", None)
    if isinstance(attributes, Mapping):  # tables: their own attributes may be names of columns
        unit = attributes.get("units", attributes.get("unit"))
        held = getattr(value, "data", None) if getattr(value, "dims", None) is not None else None
        unit = getattr(held, "units", None) if unit is None else unit
        unit = getattr(getattr(value, "dtype", None), "units", None) if unit is None else unit
    else:
        found = (getattr(value, attribute, None) for attribute in _UNIT_ATTRIBUTES)
        unit = next((x for x in found if x is not None and not callable(x)), None)
    unit = "" if unit is None else str(unit).strip().removeprefix("1.0 ").removeprefix("1 ")
    if unit.lower() not in _NO_UNIT:
        raise ValueError(
            f"{_said(name)} has the unit {unit}; plain numbers are taken, in the unit that the documentation names: "
            "convert it and give the magnitude."
        )


def _joined(values: list | tuple, name: str | None) -> np.ndarray | Array:
    """A list as an array, each of its elements read like an argument."""
    if all(type(x) in _SIMPLE for x in values):
        kinds = {np.dtype(kind).kind for kind in set(map(type, values))}
    else:
        values = [_element(x, i, name) for i, x in enumerate(values)]
        if any(isinstance(x, Tracer) for x in values):
            return _stacked([read_numbers(x, name) for x in values], name)
        kinds = {np.asarray(x).dtype.kind for x in values}
    if kinds & set("US") and "f" in kinds:  # a column of labels holds NaN where one is missing
        values = [_element(None if x != x else x, i, name) for i, x in enumerate(values)]
    if len(kinds) > 1 and kinds & set("USb"):  # numpy would write numbers as text, and true as 1
        raise _no_array(values, name)
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{_said(name)} is ragged: its rows are not as long as each other.") from None


def _stacked(values: list, name: str | None) -> Array:
    if len({x.shape for x in values}) > 1:
        raise ValueError(f"{_said(name)} is ragged: its rows are not as long as each other.")
    return jnp.stack([jnp.asarray(x, jnp.result_type(float)) for x in values])


def _element(value: Any, index: int, name: str | None) -> Any:
    if value is None or type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        raise ValueError(f"{_said(name)} has a missing value at {index}; leave it out.")
    return read_array(value, name)


def _as_float(value: Any, name: str | None) -> float:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"{_said(name)} has to be a real number that a float holds; got {_shown(value)}.") from None


def _no_array(value: Any, name: str | None) -> ValueError:
    return ValueError(f"{_said(name)} has to be a real number or an array of them; got {_shown(value)}.")


def _said(name: str | None) -> str:
    return "A parameter" if name is None else f"`{name}`"


def _shown(value: Any) -> str:
    """A value as a message shows it: in one line, and not all of a long one."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else f"{text[:100]} ... ({type(value).__name__})"
