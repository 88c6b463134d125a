"""The values along the axes of a sweep, and axes that go together."""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from .._numerics import Shown, check_count, check_key, is_concrete, read_numbers, told

POINT = "point"
# What SciPy's Sobol sequence resolves.
_SOBOL_BITS = 30


@dataclass(frozen=True, eq=False)
class Axis:
    """The values of one name: numbers that are traced, or with `objects` things that every trace is made for."""

    name: str
    labels: np.ndarray
    objects: tuple[Any, ...] | None = None


@dataclass(frozen=True, eq=False)
class Dimension:
    """One dimension of a sweep, along which one name or several take their values together."""

    name: str
    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """Number of places."""
        return len(self.axes[0].labels)


class Structural(Shown):
    """Whole numbers that change the program, such as sizes and in-degrees: `run` gets each as a number of Python.

    Every value is traced by itself, and compiled by itself where the program is another; traced numbers, which one
    program serves, are the cheaper ones wherever they will do.

    **Arguments:** `values`, whole numbers, each once.

    Raises `ValueError` where `values` are no such numbers.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> run = lambda point, key: {"sum": jnp.sum(jnp.arange(point["n"]))}
    >>> jn.sweep(run, over={"n": jn.Structural([2, 5])}, key=jax.random.key(0))["sum"].values.tolist()
    [1, 10]

    ```
    """

    values: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, values: Sequence[int]):
        given: list[Any] = [values] if isinstance(values, numbers.Number) else list(values)
        if not given or any(isinstance(x, bool | np.bool_) or not isinstance(x, numbers.Integral) for x in given):
            raise ValueError(f"`values` of `Structural` have to be whole numbers, at least one; got {told(values)}.")
        self.values = tuple(int(x) for x in given)
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"`values` of `Structural` have to be different; got {told(values)}.")


class Paired(Shown):
    """Names that take their values together: place i of one goes with place i of every other.

    **Arguments:**

    - `values`: {name: values} as in `over`, all of one length; here a value may come twice.
    - `dim`: name of the dimension, by default `point`.

    Raises `ValueError` where the lengths differ.

    ```python
    >>> import jax, jaxneuro as jn
    >>> over = jn.Paired({"a": [1.0, 2.0, 3.0], "b": [0.5, 0.25, 0.1]})
    >>> grid = jn.sweep(lambda point, key: {"y": point["a"] * point["b"]}, over=over, key=jax.random.key(0))
    >>> dict(grid.sizes), float(grid["y"][1])
    ({'point': 3}, 0.5)

    ```
    """

    values: dict[str, Any]
    dim: str = eqx.field(static=True)

    def __init__(self, values: Mapping[str, Any], *, dim: str = POINT):
        self.values, self.dim = _names("values", values), _dim(dim)
        sizes = {name: len(read_axis(name, given, several=True).labels) for name, given in self.values.items()}
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise ValueError(f"`values` of `Paired` go together and have to be of one length; there are {found}.")


class RandomPoints(Shown):
    """Points drawn independently and uniformly from a box.

    **Arguments:**

    - `n`: number of points.
    - `ranges`: {name: (low, high)}.
    - `key`: a `jax.random.key`.
    - `dim`: name of the dimension, by default `point`.

    Raises `ValueError` where a range is not one of two finite numbers, the lower first.

    ```python
    >>> import jax, jaxneuro as jn
    >>> over = jn.RandomPoints(100, {"g": (3.0, 8.0), "nu_ext": (0.5, 4.0)}, key=jax.random.key(0))
    >>> grid = jn.sweep(lambda point, key: {"y": point["g"]}, over=over, key=jax.random.key(1))
    >>> grid["y"].dims, bool(grid["g"].min() >= 3.0)
    (('point',), True)

    ```
    """

    n: int = eqx.field(static=True)
    ranges: dict[str, tuple[float, float]] = eqx.field(static=True)
    key: PRNGKeyArray
    dim: str = eqx.field(static=True)

    def __init__(self, n: int, ranges: Mapping[str, Any], *, key: PRNGKeyArray, dim: str = POINT):
        self.n, self.ranges, self.dim = check_count("n", n), _ranges(ranges), _dim(dim)
        check_key(key)
        self.key = key

    def draw(self) -> np.ndarray:
        """The points in the unit cube, (n, names), in float64 whatever jax is set to."""
        bits = np.asarray(jax.random.bits(self.key, (2, self.n, len(self.ranges)), jnp.uint32), dtype=np.uint64)
        return ((bits[0] << np.uint64(21)) ^ (bits[1] >> np.uint64(11))).astype(float) / 2.0**53


class SobolPoints(Shown):
    """Points of a Sobol sequence in a box, which fill it more evenly than random ones: best with n a power of two.

    The sequence is shifted at random, bit by bit, so that averages over it are unbiased.

    **Arguments:**

    - `n`: number of points.
    - `ranges`: {name: (low, high)}.
    - `key`: a `jax.random.key`, of the shift.
    - `dim`: name of the dimension, by default `point`.

    Raises `ValueError` where a range is not one of two finite numbers, the lower first.

    ```python
    >>> import jax, numpy as np, jaxneuro as jn
    >>> over = jn.SobolPoints(8, {"g": (0.0, 8.0), "j": (0.0, 1.0)}, key=jax.random.key(0))
    >>> grid = jn.sweep(lambda point, key: {"y": point["g"]}, over=over, key=jax.random.key(1))
    >>> np.sort(np.floor(grid["g"].values)).tolist()                     # one in every eighth
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]

    ```

    Source: Sobol (1967), doi:10.1016/0041-5553(67)90144-9; with the direction numbers of Joe and Kuo (2008),
    doi:10.1137/070709359.
    """

    n: int = eqx.field(static=True)
    ranges: dict[str, tuple[float, float]] = eqx.field(static=True)
    key: PRNGKeyArray
    dim: str = eqx.field(static=True)

    def __init__(self, n: int, ranges: Mapping[str, Any], *, key: PRNGKeyArray, dim: str = POINT):
        self.n, self.ranges, self.dim = check_count("n", n), _ranges(ranges), _dim(dim)
        check_key(key)
        self.key = key

    def draw(self) -> np.ndarray:
        """The points in the unit cube, (n, names)."""
        from scipy.stats import qmc

        sequence = qmc.Sobol(len(self.ranges), scramble=False).random_base2(max(0, math.ceil(math.log2(self.n))))
        whole = (sequence[: self.n] * 2.0**_SOBOL_BITS).astype(np.uint32)
        shift = np.asarray(jax.random.bits(self.key, (len(self.ranges),), jnp.uint32)) >> np.uint32(32 - _SOBOL_BITS)
        return (whole ^ shift) / 2.0**_SOBOL_BITS


def read_dimensions(over: Any) -> list[Dimension]:
    """The dimensions that one part of `over` makes; raises `ValueError`."""
    if isinstance(over, Paired):
        return [Dimension(over.dim, tuple(read_axis(n, v, several=True) for n, v in over.values.items()))]
    if isinstance(over, RandomPoints | SobolPoints):
        if not is_concrete(over.key):
            raise ValueError(
                "`over`: its key has to be known before the sweep: call `sweep` outside jit, vmap and grad."
            )
        columns = over.draw().T
        between = [low + (high - low) * x for (low, high), x in zip(over.ranges.values(), columns, strict=True)]
        axes = tuple(read_axis(name, x, several=True) for name, x in zip(over.ranges, between, strict=True))
        return [Dimension(over.dim, axes)]
    if not isinstance(over, Mapping) or not over:
        raise ValueError(
            f"`over` has to be a dict of at least one {{name: values}}, `Paired`, `RandomPoints`, `SobolPoints`, or a "
            f"list of these; got {told(over)}."
        )
    return [Dimension(name, (read_axis(name, values),)) for name, values in _names("over", over).items()]


def read_axis(name: str, values: Any, *, several: bool = False) -> Axis:
    """The values of one name: numbers, `Structural` ones, or a dict of {label: object}; raises `ValueError`."""
    if isinstance(values, Structural):
        return Axis(name, np.asarray(values.values), values.values)
    if isinstance(values, Mapping):
        if not values or not all(isinstance(label, str) and label for label in values):
            raise ValueError(f"`over[{name!r}]` as a dict has to give each of its objects a label, a string.")
        return Axis(name, np.asarray(list(values)), tuple(values.values()))
    return Axis(name, _numbers(name, values, several))


def _numbers(name: str, values: Any, several: bool) -> np.ndarray:
    """The values of an axis as the run will see them: in the default float or integer type."""
    wanted = f"`over[{name!r}]` has to be a 1-D array of numbers"
    if not is_concrete(values):
        raise ValueError(f"{wanted} known before the sweep: call `sweep` outside jit, vmap and grad.")
    if isinstance(values, list | tuple) and any(isinstance(x, eqx.Module) for x in values):
        raise ValueError(f"`over[{name!r}]` holds objects: give a dict of {{label: object}}.")
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
    if distinct.size < axis.size and not several:
        raise ValueError(f"{wanted}, each once; {distinct[counts > 1][0]:g} comes twice. Use `seeds` to repeat a run.")
    return axis


def _names(argument: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"`{argument}` has to be a dict of at least one {{name: values}}; got {told(given)}.")
    for name in given:
        if not isinstance(name, str) or not name:
            raise ValueError(f"`{argument}`: the name of an axis has to be a string; got {told(name)}.")
    return dict(given)


def _ranges(given: Any) -> dict[str, tuple[float, float]]:
    found = {}
    for name, ends in _names("ranges", given).items():
        read = np.asarray(read_numbers(ends, f"ranges[{name!r}]"), dtype=float)
        if read.shape != (2,) or not np.all(np.isfinite(read)) or read[0] >= read[1]:
            raise ValueError(f"`ranges[{name!r}]` has to be two finite numbers, the lower one first; got {told(ends)}.")
        found[name] = (float(read[0]), float(read[1]))
    return found


def _dim(dim: Any) -> str:
    if not isinstance(dim, str) or not dim:
        raise ValueError(f"`dim` has to be the name of a dimension; got {told(dim)}.")
    return dim
