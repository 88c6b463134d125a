"""A root that was found, as a function of everything that its equation holds: the implicit function theorem."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


def implicit_root(residual: Any, root: Float[Array, "n"]) -> Float[Array, "n"]:
    """The root of a vector of equations, differentiable in what `residual` closes over; `root` is taken as it is."""

    def tangent_solve(linear: Any, y: Float[Array, "n"]) -> Float[Array, "n"]:
        return jnp.linalg.solve(jax.jacfwd(linear)(y), y)

    return lax.custom_root(residual, root, lambda _, x: x, tangent_solve)


def implicit_roots(residual: Any, roots: Float[Array, "..."]) -> Float[Array, "..."]:
    """The same for equations of one unknown each, of any shape: no unknown enters the equation of another."""

    def tangent_solve(linear: Any, y: Float[Array, "..."]) -> Float[Array, "..."]:
        return y / linear(jnp.ones_like(y))

    return lax.custom_root(residual, roots, lambda _, x: x, tangent_solve)
