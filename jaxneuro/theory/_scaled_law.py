"""What one neuron receives, with other efficacies and in-degrees."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._numerics import Moments
from ..connectivity import AbstractWeightLaw, Nodes
from ._afferents import Afferents


class ScaledLaw(AbstractWeightLaw):
    """A law of weights that are multiplied by a number."""

    law: AbstractWeightLaw
    factor: Float[Array, ""]

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        return float(self.factor) * self.law.draw(rng, shape)

    def moments(self) -> Moments:
        own = self.law.moments()
        return Moments(self.factor * own.mean, jnp.square(self.factor) * own.variance)

    def nodes(self, count: int) -> Nodes:
        values, probabilities = self.law.nodes(count)
        return Nodes(self.factor * values, probabilities)


def scaled(seen: Afferents, efficacy: Float[Array, ""], in_degree: Float[Array, ""]) -> Afferents:
    """The neuron whose efficacies and in-degrees are multiplied by numbers; their spread over their mean stays."""

    def stream(one: Any) -> Any:
        k = one.in_degree
        grown = Moments(k.mean * in_degree, k.variance * jnp.square(in_degree))
        return eqx.tree_at(lambda s: (s.in_degree, s.weight), one, (grown, ScaledLaw(one.weight, efficacy)))

    return Afferents(seen.neuron, tuple(stream(one) for one in seen.streams), seen.currents)
