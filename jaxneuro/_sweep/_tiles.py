"""The chunks of a store: boxes of neighbouring runs."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tiles:
    """Boxes of shape `tile` that cover the dimensions of a sweep; the last along each may be cut."""

    shape: tuple[int, ...]
    tile: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        counts = [math.ceil(n / t) for n, t in zip(self.shape, self.tile, strict=True)]
        return itertools.product(*(range(count) for count in counts))

    def region(self, tile: tuple[int, ...]) -> tuple[slice, ...]:
        """The places of a tile along each dimension."""
        sizes = zip(tile, self.tile, self.shape, strict=True)
        return tuple(slice(i * t, min((i + 1) * t, n)) for i, t, n in sizes)

    def runs(self, tile: tuple[int, ...]) -> np.ndarray:
        """The numbers of its runs, in their order."""
        places = np.meshgrid(*(np.arange(r.start, r.stop) for r in self.region(tile)), indexing="ij")
        return np.ravel_multi_index([place.ravel() for place in places], self.shape)

    def of(self, runs: np.ndarray) -> set[tuple[int, ...]]:
        """The tiles that the runs lie in."""
        places = np.stack(np.unravel_index(runs, self.shape)) // np.asarray(self.tile)[:, None]
        return {tuple(int(i) for i in column) for column in places.T}


def tile_of(shape: tuple[int, ...], n_runs: int) -> tuple[int, ...]:
    """The shape of a tile of about `n_runs` runs: whole along the last dimensions, single along the first."""
    tile, left = [], max(1, n_runs)
    for size in reversed(shape):
        tile.append(min(size, left))
        left = max(1, left // size)
    return tuple(reversed(tile))
