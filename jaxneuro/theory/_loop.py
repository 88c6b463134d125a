"""The recurrent loop of a network near a self-consistent state: what a modulation of the rates comes back as."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .._formulas import LifResponse, response_kernel
from .._network import Network
from ..connectivity import AbstractDelayLaw
from ..models import LIF
from ..synapses import DeltaCurrent
from ._effective_input import EffectiveNoise, effective_input, place_of
from ._mean_field import _stack

_NEURON = ("mu", "sigma", "tau", "v_th", "v_reset", "t_ref")


class Path(eqx.Module):
    """One projection between groups of populations: which, by what delay, and its gains.

    `mean` is tau K <J> and `variance` tau K <J^2>, for rates in Hz: [mV/Hz] and [mV^2/Hz].
    """

    post: int = eqx.field(static=True)
    pre: int = eqx.field(static=True)
    delay: AbstractDelayLaw
    mean: Float[Array, ""]
    variance: Float[Array, ""]


class Loop(eqx.Module):
    """Neurons of each group in their input, and the paths between the groups."""

    neurons: dict[str, Float[Array, "groups"]]
    paths: tuple[Path, ...]
    n: int = eqx.field(static=True)

    def characteristic(self, growth: Complex[Array, ""]) -> Complex[Array, ""]:
        """det(1 - M(lambda)) at lambda = `growth` [1/ms], 0 at every mode of the network.

        M_ij = tau_i K_ij (J_ij R_mu,i + J_ij^2 R_var,i) <exp(-lambda d_ij)>.
        """
        seen = self._responses(growth)
        matrix = [[jnp.zeros_like(growth) for _ in range(self.n)] for _ in range(self.n)]
        for path in self.paths:
            gain = path.mean.astype(growth.dtype) * seen.mu[path.post]
            gain = gain + path.variance.astype(growth.dtype) * seen.variance[path.post]
            entry = matrix[path.post][path.pre]
            matrix[path.post][path.pre] = entry + gain * path.delay.characteristic(growth)
        if self.n == 1:
            return 1.0 - matrix[0][0]
        if self.n == 2:  # no factorisation of complex matrices, which a GPU may lack
            (ee, ei), (ie, ii) = matrix
            return (1.0 - ee) * (1.0 - ii) - ei * ie
        whole = jnp.stack([jnp.stack(row) for row in matrix])
        return jnp.linalg.det(jnp.eye(self.n, dtype=growth.dtype) - whole)

    def _responses(self, growth: Complex[Array, ""]) -> LifResponse:
        sigma = self.neurons["sigma"]
        # A neuron without any input is silent and answers nothing.
        noisy = sigma > 0.0
        values = [self.neurons[name] if name != "sigma" else jnp.where(noisy, sigma, 1.0) for name in _NEURON]
        found = response_kernel(jnp.broadcast_to(growth, sigma.shape), *values)
        silent = ~noisy & (self.neurons["mu"] <= self.neurons["v_th"])
        return jax.tree.map(lambda x: jnp.where(silent, 0.0, jnp.where(noisy, x, jnp.nan)), found)


def loop_of(net: Network, groups: tuple[tuple[str, ...], ...], rates: dict[str, Float[Array, ""]]) -> Loop:
    """The loop at `rates` [Hz], one of each population; the members of a group share their input."""
    inputs = effective_input(net, rates, noise=EffectiveNoise())
    first = [group[0] for group in groups]
    neurons = _stack(net, {name: inputs[name] for name in first})
    of = {name: i for i, group in enumerate(groups) for name in group}
    paths = []
    for index, projection in enumerate(net.projections):
        if not isinstance(net.populations[projection.pre].model, LIF):
            continue  # an external population does not listen
        if not isinstance(projection.synapse, DeltaCurrent):
            raise ValueError(
                f"`projections[{index}]`: this theory covers `DeltaCurrent`; got "
                f"{type(projection.synapse).__name__}, under which the time constant would vary as well."
            )
        if not isinstance(projection.delays, AbstractDelayLaw):
            raise ValueError(f"`projections[{index}]`: this theory covers a number and a law as `delay`.")
        for i, name in enumerate(first):
            if name in projection.post:
                pre, post = net.populations[projection.pre], net.populations[name]
                k = projection.connectivity.in_degree(pre, post, projection.pre == name).mean
                weight = projection.weight_moments(place_of(net, projection, name))
                a_spike = neurons["tau"][i] * k / 1000.0
                mean, variance = a_spike * weight.mean, a_spike * (weight.mean**2 + weight.variance)
                paths.append(Path(i, of[projection.pre], projection.delays, mean, variance))
    return Loop(neurons, tuple(paths), len(groups))


def longest_delay(loop: Loop) -> float:
    """The longest delay [ms] of the loop, 1 where nothing recurs."""
    return max((path.delay.high for path in loop.paths), default=1.0)
