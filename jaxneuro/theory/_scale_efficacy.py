"""How efficacies have to fall as in-degrees grow, so that a neuron or a network keeps its response."""

import abc
from collections.abc import Callable
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from .._network import Network, check_spiking
from .._numerics import (
    Shown,
    as_leaf,
    check_positive,
    implicit_roots,
    is_concrete,
    told,
    violates,
    where_defined,
    wright_omega,
)
from ..models import CurvedMembrane
from ._afferents import Afferents, afferents, side_by_side
from ._curved_escape import escape_log_time
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


class AbstractPreserved(Shown):
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
    a network the rates at which E is taken are those of its gain, (D10), (D27). Of a neuron with voltage-dependent
    currents the escape time (C4) stays, its leak with it.
    """

    def rates(self, net: Network, theory: AbstractNoise) -> dict[str, Float[Array, ""]]:
        names = net.neuron_names
        seen = afferents(net, dict.fromkeys(names, np.ones(())))
        for one in seen.values():
            for stream in one.streams:
                if stream.synapse.spike_effect(stream.weight.moments().mean, one.tau_m()).time_constants:
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
        if seen.neuron.curved_membrane() is not None:
            return _kept(_escape_log_time, seen, growth, None)
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
        cheap = theory.cheap()
        quick = None if cheap is None else (lambda one: _log_time(cheap, one))
        return _kept(lambda one: _log_time(theory, one), seen, growth, quick)


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

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (14), (B21), (B22), (C4),
    (D10), (D27).
    """
    theory, in_degree = checked_noise(noise), as_leaf(k, "k")
    check_positive("k", in_degree)
    kept = StrongCoupling() if preserve is None else preserve
    if not isinstance(kept, AbstractPreserved):
        raise ValueError(f"`preserve` has to be `StrongCoupling()` or `FullResponse()`; got {told(preserve)}.")
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
        effect = stream.synapse.spike_effect(stream.weight.moments().mean, one.tau_m())
        rates = jnp.sum(jnp.stack([s.rate for s in one.streams]))
        efficacies.append(where_defined(jnp.isfinite(rates), effect.integral, rates))
    return (each(growth) * jnp.stack(efficacies)).reshape(*k.shape, len(seen))


def _first_excitation(seen: Afferents) -> int:
    """The place of the first stream that reverses above threshold; of the first one where that is not known."""
    curved = seen.neuron.curved_membrane()
    top = seen.membrane().v_th if curved is None else curved.v_reset
    for place, stream in enumerate(seen.streams):
        effect = stream.synapse.spike_effect(stream.weight.moments().mean, seen.tau_m())
        if effect.reversal is None:
            raise ValueError("`like` has currents for synapses: this scaling is of conductances.")
        if not violates(lambda e, th: e > th, effect.reversal, top):
            return place
    raise ValueError("`like` has a population without excitation.")


def _external_rate(seen: Afferents, names: tuple[str, ...]) -> Float[Array, ""]:
    """The rate [Hz] of the first source from outside."""
    for origin, stream in zip(seen.origins, seen.streams, strict=True):
        if origin.pre not in names:
            return stream.rate
    raise ValueError("`like` has no input from outside: it has no gain.")


LogTime = Callable[[Afferents], Float[Array, ""]]


def _kept(log_time: LogTime, seen: Afferents, growth: Float[Array, ""], quick: LogTime | None) -> Float[Array, ""]:
    """The factor of the efficacies that keeps a passage time; of a dear one found by a `quick` one, and polished."""
    received, larger = lax.stop_gradient((seen, growth))
    start = _search(log_time if quick is None else quick, received, larger)

    def step(_: Array, x: Float[Array, ""]) -> Float[Array, ""]:
        value, slope = jax.jvp(lambda y: _lost(log_time, received, larger, y), (x,), (jnp.ones_like(x),))
        return x - jnp.clip(jnp.where(slope == 0.0, 0.0, value / slope), -0.3, 0.3)

    found = start if quick is None else lax.fori_loop(0, _STEPS, step, start)
    return jnp.exp(implicit_roots(lambda x: _lost(log_time, seen, growth, x), found))


def _search(log_time: LogTime, seen: Afferents, growth: Float[Array, ""]) -> Float[Array, ""]:
    """The log of the factor at which the passage takes the same time, by halving: it shortens as efficacies grow."""

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        slow = _lost(log_time, seen, growth, middle) > 0.0
        return jnp.where(slow, middle, low), jnp.where(slow, high, middle)

    ends = (jnp.full_like(growth, np.log(_LEAST)), jnp.full_like(growth, np.log(_MOST)))
    low, high = lax.fori_loop(0, _HALVINGS, halve, ends)
    return 0.5 * (low + high)


def _lost(
    log_time: LogTime, seen: Afferents, growth: Float[Array, ""], log_factor: Float[Array, ""]
) -> Float[Array, ""]:
    """By how much the log of the passage time is longer than it was; nearly linear in the log of the efficacies."""
    factors = jnp.stack([jnp.exp(log_factor), jnp.ones_like(log_factor)])
    # Both in one call, which is compiled once.
    log_times = jax.vmap(lambda s, k: log_time(scaled(seen, s, k)))(factors, jnp.stack([growth, jnp.ones_like(growth)]))
    return log_times[0] - log_times[1]


def _log_time(theory: AbstractNoise, seen: Afferents) -> Float[Array, ""]:
    """log of the mean passage time, by the rate."""
    curved, log_rate = seen.neuron.curved_membrane(), theory.log_rate(seen)
    t_ref = seen.membrane().t_ref if curved is None else curved.t_ref
    share = t_ref / 1000.0 * jnp.exp(jnp.minimum(log_rate, 60.0))
    return jnp.log1p(-jnp.minimum(share, 1.0 - 1e-6)) - log_rate


def _escape_log_time(seen: Afferents) -> Float[Array, ""]:
    return escape_log_time(seen, cast(CurvedMembrane, seen.neuron.curved_membrane()))
