"""States of a network at points of a plane of two of its parameters, each point computed once."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._network import Network
from .._numerics import ProgressLine, by_content
from ._afferents import afferents, side_by_side
from ._mean_field import mean_field
from ._noise import AbstractNoise
from ._stability import brunel_stability

# So many points are computed in one call: as all calls have one size, one program serves any number of points.
_CHUNK = 16


class StatesOfPlane(eqx.Module):
    """At points (*points,) all self-consistent states by rising rate, NaN beyond the last of `n_states`."""

    rate: dict[str, Float[np.ndarray, "*points states"]]
    cv: dict[str, Float[np.ndarray, "*points states"]]
    growth: Float[np.ndarray, "*points states"]
    frequency: Float[np.ndarray, "*points states"]
    stable: Bool[np.ndarray, "*points states"]
    complete: Bool[np.ndarray, "*points states"]
    n_states: Int[np.ndarray, "*points"]

    def of(self, values: np.ndarray, *, highest: bool) -> np.ndarray:
        """From an array with an entry for each state, the entry of the state of highest or of lowest rate."""
        last = np.maximum(self.n_states - 1, 0)[..., None] if highest else np.zeros((*self.n_states.shape, 1), int)
        return np.take_along_axis(values, last, axis=-1)[..., 0]


class Atlas:
    """What is known of a network over two of its keywords, and how to learn more."""

    def __init__(
        self, network: Callable[..., Network], names: tuple[str, ...], noise: AbstractNoise, progress: bool | None
    ):
        self._network, self._names, self._noise, self._progress = by_content(network), names, noise, progress
        self._known: dict[tuple[float, ...], StatesOfPlane] = {}
        self._advance: Callable[[int], None] = lambda n: None

    @contextlib.contextmanager
    def stage(self, name: str, total: int) -> Iterator[None]:
        """Shows how many of `total` points are done while it is open."""
        done = 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            line(min(done, total))

        with contextlib.closing(ProgressLine(f"phase_boundaries, {name}", "points", total, self._progress)) as line:
            line(0)
            self._advance = advance
            yield
            self._advance = lambda n: None

    def grid(self, axes: dict[str, np.ndarray]) -> StatesOfPlane:
        """The states on the outer product of two axes."""
        mesh = np.meshgrid(*axes.values(), indexing="ij")
        points = np.stack([m.reshape(-1) for m in mesh], 1)
        new = np.array([p for p in points if tuple(p) not in self._known]).reshape(-1, 2)
        if len(new):
            with self.stage("grid", len(new)):
                for point, states in zip(new, self._states(new), strict=True):
                    self._known[tuple(point)] = states
        found = jax.tree.map(lambda *x: np.stack(x), *(self._known[tuple(p)] for p in points))
        most = max(1, int(found.n_states.max()))
        shape = mesh[0].shape
        return jax.tree.map(lambda x: x[:, :most].reshape(*shape, -1) if x.ndim == 2 else x.reshape(shape), found)

    def rates(self, points: Float[np.ndarray, "points 2"]) -> dict[str, np.ndarray]:
        """The rates of the states at each point, (points, states), NaN where there is none."""
        return _chunked(lambda p: _branches(self._network, self._names, self._noise, p), lambda n: None, points)

    def growth(self, points: Float[np.ndarray, "points 2"], *, highest: bool) -> Float[np.ndarray, "points"]:
        """The growth of the leading mode of the state of highest or of lowest rate."""
        branches = self.rates(points)
        known = ~np.isnan(next(iter(branches.values())))
        slot = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1) if highest else np.argmax(known, axis=1)
        rates = {name: np.take_along_axis(values, slot[:, None], axis=1)[:, 0] for name, values in branches.items()}
        return self._leading(points, rates, self._advance)["growth"]

    def count(self, points: Float[np.ndarray, "points 2"]) -> Int[np.ndarray, "points"]:
        """How many states there are."""
        branches = _chunked(lambda p: _branches(self._network, self._names, self._noise, p), self._advance, points)
        return np.sum(~np.isnan(next(iter(branches.values()))), axis=1)

    def _leading(self, points: np.ndarray, rates: dict[str, np.ndarray], advance: Callable[[int], None]) -> Any:
        return _chunked(lambda p, r: _leading(self._network, self._names, self._noise, p, r), advance, points, rates)

    def _states(self, points: Float[np.ndarray, "points 2"]) -> list[StatesOfPlane]:
        branches = self.rates(points)
        known = ~np.isnan(next(iter(branches.values())))
        count = np.sum(known, axis=1)
        at, slot = np.nonzero(known)
        # Columns of `branches` are states by rising rate, NaN where there is none. The first column is that of silence:
        # where the network cannot be silent it is NaN, and the states after it move up by one.
        rank = np.concatenate([np.arange(n) for n in count])
        rates = {name: values[at, slot] for name, values in branches.items()}
        # The progress line counts points, and calls compute states: a point is done when its last state is.
        last = np.diff(at, append=-1) != 0
        done = iter(np.add.reduceat(last, np.arange(0, len(at), _CHUNK)).tolist() if len(at) else ())
        seen = self._leading(points[at], rates, lambda n: self._advance(next(done)))

        def spread(values: np.ndarray, fill: float | bool) -> np.ndarray:
            whole = np.full(known.shape, fill, values.dtype)
            whole[at, rank] = values
            return whole

        found = StatesOfPlane(
            rate={name: spread(values, np.nan) for name, values in rates.items()},
            cv={name: spread(values, np.nan) for name, values in seen["cv"].items()},
            growth=spread(seen["growth"], np.nan),
            frequency=spread(seen["frequency"], np.nan),
            stable=spread(seen["stable"], False),
            complete=spread(seen["complete"], True),
            n_states=count,
        )
        return [jax.tree.map(lambda x, i=i: np.asarray(x[i]), found) for i in range(len(points))]


def _chunked(function: Callable[..., Any], advance: Callable[[int], None], *arguments: Any) -> Any:
    """`function` of the arguments in chunks of one length, joined; the last chunk repeats the last element."""
    n = jax.tree.leaves(arguments)[0].shape[0]
    if n == 0:  # computed at one point of zeros, whose result is then cut to none: so it has the right shapes
        arguments = jax.tree.map(lambda x: np.zeros((1, *x.shape[1:]), x.dtype), arguments)
    parts = []
    for begin in range(0, max(n, 1), _CHUNK):
        index = np.minimum(np.arange(begin, begin + _CHUNK), max(n, 1) - 1)
        parts.append(jax.tree.map(np.asarray, function(*jax.tree.map(lambda x: jnp.asarray(x[index]), arguments))))
        if n:
            advance(min(_CHUNK, n - begin))
    return jax.tree.map(lambda *x: np.concatenate(x)[:n], *parts)


@eqx.filter_jit
def _branches(
    network: Callable[..., Network], names: tuple[str, ...], noise: AbstractNoise, points: Float[Array, "points 2"]
) -> dict[str, Float[Array, "points roots"]]:
    def one(point: Float[Array, "2"]) -> dict[str, Float[Array, "roots"]]:
        return mean_field(network(**dict(zip(names, point, strict=True))), noise=noise, throw=False).branches

    return jax.vmap(one)(points)


@eqx.filter_jit
def _leading(
    network: Callable[..., Network],
    names: tuple[str, ...],
    noise: AbstractNoise,
    points: Float[Array, "points 2"],
    rates: dict[str, Float[Array, "points"]],
) -> dict[str, Any]:
    def one(point: Float[Array, "2"], rate: dict[str, Float[Array, ""]]) -> dict[str, Any]:
        net = network(**dict(zip(names, point, strict=True)))
        seen = brunel_stability(net, rates=rate, noise=noise, throw=False)
        inputs = afferents(net, rate)
        cv = side_by_side(noise.cv, list(inputs.values()))
        return {
            "growth": seen.growth,
            "frequency": seen.frequency,
            "stable": seen.stable,
            "complete": seen.complete,
            "cv": dict(zip(inputs, cv, strict=True)),
        }

    return jax.vmap(one)(points, rates)
