"""Lines between the regimes of a network over two parameters: where a mode starts to grow, where states come and go."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from .._numerics import Shown
from ._contours import Edges, crossings, polylines
from ._phase_atlas import Atlas, StatesOfPlane

_BISECTIONS = 10
# Where along an edge of the grid a mode starts to grow is found to 1/64 of the edge: six halvings.
_BISECTIONS_OF_GROWTH = 6
# Two neighbouring points of the grid with different numbers of states: where also their rates differ by more than this
# factor, the two rates belong to different states, and no line is drawn between them.
_JUMP = 2.0
# Below this rate [Hz] a state counts as silent. Its rate may fall tenfold from point to point: the grid is not refined.
_SILENT = 0.1
# Where the search found no mode, all modes decay faster than the window of the search reaches: at least so fast [1/s].
_FAST_DECAY = -300.0


class Boundary(Shown):
    """A line between two regimes, as a polyline in the units of the axes.

    `frequency` [Hz] is that of the mode that starts to grow there, 0 for an instability of the rate
    and NaN where two states meet and end (`saddle_node`). `highest` tells whether the line belongs
    to the state of highest rate or, where there are several, to the lowest.
    """

    points: Float[np.ndarray, "vertices 2"]
    frequency: Float[np.ndarray, "vertices"]
    saddle_node: bool
    highest: bool


def refined(atlas: Atlas, axes: dict[str, np.ndarray], rounds: int) -> dict[str, np.ndarray]:
    """The axes with intervals halved where the highest state changes fast or states come and go, `rounds` times."""
    for _ in range(rounds):
        seen = atlas.grid(axes)
        rate = seen.of(next(iter(seen.rate.values())), highest=True)
        halved = {}
        for k, (name, values) in enumerate(axes.items()):
            (n, m), (r, s) = ((np.delete(v, -1, k), np.delete(v, 0, k)) for v in (seen.n_states, rate))
            fast = (np.maximum(r, s) > _JUMP * np.minimum(r, s)) | (n != m)
            wanted = np.any(fast & (np.maximum(r, s) > _SILENT), axis=1 - k)
            middles = 0.5 * (values[:-1] + values[1:])[wanted]
            halved[name] = np.sort(np.concatenate([values, middles]))
        if all(len(halved[name]) == len(axes[name]) for name in axes):
            break
        axes = halved
    return axes


def boundaries(atlas: Atlas, axes: dict[str, np.ndarray]) -> tuple[Boundary, ...]:
    """All lines on the grid of `axes`."""
    seen = atlas.grid(axes)
    lines = [line for highest in (True, False) for line in _instabilities(atlas, axes, seen, highest)]
    return tuple(lines + _saddle_nodes(atlas, axes, seen))


def _instabilities(atlas: Atlas, axes: dict[str, np.ndarray], seen: StatesOfPlane, highest: bool) -> list[Boundary]:
    """Where the growth of the highest, or of the lowest of several states, changes sign, by bisection."""
    growth = seen.of(seen.growth, highest=highest)
    growth = np.where(np.isnan(growth), _FAST_DECAY, growth)
    rate = seen.of(next(iter(seen.rate.values())), highest=highest)

    def allowed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        (n, m), (r, s) = ([v[tuple(p.T)] for p in (first, second)] for v in (seen.n_states, rate))
        far = np.maximum(r, s) > _JUMP * np.minimum(r, s)
        several = np.minimum(n, m) > 1
        return ~(far & (n != m)) & (highest | several)

    edges = _where_it_grows(atlas, axes, crossings(growth, allowed), growth, highest)
    frequency = seen.of(seen.frequency, highest=highest)
    known = np.where(np.isnan(frequency), 0.0, frequency)
    # The frequency is taken at the end of the edge where the mode grows: at the other end another mode may lead.
    first_grows = growth[tuple(edges.first.T)] > 0
    at = np.where(first_grows[:, None], edges.first, edges.second)
    return _joined(axes, edges, known[tuple(at.T)], highest, saddle_node=False)


def _where_it_grows(
    atlas: Atlas, axes: dict[str, np.ndarray], edges: Edges, growth: np.ndarray, highest: bool
) -> Edges:
    """The edges with the place between their ends, from 0 to 1, where the first mode starts to grow.

    The mode that leads there may be another than at either end: it is computed anew.
    """
    grows = growth[tuple(edges.first.T)] > 0

    def beyond(points: np.ndarray) -> np.ndarray:
        return (np.nan_to_num(atlas.growth(points, highest=highest), nan=_FAST_DECAY) > 0) != grows

    return _bisected(atlas, axes, edges, beyond, _BISECTIONS_OF_GROWTH)


def _saddle_nodes(atlas: Atlas, axes: dict[str, np.ndarray], seen: StatesOfPlane) -> list[Boundary]:
    """Where the number of states changes, by bisection along the edges of the grid."""
    lines = []
    for least in np.unique(seen.n_states)[1:]:
        edges = crossings(seen.n_states - least + 0.5, lambda first, second: np.ones(len(first), bool))
        below = seen.n_states[tuple(edges.first.T)] < least

        def beyond(points: np.ndarray, least: int = least, below: np.ndarray = below) -> np.ndarray:
            return (atlas.count(points) < least) != below

        edges = _bisected(atlas, axes, edges, beyond, _BISECTIONS)
        lines += _joined(axes, edges, np.full(len(edges.share), np.nan), True, saddle_node=True)
    return lines


def _bisected(
    atlas: Atlas,
    axes: dict[str, np.ndarray],
    edges: Edges,
    beyond: Callable[[np.ndarray], Bool[np.ndarray, "edges"]],
    times: int,
) -> Edges:
    """The edges with the place between their ends, from 0 at the first to 1, where `beyond` becomes true."""
    if not len(edges.share):
        return edges
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    first, second = (np.stack([m[tuple(p.T)] for m in mesh], 1) for p in (edges.first, edges.second))
    low, high = np.zeros(len(first)), np.ones(len(first))
    with atlas.stage("lines", times * len(first)):
        for _ in range(times):
            middle = 0.5 * (low + high)
            past = beyond(first + middle[:, None] * (second - first))
            low, high = np.where(past, low, middle), np.where(past, middle, high)
    return Edges(edges.first, edges.second, 0.5 * (low + high))


def _joined(
    axes: dict[str, np.ndarray], edges: Edges, frequency: np.ndarray, highest: bool, *, saddle_node: bool
) -> list[Boundary]:
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    points = np.stack([edges.interpolate(m) for m in mesh], 1)
    return [
        Boundary(points[line], frequency[line], saddle_node, highest)
        for line in polylines(edges, mesh[0].shape)
        if len(line) > 1
    ]
