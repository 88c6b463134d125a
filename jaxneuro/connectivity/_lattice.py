"""Neurons on a lattice that is bent into a torus, and a rule that draws near targets."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jaxtyping import Array, ArrayLike, Float, Int

from .._numerics import Moments, as_leaf, check_count, check_nonnegative, check_positive, is_concrete
from ._pairs import Pairs
from ._positions import AbstractPositions, Neurons
from ._rules import AbstractConnectivity, Spread, known_integer, one_number

# Images of the torus on either side that a Gaussian as wide as the torus reaches.
_IMAGES = 8
# Sources whose targets are drawn at once.
_SOURCES = 1024


class Lattice(AbstractPositions):
    """The sites of a lattice on a torus: neuron i is at row i // columns and column i % columns.

    The shortest way between two sites may lead over an edge. All lattices have a site at (0, 0).

    **Arguments:** `rows`, `columns`; `spacing` of the sites, in a unit of your choice.

    Raises `ValueError` where `rows` or `columns` is no positive integer, or `spacing` not positive.

    ```python
    >>> import jaxneuro as jn
    >>> sheet = jn.Lattice(4, 6, spacing=0.5)
    >>> sheet.n, sheet.sides, float(sheet.distances(sheet)[0, 5])
    (24, (2.0, 3.0), 0.5)

    ```
    """

    rows: int = eqx.field(static=True)
    columns: int = eqx.field(static=True)
    spacing: float = eqx.field(static=True)

    def __init__(self, rows: int, columns: int, *, spacing: float = 1.0):
        self.rows, self.columns = check_count("rows", rows), check_count("columns", columns)
        known = one_number("spacing", spacing)
        if not is_concrete(known):
            raise ValueError("`spacing` has to be known when a lattice is built: do not map or differentiate over it.")
        check_positive("spacing", known)
        self.spacing = float(spacing)

    @property
    def n(self) -> int:
        return self.rows * self.columns

    def torus(self) -> tuple[float, float]:
        return self.sides

    def grid(self) -> tuple[int, int, float]:
        return self.rows, self.columns, self.spacing

    @property
    def sides(self) -> tuple[float, float]:
        """The lengths of the torus along its rows and its columns."""
        return self.rows * self.spacing, self.columns * self.spacing

    def distances(self, others: "Lattice", of: Int[np.ndarray, "m"] | None = None) -> Float[Array, "m n_others"]:
        check_one_torus(self, others)
        chosen = np.arange(self.n) if of is None else np.asarray(of)
        apart = [
            np.abs(own[:, None] - other[None])
            for own, other in zip(self.places(chosen), others.places(np.arange(others.n)), strict=True)
        ]
        shortest = [np.minimum(a, side - a) for a, side in zip(apart, self.sides, strict=True)]
        return jnp.asarray(np.hypot(*shortest), jnp.result_type(float))

    def places(self, chosen: Int[np.ndarray, "m"]) -> tuple[Float[np.ndarray, "m"], Float[np.ndarray, "m"]]:
        """Where the `chosen` neurons are, along the two sides."""
        return (chosen // self.columns) * self.spacing, (chosen % self.columns) * self.spacing


def check_one_torus(own: Any, other: Any) -> None:
    """Raises `ValueError` where two populations do not lie on lattices of one torus."""
    for one in (own, other):
        if not isinstance(one, Lattice):
            raise ValueError(f"`positions` have to be a `Lattice` for this rule; got {type(one).__name__}.")
    if not np.allclose(own.sides, other.sides, rtol=1e-9, atol=0.0):
        raise ValueError(f"`positions` of two populations lie on tori of sides {own.sides} and {other.sides}.")


class SpatialRandom(AbstractConnectivity):
    """Every source has `out_degree` synapses onto targets near it on a torus, drawn independently.

        target = site nearest to (place of the source + width xi),    xi normal, wrapped around the torus.

    A pair may have several synapses, and a neuron one onto itself. The in-degree has the mean
    out_degree N_pre/N_post and the variance of a sum of binomial numbers.

    **Arguments:**

    - `out_degree`: for theory any real number, to be differentiated over; an integer known before the run for `wire`
      and `simulate`.
    - `width`: standard deviation along each side, in the unit of the lattices' spacing.

    Raises `ValueError` where `out_degree` is negative, `width` not positive or wider than the torus, a population is on
    no `Lattice`, or two are on different tori (at the network).

    ```python
    >>> import jaxneuro as jn
    >>> rule = jn.SpatialRandom(out_degree=500, width=0.25)

    ```

    Source: Rosenbaum et al. (2017), doi:10.1038/nn.4433, methods.
    """

    out_degree: Float[Array, ""]
    width: Float[Array, ""]

    def __init__(self, *, out_degree: ArrayLike, width: ArrayLike):
        self.out_degree, self.width = one_number("out_degree", out_degree), one_number("width", width)
        check_nonnegative("out_degree", self.out_degree)
        check_positive("width", self.width)

    def spread(self) -> Spread:
        return Spread(self.out_degree, self.width)

    def check(self, name: str, pre: Neurons, post: Neurons, recurrent: bool) -> None:
        check_one_torus(pre.positions, post.positions)
        sides = pre.positions.sides
        if is_concrete(self.width) and float(self.width) > min(sides):
            raise ValueError(
                f"`width` of {name} is {float(self.width):g}, wider than the torus of sides {sides}: take less."
            )

    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        check_one_torus(pre.positions, post.positions)
        source, target = pre.positions, post.positions
        down = _shares(source.rows, source.spacing, target.rows, target.spacing, self.width)
        along = _shares(source.columns, source.spacing, target.columns, target.spacing, self.width)
        # Chances of a pair are products of those along the two sides, and so are their sums.
        once = jnp.sum(down, axis=1)[:, None] * jnp.sum(along, axis=1)
        squares = jnp.sum(down**2, axis=1)[:, None] * jnp.sum(along**2, axis=1)
        mean = self.out_degree * source.n / target.n
        return Moments(mean, self.out_degree * jnp.mean(once - squares) + jnp.var(self.out_degree * once))

    def repeats(self) -> bool:
        return True

    def draw(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Pairs:
        source, target, k = pre.positions, post.positions, known_integer(self.out_degree, "SpatialRandom(out_degree)")
        width, drawn = float(self.width), np.empty((source.n, k), np.int32)
        for begin in range(0, source.n, _SOURCES):
            chosen = np.arange(begin, min(begin + _SOURCES, source.n))
            rows, columns = (
                np.rint((place[:, None] + width * rng.standard_normal((chosen.size, k))) / target.spacing)
                for place in source.places(chosen)
            )
            drawn[chosen] = rows % target.rows * target.columns + columns % target.columns
        return Pairs(drawn.reshape(-1), np.repeat(np.arange(source.n, dtype=np.int32), k))


def _shares(
    n_pre: int, from_spacing: float, n_post: int, onto_spacing: float, width: Float[Array, ""]
) -> Float[Array, "n_post n_pre"]:
    """The chance that a draw from a source lands nearest to a target, along one side of the torus."""
    side = n_post * onto_spacing
    apart = onto_spacing * np.arange(n_post)[:, None] - from_spacing * np.arange(n_pre)
    images = side * np.arange(-_IMAGES, _IMAGES + 1)[:, None, None]
    low, high = (as_leaf(apart + images + half * onto_spacing) / (width * np.sqrt(2.0)) for half in (-0.5, 0.5))
    return 0.5 * jnp.sum(erf(high) - erf(low), axis=0)
