"""The points of a sweep: labelled axes and seeds, as an outer product."""

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._numerics import MOST, is_concrete, read_numbers

SEED = "seed"


@dataclass(frozen=True, eq=False)
class Grid:
    """All runs of a sweep in C order, the seed last. `seeds` is None where there is no such dimension."""

    axes: dict[str, np.ndarray]
    seeds: int | None

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return (*self.axes, SEED) if self.seeds is not None else tuple(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(len(values) for values in self.coordinates.values())

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return math.prod(self.shape)

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        """The values along each dimension."""
        seed = {} if self.seeds is None else {SEED: np.arange(self.seeds)}
        return {**self.axes, **seed}

    def columns(self, runs: np.ndarray) -> list[np.ndarray]:
        """For the runs of the given numbers the value on each axis, and last the seed."""
        places = np.unravel_index(runs, self.shape)
        values = [axis[place] for axis, place in zip(self.axes.values(), places, strict=False)]
        seed = np.zeros(runs.shape) if self.seeds is None else places[-1]
        return [*values, seed.astype(np.uint32)]

    def describe(self, run: int) -> str:
        """Where a run stands, such as "g = 3.1, seed = 2"."""
        places = np.unravel_index(run, self.shape)
        pairs = zip(self.coordinates.items(), places, strict=True)
        return ", ".join(f"{name} = {values[place]:g}" for (name, values), place in pairs)


def make_grid(over: Any, seeds: Any) -> Grid:
    """Checks the axes and the number of seeds; raises `ValueError`."""
    if not isinstance(over, Mapping) or not over:
        raise ValueError(f"`over` has to be a dict of at least one {{name: values}}; got {over!r}.")
    if seeds is not None and (isinstance(seeds, bool) or not isinstance(seeds, numbers.Integral) or seeds < 1):
        raise ValueError(f"`seeds` has to be a whole number of at least 1, or None for no dimension; got {seeds!r}.")
    for name in over:
        if not isinstance(name, str) or not name:
            raise ValueError(f"`over`: the name of an axis has to be a string; got {name!r}.")
        if name == SEED and seeds is not None:
            raise ValueError("`over` names an axis 'seed', which `seeds` makes: rename it, or leave out `seeds`.")
    axes = {name: _axis(name, values) for name, values in over.items()}
    grid = Grid(axes, None if seeds is None else int(seeds))
    n_runs = math.prod([values.size for values in axes.values()]) * (1 if seeds is None else int(seeds))
    if n_runs > MOST:
        raise ValueError(f"`over` and `seeds` make {n_runs:,} runs, more than the {MOST:,} that are numbered.")
    return grid


def _axis(name: str, values: Any) -> np.ndarray:
    """The values of an axis as the run will see them: in the default float or integer type."""
    wanted = f"`over[{name!r}]` has to be a 1-D array of numbers"
    if not is_concrete(values):
        raise ValueError(f"{wanted} known before the sweep: call `sweep` outside jit, vmap and grad.")
    given = np.asarray(read_numbers(values, f"over[{name!r}]"))
    if given.ndim != 1:
        raise ValueError(f"{wanted}; got shape {given.shape}.")
    if given.size == 0:
        raise ValueError(f"{wanted}; it is empty.")
    dtype = jnp.result_type(float if given.dtype.kind == "f" else int)
    if not np.all(np.isfinite(given)):
        raise ValueError(f"{wanted} that are finite; got {given[~np.isfinite(given)][0]}.")
    with np.errstate(over="ignore"):
        axis = given.astype(dtype)
    if not np.all(np.isfinite(axis)) or (given.dtype.kind != "f" and np.any(axis != given)):
        raise ValueError(f"{wanted} that {dtype} can hold; got values up to {given.max():g}.")
    distinct, counts = np.unique(axis, return_counts=True)
    if distinct.size < axis.size:
        raise ValueError(f"{wanted}, each once; {distinct[counts > 1][0]:g} comes twice. Use `seeds` to repeat a run.")
    return axis
