"""The diffusion with a noise that depends on the potential, as the afferents of a neuron make it."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from .._formulas import (
    AbstractConvention,
    Equation,
    LifResponse,
    QuadraticDiffusion,
    diffusion_equation,
    lif_log_rate,
    log_flux_density,
    log_passage,
    log_rate_of,
    occupancy,
    passages,
    quadratic_diffusion,
)
from .._numerics import is_concrete
from ._afferents import Afferents
from ._asymptotics import Asymptotics, multiplicative_asymptotics
from ._effective_noise import EffectiveNoise, has_conductances, jumps_left_out, lif_arguments
from ._noise import AbstractNoise, EffectiveInput
from ._noise_rate import hertz
from ._time_course import check_at_once

_PANELS = 100
_NODES = 16


class MultiplicativeInput(eqx.Module):
    """The diffusion of a neuron, and whether it has any noise that depends on the potential."""

    diffusion: QuadraticDiffusion
    noisy: Bool[Array, ""]


class AbstractMultiplicativeNoise(AbstractNoise):
    """White noise of the conductances that depends on the potential, read in the sense of a `convention`."""

    @abc.abstractmethod
    def convention(self) -> AbstractConvention:
        """In which sense."""

    def rate(self, seen: Afferents) -> Float[Array, ""]:
        return hertz(self.log_rate(seen))

    def log_rate(self, seen: Afferents) -> Float[Array, ""]:
        return multiplicative_log_rate(seen, self.convention())

    def cv(self, seen: Afferents) -> Float[Array, ""]:
        return multiplicative_cv(seen, self.convention())

    def density(self, v: Float[Array, "..."], seen: Afferents) -> Float[Array, "..."]:
        return multiplicative_density(v, seen, self.convention())

    def response(self, growth: Complex[Array, ""], seen: Afferents) -> LifResponse:
        """That of `EffectiveNoise`, which is exact without conductances; with them there is none."""
        if has_conductances(seen):
            raise ValueError(
                f"`{type(self).__name__}` has no linear response of neurons with conductances: take "
                "`EffectiveNoise()`, or `diffusion_response` of one neuron."
            )
        return EffectiveNoise().response(growth, seen)

    def summary(self, seen: Afferents) -> EffectiveInput:
        return EffectiveNoise().summary(seen)

    def check(self, seen: Afferents) -> None:
        check_multiplicative(seen)

    def left_out(self, seen: Afferents) -> tuple[str, ...]:
        return jumps_left_out(seen)

    def most_rate(self, seen: Afferents) -> Float[Array, ""]:
        return EffectiveNoise().most_rate(seen)

    def asymptotics(self, seen: Afferents) -> Asymptotics:
        made = multiplicative_input(seen)
        plain = made.diffusion
        found = multiplicative_asymptotics(plain, plain.under(self.convention()), seen.membrane())
        silent = ~made.noisy & found.subthreshold
        return eqx.tree_at(lambda f: f.log_time, found, jnp.where(silent, jnp.inf, found.log_time))

    def exponent(self, seen: Afferents) -> Float[Array, ""]:
        return multiplicative_exponent(seen)

    def cheap(self) -> AbstractNoise:
        return EffectiveNoise()


def multiplicative_input(seen: Afferents) -> MultiplicativeInput:
    """(A8)-(A10): efficacies are the weights of the conductances; currents add noise that is the same everywhere."""
    membrane = seen.membrane()
    leak = 1.0 / membrane.tau_m
    drift, additive = leak * (membrane.v_rest + seen.current()), leak * seen.current_noise()
    per_ms, square, reversal = [], [], []
    for stream in seen.streams:
        values, probabilities = stream.law().nodes(_NODES)
        mean, mean_square = jnp.sum(probabilities * values), jnp.sum(probabilities * jnp.square(values))
        effect = stream.synapse.spike_effect(mean, membrane.tau_m)
        if effect.reversal is None:
            drift = drift + stream.per_ms() * mean
            additive = additive + stream.per_ms() * mean_square
        else:
            per_ms.append(stream.per_ms() * mean)
            square.append(stream.per_ms() * mean_square)
            reversal.append(effect.reversal)
    if not per_ms:
        nothing = jnp.zeros_like(leak)
        per_ms, square, reversal = [nothing], [nothing], [membrane.v_rest]
    squares = jnp.stack(square)
    noisy = ~(jnp.sum(squares) <= 0.0)  # NaN counts: it stays NaN
    squares = jnp.where(noisy, squares, 1.0)
    diffusion = quadratic_diffusion(leak, drift, additive, jnp.stack(per_ms), squares, jnp.stack(reversal))
    return MultiplicativeInput(diffusion, noisy)


def multiplicative_log_rate(seen: Afferents, convention: AbstractConvention) -> Float[Array, ""]:
    """log of the rate [Hz]; without noise that depends on V it is that of `EffectiveNoise`, which is then exact."""
    plain = lif_log_rate(**lif_arguments(EffectiveNoise().summary(seen), seen.membrane()))
    if not has_conductances(seen):
        return plain
    membrane, made = seen.membrane(), multiplicative_input(seen)
    diffusion = made.diffusion.under(convention)
    log_time = log_passage(diffusion, membrane.v_th, membrane.v_reset)
    return jnp.where(made.noisy, log_rate_of(log_time, membrane.t_ref), plain)


def multiplicative_cv(seen: Afferents, convention: AbstractConvention) -> Float[Array, ""]:
    """The CV by threshold integration, equation (A14)."""
    if not has_conductances(seen):
        return EffectiveNoise().cv(seen)
    membrane = seen.membrane()
    found = passages(_equation(seen, convention), _PANELS)
    refractory = jnp.exp(log_rate_of(found.log_time, membrane.t_ref)) * membrane.t_ref / 1000.0
    return jnp.where(multiplicative_input(seen).noisy, jnp.sqrt(found.variance) * (1.0 - refractory), 1.0)


def multiplicative_density(
    v: Float[Array, "..."], seen: Afferents, convention: AbstractConvention
) -> Float[Array, "..."]:
    """The density by threshold integration, equation (A12)."""
    if not has_conductances(seen):
        return EffectiveNoise().density(v, seen)
    membrane, equation = seen.membrane(), _equation(seen, convention)
    log_rate = log_rate_of(passages(equation, _PANELS).log_time, membrane.t_ref)
    inside = (v > equation.v_low) & (v < equation.v_th)
    at = jnp.where(inside, v, equation.v_reset).reshape(-1)
    value, log = log_flux_density(equation, occupancy(equation, _PANELS), at)
    density = 2.0 * value / jnp.square(equation.noise(at)) * jnp.exp(log + log_rate) / 1000.0
    return jnp.where(inside, density.reshape(v.shape), 0.0)


def multiplicative_exponent(seen: Afferents) -> Float[Array, ""]:
    """(F(v_max) - F(alpha))/a without the term that the convention adds: 0 above threshold, inf without noise below."""
    made, v_th = multiplicative_input(seen), seen.membrane().v_th
    climb = made.diffusion.climb(v_th, v_th - made.diffusion.mu)
    return jnp.where(v_th > made.diffusion.mu, jnp.where(made.noisy, climb, jnp.inf), 0.0)


def check_multiplicative(seen: Afferents) -> None:
    """Raises `ValueError` where a synapse has a time course, or its weight is no efficacy."""
    check_at_once(seen)
    membrane = seen.membrane()
    for origin, stream in zip(seen.origins, seen.streams, strict=True):
        mean = stream.weight.moments().mean
        effect = stream.synapse.spike_effect(mean, membrane.tau_m)
        known = is_concrete(mean, effect.share, effect.integral)
        if effect.reversal is None or not known or jnp.ndim(mean):
            continue
        weight, seen_as = float(mean), (float(effect.share), float(effect.integral))
        if weight < 0.0:
            raise ValueError(f"`{origin.name}`: an efficacy must not be negative; got {weight:g}.")
        if min(abs(x - weight) for x in seen_as) > 1e-5 * abs(weight):
            raise ValueError(
                f"`{origin.name}`: this theory reads the weight of a conductance as its efficacy, which is its "
                f"integral or its share of the way; the weight is {weight:g}, these are {seen_as[1]:g}, {seen_as[0]:g}."
            )


def _equation(seen: Afferents, convention: AbstractConvention) -> Equation:
    membrane = seen.membrane()
    return diffusion_equation(
        multiplicative_input(seen).diffusion.under(convention), v_reset=membrane.v_reset, v_th=membrane.v_th
    )
