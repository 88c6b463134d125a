"""The neurons of a network whose numbers of inputs differ, and what a theory of the noise says of each."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

from ._afferents import Afferents
from ._noise import AbstractNoise

# Nodes over each of z_E and z_I for means over neurons.
_NODES = 40
# Of a dear theory: nodes over each, from -4.5 to 4.5, which leaves 1e-5 of the neurons out; moments are right to 1e-4.
_ASKED, _FARTHEST = 9, 4.5


class Spread(eqx.Module):
    """A neuron of the network, and how far its excitation and its inhibition vary between neurons, as shares."""

    seen: Afferents
    excitation: Float[Array, ""]
    inhibition: Float[Array, ""]

    def at(self, z_e: Float[Array, ""], z_i: Float[Array, ""]) -> Afferents:
        """The neuron with quenched numbers z_E and z_I: equation (F1)."""
        more = jnp.maximum(1.0 + self.excitation * z_e, 0.0), jnp.maximum(1.0 + self.inhibition * z_i, 0.0)
        streams = tuple(
            eqx.tree_at(lambda s: s.rate, s, s.rate * jnp.where(excites, *more))
            for s, excites in zip(self.seen.streams, excites_of(self.seen), strict=True)
        )
        return Afferents(self.seen.neuron, streams, self.seen.currents)


class NumberedNeurons(eqx.Module):
    """What a theory says of the neuron with numbers z_E and z_I.

    Of a dear theory, which has a cheap one like it, `log_more` are Chebyshev coefficients over z_E and z_I of what its
    log rate adds to the cheap one's, which changes little from neuron to neuron.
    """

    noise: AbstractNoise
    spread: Spread
    log_more: Float[Array, "asked asked"] | None

    def log_rate(self, z_e: Float[Array, ""], z_i: Float[Array, ""]) -> Float[Array, ""]:
        """The log of the rate [log Hz]."""
        seen, cheap = self.spread.at(z_e, z_i), self.noise.cheap()
        if self.log_more is None or cheap is None:
            return self.noise.log_rate(seen)
        return cheap.log_rate(seen) + _interpolated(self.log_more, z_e, z_i)

    def rate(self, z_e: Float[Array, ""], z_i: Float[Array, ""]) -> Float[Array, ""]:
        """The rate [Hz]."""
        if self.log_more is None:
            return self.noise.rate(self.spread.at(z_e, z_i))
        return jnp.exp(self.log_rate(z_e, z_i))


def neurons_of(noise: AbstractNoise, spread: Spread) -> NumberedNeurons:
    """The neurons by a theory; a dear one is asked at few of them."""
    cheap = noise.cheap()
    if cheap is None:
        return NumberedNeurons(noise, spread, None)

    def added(seen: Afferents) -> Float[Array, ""]:
        more = noise.log_rate(seen) - cheap.log_rate(seen)
        return jnp.where(jnp.isfinite(more), more, 0.0)  # of neurons without excitation, which are silent by both

    return NumberedNeurons(noise, spread, _coefficients(added, spread))


def cvs_of(noise: AbstractNoise, spread: Spread) -> Callable[[Float[Array, ""], Float[Array, ""]], Float[Array, ""]]:
    """The CV of the neuron with numbers z_E and z_I; that of a dear theory as `NumberedNeurons` has its rates."""
    cheap = noise.cheap()
    if cheap is None:
        return lambda z_e, z_i: noise.cv(spread.at(z_e, z_i))
    more = _coefficients(lambda seen: noise.cv(seen) - cheap.cv(seen), spread)
    return lambda z_e, z_i: cheap.cv(spread.at(z_e, z_i)) + _interpolated(more, z_e, z_i)


def nodes(dtype: DTypeLike) -> tuple[Float[Array, "nodes"], Float[Array, "nodes"]]:
    """Nodes and weights of a normal number."""
    z, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return jnp.asarray(z, dtype), jnp.asarray(weights / weights.sum(), dtype)


def over_neurons(
    function: Callable[[Float[Array, ""], Float[Array, ""]], Float[Array, ""]], dtype: DTypeLike
) -> Float[Array, "nodes nodes"]:
    """A function of z_E and z_I at all pairs of nodes."""
    z, _ = nodes(dtype)
    return jax.vmap(jax.vmap(function, (None, 0)), (0, None))(z, z)


def mean(values: Float[Array, "nodes nodes"]) -> Float[Array, ""]:
    """The mean over neurons."""
    _, weights = nodes(values.dtype)
    return jnp.einsum("i,j,ij->", weights, weights, values)


def excites_of(seen: Afferents) -> tuple[Bool[Array, ""], ...]:
    """Which streams are excitatory: those that reverse above threshold."""
    membrane, kinds = seen.membrane(), []
    for stream in seen.streams:
        effect = stream.synapse.spike_effect(stream.weight.moments().mean, membrane.tau_m)
        if effect.reversal is None:
            raise ValueError("This theory is of conductances; a stream of `net` is a current.")
        kinds.append(effect.reversal > membrane.v_th)
    return tuple(kinds)


def _coefficients(function: Callable[[Afferents], Float[Array, ""]], spread: Spread) -> Float[Array, "asked asked"]:
    """Chebyshev coefficients over z_E and z_I, from one neuron after another, for memory."""
    angle = np.pi * (np.arange(_ASKED) + 0.5) / _ASKED
    to_coefficients = 2.0 / _ASKED * np.cos(np.arange(_ASKED)[:, None] * angle)
    to_coefficients[0] *= 0.5
    dtype = spread.excitation.dtype
    z = jnp.asarray(_FARTHEST * np.cos(angle), dtype)
    pairs = jnp.repeat(z, _ASKED), jnp.tile(z, _ASKED)
    values = lax.map(lambda pair: function(spread.at(*pair)), pairs).reshape(_ASKED, _ASKED)
    matrix = jnp.asarray(to_coefficients, dtype)
    return matrix @ values @ matrix.T


def _interpolated(
    coefficients: Float[Array, "asked asked"], z_e: Float[Array, ""], z_i: Float[Array, ""]
) -> Float[Array, ""]:
    """The polynomial; beyond the outermost node its value there."""

    def powers(z: Float[Array, ""]) -> Float[Array, "asked"]:
        x = jnp.clip(z / _FARTHEST, -1.0, 1.0)
        found = [jnp.ones_like(x), x]
        for _ in range(_ASKED - 2):
            found.append(2.0 * x * found[-1] - found[-2])
        return jnp.stack(found)

    return powers(z_e) @ coefficients @ powers(z_i)
