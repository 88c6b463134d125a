"""The distribution of rates over neurons whose numbers of inputs differ."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray

from .._network import Network, check_spiking, warn_of_negative
from .._numerics import (
    Result,
    Shown,
    as_leaf,
    check_positive,
    implicit_root,
    is_concrete,
    told,
    violates,
    where_defined,
)
from ._afferents import Afferents, afferents
from ._effective_input import check_covered, checked_noise
from ._mean_field import mean_field
from ._noise import AbstractNoise
from ._over_neurons import NumberedNeurons, Spread, cvs_of, excites_of, mean, neurons_of, nodes, over_neurons
from ._unknowns import groups_of

# Steps of Newton's method; of a dear theory, how often at most what it adds to the cheap one is computed anew.
_STEPS, _ROUNDS = 40, 10
_REACH = 8.0


class RateDistribution(Shown):
    """Rates over neurons whose in-degrees differ, self-consistently.

    - `mean`, `sd` [Hz]: equation (F2); `cv_mean`, `cv_sd`: of the CV of the interspike intervals.
    - `gamma`: the sd of log rates far below threshold, equation (F5), with `LongFilter()` (G14); NaN where the theory
      has no exponent. `log_slope`: the same from the rate itself, smaller, and equal far below saturation as a falls.
    - `lognormal_mean`, `lognormal_sd` [Hz]: (F7), corrected, around the rate `homogeneous` of equal neurons.
    - `result`: successful, or no_fixed_point.
    """

    mean: Float[Array, ""]
    sd: Float[Array, ""]
    gamma: Float[Array, ""]
    log_slope: Float[Array, ""]
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

    @property
    def cv_mean(self) -> Float[Array, ""]:
        """The mean over neurons of the CV of their intervals."""
        return _cv_moments(self.noise, self.spread)[0]

    @property
    def cv_sd(self) -> Float[Array, ""]:
        """The standard deviation over neurons of the CV of their intervals."""
        return _cv_moments(self.noise, self.spread)[1]

    def fraction_below(self, rate: ArrayLike) -> Float[Array, ""]:
        """The share of neurons that fire below `rate` [Hz]."""
        return below(self.noise, self.spread, _one_rate("rate", rate))[0]

    def pdf(self, rate: ArrayLike) -> Float[Array, ""]:
        """The density of rates at `rate` [1/Hz], equation (F3)."""
        return below(self.noise, self.spread, _one_rate("rate", rate))[1]

    def quantile(self, share: ArrayLike) -> Float[Array, ""]:
        """The rate [Hz] below which the `share` of neurons fires, between 0 and 1."""
        q = as_leaf(share, "share")
        if q.ndim:
            raise ValueError(f"`share` has to be one number; got shape {q.shape}: map over it with jax.vmap.")
        if violates(lambda x: (x > 0.0) & (x < 1.0), q):
            raise ValueError(f"`share` has to lie between 0 and 1; got {q}.")
        return _quantile(self.noise, self.spread, q)

    def fraction_silent(self, duration: ArrayLike) -> Float[Array, ""]:
        """The share of neurons that send no spike in `duration` [ms], the mean of exp(-nu T)."""
        time = _one_rate("duration", duration)
        return _average(self.noise, self.spread, lambda rate: jnp.exp(-rate * time / 1000.0))

    def sample(self, n: int, *, key: PRNGKeyArray) -> "NeuronSample":
        """Rates and CVs of `n` neurons with normal z_E and z_I drawn by `key`."""
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"`n` has to be a positive integer, the number of neurons; got {told(n)}.")
        z = jax.random.normal(key, (2, int(n)), self.mean.dtype)
        return _sample(self.noise, self.spread, z)


class NeuronSample(Shown):
    """Neurons of a network: `rate` [Hz] and `cv` of the interspike intervals, (n,) each."""

    rate: Float[Array, "n"]
    cv: Float[Array, "n"]


def rate_distribution(net: Network, *, noise: AbstractNoise | None = None) -> RateDistribution:
    """Returns the distribution of rates over neurons whose numbers of inputs differ, self-consistently.

        nu = <nu(z_E, z_I)>,    Delta nu^2 = <nu(z_E, z_I)^2> - nu^2,

    over normal z_E and z_I, where a neuron's excitation is K r_E (1 + Delta_E/r_E z_E), with

        (K Delta_E)^2 = sum over excitatory streams of Var(K_j) r_j^2 + K_j Delta nu^2 (of recurrent ones),

    and its inhibition likewise. The term of Delta nu^2 is not small at a thousand inputs.

    **Arguments:** `net`: a network whose neurons are alike in all populations, with conductances; in-degrees vary by
    its rules, such as `GaussianInDegree`. `noise`: a theory of the noise, `EffectiveNoise()` by default. A dear one,
    `ShotNoise()` or `ItoNoise()`, is asked at 81 neurons, and between them by what it adds to `EffectiveNoise()`, to
    1e-4.

    **Returns:** a `RateDistribution`.

    Raises `ValueError` where populations differ or the theory does not cover the network, `RuntimeError` where no
    state is found. Warns where over 1% of the in-degrees would be negative.

    Derivatives: implicit, forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.conductance_based(nu_x=25.0, cv_k=0.05)
    >>> seen = jn.theory.rate_distribution(net)
    >>> f"{seen.sd / seen.mean:.2f}, {seen.quantile(0.5):.1f} Hz, {seen.gamma:.2f} but {seen.log_slope:.2f}"
    '0.59, 32.4 Hz, 0.87 but 0.57'

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (22), (F1)-(F7), (F5) and (F7)
    corrected.
    """
    theory = checked_noise(noise)
    names, seen = check_alike(net, theory)
    for stream in seen.streams:
        k = stream.in_degree
        warn_of_negative("net", jnp.sqrt(k.variance) / jnp.where(k.mean > 0.0, k.mean, 1.0), stacklevel=2)
    start = mean_field(net, noise=theory).rate[names[0]]
    found = _solve(net, theory, lax.stop_gradient(start))
    if is_concrete(found.result) and not bool(found.result == Result.successful):
        raise RuntimeError(f"Rate distribution: {Result[found.result]}")  # type: ignore[index]
    return eqx.tree_at(lambda d: d.homogeneous, found, start)


def check_alike(net: Network, theory: AbstractNoise) -> tuple[tuple[str, ...], Afferents]:
    """The populations, and what one neuron receives; raises `ValueError` where they differ or are not covered."""
    check_spiking(net)
    names = net.neuron_names
    if len(groups_of(net, names)) != 1:
        known = "" if is_concrete(net) else " Numbers that `jax.jit` alone knows are equal where they are one array."
        raise ValueError(
            f"`net` has neurons that differ between {', '.join(names)}; this theory is of equal ones.{known}"
        )
    seen = afferents(net, dict.fromkeys(names, np.ones(())))
    check_covered(theory, seen)
    return names, seen[names[0]]


def _one_rate(name: str, value: ArrayLike) -> Float[Array, ""]:
    leaf = as_leaf(value, name)
    check_positive(name, leaf)
    if leaf.ndim:
        raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}: map over it with jax.vmap.")
    return leaf


def spread_of(
    net: Network, rate: Float[Array, ""], sd: Float[Array, ""], cv_k: Float[Array, ""] | None = None
) -> Spread:
    """A neuron and how far its inputs vary, by the rules of the network, or by `cv_k` for all in-degrees."""
    names = net.neuron_names
    seen = afferents(net, dict.fromkeys(names, rate))[names[0]]
    totals, squares = jnp.zeros(2, rate.dtype), jnp.zeros(2, rate.dtype)
    for stream, origin, excites in zip(seen.streams, seen.origins, excites_of(seen), strict=True):
        own = jnp.square(sd) if origin.pre in names else jnp.zeros_like(sd)
        k = stream.in_degree
        variance = k.variance if cv_k is None else jnp.square(cv_k * k.mean)
        of_kind = jnp.stack([excites, ~excites]).astype(rate.dtype)
        totals = totals + of_kind * k.mean * stream.rate
        squares = squares + of_kind * (variance * jnp.square(stream.rate) + k.mean * own)
    share = jnp.sqrt(jnp.maximum(squares, 1e-30)) / jnp.where(totals > 0.0, totals, 1.0)
    return Spread(Afferents(seen.neuron, seen.streams, seen.currents), share[0], share[1])


@eqx.filter_jit
def _average(noise: AbstractNoise, spread: Spread, function: Any) -> Float[Array, ""]:
    neurons = neurons_of(noise, spread)
    return mean(function(over_neurons(neurons.rate, spread.excitation.dtype)))


@eqx.filter_jit
def _cv_moments(noise: AbstractNoise, spread: Spread) -> tuple[Float[Array, ""], Float[Array, ""]]:
    each = over_neurons(cvs_of(noise, spread), spread.excitation.dtype)
    middle = mean(each)
    return middle, jnp.sqrt(mean(jnp.square(each - middle)))


@eqx.filter_jit
def _sample(noise: AbstractNoise, spread: Spread, z: Float[Array, "2 n"]) -> NeuronSample:
    rate, cv = neurons_of(noise, spread).rate, cvs_of(noise, spread)
    return NeuronSample(*jax.vmap(lambda a, b: (rate(a, b), cv(a, b)))(z[0], z[1]))


def newton(
    residual: Callable[[Float[Array, "n"]], Float[Array, "n"]],
    start: Float[Array, "n"],
    most: float,
    steps: int | Int[Array, ""],
) -> tuple[Float[Array, "n"], Float[Array, ""]]:
    """Newton's method in at most so many steps, each no longer than `most`; and the largest residual before the last.

    Values and slopes come from one evaluation, which is what compiles longest.
    """

    tolerance = 1e-11 if start.dtype == jnp.float64 else 1e-5

    def going(carry: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        return (carry[1] > tolerance) & (carry[2] < steps)

    def step(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        x, _, count = carry
        values, columns = jax.vmap(lambda t: jax.jvp(residual, (x,), (t,)))(jnp.eye(x.size, dtype=x.dtype))
        move = jnp.linalg.solve(columns.T, values[0])
        x = x - jnp.clip(jnp.where(jnp.isfinite(move), move, 0.0), -most, most)
        return x, jnp.max(jnp.abs(values[0])), count + 1

    begun = (start, jnp.full_like(start[0], jnp.inf), jnp.zeros((), jnp.int32))
    return lax.while_loop(going, step, begun)[:2]


def missed(neurons: NumberedNeurons, x: Float[Array, "2"]) -> Float[Array, "2"]:
    """What (F2) misses at x, the log of the mean rate and its variance over the squared mean."""
    each = over_neurons(neurons.rate, x.dtype)
    middle = mean(each)
    return jnp.stack([jnp.log(middle) - x[0], mean(jnp.square(each / middle - 1.0)) - x[1]])


def _spread_at(net: Network, x: Float[Array, "2"]) -> Spread:
    rate = jnp.exp(x[0])
    return spread_of(net, rate, rate * jnp.sqrt(jnp.maximum(x[1], 0.0)))


@eqx.filter_jit
def _solve(net: Network, noise: AbstractNoise, start: Float[Array, ""]) -> RateDistribution:
    def residual(network: Network, x: Float[Array, "2"]) -> Float[Array, "2"]:
        return missed(neurons_of(noise, _spread_at(network, x)), x)

    fixed: Any = lax.stop_gradient(net)
    begun = jnp.stack([jnp.log(start), jnp.full_like(start, 0.01)])
    if noise.cheap() is None:
        x, off = newton(lambda y: residual(fixed, y), begun, 0.3, _STEPS)
    else:
        x, off = _in_rounds(fixed, noise, begun)
    x = implicit_root(lambda y: residual(net, y), x)
    rate = jnp.exp(x[0])
    sd = rate * jnp.sqrt(jnp.maximum(x[1], 0.0))
    spread = spread_of(net, rate, sd)
    code = Result.where(off < 1e-4, Result.successful, Result.no_fixed_point)
    gamma, slope = _log_slopes(net, noise, start)
    return RateDistribution(rate, sd, gamma, slope, start, code, noise, spread)


def _in_rounds(net: Network, noise: AbstractNoise, start: Float[Array, "2"]) -> tuple[Array, Array]:
    """The root of a dear theory, and what it misses: what it adds to the log rates of the cheap one hardly changes."""
    tolerance = 1e-7 if start.dtype == jnp.float64 else 1e-5

    def going(carry: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        return (carry[1] > tolerance) & (carry[2] < _ROUNDS)

    def once(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        x, _, count = carry
        added = neurons_of(noise, _spread_at(net, x)).log_more

        def residual(y: Float[Array, "2"]) -> Float[Array, "2"]:
            return missed(NumberedNeurons(noise, _spread_at(net, y), added), y)

        off = jnp.max(jnp.abs(residual(x)))
        return jnp.where(off > tolerance, newton(residual, x, 0.3, _STEPS)[0], x), off, count + 1

    begun = (start, jnp.full_like(start[0], jnp.inf), jnp.zeros((), jnp.int32))
    return lax.while_loop(going, once, begun)[:2]


def _log_slopes(
    net: Network, noise: AbstractNoise, rate: Float[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """(F5), corrected: the sd of the exponent by the differences in number of inputs; and that of the log rate."""
    spread, zero = spread_of(net, rate, jnp.zeros_like(rate)), jnp.zeros_like(rate)

    def length(function: Any) -> Float[Array, ""]:
        by_e, by_i = jax.jacfwd(lambda a, b: function(spread.at(a, b)), (0, 1))(zero, zero)
        return jnp.sqrt(jnp.square(by_e) + jnp.square(by_i))

    try:
        gamma = length(noise.exponent)
    except ValueError:  # a theory without one
        gamma = jnp.full_like(rate, jnp.nan)
    return gamma, length(noise.log_rate)


@eqx.filter_jit
def below(noise: AbstractNoise, spread: Spread, hertz: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The share of neurons below a rate and its density."""
    return _below(neurons_of(noise, spread), hertz)


def _below(neurons: NumberedNeurons, hertz: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The same: rates rise with z_E at every z_I."""
    z, weights = nodes(hertz.dtype)
    fixed: Any = lax.stop_gradient((neurons, jnp.log(hertz)))

    def log_rates(seen: NumberedNeurons, z_e: Float[Array, "n"]) -> Float[Array, "n"]:
        return jax.vmap(seen.log_rate)(z_e, z)

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        slow = log_rates(fixed[0], middle) < fixed[1]
        return jnp.where(slow, middle, low), jnp.where(slow, high, middle)

    at, _ = lax.fori_loop(0, 45, halve, (jnp.full_like(z, -_REACH), jnp.full_like(z, _REACH)))
    reached, slope = jax.jvp(lambda x: log_rates(neurons, x), (at,), (jnp.ones_like(at),))
    inside = (jnp.abs(at) < 0.999 * _REACH) & jnp.isfinite(slope) & (slope > 0.0)
    steep = jnp.where(inside, slope, 1.0)
    # One step of Newton's method, which is 0, and which carries the derivatives.
    move = (jnp.log(hertz) - reached) / steep
    at = at + jnp.where(inside & jnp.isfinite(move), move, 0.0)
    density = jnp.exp(-0.5 * jnp.square(at)) / np.sqrt(2.0 * np.pi) / (steep * hertz)
    share = jnp.sum(weights * jax.scipy.stats.norm.cdf(at))
    return share, jnp.sum(weights * jnp.where(inside, density, 0.0))


@eqx.filter_jit
def _quantile(noise: AbstractNoise, spread: Spread, share: Float[Array, ""]) -> Float[Array, ""]:
    neurons = neurons_of(noise, spread)
    fixed: Any = lax.stop_gradient((neurons, share))

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        few = _below(fixed[0], jnp.exp(middle))[0] < fixed[1]
        return jnp.where(few, middle, low), jnp.where(few, high, middle)

    most = jnp.log(noise.most_rate(fixed[0].spread.seen))
    low, high = lax.fori_loop(0, 30, halve, (jnp.full_like(most, np.log(1e-30)), most))
    at = jnp.exp(0.5 * (low + high))
    reached, density = _below(neurons, at)
    move = (share - reached) / jnp.where(density > 0.0, density, 1.0)
    inside = (share > 0.0) & (share < 1.0)
    return where_defined(inside, at + jnp.where(density > 0.0, move, 0.0), share)
