"""What theory reads of the spikes and currents that a neuron receives."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._numerics import Moments, Shown
from ..connectivity import AbstractWeightLaw, Nodes
from ..synapses import AbstractSynapse, Released, SpikeEffect

# Of a law of weights, on which expectations of a function of the weight are taken.
_NODES = 32


class ReleasedWeight(AbstractWeightLaw):
    """A law of weights times what a spike releases, which is drawn anew at every spike: for theory alone."""

    weight: AbstractWeightLaw
    release: Released

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        p = np.asarray(self.release.probabilities, float)
        return self.weight.draw(rng, shape) * rng.choice(np.asarray(self.release.values), shape, p=p / p.sum())

    def moments(self) -> Moments:
        own, values, p = self.weight.moments(), self.release.values, self.release.probabilities
        mean = own.mean * jnp.sum(p * values)
        return Moments(mean, (own.variance + own.mean**2) * jnp.sum(p * values**2) - mean**2)

    def nodes(self, count: int) -> Nodes:
        own = self.weight.nodes(count)
        values = own.values[:, None] * self.release.values
        return Nodes(values.reshape(-1), (own.probabilities[:, None] * self.release.probabilities).reshape(-1))


class SpikeStream(Shown):
    """Independent trains of one rate onto one neuron.

    `rate` [Hz] of one source, `in_degree`: how many sources, `weight`: the law of the weights, as projections have it,
    `synapse`.
    """

    rate: Float[Array, "*n"]
    in_degree: Moments
    weight: AbstractWeightLaw
    synapse: AbstractSynapse

    def per_ms(self) -> Float[Array, "*n"]:
        """Mean number of spikes a millisecond."""
        return self.in_degree.mean * self.rate / 1000.0

    def law(self) -> AbstractWeightLaw:
        """What one spike brings: the law of the weights, times what is released where spikes do not act alike."""
        released = self.synapse.released(self.rate)
        return self.weight if released is None else ReleasedWeight(self.weight, released)

    def expected(
        self, function: Callable[[SpikeEffect], Float[Array, "*n"]], tau_m: Float[Array, "*n"]
    ) -> Float[Array, "*n"]:
        """The mean over weights and releases of `function` of what one spike does to a membrane of `tau_m` [ms]."""
        values, probabilities = self.law().nodes(_NODES)
        each = jax.vmap(lambda w: function(self.synapse.spike_effect(w, tau_m)))(values)
        return jnp.sum(probabilities * each, axis=0)


class WhiteCurrent(Shown):
    """A current of mean `mu` and white noise `sigma` [mV]: tau_m dV/dt = ... + mu + sigma sqrt(tau_m) xi."""

    mu: Float[Array, "*n"]
    sigma: Float[Array, "*n"]


class Afferent(Shown):
    """What a drive is to theory: streams of spikes, and currents."""

    streams: tuple[SpikeStream, ...] = ()
    currents: tuple[WhiteCurrent, ...] = ()
