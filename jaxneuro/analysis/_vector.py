"""A model as a vector field on flat vectors, which root finders and eigenvalue solvers want."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from .._numerics import as_leaf, check_finite, check_precision, told
from ..models import AbstractODE, Ring


class Flat(eqx.Module):
    """The vector field of a model at a fixed time, on flat vectors."""

    model: AbstractODE
    args: Any
    unravel: Callable[[Any], Any] = eqx.field(static=True)

    def __call__(self, x: Float[Array, "n"]) -> Float[Array, "n"]:
        """dx/dt [1/ms]."""
        return ravel_pytree(self.model.vector_field(0.0, self.unravel(x), self.args))[0]

    def jacobian(self, x: Float[Array, "n"]) -> Float[Array, "n n"]:
        """d(dx/dt)/dx [1/ms]."""
        return jax.jacfwd(self)(x)


def flat(model: AbstractODE, args: Any) -> tuple[Flat, Float[Array, "n"]]:
    """The flat vector field, and where a fixed point is sought first."""
    start, unravel = ravel_pytree(model.standing())
    return Flat(model.prepared(), args, unravel), start


def check_model(model: Any, args: Any) -> None:
    """Raises `ValueError` where `model` is no differential equation without explicit time."""
    if not isinstance(model, AbstractODE):
        raise ValueError(
            f"`model` has to be a rate model, such as `jn.networks.ei_rate()`; got {type(model).__name__}."
        )
    check_precision("model", model)
    if isinstance(model, Ring) and model.moving is not None:
        raise ValueError("`model` has a velocity that depends on time: it has no fixed vector field to look at.")
    if args is not None and jnp.shape(args) not in ((), (model.size(),)):
        raise ValueError(f"`stimulus` has to be a number or ({model.size()},); got shape {jnp.shape(args)}.")
    if args is not None:
        check_finite("stimulus", as_leaf(args, "stimulus"))


def point_of(name: str, value: Any, own: Float[Array, "n"]) -> Float[Array, "n"]:
    """`value` as a point of the model's variables, `own` where None; raises `ValueError` where it is none."""
    if value is None:
        return own
    point = as_leaf(value, name)
    if point.shape != own.shape:
        raise ValueError(f"`{name}` has to be ({own.size},); got shape {point.shape}.")
    check_finite(name, point)
    return point


def check_tolerance(tolerance: Any) -> None:
    """Raises `ValueError` where `tolerance` is no positive number."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, float | int | np.floating) or not tolerance > 0:
        raise ValueError(f"`tolerance` has to be a positive number; got {told(tolerance)}.")


def leaf_index(model: AbstractODE, where: Callable[[Any], Any]) -> int:
    """Which of the model's leaves `where` picks, so that programs are kept by the place and not by the function."""
    if not callable(where):
        raise ValueError(f"`where` has to be a function such as `lambda m: m.tau_i`; got {told(where)}.")
    picked = where(model)
    if not isinstance(picked, jax.Array) or picked.ndim:
        raise ValueError(f"`where` has to pick one number of the model; it picks {picked!r}.")
    for index, leaf in enumerate(jax.tree_util.tree_leaves(model)):
        if leaf is picked:
            return index
    raise ValueError("`where` has to pick a number that the model holds, as it is, not one computed from it.")


def with_leaf(model: AbstractODE, index: int, value: Float[Array, ""]) -> AbstractODE:
    """The model with another value at the place `index`."""
    leaves, structure = jax.tree_util.tree_flatten(model)
    leaves[index] = value
    return jax.tree_util.tree_unflatten(structure, leaves)
