"""Lines on a grid: where a field changes sign between neighbours, joined into polylines."""

from collections.abc import Callable

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

# An edge of the grid: its first point (i, j), and 0 where it runs along the first axis, 1 along the second.
Edge = tuple[int, int, int]


class Edges(eqx.Module):
    """The edges that a line crosses, and the share of each edge at which it does."""

    first: Int[np.ndarray, "edges 2"]
    second: Int[np.ndarray, "edges 2"]
    share: Float[np.ndarray, "edges"]

    def interpolate(self, values: Float[np.ndarray, "nx ny"]) -> Float[np.ndarray, "edges"]:
        """`values` of a grid where the line crosses."""
        low, high = values[tuple(self.first.T)], values[tuple(self.second.T)]
        return low + self.share * (high - low)


def crossings(
    field: Float[np.ndarray, "nx ny"], allowed: Callable[[np.ndarray, np.ndarray], Bool[np.ndarray, "edges"]]
) -> Edges:
    """The edges on which `field` changes sign, by linear interpolation, where `allowed(first, second)`."""
    firsts, seconds = [], []
    for axis in (0, 1):
        i, j = np.nonzero(np.diff(field > 0, axis=axis))
        first = np.stack([i, j], 1)
        firsts.append(first)
        seconds.append(first + np.eye(2, dtype=first.dtype)[axis])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    kept = allowed(first, second)
    first, second = first[kept], second[kept]
    low, high = field[tuple(first.T)], field[tuple(second.T)]
    return Edges(first, second, low / (low - high))


def polylines(edges: Edges, shape: tuple[int, int]) -> list[Int[np.ndarray, "vertices"]]:
    """The crossings in the order of the lines through them: indices into `edges`, one array a line."""
    index = {
        (int(i), int(j), int(k - i == 0)): n
        for n, ((i, j), (k, _)) in enumerate(zip(edges.first, edges.second, strict=True))
    }
    neighbours: dict[int, list[int]] = {n: [] for n in index.values()}
    for i in range(shape[0] - 1):
        for j in range(shape[1] - 1):
            # The four edges of a cell in circular order: of four crossings, neighbours are joined.
            around: list[Edge] = [(i, j, 0), (i + 1, j, 1), (i, j + 1, 0), (i, j, 1)]
            crossed = [index[edge] for edge in around if edge in index]
            for a, b in zip(crossed[::2], crossed[1::2], strict=False):
                neighbours[a].append(b)
                neighbours[b].append(a)
    lines, left = [], set(neighbours)
    # From the ends first, then what is closed.
    for start in sorted(neighbours, key=lambda n: (len(neighbours[n]) != 1, n)):
        if start not in left or not neighbours[start]:
            continue
        line = [start]
        left.discard(start)
        while following := [n for n in neighbours[line[-1]] if n in left]:
            line.append(following[0])
            left.discard(following[0])
        if len(line) > 2 and line[0] in neighbours[line[-1]]:
            line.append(line[0])
        lines.append(np.array(line))
    return lines
