"""A model, a loss and data as one function of a vector of unbounded coordinates."""

from collections.abc import Iterable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from .._numerics import AbstractBijection, Unbounded
from ._loss import AbstractLeastSquares, AbstractLoss
from ._protocol import HasCounts, HasFreeParameters


class Candidate(eqx.Module):
    """A model and a loss at one value of their parameters."""

    model: PyTree
    loss: AbstractLoss


class Problem(eqx.Module):
    """What is fitted: candidates as a function of coordinates, and the data they are held against."""

    template: Candidate
    data: PyTree
    bijections: tuple[AbstractBijection, ...]  # one for each free leaf
    places: tuple[int, ...] = eqx.field(static=True)  # of the free leaves in the flattened template
    names: tuple[str, ...] = eqx.field(static=True)  # one for each coordinate

    def _free_leaves(self) -> list[Array]:
        leaves = jax.tree.leaves(self.template)
        return [leaves[place] for place in self.places]

    def coordinates(self) -> Float[Array, " p"]:
        """Where the template stands."""
        inverse = [b.inverse(v) for b, v in zip(self.bijections, self._free_leaves(), strict=True)]
        return jnp.concatenate([jnp.ravel(x) for x in inverse])

    def _values(self, theta: Float[Array, " p"]) -> list[Array]:
        shapes = [leaf.shape for leaf in self._free_leaves()]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        parts = jnp.split(theta, ends)
        return [b.forward(part.reshape(shape)) for b, part, shape in zip(self.bijections, parts, shapes, strict=True)]

    def parameters(self, theta: Float[Array, " p"]) -> Float[Array, " p"]:
        """The parameters, in their own units, at the coordinates `theta`."""
        return jnp.concatenate([jnp.ravel(value) for value in self._values(theta)])

    def at(self, theta: Float[Array, " p"]) -> Candidate:
        """The model and the loss at the coordinates `theta`."""
        leaves, tree = jax.tree.flatten(self.template)
        for place, value in zip(self.places, self._values(theta), strict=True):
            leaves[place] = value
        return jax.tree.unflatten(tree, leaves)

    def terms(self, theta: Float[Array, " p"]) -> Float[Array, " n"]:
        """The residuals or log-probabilities at the coordinates `theta`."""
        candidate = self.at(theta)
        return candidate.loss.terms(candidate.model, self.data)

    @property
    def is_least_squares(self) -> bool:
        return isinstance(self.template.loss, AbstractLeastSquares)


class Objective(eqx.Module):
    """A problem with a weight for each row, and, for a profile, one coordinate held."""

    problem: Problem
    weights: Float[Array, " n"]
    held_index: Array | None = None
    held_value: Array | None = None

    def complete(self, theta: Float[Array, " q"]) -> Float[Array, " p"]:
        """All coordinates, the held one in its place."""
        if self.held_index is None or self.held_value is None:
            return theta
        if theta.shape[0] == 0:
            return self.held_value[None]
        index = jnp.arange(theta.shape[0] + 1)
        rest = theta[jnp.clip(jnp.where(index > self.held_index, index - 1, index), 0, theta.shape[0] - 1)]
        return jnp.where(index == self.held_index, self.held_value, rest)

    def residuals(self, theta: Float[Array, " q"]) -> Float[Array, " n"]:
        """Weighted residuals: their squares sum to twice the value."""
        return jnp.sqrt(self.weights) * self.problem.terms(self.complete(theta))

    def value(self, theta: Float[Array, " q"]) -> Float[Array, ""]:
        """Half the sum of squared residuals, or minus the log-likelihood."""
        terms = self.problem.terms(self.complete(theta))
        if self.problem.is_least_squares:
            return 0.5 * jnp.sum(self.weights * jnp.square(terms))
        seen = self.weights > 0  # a row of weight 0 may have probability 0
        return -jnp.sum(jnp.where(seen, self.weights * jnp.where(seen, terms, 0.0), 0.0))


def _leaf_names(tree: PyTree) -> list[str]:
    """Names such as `g`, `neuron.tau_m` or `0.weight`, for each leaf in order."""
    paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]
    return [jax.tree_util.keystr(path, simple=True, separator=".") for path in paths]


def _declared(part: Any) -> dict[str, AbstractBijection]:
    """The free parameters that `part` declares, or all of its float leaves."""
    if isinstance(part, HasFreeParameters):
        return part.free_parameters()
    leaves = zip(_leaf_names(part), jax.tree.leaves(part), strict=True)
    return {name: Unbounded() for name, leaf in leaves if eqx.is_inexact_array(leaf)}


def pose(
    model: PyTree,
    loss: AbstractLoss,
    data: PyTree,
    free: Iterable[str] | None,
    bounds: Mapping[str, AbstractBijection],
) -> Problem:
    """Builds the problem; raises `ValueError` for a name that is no parameter or a start outside its range."""
    candidate = Candidate(model, loss.held(model, data))
    leaves = jax.tree.leaves(candidate)
    known = _leaf_names(model) + _leaf_names(loss)  # numbers inside the function of a loss have no name
    place_of = {name: place for place, name in enumerate(known) if eqx.is_inexact_array(leaves[place])}
    chosen = {**_declared(model), **loss.free_parameters()}
    if free is not None:
        chosen = {name: chosen.get(name, Unbounded()) for name in (*free, *loss.free_parameters())}
    for argument, names in (("free", chosen), ("bounds", bounds)):
        for name in names:
            if name not in place_of:
                raise ValueError(
                    f"`{argument}` names {name!r}, which is no parameter of this model; there are {sorted(place_of)}. "
                    "A parameter that is None has to be given a value before it can be fitted."
                )
    if not chosen:
        raise ValueError(
            "`free` names no parameter: there is nothing to fit."
            if place_of
            else "`model` has no float array, so no parameter to fit; give its numbers as `jnp.asarray(1.0)`."
        )
    for name in bounds:
        if name not in chosen:
            raise ValueError(f"`bounds` names {name!r}, which is held fixed: add it to `free` or leave its bounds out.")
    chosen = {name: bounds.get(name, bijection) for name, bijection in chosen.items()}
    names = []
    for name in chosen:
        leaf = leaves[place_of[name]]
        indices = [name] if leaf.ndim == 0 else [f"{name}[{','.join(map(str, i))}]" for i in np.ndindex(leaf.shape)]
        names.extend(indices)
    problem = Problem(
        template=candidate,
        data=data,
        bijections=tuple(chosen.values()),
        places=tuple(place_of[name] for name in chosen),
        names=tuple(names),
    )
    outside = ~np.isfinite(np.asarray(problem.coordinates()))
    if outside.any():
        raise ValueError(f"`{names[int(np.argmax(outside))]}` starts outside the range that its bounds allow.")
    return problem


def row_counts(problem: Problem) -> Float[Array, " n"]:
    """How many observations each row stands for."""
    shape = eqx.filter_eval_shape(problem.terms, problem.coordinates())
    if isinstance(problem.data, HasCounts):
        return problem.data.counts
    return jnp.ones(shape.shape, shape.dtype)
