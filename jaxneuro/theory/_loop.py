"""The recurrent loop of a network near a self-consistent state: what a modulation of the rates comes back as."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .._network import Network
from ..connectivity import AbstractDelayLaw
from ._afferents import Afferents, afferents, side_by_side
from ._noise import AbstractNoise
from ._unknowns import Groups


class RecurrentPath(eqx.Module):
    """One projection between groups of populations: which, by what delay, and its gains.

    `mean` is tau K J and `variance` tau K J^2, for rates in Hz: [mV/Hz] and [mV^2/Hz].
    """

    post: int = eqx.field(static=True)
    pre: int = eqx.field(static=True)
    delay: AbstractDelayLaw
    mean: Float[Array, ""]
    variance: Float[Array, ""]


class RecurrentLoop(eqx.Module):
    """A neuron of each group in its input and the theory of its answer, and the paths between the groups."""

    noise: AbstractNoise
    neurons: tuple[Afferents, ...]
    paths: tuple[RecurrentPath, ...]
    n: int = eqx.field(static=True)

    def characteristic(self, growth: Complex[Array, ""]) -> Complex[Array, ""]:
        """det(1 - M(lambda)) at lambda = `growth` [1/ms], 0 at every mode of the network.

        M_ij = tau_i K_ij (J_ij R_mu,i + J_ij^2 R_var,i) <exp(-lambda d_ij)>.
        """
        seen = side_by_side(lambda neuron: self.noise.response(growth, neuron), self.neurons)
        matrix = [[jnp.zeros_like(growth) for _ in range(self.n)] for _ in range(self.n)]
        for path in self.paths:
            gain = path.mean.astype(growth.dtype) * seen[path.post].mu
            gain = gain + path.variance.astype(growth.dtype) * seen[path.post].variance
            entry = matrix[path.post][path.pre]
            matrix[path.post][path.pre] = entry + gain * path.delay.characteristic(growth)
        if self.n == 1:
            return 1.0 - matrix[0][0]
        if self.n == 2:  # no factorisation of complex matrices, which a GPU may lack
            (ee, ei), (ie, ii) = matrix
            return (1.0 - ee) * (1.0 - ii) - ei * ie
        whole = jnp.stack([jnp.stack(row) for row in matrix])
        return jnp.linalg.det(jnp.eye(self.n, dtype=growth.dtype) - whole)


def loop_of(net: Network, noise: AbstractNoise, groups: Groups, rates: dict[str, Float[Array, ""]]) -> RecurrentLoop:
    """The loop at `rates` [Hz], one of each population; the members of a group share their input."""
    seen = afferents(net, rates)
    of = {name: i for i, group in enumerate(groups) for name in group}
    neurons, paths = [], []
    for i, group in enumerate(groups):
        one = seen[group[0]]
        membrane, tau = one.membrane(), noise.summary(one).tau
        tau = jnp.where(jnp.isnan(tau), membrane.tau_m, tau)  # of a theory that does not sum its input up
        neurons.append(Afferents(one.neuron, one.streams, one.currents))
        for stream, origin in zip(one.streams, one.origins, strict=True):
            if origin.pre not in of:
                continue  # an external population does not listen
            if stream.synapse.presynaptic(1) is not None:
                raise ValueError(
                    f"`{origin.name}`: {type(stream.synapse).__name__} remembers spikes, so that its releases "
                    "follow a modulation with a course of their own, which this theory leaves out: simulate it."
                )
            effect = stream.synapse.spike_effect(stream.weight.moments().mean, membrane.tau_m)
            if effect.reversal is not None:
                raise ValueError(
                    f"`{origin.name}`: this theory covers `DeltaCurrent`; got {type(stream.synapse).__name__}, "
                    "under which the time constant would vary as well."
                )
            delays = origin.delay.law()
            if delays is None:
                raise ValueError(f"`{origin.name}`: this theory covers a number and a law as `delay`.")
            each = tau * stream.in_degree.mean / 1000.0
            mean = each * stream.expected(lambda spike: spike.jump, membrane.tau_m)
            square = each * stream.expected(lambda spike: jnp.square(spike.jump), membrane.tau_m)
            paths.append(RecurrentPath(i, of[origin.pre], delays, mean, square))
    return RecurrentLoop(noise, tuple(neurons), tuple(paths), len(groups))


def longest_delay(loop: RecurrentLoop) -> float:
    """The longest delay [ms] of the loop, 1 where nothing recurs."""
    return max((path.delay.high for path in loop.paths), default=1.0)
