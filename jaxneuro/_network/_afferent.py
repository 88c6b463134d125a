"""What theory reads of the spikes and currents that a neuron receives."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import Moments
from ..connectivity import AbstractWeightLaw
from ..synapses import AbstractSynapse, SpikeEffect

# Of a law of weights, on which expectations of a function of the weight are taken.
_NODES = 32


class SpikeStream(eqx.Module):
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

    def expected(
        self, function: Callable[[SpikeEffect], Float[Array, "*n"]], tau_m: Float[Array, "*n"]
    ) -> Float[Array, "*n"]:
        """The mean over the weights of `function` of what one spike does to a membrane of `tau_m` [ms]."""
        values, probabilities = self.weight.nodes(_NODES)
        each = jax.vmap(lambda w: function(self.synapse.spike_effect(w, tau_m)))(values)
        return jnp.sum(probabilities * each, axis=0)


class WhiteCurrent(eqx.Module):
    """A current of mean `mu` and white noise `sigma` [mV]: tau_m dV/dt = ... + mu + sigma sqrt(tau_m) xi."""

    mu: Float[Array, "*n"]
    sigma: Float[Array, "*n"]


class Afferent(eqx.Module):
    """What a drive is to theory: streams of spikes, and currents."""

    streams: tuple[SpikeStream, ...] = ()
    currents: tuple[WhiteCurrent, ...] = ()
