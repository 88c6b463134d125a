"""The mean and the variance of a number that is drawn."""

from jaxtyping import Array, Float

from ._shown import Shown


class Moments(Shown):
    """Mean and variance of a drawn number, both differentiable; each one number or one a target neuron."""

    mean: Float[Array, "*n"]
    variance: Float[Array, "*n"]
