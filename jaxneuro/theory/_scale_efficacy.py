"""How efficacies have to fall as in-degrees grow, so that a neuron or a network keeps its response."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from .._network import Network, check_spiking
from .._numerics import as_leaf, check_positive, implicit_roots, is_concrete, violates, where_defined, wright_omega
from ._afferents import Afferents, afferents, side_by_side
from ._effective_input import check_covered, checked_noise
from ._free_rates import TINY, simplified_rates, without_leak
from ._mean_field import mean_field
from ._noise import AbstractNoise
from ._scaled_law import scaled
from ._unknowns import Groups, by_population, groups_of

# The least and the largest factor of the efficacies that a response is searched at, the halvings, and Newton's steps.
_LEAST, _MOST, _HALVINGS, _STEPS = 1e-6, 1e4, 50, 8


class KindsOf(eqx.Module):
    """Reads what one neuron of each kind receives in a network, at log rates of the kinds."""

    groups: Groups = eqx.field(static=True)

    def __call__(self, net: Network, x: Float[Array, "kinds"]) -> tuple[Afferents, ...]:
        received = afferents(net, by_population(self.groups, jnp.exp(x)))
        return tuple(received[group[0]] for group in self.groups)


class AbstractPreserved(eqx.Module):
    """What stays as in-degrees grow."""

    @abc.abstractmethod
    def rates(self, net: Network, theory: AbstractNoise) -> dict[str, Float[Array, ""]]:
        """The rates [Hz] at which what a neuron receives is read, by population; NaN where there are none."""

    @abc.abstractmethod
    def factor(self, theory: AbstractNoise, seen: Afferents, growth: Float[Array, ""]) -> Float[Array, ""]:
        """What the efficacies are multiplied by where the in-degrees grow by the factor `growth`."""


class StrongCoupling(AbstractPreserved):
    """The strong-coupling form of the passage time, which forgets leak and refractoriness: a falls as 1/log K.

    Below threshold exp(E/a)/(sqrt(a) K) stays, with E the exponent of the theory, (14), (B22); above it a K, (B21). In
    a network the rates at which E is taken are those of its gain, (D10), (D27).
    """

    def rates(self, net: Network, theory: AbstractNoise) -> dict[str, Float[Array, ""]]:
        names = net.neuron_names
        seen = afferents(net, dict.fromkeys(names, np.ones(())))
        for one in seen.values():
            for stream in one.streams:
                if stream.synapse.spike_effect(stream.weight.moments().mean, one.membrane().tau_m).time_constants:
                    raise ValueError(
                        "`preserve`: `StrongCoupling()` is of synapses that act at once, and `like` has some with a "
                        "time course: take `FullResponse()`."
                    )
        if not any(origin.pre in names for one in seen.values() for origin in one.origins):
            return dict.fromkeys(names, as_leaf(1.0))
        groups = groups_of(net, names)
        if len(groups) > 2:
            raise ValueError("`like` has more than two kinds of neurons: a gain is of one or two.")
        reference = _external_rate(seen[names[0]], names)
        log_rates, exists = simplified_rates(KindsOf(groups), net, theory, reference, len(groups))
        return by_population(groups, where_defined(exists, reference * jnp.exp(log_rates)))

    def factor(self, theory: AbstractNoise, seen: Afferents, growth: Float[Array, ""]) -> Float[Array, ""]:
        # The exponent over TINY is that of efficacies multiplied by TINY.
        exponent = TINY * theory.exponent(
            without_leak(scaled(seen, jnp.asarray(TINY, growth.dtype), 1.0 + 0.0 * growth))
        )
        below = exponent > 0.0
        held = jnp.where(below, exponent, 1.0)
        # With u = 2 E/a the condition is u + log u = 2 log(exp(E/a)/sqrt(a)) + log(2 E): in units of today's a.
        u = wright_omega(2.0 * held + jnp.log(2.0 * held) + 2.0 * jnp.log(growth))
        return jnp.where(below, 2.0 * held / u, 1.0 / growth) + 0.0 * exponent


class FullResponse(AbstractPreserved):
    """The rate itself, leak and refractoriness included: of a neuron, or every population's in a network."""

    def rates(self, net: Network, theory: AbstractNoise) -> dict[str, Float[Array, ""]]:
        return mean_field(net, noise=theory, throw=False).rate

    def factor(self, theory: AbstractNoise, seen: Afferents, growth: Float[Array, ""]) -> Float[Array, ""]:
        fixed: Any = lax.stop_gradient((seen, growth))
        cheap = theory.cheap()
        received, larger = fixed
        start = _search(theory if cheap is None else cheap, received, larger)

        def step(_: Array, x: Float[Array, ""]) -> Float[Array, ""]:
            value, slope = jax.jvp(lambda y: _lost(theory, received, larger, y), (x,), (jnp.ones_like(x),))
            return x - jnp.clip(jnp.where(slope == 0.0, 0.0, value / slope), -0.3, 0.3)

        found = start if cheap is None else lax.fori_loop(0, _STEPS, step, start)
        return jnp.exp(implicit_roots(lambda x: _lost(theory, seen, growth, x), found))


def scale_efficacy(
    k: ArrayLike, *, like: Network, noise: AbstractNoise | None = None, preserve: AbstractPreserved | None = None
) -> Float[Array, "..."]:
    """Returns the efficacy at in-degree `k` that preserves the response of a neuron or a network.

        exp(E/a)/(sqrt(a) K) = its value in `like`       (below threshold: (14), (B22); in a network (D10), (D27))
        a K = its value in `like`                        (above threshold: (B21))

    with E the exponent of the theory: v_bar^2 of `EffectiveNoise`, F(v_max) - F(alpha) of `ItoNoise` and
    `StratonovichNoise`, the integral of `strong_coupling` of `ShotNoise`. All other in-degrees and efficacies of a
    population grow and fall with those of its first excitatory input, which are its K and a.

    **Arguments:**

    - `k`: the in-degree K of the first population, of any shape; that of another keeps its ratio to it.
    - `like`: such as `networks.conductance_neuron(...)` or `networks.conductance_based(...)`, with a, K and nu_X.
    - `noise`: a theory of the noise, `EffectiveNoise()` by default.
    - `preserve`: `StrongCoupling()`, the strong-coupling form, by default; or `FullResponse()`, the rate itself.

    **Returns:** a, of the shape of `k`; with one more axis (E, I) where the populations of `like` differ, as
    `networks.conductance_based` takes it.

    Raises `ValueError` where the theory does not cover the network, or has no strong-coupling form for its gain;
    `RuntimeError` where the network has no gain or no fixed point, NaN under a transformation.

    Derivatives: implicit, forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = jn.networks.conductance_neuron(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25, nu_x=20.0)
    >>> f"{jn.theory.scale_efficacy(1e4, like=neuron):.8f}"
    '0.00622203'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (14), (B21), (B22), (D10), (D27).
    """
    theory, in_degree = checked_noise(noise), as_leaf(k, "k")
    check_positive("k", in_degree)
    kept = StrongCoupling() if preserve is None else preserve
    if not isinstance(kept, AbstractPreserved):
        raise ValueError(f"`preserve` has to be `StrongCoupling()` or `FullResponse()`; got {preserve!r}.")
    check_spiking(like, "like")
    names = like.neuron_names
    check_covered(theory, afferents(like, dict.fromkeys(names, np.ones(()))))
    groups = groups_of(like, names)
    found = kept.rates(like, theory)
    received = afferents(like, {name: found[name] for name in names})
    seen = tuple(received[group[0]] for group in groups)
    places = tuple(_first_excitation(one) for one in seen)
    bare = tuple(Afferents(one.neuron, one.streams, one.currents) for one in seen)  # origins do not belong to a program
    efficacies = _efficacies(in_degree, bare, theory, kept, places)
    if is_concrete(efficacies) and bool(jnp.any(jnp.isnan(efficacies))):
        what = f"`{type(theory).__name__}` has none for `{type(kept).__name__}` to preserve."
        raise RuntimeError(f"`like` needs a self-consistent rate: {what}")
    return efficacies[..., 0] if len(groups) == 1 else efficacies


@eqx.filter_jit
def _efficacies(
    k: Float[Array, "..."],
    seen: tuple[Afferents, ...],
    theory: AbstractNoise,
    kept: AbstractPreserved,
    places: tuple[int, ...],
) -> Float[Array, "... kinds"]:
    first = [one.streams[place] for one, place in zip(seen, places, strict=True)]
    flat = k.reshape(-1)
    growth = where_defined((flat > 0.0) & jnp.isfinite(flat), flat) / first[0].in_degree.mean

    def factors(larger: Float[Array, ""]) -> Float[Array, "kinds"]:
        return jnp.stack(side_by_side(lambda one: kept.factor(theory, one, larger), seen))

    each = jax.vmap(factors) if theory.cheap() is None else (lambda values: lax.map(factors, values))
    efficacies = []
    for stream, one in zip(first, seen, strict=True):
        effect = stream.synapse.spike_effect(stream.weight.moments().mean, one.membrane().tau_m)
        rates = jnp.sum(jnp.stack([s.rate for s in one.streams]))
        efficacies.append(where_defined(jnp.isfinite(rates), effect.integral, rates))
    return (each(growth) * jnp.stack(efficacies)).reshape(*k.shape, len(seen))


def _first_excitation(seen: Afferents) -> int:
    """The place of the first stream that reverses above threshold; of the first one where that is not known."""
    membrane = seen.membrane()
    for place, stream in enumerate(seen.streams):
        effect = stream.synapse.spike_effect(stream.weight.moments().mean, membrane.tau_m)
        if effect.reversal is None:
            raise ValueError("`like` has currents for synapses: this scaling is of conductances.")
        if not violates(lambda e, th: e > th, effect.reversal, membrane.v_th):
            return place
    raise ValueError("`like` has a population without excitation.")


def _external_rate(seen: Afferents, names: tuple[str, ...]) -> Float[Array, ""]:
    """The rate [Hz] of the first source from outside."""
    for origin, stream in zip(seen.origins, seen.streams, strict=True):
        if origin.pre not in names:
            return stream.rate
    raise ValueError("`like` has no input from outside: it has no gain.")


def _search(theory: AbstractNoise, seen: Afferents, growth: Float[Array, ""]) -> Float[Array, ""]:
    """The log of the factor at which a theory gives the same rate, by halving: rates rise with efficacies."""

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        slow = _lost(theory, seen, growth, middle) > 0.0
        return jnp.where(slow, middle, low), jnp.where(slow, high, middle)

    ends = (jnp.full_like(growth, np.log(_LEAST)), jnp.full_like(growth, np.log(_MOST)))
    low, high = lax.fori_loop(0, _HALVINGS, halve, ends)
    return 0.5 * (low + high)


def _lost(
    theory: AbstractNoise, seen: Afferents, growth: Float[Array, ""], log_factor: Float[Array, ""]
) -> Float[Array, ""]:
    """By how much the log of the passage time is longer than it was; nearly linear in the log of the efficacies."""
    factors = jnp.stack([jnp.exp(log_factor), jnp.ones_like(log_factor)])
    # Both in one call, which is compiled once.
    log_rates = jax.vmap(lambda s, k: theory.log_rate(scaled(seen, s, k)))(
        factors, jnp.stack([growth, jnp.ones_like(growth)])
    )
    share = seen.membrane().t_ref / 1000.0 * jnp.exp(jnp.minimum(log_rates, 60.0))
    log_times = jnp.log1p(-jnp.minimum(share, 1.0 - 1e-6)) - log_rates
    return log_times[0] - log_times[1]
