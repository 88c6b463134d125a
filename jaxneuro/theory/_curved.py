"""A membrane with voltage-dependent currents in noise that is the same at every potential."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from .._formulas import Equation, log_flux_density, log_rate_of, lowest, occupancy, passages
from .._numerics import implicit_roots
from ..models import CurvedMembrane
from ._afferents import Afferents, over_streams
from ._noise import EffectiveInput

# Panels of the passage time: of 60 the error is below 1e-7, of an exponential spike up to 60 mV above its start.
_PANELS = 60
_GRID, _HALVINGS, _DOUBLINGS = 801, 50, 30


class Drift(eqx.Module):
    """F(V)/tau_m + pull - per_ms V [mV/ms]."""

    curve: Any
    tau_m: Float[Array, ""]
    pull: Float[Array, ""]
    per_ms: Float[Array, ""]

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.curve(v) / self.tau_m + self.pull - self.per_ms * v


class Constant(eqx.Module):
    """The same at every potential."""

    value: Float[Array, ""]

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.broadcast_to(self.value, v.shape)


class CurvedInput(eqx.Module):
    """The diffusion of a curved membrane, what sums it up, and whether it has any noise."""

    equation: Equation
    summary: EffectiveInput
    noisy: Bool[Array, ""]
    t_ref: Float[Array, ""]


def curved_input(seen: Afferents, membrane: CurvedMembrane) -> CurvedInput:
    """Equation (C2); the noise of conductances is taken where the mean drift rests."""

    def total(function: Any) -> Float[Array, ""]:
        return over_streams(lambda stream: stream.expected(function, membrane.tau_m) * stream.per_ms(), seen)

    leak = 1.0 / membrane.tau_m
    pull = seen.current() * leak + total(lambda spike: spike.drift())
    drift = Drift(membrane.curve, membrane.tau_m, pull, total(lambda spike: spike.integral))
    rest = rest_of(drift, membrane.v_reset, membrane.v_peak)
    square = seen.current_noise() * leak + total(lambda spike: jnp.square(spike.pull(rest)))
    noisy = ~(square <= 0.0)  # NaN counts: it stays NaN
    b = jnp.sqrt(jnp.where(noisy, square, 1.0))
    tau = 1.0 / (leak + drift.per_ms)
    sigma = jnp.where(noisy, b * jnp.sqrt(tau), 0.0)
    noise = Constant(b)
    low = lowest(drift, noise, membrane.v_reset, membrane.v_peak)
    equation = Equation(drift, noise, low, membrane.v_reset, membrane.v_peak)
    return CurvedInput(equation, EffectiveInput(rest, sigma, tau), noisy, membrane.t_ref)


def curved_log_rate(seen: Afferents, membrane: CurvedMembrane) -> Float[Array, ""]:
    """log of the rate [Hz], equation (C3); without any noise that of the current alone."""
    made = curved_input(seen, membrane)
    noiseless = seen.neuron.rate_under(seen.current())
    fires = noiseless > 0.0
    without = jnp.where(fires, jnp.log(jnp.where(fires, noiseless, 1.0)), -jnp.inf)
    return jnp.where(made.noisy, log_rate_of(passages(made.equation, _PANELS).log_time, made.t_ref), without)


def curved_cv(seen: Afferents, membrane: CurvedMembrane) -> Float[Array, ""]:
    """The CV of the interspike intervals, by the second moment of the passage time."""
    made = curved_input(seen, membrane)
    found = passages(made.equation, _PANELS)
    refractory = jnp.exp(log_rate_of(found.log_time, made.t_ref)) * made.t_ref / 1000.0
    noiseless = jnp.where(seen.neuron.rate_under(seen.current()) > 0.0, 0.0, 1.0)
    return jnp.where(made.noisy, jnp.sqrt(found.variance) * (1.0 - refractory), noiseless)


def curved_density(v: Float[Array, "..."], seen: Afferents, membrane: CurvedMembrane) -> Float[Array, "..."]:
    """The density of the potential [1/mV]."""
    made = curved_input(seen, membrane)
    equation = made.equation
    log_rate = log_rate_of(passages(equation, _PANELS).log_time, made.t_ref)
    inside = (v > equation.v_low) & (v < equation.v_th)
    at = jnp.where(inside, v, equation.v_reset).reshape(-1)
    value, log = log_flux_density(equation, occupancy(equation, _PANELS), at)
    density = 2.0 * value / jnp.square(equation.noise(at)) * jnp.exp(log + log_rate) / 1000.0
    return jnp.where(inside, density.reshape(v.shape), 0.0)


def rest_of(drift: Drift, v_reset: Float[Array, ""], v_peak: Float[Array, ""]) -> Float[Array, ""]:
    """The highest stable potential under the drift; where there is none, the potential at which it is slowest.

    Derivatives: of the implicit function, forward and reverse mode.
    """
    fixed, reset, top = lax.stop_gradient((drift, v_reset, v_peak))
    below = top - (top - reset) * 2.0 ** jnp.arange(_DOUBLINGS, dtype=top.dtype)
    start = below[jnp.argmax(fixed(below) > 0.0)]
    v = start + (top - start) * jnp.linspace(0.0, 1.0, _GRID, dtype=top.dtype)
    seen = fixed(v)
    falls = (seen[:-1] > 0.0) & (seen[1:] <= 0.0)
    exists = jnp.any(falls)
    last = _GRID - 2 - jnp.argmax(falls[::-1])
    slowest = jnp.argmin(seen)
    inner = (slowest > 0) & (slowest < _GRID - 1)

    def slope(field: Drift, at: Float[Array, ""]) -> Float[Array, ""]:
        return jax.jvp(field, (at,), (jnp.ones_like(at),))[1]

    def target(field: Drift, at: Float[Array, ""]) -> Float[Array, ""]:
        """Falls through 0 at what is wanted."""
        return jnp.where(exists, field(at), jnp.where(inner, -slope(field, at), top - at))

    low = v[jnp.where(exists, last, jnp.maximum(slowest - 1, 0))]
    high = v[jnp.where(exists, last + 1, jnp.minimum(slowest + 1, _GRID - 1))]

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        middle = 0.5 * (ends[0] + ends[1])
        before = target(fixed, middle) > 0.0
        return jnp.where(before, middle, ends[0]), jnp.where(before, ends[1], middle)

    low, high = lax.fori_loop(0, _HALVINGS, halve, (low, high))
    return implicit_roots(lambda at: target(drift, at), lax.stop_gradient(0.5 * (low + high)))
