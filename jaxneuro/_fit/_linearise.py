"""A function and its Jacobian in one evaluation."""

from collections.abc import Callable

import equinox as eqx
import jax
from jaxtyping import Array, Float


class Linearised(eqx.Module):
    """Values at a point, and their derivatives there."""

    value: Float[Array, " n"]
    jacobian: Float[Array, "n p"]


def linearise(function: Callable[[Array], Array], theta: Float[Array, " p"]) -> Linearised:
    """The function stands once in the program, for dear ones are dear to compile too."""

    def twice(x: Array) -> tuple[Array, Array]:
        value = function(x)
        return value, value

    jacobian, value = jax.jacfwd(twice, has_aux=True)(theta)
    return Linearised(value, jacobian)
