"""A root that was found, as a function of everything that its equation holds: the implicit function theorem.

JAX asks for the hash of the function that it is given. One that holds numbers as leaves has none inside a program, so
that each is handed over within a plain function.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


def implicit_root(residual: Any, root: Float[Array, "n"]) -> Float[Array, "n"]:
    """The root of a vector of equations, differentiable in what `residual` closes over; `root` is taken as it is."""

    def tangent_solve(linear: Any, y: Float[Array, "n"]) -> Float[Array, "n"]:
        return jnp.linalg.solve(jax.jacfwd(linear)(y), y)

    return lax.custom_root(lambda x: residual(x), root, lambda _, x: x, tangent_solve)


def implicit_roots(residual: Any, roots: Float[Array, "..."]) -> Float[Array, "..."]:
    """The same for equations of one unknown each, of any shape: no unknown enters the equation of another."""

    def tangent_solve(linear: Any, y: Float[Array, "..."]) -> Float[Array, "..."]:
        return y / linear(jnp.ones_like(y))

    return lax.custom_root(lambda x: residual(x), roots, lambda _, x: x, tangent_solve)
