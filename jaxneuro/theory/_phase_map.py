"""States of a network over two parameters, their stability, and the lines between."""

import functools
import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from .._formulas import lif_cv
from .._network import Network
from .._numerics import as_leaf, check_finite
from ._contours import Edges, crossings, polylines
from ._effective_input import effective_input
from ._mean_field import _NEURON, _stack, mean_field
from ._stability import brunel_stability

# Points of the grid in one call, so that grids of any size use one program.
_CHUNK = 16
_BISECTIONS = 10
# Of an edge on which a mode starts to grow: to a sixty-fourth of the grid.
_BISECTIONS_OF_GROWTH = 6
# Rates that differ more across an edge, where states come or go as well, are of different states.
_JUMP = 2.0
# Where no mode was found on the searched window all decay at least this fast [1/s].
_FAST_DECAY = -300.0


class Boundary(eqx.Module):
    """A line between two regimes, as a polyline in the units of the axes.

    `frequency` [Hz] is that of the mode that starts to grow there, 0 for an instability of the rate
    and NaN where two states meet and end (`saddle_node`). `highest` tells whether the line belongs
    to the state of highest rate or, where there are several, to the lowest.
    """

    points: Float[np.ndarray, "vertices 2"]
    frequency: Float[np.ndarray, "vertices"]
    saddle_node: bool
    highest: bool


class PhaseMap(eqx.Module):
    """States over two parameters by rising rate, NaN beyond the last, and the lines between regimes.

    - `axes`: {name: values}, the first and the second axis of every array.
    - `rate` [Hz], `cv`: {population: (first, second, states)}.
    - `growth` [1/s], `frequency` [Hz], `stable`, `complete`: of the leading mode of each state, as in
      `Stability`, (first, second, states).
    - `n_states`: how many self-consistent states there are.
    - `boundaries`: the lines.
    """

    axes: dict[str, Float[np.ndarray, "_"]]
    rate: dict[str, Float[np.ndarray, "nx ny states"]]
    cv: dict[str, Float[np.ndarray, "nx ny states"]]
    growth: Float[np.ndarray, "nx ny states"]
    frequency: Float[np.ndarray, "nx ny states"]
    stable: Bool[np.ndarray, "nx ny states"]
    complete: Bool[np.ndarray, "nx ny states"]
    n_states: Int[np.ndarray, "nx ny"]
    boundaries: tuple[Boundary, ...]

    def highest(self, values: np.ndarray) -> np.ndarray:
        """Of an array over states the values at the state of highest rate, (first, second)."""
        last = np.maximum(self.n_states - 1, 0)[..., None]
        return np.take_along_axis(values, last, axis=2)[..., 0]

    def __str__(self) -> str:
        size = " x ".join(f"{name} {v[0]:g} to {v[-1]:g} ({v.size})" for name, v in self.axes.items())
        calm = np.mean(self.highest(self.stable))
        lines = [f"Phase map over {size}: up to {self.n_states.max()} states; the highest is stable on {calm:.0%}."]
        for line in self.boundaries:
            state = "highest" if line.highest else "lowest"
            if line.saddle_node:
                what = "saddle-node"
            else:
                what = f"{state} state: oscillations of {line.frequency.min():.3g} to {line.frequency.max():.3g} Hz"
            lines.append(f"  {what}, {len(line.points)} vertices")
        return "\n".join(lines)


def phase_boundaries(network: Callable[..., Network], *, over: Mapping[str, ArrayLike | Sequence[float]]) -> PhaseMap:
    """All self-consistent states of a network over two of its parameters, and where they lose stability.

    At every point of the grid all states of `mean_field`, low, intermediate, high and quiescent,
    with their rates, CVs and leading modes (`brunel_stability`). Lines are drawn where the leading
    mode of the highest or of the lowest state starts to grow, by bisection along the edges of the
    grid to a sixty-fourth, and where states come and go (saddle-node), to a thousandth. A region
    narrower than the grid is not seen: slow oscillations of Brunel's network just above threshold
    want steps of 0.02 nu_thr there.

    **Arguments:**

    - `network`: a function of keywords that returns a `Network`, such as `jn.networks.brunel`, or a
      `functools.partial` of it.
    - `over`: {keyword: values}, two of them; the values rise.

    **Returns:** a `PhaseMap`, in numpy.

    Raises `ValueError` where `over` has not two axes of two or more rising values, otherwise as
    `brunel_stability`.

    Derivatives: none; take those of `brunel_stability` at a point.

    ```python
    >>> import jaxneuro as jn
    >>> axes = {"g": [4.5, 6.0], "nu_ext_over_nu_thr": [2.0, 4.0]}
    >>> seen = jn.theory.phase_boundaries(jn.networks.brunel, over=axes)
    >>> seen.highest(seen.stable).tolist(), len(seen.boundaries)
    ([[True, True], [True, False]], 1)

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, Figs. 2 and 7.
    """
    axes = _axes(over)
    _check_takes(network, tuple(axes))
    if isinstance(network, functools.partial):
        # Told apart by what it holds and not by which object it is: another one of the same compiles nothing.
        network = jax.tree_util.Partial(network.func, *network.args, **network.keywords)
    for corner in itertools.product(*((values[0], values[-1]) for values in axes.values())):
        network(**dict(zip(axes, map(float, corner), strict=True)))  # known values are refused where they are wrong
    names = tuple(axes)
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    shape = mesh[0].shape
    points = np.stack([m.reshape(-1) for m in mesh], 1)
    branches = _states(network, names, points)
    count = np.sum(~np.isnan(next(iter(branches.values()))), axis=1)
    at, slot = np.nonzero(~np.isnan(next(iter(branches.values()))))
    # Roots are sorted and NaN fills up, but a quiescent state that is absent leaves its place.
    rank = np.concatenate([np.arange(n) for n in count]) if at.size else slot
    rates = {name: values[at, slot] for name, values in branches.items()}
    seen = _chunked(lambda p, r: _leading(network, names, p, r), points[at], rates)

    def spread(values: np.ndarray, fill: float | bool) -> np.ndarray:
        whole = np.full((points.shape[0], max(1, int(count.max()))), fill, values.dtype)
        whole[at, rank] = values
        return whole.reshape(*shape, -1)

    growth, frequency = spread(seen["growth"], np.nan), spread(seen["frequency"], np.nan)
    found = PhaseMap(
        axes=axes,
        rate={name: spread(values, np.nan) for name, values in rates.items()},
        cv={name: spread(values, np.nan) for name, values in seen["cv"].items()},
        growth=growth,
        frequency=frequency,
        stable=spread(seen["stable"], False),
        complete=spread(seen["complete"], True),
        n_states=count.reshape(shape),
        boundaries=(),
    )
    lines = [line for highest in (True, False) for line in _instabilities(network, found, highest)]
    lines += _saddle_nodes(network, found)
    return eqx.tree_at(lambda m: m.boundaries, found, tuple(lines))


def _check_takes(network: Callable[..., Network], names: tuple[str, ...]) -> None:
    if not callable(network):
        raise ValueError(
            "`network` has to be a function of keywords that returns a Network, such as `jn.networks.brunel`; "
            f"got {type(network).__name__}."
        )
    parameters = inspect.signature(network).parameters
    if any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in names:
        if name not in parameters:
            raise ValueError(f"`over` names {name!r}, which `network` does not take; it takes {', '.join(parameters)}.")
        if parameters[name].annotation in (int, int | None, bool, str):
            raise ValueError(f"`over` names {name!r}, which is no continuous parameter of `network`.")


def _axes(over: Mapping[str, ArrayLike | Sequence[float]]) -> dict[str, np.ndarray]:
    if not isinstance(over, Mapping) or len(over) != 2:
        raise ValueError("`over` has to be a dict of two {keyword: values}.")
    axes = {}
    for name, values in over.items():
        axis = np.asarray(as_leaf(values))
        check_finite(f"over[{name!r}]", axis)
        if axis.ndim != 1 or axis.size < 2 or not np.all(np.diff(axis) > 0):
            raise ValueError(f"`over[{name!r}]` has to hold two or more rising values; got {values}.")
        axes[name] = axis
    return axes


def _chunked(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function` on chunks of one length, joined; the last is filled up with its first element."""
    n = jax.tree.leaves(arguments)[0].shape[0]
    parts = []
    for begin in range(0, n, _CHUNK):
        index = np.minimum(np.arange(begin, begin + _CHUNK), n - 1)
        parts.append(jax.tree.map(np.asarray, function(*jax.tree.map(lambda x: jnp.asarray(x[index]), arguments))))
    return jax.tree.map(lambda *x: np.concatenate(x)[:n], *parts)


def _states(network: Callable[..., Network], names: tuple[str, ...], points: np.ndarray) -> dict[str, np.ndarray]:
    return _chunked(lambda p: _branches(network, names, p), points)


@eqx.filter_jit
def _branches(
    network: Callable[..., Network], names: tuple[str, ...], points: Float[Array, "points 2"]
) -> dict[str, Float[Array, "points roots"]]:
    return jax.vmap(lambda p: mean_field(network(**dict(zip(names, p, strict=True))), throw=False).branches)(points)


@eqx.filter_jit
def _leading(
    network: Callable[..., Network],
    names: tuple[str, ...],
    points: Float[Array, "points 2"],
    rates: dict[str, Float[Array, "points"]],
) -> dict[str, Any]:
    def one(point: Float[Array, "2"], rate: dict[str, Float[Array, ""]]) -> dict[str, Any]:
        net = network(**dict(zip(names, point, strict=True)))
        seen = brunel_stability(net, rates=rate, throw=False)
        inputs = effective_input(net, rate)
        values = _stack(net, inputs)
        cv = lif_cv(values["mu"], values["sigma"], **{name: values[name] for name in _NEURON})
        return {
            "growth": seen.growth,
            "frequency": seen.frequency,
            "stable": seen.stable,
            "complete": seen.complete,
            "cv": dict(zip(inputs, cv, strict=True)),
        }

    return jax.vmap(one)(points, rates)


def _instabilities(network: Callable[..., Network], found: PhaseMap, highest: bool) -> list[Boundary]:
    """Where the growth of the highest, or of the lowest of several states, changes sign, by bisection."""

    def of_state(values: np.ndarray) -> np.ndarray:
        return found.highest(values) if highest else values[..., 0]

    growth = of_state(found.growth)
    growth = np.where(np.isnan(growth), _FAST_DECAY, growth)
    rate = of_state(next(iter(found.rate.values())))

    def allowed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        (n, m), (r, s) = ([v[tuple(p.T)] for p in (first, second)] for v in (found.n_states, rate))
        far = np.maximum(r, s) > _JUMP * np.minimum(r, s)
        several = np.minimum(n, m) > 1
        return ~(far & (n != m)) & (highest | several)

    edges = _bisected(network, found, crossings(growth, allowed), growth, highest)
    frequency = of_state(found.frequency)
    known = np.where(np.isnan(frequency), 0.0, frequency)
    # That of the side where the mode grows: on the other another mode may lead.
    first_grows = growth[tuple(edges.first.T)] > 0
    at = np.where(first_grows[:, None], edges.first, edges.second)
    return _joined(found, edges, known[tuple(at.T)], highest, saddle_node=False)


def _bisected(
    network: Callable[..., Network], found: PhaseMap, edges: Edges, growth: np.ndarray, highest: bool
) -> Edges:
    """The edges with the share at which a mode starts to grow; another may lead than at either end."""
    first, second = _ends(found, edges)
    grows = growth[tuple(edges.first.T)] > 0
    low, high = np.zeros(len(first)), np.ones(len(first))
    if not len(first):
        return edges
    for _ in range(_BISECTIONS_OF_GROWTH):
        middle = 0.5 * (low + high)
        points = first + middle[:, None] * (second - first)
        branches = _states(network, tuple(found.axes), points)
        known = ~np.isnan(next(iter(branches.values())))
        slot = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1) if highest else np.argmax(known, axis=1)
        rates = {name: np.take_along_axis(values, slot[:, None], axis=1)[:, 0] for name, values in branches.items()}
        seen = _chunked(lambda p, r: _leading(network, tuple(found.axes), p, r), points, rates)
        same = (np.nan_to_num(seen["growth"], nan=_FAST_DECAY) > 0) == grows
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return Edges(edges.first, edges.second, 0.5 * (low + high))


def _ends(found: PhaseMap, edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of each edge, in the units of the axes."""
    mesh = np.meshgrid(*found.axes.values(), indexing="ij")
    first, second = (np.stack([m[tuple(p.T)] for m in mesh], 1) for p in (edges.first, edges.second))
    return first, second


def _joined(
    found: PhaseMap, edges: Edges, frequency: np.ndarray, highest: bool, *, saddle_node: bool
) -> list[Boundary]:
    mesh = np.meshgrid(*found.axes.values(), indexing="ij")
    points = np.stack([edges.interpolate(m) for m in mesh], 1)
    return [
        Boundary(points[line], frequency[line], saddle_node, highest)
        for line in polylines(edges, found.n_states.shape)
        if len(line) > 1
    ]


def _saddle_nodes(network: Callable[..., Network], found: PhaseMap) -> list[Boundary]:
    """Where the number of states changes, by bisection along the edges of the grid."""
    lines = []
    names = tuple(found.axes)
    for least in np.unique(found.n_states)[1:]:
        edges = crossings(found.n_states - least + 0.5, lambda first, second: np.ones(len(first), bool))
        first, second = _ends(found, edges)
        below = found.n_states[tuple(edges.first.T)] < least
        low, high = np.zeros(len(first)), np.ones(len(first))
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            branches = _states(network, names, first + middle[:, None] * (second - first))
            fewer = np.sum(~np.isnan(next(iter(branches.values()))), axis=1) < least
            low, high = np.where(fewer == below, middle, low), np.where(fewer == below, high, middle)
        edges = Edges(edges.first, edges.second, 0.5 * (low + high))
        lines += _joined(found, edges, np.full(len(first), np.nan), True, saddle_node=True)
    return lines
