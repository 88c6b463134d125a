"""The points of a sweep: labelled axes, wirings and seeds, as an outer product."""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import MOST, told
from ._axes import Axis, Dimension, read_dimensions

SEED = "seed"
WIRING = "wiring"


@dataclass(frozen=True, eq=False)
class Grid:
    """All runs of a sweep in C order of its dimensions, the seed last where there is one."""

    dimensions: tuple[Dimension, ...]
    has_seeds: bool

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(dimension.size for dimension in self.dimensions)

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return math.prod(self.shape)

    @property
    def axes(self) -> dict[str, tuple[int, Axis]]:
        """Each name that a point has, with the number of its dimension."""
        found = [(d, axis) for d, dimension in enumerate(self.dimensions) for axis in dimension.axes]
        return {axis.name: (d, axis) for d, axis in found if not (self.has_seeds and axis.name == SEED)}

    @property
    def coordinates(self) -> dict[str, tuple[str, np.ndarray]]:
        """Each name with its dimension and the values along it."""
        return {axis.name: (d.name, axis.labels) for d in self.dimensions for axis in d.axes}

    @property
    def names(self) -> tuple[str, ...]:
        """What is taken: dimensions and coordinates."""
        return tuple(dict.fromkeys((*self.dims, *self.coordinates)))

    def columns(self, runs: np.ndarray) -> list[np.ndarray]:
        """For the runs of the given numbers the value on each axis of numbers, and last the seed."""
        places = np.unravel_index(runs, self.shape)
        values = [axis.labels[places[d]] for d, axis in self.axes.values() if axis.objects is None]
        seed = places[-1] if self.has_seeds else np.zeros(np.shape(runs))
        return [*values, np.asarray(seed).astype(np.uint32)]

    def objects(self, run: int) -> dict[str, Any]:
        """What is not traced at the point of a run, by name."""
        places = np.unravel_index(run, self.shape)
        return {n: axis.objects[places[d]] for n, (d, axis) in self.axes.items() if axis.objects is not None}

    def structures(self) -> np.ndarray:
        """For every run the number of its combination of objects: those of one number share a trace."""
        lengths = [d.size if any(axis.objects is not None for axis in d.axes) else 1 for d in self.dimensions]
        places = np.indices(self.shape).reshape(len(self.shape), -1)
        own = [place if length > 1 else 0 * place for place, length in zip(places, lengths, strict=True)]
        return np.ravel_multi_index(own, lengths)

    def describe(self, run: int) -> str:
        """Where a run stands, such as "g = 3.1, seed = 2"."""
        places = dict(zip(self.dims, np.unravel_index(run, self.shape), strict=True))
        values = {name: labels[places[dim]] for name, (dim, labels) in self.coordinates.items()}
        return ", ".join(f"{name} = {x if isinstance(x, str) else format(x, 'g')}" for name, x in values.items())


def make_grid(over: Any, seeds: Any, wirings: Any = None) -> Grid:
    """Checks the axes, the wirings and the number of seeds; raises `ValueError`."""
    if seeds is not None and (isinstance(seeds, bool) or not isinstance(seeds, numbers.Integral) or seeds < 1):
        raise ValueError(
            f"`seeds` has to be a whole number of at least 1, or None for no dimension; got {told(seeds)}."
        )
    parts = over if isinstance(over, list | tuple) and over else [over]
    dimensions = [dimension for part in parts for dimension in read_dimensions(part)]
    if wirings is not None:
        dimensions.append(Dimension(WIRING, (_wirings(wirings),)))
    if seeds is not None and any(SEED in (d.name, *(axis.name for axis in d.axes)) for d in dimensions):
        raise ValueError("`over` names an axis 'seed', which `seeds` makes: rename it, or leave out `seeds`.")
    _check_names(dimensions)
    n_runs = math.prod(d.size for d in dimensions) * (1 if seeds is None else int(seeds))
    if n_runs > MOST:
        raise ValueError(f"`over` and `seeds` make {n_runs:,} runs, more than the {MOST:,} that are numbered.")
    if seeds is not None:
        dimensions.append(Dimension(SEED, (Axis(SEED, np.arange(int(seeds))),)))
    return Grid(tuple(dimensions), seeds is not None)


def _wirings(given: Any) -> Axis:
    """The wirings by label, or by their place in a list."""
    if isinstance(given, Mapping) and given and all(isinstance(label, str) and label for label in given):
        return Axis(WIRING, np.asarray(list(given)), tuple(given.values()))
    if isinstance(given, Sequence) and not isinstance(given, str) and len(given) > 0:
        return Axis(WIRING, np.arange(len(given)), tuple(given))
    raise ValueError(f"`wirings` has to be a list of at least one, or a dict of {{label: wiring}}; got {told(given)}.")


def _check_names(dimensions: list[Dimension]) -> None:
    """Every name once: of a dimension, and of a coordinate beside it."""
    seen: set[str] = set()
    for dimension in dimensions:
        names = {dimension.name, *(axis.name for axis in dimension.axes)}
        twice = sorted(seen & names)
        if twice:
            raise ValueError(
                f"`over` has {twice[0]!r} twice: give every axis a name of its own, and `Paired`, `RandomPoints` and "
                "`SobolPoints` a `dim` of their own where there are several."
            )
        if len(dimension.axes) > 1 and dimension.name in {axis.name for axis in dimension.axes}:
            raise ValueError(f"`over` has {dimension.name!r} for a dimension and an axis in it: rename one of the two.")
        seen |= names
