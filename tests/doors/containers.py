"""The same values in every container that a user may have them in, and what each loses if it is not asked."""

from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pint
import quantities as pq
import xarray as xr

UNITS = pint.UnitRegistry()


def same_numbers(values: list[float]) -> dict[str, Any]:
    """Whole numbers, exact in every dtype, in all containers that keep them: each has to give the same result."""
    kinds = {
        "list": values,
        "tuple": tuple(values),
        "list of int": [int(v) for v in values],
        "list of numpy scalars": [np.float32(v) for v in values],
        "list of 0-d arrays": [np.asarray(v) for v in values],
        "list of jax scalars": [jnp.asarray(v) for v in values],
        "list of fractions": [Fraction(int(v)) for v in values],
        "object array": np.array([int(v) for v in values], dtype=object),
        "unmasked": np.ma.array(values),
        "mask without a true": np.ma.array(values, mask=[False] * len(values)),
        "int32": np.array(values, np.int32),
        "int64": np.array(values, np.int64),
        "uint8": np.array(values, np.uint8),
        "longdouble": np.array(values, np.longdouble),
        "read only": np.frombuffer(np.array(values).tobytes()),
        "strided": np.repeat(np.array(values), 2)[::2],
        "jax": jnp.asarray(values),
        "jax int": jnp.asarray(values, jnp.int32),
        "pandas": pd.Series(values),
        "pandas float32": pd.Series(values, dtype="float32"),
        "pandas Int64": pd.Series(values, dtype="Int64"),
        "pandas Float64": pd.Series(values, dtype="Float64"),
        "pandas object": pd.Series(values, dtype=object),
        "pandas index": pd.Index(values),
        "xarray": xr.DataArray(values),
        "xarray without unit": xr.DataArray(values, attrs={"units": "1"}),
        "dimensionless (quantities)": values * pq.dimensionless,
        "dimensionless (pint)": UNITS.Quantity(np.array(values)),
    }
    floats = {f"float{bits}": np.array(values, f"float{bits}") for bits in (16, 32, 64)}
    return kinds | floats


def same_number(value: float) -> dict[str, Any]:
    """One whole number in every form of a scalar."""
    return {
        "float": value,
        "int": int(value),
        "fraction": Fraction(int(value)),
        "float16": np.float16(value),
        "float32": np.float32(value),
        "float64": np.float64(value),
        "int8": np.int8(value),
        "0-d": np.array(value),
        "0-d int": np.array(int(value)),
        "0-d unmasked": np.ma.array(value),
        "jax": jnp.asarray(value),
        "jax int": jnp.asarray(int(value)),
        "xarray": xr.DataArray(value),
        "dimensionless (quantities)": value * pq.dimensionless,
        "dimensionless (pint)": UNITS.Quantity(value),
    }


def lossy(values: list[float]) -> dict[str, Any]:
    """What plain numbers would not say: a unit, a mask, a missing value, a date, or no number at all."""
    masked = np.ma.array(values, mask=[True] + [False] * (len(values) - 1))
    return {
        "quantities": values * pq.s,
        "list of quantities": [v * pq.s for v in values],
        "pint": np.array(values) * UNITS.second,
        "list of pint": [v * UNITS.second for v in values],
        "xarray with unit": xr.DataArray(values, attrs={"units": "s"}),
        "xarray of pint": xr.DataArray(np.array(values) * UNITS.second),
        "pandas with unit": _with_unit(pd.Series(values)),
        "masked": masked,
        "list of masked": [masked, masked],
        "masked constant": [np.ma.masked, *values[1:]],
        "missing": [None, *values[1:]],
        "pandas missing": pd.Series([pd.NA, *values[1:]], dtype=object),
        "datetime": pd.Series(pd.to_datetime(values)),
        "timedelta": pd.Series(pd.to_timedelta(values)),
        "numpy timedelta": np.array(values, int).astype("m8[ms]"),
        "complex": np.array(values) + 1j,
        "jax complex": jnp.asarray(np.array(values) + 1j),
        "bool": [True] * len(values),
        "jax bool": jnp.ones(len(values), bool),
        "mixed with bool": [True, *values[1:]],
        "text": [str(v) for v in values],
        "mixed with text": ["2", *values[1:]],
        "bytes": [str(v).encode() for v in values],
        "structured": np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        "ragged": [values, values[1:]],
        "set": set(values),
        "dict": dict.fromkeys(values, 1.0),
        "generator": (v for v in values),
        "object": object(),
        "too large": [10**400] * len(values),
    }


def _with_unit(series: pd.Series) -> pd.Series:
    series.attrs["units"] = "s"
    return series
