"""A root that was found, as a function of everything that its equation holds: the implicit function theorem.

    f(x, p) = 0,    dx = -(df/dx)^-1 (df/dp) dp.

Only a derivative asks for that of f: where none is taken, f is traced once and not compiled. (`lax.custom_root` traces
f and its linear part several times, which takes longer than most solves.)
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jaxtyping import Array, Float

# (d residual: dx -> df, right-hand side) -> dx
Solve = Callable[[Callable[[Array], Array], Array], Array]


def implicit_root(residual: Any, root: Float[Array, "n"]) -> Float[Array, "n"]:
    """The root of a vector of equations, differentiable in what `residual` closes over; `root` is taken as it is."""
    return implicit_by(residual, root, lambda linear, y: jnp.linalg.solve(jax.jacfwd(linear)(jnp.zeros_like(y)), y))


def implicit_roots(residual: Any, roots: Float[Array, "..."]) -> Float[Array, "..."]:
    """The same for equations of one unknown each, of any shape: no unknown enters the equation of another."""
    return implicit_by(residual, roots, lambda linear, y: y / linear(jnp.ones_like(y)))


def implicit_by(residual: Any, root: Float[Array, "..."], solve: Solve) -> Float[Array, "..."]:
    """The same, with a solver of its linear equation."""
    program = jax.make_jaxpr(lambda x: residual(x))(root)

    def function(x: Array, *held: Any) -> Array:
        return jaxpr_as_fun(ClosedJaxpr(program.jaxpr, held))(x)[0]

    @jax.custom_jvp
    def found(root: Array, *held: Any) -> Array:
        del held
        return root

    @found.defjvp
    def _(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
        root, *held = primals
        # Itself a function of what is held, so that it can be differentiated again.
        x = found(root, *held)
        _, missed = jax.jvp(lambda *numbers: function(x, *numbers), tuple(held), tuple(tangents[1:]))
        _, linear = jax.linearize(lambda y: function(y, *held), x)
        return x, -solve(linear, missed)

    return found(lax.stop_gradient(root), *program.consts)
