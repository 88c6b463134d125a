"""The differences in in-degree at which a network begins to fall silent."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float

from .._network import Network, warn_of_negative
from .._numerics import Result, Shown, as_leaf, check_positive, implicit_root, is_concrete, violates, where_defined
from ._effective_input import checked_noise
from ._mean_field import mean_field
from ._noise import AbstractNoise
from ._over_neurons import neurons_of
from ._rate_distribution import below, check_alike, missed, newton, spread_of

_LEAST, _MOST, _STEPS = 1e-7, 3.0, 40


class CriticalHeterogeneity(Shown):
    """`cv_k`: CV_K*, NaN where none was found; `mean`, `sd` [Hz] of the rates there.

    `result`: successful; already_slow, where equal in-degrees suffice for more than that fraction; no_fixed_point.
    """

    cv_k: Float[Array, ""]
    mean: Float[Array, ""]
    sd: Float[Array, ""]
    result: Result


def critical_heterogeneity(
    net: Network, rate: ArrayLike = 1e-3, fraction: ArrayLike = 0.01, *, noise: AbstractNoise | None = None
) -> CriticalHeterogeneity:
    """Returns the least CV_K at which a fraction of the neurons fires below a rate, self-consistently.

        P(nu(z_E, z_I) < rate) = fraction,

    with all in-degrees of the network normal, of the standard deviation CV_K times the mean, whatever its rules say.

    There need not be one: rates that differ make inputs differ, by Delta nu^2/K, also between neurons of equal
    in-degrees. Where that alone leaves more than the fraction below the rate, as with slow synapses at many inputs
    (`LongFilter()`, tau_s = 20 ms, a = 0.0016 sqrt(1000/K), nu_X = 25 Hz: 10% of the neurons at K = 10,000, where
    CV_K* is 0.038 at K = 1,000), no CV_K is critical.

    **Arguments:** `net`: as of `rate_distribution`; `rate` [Hz]; `fraction`, between 0 and 1/2; `noise`: a theory of
    the noise, `EffectiveNoise()` by default.

    **Returns:** a `CriticalHeterogeneity`; 0 where equal neurons fire below `rate` already.

    Raises `ValueError` as `rate_distribution`, and where a number is out of range; `RuntimeError` where none is found.
    Warns where over 1% of the in-degrees would be negative there.

    Derivatives: implicit, forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.conductance_based(a=0.0016, k=1_000, g=20.0, nu_x=25.0, cv_k=0.05)
    >>> f"{jn.theory.critical_heterogeneity(net).cv_k:.3f}"
    '0.119'

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, section VI, Fig. 4D.
    """
    theory = checked_noise(noise)
    names, _ = check_alike(net, theory)
    least, share = as_leaf(rate, "rate"), as_leaf(fraction, "fraction")
    check_positive("rate", least)
    if violates(lambda x: (x > 0.0) & (x < 0.5), share):
        raise ValueError(f"`fraction` has to lie between 0 and 1/2; got {share}.")
    for name, leaf in (("rate", least), ("fraction", share)):
        if leaf.ndim:
            raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}: map over it with jax.vmap.")
    start = lax.stop_gradient(mean_field(net, noise=theory).rate[names[0]])
    found = _solve(net, theory, least, share, start)
    if is_concrete(found.result):
        if not bool(found.result == Result.successful):
            raise RuntimeError(
                "No CV_K is critical: of neurons of `net` with equal in-degrees more than `fraction` fire below "
                "`rate`, for each hears others that differ. Take a lower `rate` or a larger `fraction`."
                if bool(found.result == Result.already_slow)
                else "No CV_K was found at which that fraction of the neurons of `net` fires below `rate`: the network "
                "has no self-consistent state there."
            )
        warn_of_negative("net", found.cv_k, stacklevel=2)
    return found


@eqx.filter_jit
def _solve(
    net: Network, noise: AbstractNoise, least: Float[Array, ""], share: Float[Array, ""], start: Float[Array, ""]
) -> CriticalHeterogeneity:
    """From the least CV_K at which that many neurons of a network that fires as if equal are slow."""
    fixed: Any = lax.stop_gradient((net, least, share))

    def residual(given: Any, x: Float[Array, "3"], equal: Bool[Array, ""] | bool) -> Float[Array, "3"]:
        # The normal number of the share that is reached is nearly linear in CV_K. It is the unknown itself where
        # in-degrees are `equal`, and else has to be that of the share that is asked for.
        network, slow, wanted = given
        mean = jnp.exp(x[0])
        spread = spread_of(
            network, mean, mean * jnp.sqrt(jnp.maximum(x[1], 0.0)), jnp.where(equal, _LEAST, jnp.exp(x[2]))
        )
        reached = jax.scipy.stats.norm.ppf(jnp.clip(below(noise, spread, slow)[0], 1e-12, 1.0 - 1e-6))
        off = reached - jnp.where(equal, x[2], jax.scipy.stats.norm.ppf(wanted))
        return jnp.concatenate([missed(neurons_of(noise, spread), x[:2]), off[None]])

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        few = below(noise, spread_of(fixed[0], start, 0.0 * start, jnp.exp(middle)), fixed[1])[0] < fixed[2]
        return jnp.where(few, middle, low), jnp.where(few, high, middle)

    ends = (jnp.log(jnp.full_like(start, _LEAST)), jnp.log(jnp.full_like(start, _MOST)))
    first = lax.fori_loop(0, 12, halve, ends)[0]

    asked = jax.scipy.stats.norm.ppf(fixed[2])

    def search(now: tuple[Array, Array], equal: Bool[Array, ""]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        before, done = now
        begun = jnp.where(equal, before.at[2].set(asked), before)
        x, off = newton(lambda y: residual(fixed, y, equal), begun, 0.2, jnp.where(done, 0, _STEPS))
        return (x, off < 1e-4), (x, off < 1e-4)

    # With equal in-degrees where there is no answer, to say why, from where the search ended: one program for both.
    begun = jnp.stack([jnp.log(start), jnp.full_like(start, 0.5), first])
    _, (found, reached) = lax.scan(search, (begun, jnp.zeros((), bool)), jnp.array([False, True]))
    x, solved = found[0], reached[0]
    slow = reached[1] & (found[1, 2] > asked)
    silent = start <= least
    x = implicit_root(lambda y: residual((net, least, share), y, False), x)
    mean, cv_k = jnp.exp(x[0]), jnp.exp(x[2])
    exists = silent | solved
    shown = [
        where_defined(exists, jnp.where(silent, at_once, value), least + share)
        for at_once, value in ((0.0, cv_k), (start, mean), (0.0, mean * jnp.sqrt(jnp.maximum(x[1], 0.0))))
    ]
    missing = Result.where(slow, Result.already_slow, Result.no_fixed_point)
    code = Result.where(exists, Result.successful, missing)
    return CriticalHeterogeneity(shown[0], shown[1], shown[2], code)
