"""Where the neurons of a population are, and what a rule sees of two populations."""

import abc
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._numerics import Shown, as_leaf, check_finite


class AbstractPositions(Shown):
    """Places of neurons between which there are distances: points, or a space of one's own such as a torus."""

    @property
    @abc.abstractmethod
    def n(self) -> int:
        """Number of neurons."""

    def torus(self) -> tuple[float, float] | None:
        """The two sides of the torus that the places lie on; None where it is another space."""
        return None

    def grid(self) -> tuple[int, int, float] | None:
        """Rows, columns and spacing of a lattice on a torus, neurons row by row; None where places are no lattice."""
        return None

    @abc.abstractmethod
    def distances(self, others: Any, of: Int[np.ndarray, "m"] | None = None) -> Float[Array, "m n_others"]:
        """Distances from the neurons `of` (all by default) to each of `others`, positions of the same kind."""


class Points(AbstractPositions):
    """Points with Euclidean distances: what an array given as `positions=` becomes.

    **Arguments:** `coordinates`, (n, d), in a unit of your choice; (n,) on a line.

    Raises `ValueError` where they are not finite, or of other shape.

    ```python
    >>> from jaxneuro.connectivity import Points
    >>> Points([[0.0, 0.0], [3.0, 4.0]]).distances(Points([[0.0, 0.0]])).tolist()
    [[0.0], [5.0]]

    ```
    """

    coordinates: Float[Array, "n d"]

    def __init__(self, coordinates: Any):
        leaf = as_leaf(coordinates, "positions")
        if leaf.ndim == 1:
            leaf = leaf[:, None]
        if leaf.ndim != 2 or 0 in leaf.shape:
            raise ValueError(f"`positions` has to be (n, d), one row a neuron; got shape {leaf.shape}.")
        check_finite("positions", leaf)
        self.coordinates = leaf

    @property
    def n(self) -> int:
        return self.coordinates.shape[0]

    def distances(self, others: "Points", of: Int[np.ndarray, "m"] | None = None) -> Float[Array, "m n_others"]:
        own, other = self.coordinates, others.coordinates
        if own.shape[1] != other.shape[1]:
            raise ValueError(
                f"`positions` of two populations have {own.shape[1]} and {other.shape[1]} coordinates: there is no "
                "distance between them."
            )
        chosen = own if of is None else own[of]
        square = jnp.sum((chosen[:, None] - other[None]) ** 2, axis=2)
        # The root of 0 has no derivative: there it is taken of 1.
        apart = square > 0
        return jnp.where(apart, jnp.sqrt(jnp.where(apart, square, 1.0)), 0.0)


@runtime_checkable
class Neurons(Protocol):
    """What a rule sees of a population: how many neurons (None while open) and where they are (None where not said)."""

    @property
    def n(self) -> int | None: ...

    @property
    def positions(self) -> Any: ...


class Group(Shown):
    """Neurons without a model: a rule can be tried on them alone."""

    n: int | None = eqx.field(static=True)
    positions: AbstractPositions | None = None
