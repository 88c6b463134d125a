"""The effective-time-constant approximation: a conductance's noise is taken at the mean potential."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .._formulas import LifResponse, lif_cv, lif_density, lif_log_rate, lif_rate, response_kernel
from ..models import LeakyMembrane
from ._afferents import Afferents
from ._asymptotics import Asymptotics, additive_asymptotics
from ._noise import AbstractNoise, EffectiveInput

# The least refractory period [ms] that bounds a search: with none, rates are searched to 100 kHz.
_LEAST_REFRACTORINESS = 0.01


class EffectiveNoise(AbstractNoise):
    """The effective-time-constant approximation: the noise is taken at V = mu, and is additive.

    With a the integral of one spike's conductance (the efficacy, whatever the jump: `ShotNoise` is the theory that
    tells jumps apart), J the jump by one spike of a current, r the rate and K the number of the sources of a stream,

        1/tau = 1/tau_m + sum of <a> K r,
        mu = tau (v_rest/tau_m + sum of <a> K r E + sum of <J> K r + mu_white/tau_m),
        sigma^2 = tau (sum of <a^2> K r (mu - E)^2 + sum of <J^2> K r + sigma_white^2/tau_m),

    means over the weights. The rate is `lif_rate`. It covers synapses without a time course.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.conductance_based(g=20.0, nu_x=20.0)
    >>> f"{float(jn.theory.mean_field(net, noise=jn.theory.EffectiveNoise()).rate['E']):.2f} Hz"
    '21.65 Hz'

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (5), (6), (8), (10);
    Richardson and Gerstner (2005), doi:10.1162/0899766053429444. The theories that keep the
    multiplicative noise differ from it in the exponent of the rate.
    """

    def rate(self, seen: Afferents) -> Float[Array, ""]:
        return lif_rate(**_arguments(seen))

    def log_rate(self, seen: Afferents) -> Float[Array, ""]:
        return lif_log_rate(**_arguments(seen))

    def cv(self, seen: Afferents) -> Float[Array, ""]:
        return lif_cv(**_arguments(seen))

    def density(self, v: Float[Array, "..."], seen: Afferents) -> Float[Array, "..."]:
        return lif_density(v, **_arguments(seen))

    def response(self, growth: Complex[Array, ""], seen: Afferents) -> LifResponse:
        return effective_response(growth, _arguments(seen))

    def summary(self, seen: Afferents) -> EffectiveInput:
        membrane = seen.membrane()
        leak = 1.0 / membrane.tau_m
        per_ms, drift = leak, membrane.v_rest * leak + seen.current() * leak
        for stream in seen.streams:
            per_ms = per_ms + stream.expected(lambda spike: spike.integral, membrane.tau_m) * stream.per_ms()
            drift = drift + stream.expected(lambda spike: spike.drift(), membrane.tau_m) * stream.per_ms()
        tau = 1.0 / per_ms
        mu = tau * drift
        variance = seen.current_noise() * leak
        for stream in seen.streams:
            square = stream.expected(lambda spike: jnp.square(spike.pull(mu)), membrane.tau_m)
            variance = variance + square * stream.per_ms()
        return EffectiveInput(mu, _sqrt(tau * variance), tau)

    def check(self, seen: Afferents) -> None:
        membrane = seen.membrane()
        for origin, stream in zip(seen.origins, seen.streams, strict=True):
            try:
                values, _ = stream.weight.nodes(1)
                effect = stream.synapse.spike_effect(values[0], membrane.tau_m)
            except ValueError as error:
                raise ValueError(f"`{origin.name}`: {error}") from None
            if effect.time_constants:
                raise ValueError(
                    f"`{origin.name}`: this theory is of synapses that act at once, such as `DeltaCurrent` and "
                    f"`DeltaConductance`; {stream.synapse.__class__.__name__} has a time course. Simulate it, or take "
                    "its delta limit."
                )

    def left_out(self, seen: Afferents) -> tuple[str, ...]:
        membrane = seen.membrane()
        effects = [s.synapse.spike_effect(s.weight.moments().mean, membrane.tau_m) for s in seen.streams]
        return jumps_left_out(seen) + (
            ("noise that depends on V",) if any(e.reversal is not None for e in effects) else ()
        )

    def asymptotics(self, seen: Afferents) -> Asymptotics:
        return additive_asymptotics(self.summary(seen), seen.membrane())

    def exponent(self, seen: Afferents) -> Float[Array, ""]:
        at = self.summary(seen)
        return jnp.square(jnp.maximum(seen.membrane().v_th - at.mu, 0.0) / at.sigma)

    def most_rate(self, seen: Afferents) -> Float[Array, ""]:
        return 1000.0 / jnp.maximum(seen.membrane().t_ref, _LEAST_REFRACTORINESS)


def has_conductances(seen: Afferents) -> bool:
    """Whether any stream opens a conductance."""
    tau_m = seen.membrane().tau_m
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
    noisy = sigma > 0.0
    values = [neuron["mu"], jnp.where(noisy, sigma, 1.0), *(neuron[n] for n in ("tau", "v_th", "v_reset", "t_ref"))]
    found = response_kernel(jnp.broadcast_to(growth, sigma.shape), *values)
    silent = ~noisy & (neuron["mu"] <= neuron["v_th"])
    return jax.tree.map(lambda x: jnp.where(silent, 0.0, jnp.where(noisy, x, jnp.nan)), found)


def _sqrt(x: Float[Array, ""]) -> Float[Array, ""]:
    """The square root, with derivative 0 at 0: no input has no noise."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)
