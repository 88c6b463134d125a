"""The distribution of rates over neurons whose numbers of inputs differ."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float

from .._network import Network, check_spiking
from .._numerics import Result, as_leaf, check_positive, implicit_root, is_concrete
from ._afferents import Afferents, afferents
from ._effective_input import check_covered, checked_noise
from ._mean_field import mean_field
from ._noise import AbstractNoise
from ._unknowns import groups_of

# Nodes over each of z_E and z_I, and steps of Newton's method.
_NODES = 40
_STEPS = 40
_REACH = 8.0


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
            for s, excites in zip(self.seen.streams, _excites(self.seen), strict=True)
        )
        return Afferents(self.seen.neuron, streams, self.seen.currents)


class RateDistribution(eqx.Module):
    """Rates over neurons whose in-degrees differ, self-consistently.

    - `mean`, `sd` [Hz]: equation (F2); `gamma`: the sd of log rates far below threshold, equation (F5).
    - `lognormal_mean`, `lognormal_sd` [Hz]: (F7), corrected, around the rate `homogeneous` of equal neurons.
    - `result`: successful, or no_fixed_point.
    """

    mean: Float[Array, ""]
    sd: Float[Array, ""]
    gamma: Float[Array, ""]
    homogeneous: Float[Array, ""]
    result: Result
    noise: AbstractNoise
    spread: Spread

    @property
    def lognormal_mean(self) -> Float[Array, ""]:
        """nu_0 exp(Gamma^2/2)."""
        return self.homogeneous * jnp.exp(0.5 * jnp.square(self.gamma))

    @property
    def lognormal_sd(self) -> Float[Array, ""]:
        """nu sqrt(exp(Gamma^2) - 1)."""
        return self.lognormal_mean * jnp.sqrt(jnp.expm1(jnp.square(self.gamma)))

    def fraction_below(self, rate: ArrayLike) -> Float[Array, ""]:
        """The share of neurons that fire below `rate` [Hz]."""
        hertz = as_leaf(rate, "rate")
        check_positive("rate", hertz)
        return _below(self.noise, self.spread, hertz)[0]

    def pdf(self, rate: ArrayLike) -> Float[Array, ""]:
        """The density of rates at `rate` [1/Hz], equation (F3)."""
        hertz = as_leaf(rate, "rate")
        check_positive("rate", hertz)
        return _below(self.noise, self.spread, hertz)[1]

    def fraction_silent(self, duration: ArrayLike) -> Float[Array, ""]:
        """The share of neurons that send no spike in `duration` [ms], the mean of exp(-nu T)."""
        time = as_leaf(duration, "duration")
        check_positive("duration", time)
        return _average(self.noise, self.spread, lambda rate: jnp.exp(-rate * time / 1000.0))


def rate_distribution(net: Network, *, noise: AbstractNoise | None = None) -> RateDistribution:
    """Returns the distribution of rates over neurons whose numbers of inputs differ, self-consistently.

        nu = <nu(z_E, z_I)>,    Delta nu^2 = <nu(z_E, z_I)^2> - nu^2,

    over normal z_E and z_I, where a neuron's excitation is K r_E (1 + Delta_E/r_E z_E), with

        (K Delta_E)^2 = sum over excitatory streams of Var(K_j) r_j^2 + K_j Delta nu^2 (of recurrent ones),

    and its inhibition likewise. The term of Delta nu^2 is not small at a thousand inputs.

    **Arguments:** `net`: a network whose neurons are alike in all populations, with delta conductances; in-degrees vary
    by its rules, such as `GaussianInDegree`. `noise`: a theory of the noise, `EffectiveNoise()` by default.

    **Returns:** a `RateDistribution`.

    Raises `ValueError` where populations differ or the theory does not cover the network, `RuntimeError` where no
    state is found.

    Derivatives: implicit, forward and reverse mode, of `mean` and `sd`.

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (22), (F1)-(F7), (F5) and (F7)
    corrected.
    """
    theory = checked_noise(noise)
    check_spiking(net)
    names = net.neuron_names
    if len(groups_of(net, names)) != 1:
        raise ValueError(f"`net` has neurons that differ between {', '.join(names)}; this theory is of equal ones.")
    seen = afferents(net, dict.fromkeys(names, np.ones(())))
    check_covered(theory, seen)
    start = mean_field(net, noise=theory).rate[names[0]]
    found = _solve(net, theory, lax.stop_gradient(start))
    if is_concrete(found.result) and not bool(found.result == Result.successful):
        raise RuntimeError(f"Rate distribution: {Result[found.result]}")  # type: ignore[index]
    return eqx.tree_at(lambda d: d.homogeneous, found, start)


def _excites(seen: Afferents) -> tuple[Bool[Array, ""], ...]:
    """Which streams are excitatory: those that reverse above threshold."""
    membrane, kinds = seen.membrane(), []
    for stream in seen.streams:
        effect = stream.synapse.spike_effect(stream.weight.moments().mean, membrane.tau_m)
        if effect.reversal is None:
            raise ValueError("This theory is of conductances; a stream of `net` is a current.")
        kinds.append(effect.reversal > membrane.v_th)
    return tuple(kinds)


def _spread(net: Network, rate: Float[Array, ""], sd: Float[Array, ""]) -> Spread:
    names = net.neuron_names
    seen = afferents(net, dict.fromkeys(names, rate))[names[0]]
    totals, squares = jnp.zeros(2, rate.dtype), jnp.zeros(2, rate.dtype)
    for stream, origin, excites in zip(seen.streams, seen.origins, _excites(seen), strict=True):
        own = jnp.square(sd) if origin.pre in names else jnp.zeros_like(sd)
        k = stream.in_degree
        of_kind = jnp.stack([excites, ~excites]).astype(rate.dtype)
        totals = totals + of_kind * k.mean * stream.rate
        squares = squares + of_kind * (k.variance * jnp.square(stream.rate) + k.mean * own)
    share = jnp.sqrt(jnp.maximum(squares, 1e-30)) / jnp.where(totals > 0.0, totals, 1.0)
    return Spread(Afferents(seen.neuron, seen.streams, seen.currents), share[0], share[1])


def _nodes(dtype: Any) -> tuple[Array, Array]:
    """Nodes and weights of a normal number, from -8 to 8."""
    z, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return jnp.asarray(z, dtype), jnp.asarray(weights / weights.sum(), dtype)


def _average(noise: AbstractNoise, spread: Spread, function: Any) -> Float[Array, "..."]:
    z, weights = _nodes(spread.excitation.dtype)
    each = jax.vmap(jax.vmap(lambda a, b: noise.rate(spread.at(a, b)), (None, 0)), (0, None))(z, z)
    return jnp.einsum("i,j,ij->", weights, weights, function(each))


@eqx.filter_jit
def _solve(net: Network, noise: AbstractNoise, start: Float[Array, ""]) -> RateDistribution:
    def residual(network: Network, x: Float[Array, "2"]) -> Float[Array, "2"]:
        rate = jnp.exp(x[0])
        spread = _spread(network, rate, rate * jnp.sqrt(jnp.maximum(x[1], 0.0)))
        z, weights = _nodes(rate.dtype)
        each = jax.vmap(jax.vmap(lambda a, b: noise.rate(spread.at(a, b)), (None, 0)), (0, None))(z, z)
        mean = jnp.einsum("i,j,ij->", weights, weights, each)
        square = jnp.einsum("i,j,ij->", weights, weights, jnp.square(each - mean))
        return jnp.stack([jnp.log(mean) - x[0], square / jnp.square(mean) - x[1]])

    fixed: Any = lax.stop_gradient(net)

    def step(_: Array, x: Float[Array, "2"]) -> Float[Array, "2"]:
        move = jnp.linalg.solve(jax.jacfwd(lambda y: residual(fixed, y))(x), residual(fixed, x))
        return x - jnp.clip(move, -0.3, 0.3)

    x = lax.fori_loop(0, _STEPS, step, jnp.stack([jnp.log(start), jnp.full_like(start, 0.01)]))
    missed = jnp.max(jnp.abs(residual(fixed, x)))
    x = implicit_root(lambda y: residual(net, y), x)
    rate = jnp.exp(x[0])
    sd = rate * jnp.sqrt(jnp.maximum(x[1], 0.0))
    spread = _spread(net, rate, sd)
    code = Result.where(missed < 1e-4, Result.successful, Result.no_fixed_point)
    return RateDistribution(rate, sd, _gamma(net, noise, start), start, code, noise, spread)


def _gamma(net: Network, noise: AbstractNoise, rate: Float[Array, ""]) -> Float[Array, ""]:
    """(F5), corrected: the sd of the exponent by the differences in number of inputs."""
    spread = _spread(net, rate, jnp.zeros_like(rate))

    def exponent(z_e: Float[Array, ""], z_i: Float[Array, ""]) -> Float[Array, ""]:
        return noise.exponent(spread.at(z_e, z_i))

    zero = jnp.zeros_like(rate)
    by_e, by_i = jax.jacfwd(exponent, (0, 1))(zero, zero)
    return jnp.sqrt(jnp.square(by_e) + jnp.square(by_i))


@eqx.filter_jit
def _below(noise: AbstractNoise, spread: Spread, hertz: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The share of neurons below a rate and its derivative: rates rise with z_E at every z_I."""
    z, weights = _nodes(hertz.dtype)

    def rates(z_e: Float[Array, "n"]) -> Float[Array, "n"]:
        return jax.vmap(lambda a, b: noise.rate(spread.at(a, b)))(z_e, z)

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        below = rates(middle) < hertz
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    at, _ = lax.fori_loop(0, 45, halve, (jnp.full_like(z, -_REACH), jnp.full_like(z, _REACH)))
    _, slope = jax.jvp(rates, (at,), (jnp.ones_like(at),))
    density = jnp.exp(-0.5 * jnp.square(at)) / np.sqrt(2.0 * np.pi) / slope
    inside = jnp.abs(at) < 0.999 * _REACH
    return jnp.sum(weights * jax.scipy.stats.norm.cdf(at)), jnp.sum(weights * jnp.where(inside, density, 0.0))
