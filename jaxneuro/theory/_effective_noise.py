"""The effective-time-constant approximation: a conductance's noise is taken at the mean potential."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from .._formulas import (
    AbstractRegime,
    FilteredNeuron,
    LifResponse,
    checked_regime,
    lif_cv,
    lif_density,
    lif_log_rate,
    lif_rate,
    response_kernel,
)
from .._numerics import where_defined
from ..models import LeakyMembrane
from ..synapses import SpikeEffect
from ._afferents import Afferents, over_streams
from ._asymptotics import Asymptotics, additive_asymptotics
from ._curved import curved_cv, curved_density, curved_input, curved_log_rate
from ._noise import AbstractNoise, EffectiveInput
from ._noise_rate import hertz
from ._time_course import check_at_once, check_one_filter, filter_of

LOG_1000 = math.log(1000.0)  # from 1/ms to Hz
# The least refractory period [ms] that bounds a search: with none, rates are searched to 100 kHz.
_LEAST_REFRACTORINESS = 0.01


class EffectiveNoise(AbstractNoise):
    """The effective-time-constant approximation: the noise is taken at V = mu, and is additive.

    With a the integral of one spike's conductance (the efficacy, whatever the jump: `ShotNoise` is the theory that
    tells jumps apart), J the jump by one spike of a current, r the rate and K the number of the sources of a stream,

        1/tau = 1/tau_m + sum of <a> K r,
        mu = tau (v_rest/tau_m + sum of <a> K r E + sum of <J> K r + mu_white/tau_m),
        sigma^2 = tau (sum of <a^2> K r (mu - E)^2 + sum of <J^2> K r + sigma_white^2/tau_m),

    means over the weights. The rate is `lif_rate` where all synapses act at once, and `lif_rate_filtered` where all
    have one exponential time course of one `tau`, `ExponentialCurrent` and `ExponentialConductance`: a is then their
    weight times tau/tau_m.

    An `IntegrateAndFire` neuron without adaptation, whose synapses act at once, has the rate (C3) of its own F(V),

        1/nu = t_ref + 2 int_reset^peak dv W(v) int_-inf^v dx/(W(x) B^2),    W(V) = exp(-2 int^V A/B^2),

    A = F(V)/tau_m + the mean input, B^2 its noise where that drift rests, or is slowest where it does not rest.

    **Arguments:** `regime`: of the filter, `ShortFilter()`, `Crossings()` or `LongFilter()`; without one the rule of
    `lif_rate_filtered`. `ShortFilter()` alone has a CV there.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.conductance_based(g=20.0, nu_x=20.0)
    >>> f"{float(jn.theory.mean_field(net, noise=jn.theory.EffectiveNoise()).rate['E']):.2f} Hz"
    '21.65 Hz'

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (5), (6), (8), (10), (C2),
    (C3, corrected), (G8) to (G11); Richardson and Gerstner (2005), doi:10.1162/0899766053429444. The theories that keep
    the multiplicative noise differ from it in the exponent of the rate.
    """

    regime: AbstractRegime | None

    def __init__(self, regime: AbstractRegime | None = None):
        checked_regime(regime)
        self.regime = regime

    def rate(self, seen: Afferents) -> Float[Array, ""]:
        if filter_of(seen) is not None or seen.neuron.curved_membrane() is not None:
            return hertz(self.log_rate(seen))
        return lif_rate(**_arguments(seen))

    def log_rate(self, seen: Afferents) -> Float[Array, ""]:
        curved = seen.neuron.curved_membrane()
        if curved is not None:
            return curved_log_rate(seen, curved)
        filtered = _filtered(seen)
        if filtered is None:
            return lif_log_rate(**_arguments(seen))
        found = checked_regime(self.regime).log_rate(filtered.neuron)
        return jnp.where(filtered.noisy, found, _noiseless_log_rate(filtered.neuron))

    def cv(self, seen: Afferents) -> Float[Array, ""]:
        curved = seen.neuron.curved_membrane()
        if curved is not None:
            return curved_cv(seen, curved)
        filtered = _filtered(seen)
        if filtered is None:
            return lif_cv(**_arguments(seen))
        noiseless = jnp.where(filtered.neuron.mu <= filtered.neuron.v_th, 1.0, 0.0)
        return jnp.where(filtered.noisy, checked_regime(self.regime).cv(filtered.neuron), noiseless)

    def density(self, v: Float[Array, "..."], seen: Afferents) -> Float[Array, "..."]:
        self._refuse_filter("density of the potential", seen)
        curved = seen.neuron.curved_membrane()
        if curved is not None:
            return curved_density(v, seen, curved)
        return lif_density(v, **_arguments(seen))

    def response(self, growth: Complex[Array, ""], seen: Afferents) -> LifResponse:
        self._refuse_filter("linear response", seen)
        return effective_response(growth, _arguments(seen))

    def summary(self, seen: Afferents) -> EffectiveInput:
        curved = seen.neuron.curved_membrane()
        if curved is not None:
            return curved_input(seen, curved).summary
        membrane = seen.membrane()
        leak = 1.0 / membrane.tau_m

        def total(function: Callable[[SpikeEffect], Float[Array, ""]]) -> Float[Array, ""]:
            return over_streams(lambda stream: stream.expected(function, membrane.tau_m) * stream.per_ms(), seen)

        tau = 1.0 / (leak + total(lambda spike: spike.integral))
        mu = tau * (membrane.v_rest * leak + seen.current() * leak + total(lambda spike: spike.drift()))
        variance = seen.current_noise() * leak + total(lambda spike: jnp.square(spike.pull(mu)))
        return EffectiveInput(mu, _sqrt(tau * variance), tau)

    def check(self, seen: Afferents) -> None:
        if seen.neuron.curved_membrane() is None:
            check_one_filter(seen)
        else:
            check_at_once(seen)

    def left_out(self, seen: Afferents) -> tuple[str, ...]:
        effects = [s.synapse.spike_effect(s.weight.moments().mean, seen.tau_m()) for s in seen.streams]
        return jumps_left_out(seen) + (
            ("noise that depends on V",) if any(e.reversal is not None for e in effects) else ()
        )

    def asymptotics(self, seen: Afferents) -> Asymptotics:
        self._refuse_filter("strong-coupling form", seen)
        return additive_asymptotics(self.summary(seen), seen.membrane())

    def exponent(self, seen: Afferents) -> Float[Array, ""]:
        filtered, at = _filtered(seen), self.summary(seen)
        if filtered is not None:
            return checked_regime(self.regime).exponent(filtered.neuron)
        return jnp.square(jnp.maximum(seen.membrane().v_th - at.mu, 0.0) / at.sigma)

    def most_rate(self, seen: Afferents) -> Float[Array, ""]:
        curved = seen.neuron.curved_membrane()
        t_ref = seen.membrane().t_ref if curved is None else curved.t_ref
        return 1000.0 / jnp.maximum(t_ref, _LEAST_REFRACTORINESS)

    def _refuse_filter(self, what: str, seen: Afferents) -> None:
        if filter_of(seen) is not None:
            raise ValueError(f"`EffectiveNoise` has no {what} of synapses with a time course: take their delta limit.")


class _Filtered(eqx.Module):
    """A neuron whose noise passes a filter, and whether there is any noise."""

    neuron: FilteredNeuron
    noisy: Bool[Array, ""]


def _filtered(seen: Afferents) -> _Filtered | None:
    tau_s = filter_of(seen)
    if tau_s is None:
        return None
    arguments = _arguments(seen)
    noisy = ~(arguments["sigma"] <= 0.0)  # NaN counts: it stays NaN
    sigma = jnp.where(noisy, arguments["sigma"], 1.0)
    return _Filtered(FilteredNeuron(**arguments | {"sigma": sigma, "tau_s": tau_s}), noisy)


def _noiseless_log_rate(neuron: FilteredNeuron) -> Float[Array, ""]:
    """log of the rate [Hz] without noise: -inf up to the threshold."""
    fires = neuron.mu > neuron.v_th
    mu = jnp.where(fires, neuron.mu, neuron.v_th + 1.0)
    climb = neuron.tau * jnp.log((mu - neuron.v_reset) / (mu - neuron.v_th))
    return jnp.where(fires, LOG_1000 - jnp.log(neuron.t_ref + climb), -jnp.inf)


def has_conductances(seen: Afferents) -> bool:
    """Whether any stream opens a conductance."""
    tau_m = seen.tau_m()
    return any(s.synapse.spike_effect(s.weight.moments().mean, tau_m).reversal is not None for s in seen.streams)


def jumps_left_out(seen: Afferents) -> tuple[str, ...]:
    """What a diffusion leaves out of the spikes: the size of their jumps, and of conductances the rule of it."""
    if has_conductances(seen):
        return ("finite jumps and their rule `jump=` (`ShotNoise` has both)",)
    return ("finite jumps",) if seen.streams else ()


def _arguments(seen: Afferents) -> dict[str, Float[Array, ""]]:
    membrane, summary = seen.membrane(), EffectiveNoise().summary(seen)
    return lif_arguments(summary, membrane)


def lif_arguments(summary: EffectiveInput, membrane: LeakyMembrane) -> dict[str, Float[Array, ""]]:
    """The six numbers that the formulas of a LIF neuron in white noise take."""
    own = {"v_th": membrane.v_th, "v_reset": membrane.v_reset, "t_ref": membrane.t_ref}
    return {"mu": summary.mu, "sigma": summary.sigma, "tau": summary.tau, **own}


def effective_response(growth: Complex[Array, ""], neuron: dict[str, Float[Array, "*n"]]) -> LifResponse:
    """The response of neurons of the six numbers at lambda = `growth` [1/ms]; that of a silent one is 0."""
    sigma = neuron["sigma"]
    # A neuron without any input is silent and answers nothing.
    noisy = ~(sigma <= 0.0)  # NaN counts: it stays NaN
    values = [neuron["mu"], jnp.where(noisy, sigma, 1.0), *(neuron[n] for n in ("tau", "v_th", "v_reset", "t_ref"))]
    found = response_kernel(jnp.broadcast_to(growth, sigma.shape), *values)
    silent = ~noisy & (neuron["mu"] <= neuron["v_th"])
    return jax.tree.map(lambda x: jnp.where(silent, 0.0, jnp.where(noisy, x, jnp.nan)), found)


def _sqrt(x: Float[Array, ""]) -> Float[Array, ""]:
    """The square root, with derivative 0 at 0: no input has no noise. NaN of what is negative or NaN."""
    positive = x > 0
    return where_defined(x >= 0, jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0))
