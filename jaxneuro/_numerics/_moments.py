"""The mean and the variance of a number that is drawn."""

import equinox as eqx
from jaxtyping import Array, Float


class Moments(eqx.Module):
    """Mean and variance of a drawn number, both differentiable; each one number or one a target neuron."""

    mean: Float[Array, "*n"]
    variance: Float[Array, "*n"]
