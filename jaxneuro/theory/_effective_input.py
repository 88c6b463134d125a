"""The input of a population in the diffusion approximation: mean, noise and time constant."""

import abc
from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._network import Drive, Network, PoissonDrive, Projection, WhiteNoiseDrive
from .._numerics import as_leaf
from ..models import LIF, Poisson
from ..reset import Hard
from ..synapses import AbstractSynapse, DeltaConductance, DeltaCurrent


class EffectiveInput(eqx.Module):
    """The diffusion tau dV/dt = -V + mu + sigma sqrt(tau) xi that stands for all of a neuron's input.

    `mu` [mV, absolute], `sigma` [mV], `tau` [ms].
    """

    mu: Float[Array, ""]
    sigma: Float[Array, ""]
    tau: Float[Array, ""]


class AbstractNoise(eqx.Module):
    """How a conductance's noise, which depends on the potential, enters the diffusion."""

    @abc.abstractmethod
    def squared_driving_force(self, mu: Float[Array, ""], reversal: Float[Array, ""]) -> Float[Array, ""]:
        """The (V - E)^2 that multiplies the noise of a conductance [mV^2]."""


class EffectiveNoise(AbstractNoise):
    """The effective-time-constant approximation: the noise is taken at V = mu, and is additive.

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (6);
    Richardson and Gerstner (2005), doi:10.1162/0899766053429444. The theories that keep the
    multiplicative noise differ from it in the exponent of the rate.
    """

    def squared_driving_force(self, mu: Float[Array, ""], reversal: Float[Array, ""]) -> Float[Array, ""]:
        return (mu - reversal) ** 2


class _Stream(eqx.Module):
    """One stream of spikes onto a neuron: how many a millisecond, of which weight, through which synapse.

    `square` is the mean of the squared weight.
    """

    per_ms: Float[Array, ""]
    weight: Float[Array, ""]
    square: Float[Array, ""]
    synapse: AbstractSynapse


def effective_input(
    net: Network, rates: Mapping[str, ArrayLike], *, noise: AbstractNoise | None = None
) -> dict[str, EffectiveInput]:
    """The effective input of every population of neurons when the populations fire at `rates`.

    With efficacies a through conductances and J through currents, and r the rate and K the number
    of the sources of each stream,

        1/tau = 1/tau_m + sum of a K r,
        mu = tau (v_rest/tau_m + sum of a K r E + sum of J K r + mu_white/tau_m),
        sigma^2 = tau (sum of a^2 K r (mu - E)^2 + sum of J^2 K r + sigma_white^2/tau_m).

    **Arguments:**

    - `net`: a `Network` of LIF and Poisson populations with delta synapses.
    - `rates`: {population: rate [Hz]}, one for every population of neurons.
    - `noise`: `EffectiveNoise()`.

    **Returns:** {population: `EffectiveInput`}.

    Raises `ValueError` where a rate is missing, a parameter differs between the neurons of a
    population, or a synapse has a time course, which this theory does not cover.

    Derivatives: forward and reverse mode, any order.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    >>> seen = jn.theory.effective_input(net, {"E": 38.0, "I": 38.0})["E"]
    >>> round(float(seen.mu), 3), round(float(seen.sigma), 3)
    (21.0, 7.688)

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (5), (6), (8).
    """
    noise = EffectiveNoise() if noise is None else noise
    if not isinstance(noise, AbstractNoise):
        raise ValueError(f"`noise` has to be a theory of the noise such as `EffectiveNoise()`; got {noise!r}.")
    known: dict[str, Float[Array, ""]] = {}
    for name, population in net.populations.items():
        if isinstance(population.model, Poisson):
            known[name] = jnp.mean(population.model.rate)
        elif name in rates:
            known[name] = as_leaf(rates[name], f"rates[{name!r}]")
        else:
            raise ValueError(f"`rates` has no rate of the population {name!r}.")
    for name, population in net.populations.items():
        if isinstance(population.model, LIF) and not isinstance(population.model.reset, Hard):
            raise ValueError(
                f"The theory is of neurons with `jn.reset.Hard()`; {name!r} has {population.model.reset!r}."
            )
    return {n: _of_population(net, n, known, noise) for n, p in net.populations.items() if isinstance(p.model, LIF)}


def _of_population(net: Network, name: str, rates: dict[str, Float[Array, ""]], noise: AbstractNoise) -> EffectiveInput:
    lif = net.populations[name].model
    for value in (lif.tau_m, lif.v_rest, lif.v_th, lif.v_reset, lif.t_ref):
        if value.ndim:
            raise ValueError(f"Mean field needs one value a parameter; those of {name!r} differ between neurons.")
    streams = [_projection_stream(net, i, p, name, rates) for i, p in enumerate(net.projections) if name in p.post]
    streams += [_drive_stream(i, d) for i, d in enumerate(net.drives) if name in d.targets and _is_poisson(d)]
    white = [d for d in net.drives if isinstance(d, WhiteNoiseDrive) and name in d.targets]

    leak = 1.0 / lif.tau_m
    per_ms, drift = leak, lif.v_rest * leak
    for drive in white:
        drift = drift + _one_value("mu", drive.mu) * leak
    for stream in streams:
        if isinstance(stream.synapse, DeltaConductance):
            per_ms = per_ms + stream.weight * stream.per_ms
            drift = drift + stream.weight * stream.per_ms * stream.synapse.reversal
        else:
            drift = drift + stream.weight * stream.per_ms
    tau = 1.0 / per_ms
    mu = tau * drift
    variance = jnp.zeros_like(mu)
    for drive in white:
        variance = variance + _one_value("sigma", drive.sigma) ** 2 * leak
    for stream in streams:
        force = jnp.ones_like(mu)
        if isinstance(stream.synapse, DeltaConductance):
            force = noise.squared_driving_force(mu, stream.synapse.reversal)
        variance = variance + stream.square * stream.per_ms * force
    return EffectiveInput(mu, _sqrt(tau * variance), tau)


def _sqrt(x: Float[Array, ""]) -> Float[Array, ""]:
    """The square root, with derivative 0 at 0: no input has no noise."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)


def _is_poisson(drive: Drive) -> bool:
    return isinstance(drive, PoissonDrive)


def _one_value(name: str, value: Float[Array, "*n"]) -> Float[Array, ""]:
    if value.ndim:
        raise ValueError(f"Mean field needs one value a population; `{name}` differs between target neurons.")
    return value


def _checked_synapse(name: str, synapse: AbstractSynapse) -> AbstractSynapse:
    if not isinstance(synapse, DeltaCurrent | DeltaConductance):
        raise ValueError(
            f"{name}: this mean field covers `DeltaCurrent` and `DeltaConductance`; "
            f"{type(synapse).__name__} has a time course. Simulate it, or take its delta limit."
        )
    return synapse


def _projection_stream(
    net: Network, index: int, projection: Projection, post: str, rates: dict[str, Float[Array, ""]]
) -> _Stream:
    name = f"`projections[{index}]`"
    of = net.populations
    k = projection.connectivity.in_degree(of[projection.pre], of[post], projection.pre == post).mean
    synapse = _checked_synapse(name, projection.synapse)
    _one_value(f"{name}.weight", projection.law.scale)
    weight = projection.weight_moments(place_of(net, projection, post))
    return _Stream(k * rates[projection.pre] / 1000.0, weight.mean, weight.mean**2 + weight.variance, synapse)


def place_of(net: Network, projection: Projection, post: str) -> slice:
    """Where the neurons of `post` stand among all targets of a projection; all, where sizes are open."""
    sizes = [net.populations[name].n for name in projection.post]
    known = [n for n in sizes if n is not None]
    if len(known) < len(sizes):
        return slice(None)
    at = projection.post.index(post)
    return slice(sum(known[:at]), sum(known[: at + 1]))


def _drive_stream(index: int, drive: Drive) -> _Stream:
    assert isinstance(drive, PoissonDrive)
    name = f"`drives[{index}]`"
    rate = _one_value(f"{name}.rate", drive.rate)
    synapse = _checked_synapse(name, drive.synapse)
    weight = _one_value(f"{name}.weight", drive.weight)
    return _Stream(drive.n_sources * rate / 1000.0, weight, weight**2, synapse)
