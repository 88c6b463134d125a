"""Time courses of synapses: exponential, alpha, rise and decay."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import decayed, decayed_behind, log_ratio_over_difference, phi


class KernelConstants(eqx.Module):
    """One step of a synaptic variable, of another that may rise behind it, and of what both do to the membrane.

    `fall`, `rise_fall`: shares of either that decay; `rise`: share of the rising one that has arrived. `mean`,
    `mean_rise`: the constant current that moves the membrane over the step just as they do, per unit of either.
    """

    fall: Float[Array, "*n"]
    rise_fall: Float[Array, "*n"]
    rise: Float[Array, "*n"]
    mean: Float[Array, "*m"]
    mean_rise: Float[Array, "*m"]


def _kernel_constants(
    tau: Float[Array, "*n"], tau_rise: Float[Array, "*n"], dt: float, tau_m: Float[Array, "*m"] | None
) -> KernelConstants:
    """Of tau ds/dt = -s, to which a variable that decays with `tau_rise` adds itself over `tau_rise`.

    All are divided differences of exponentials, with limits where time constants meet. Each mean is the membrane's
    exact response, over that to a constant 1; a membrane that is not linear in V sees the mean over the step.
    """
    y, x = dt / tau, dt / tau_rise
    m = jnp.zeros_like(y) if tau_m is None else dt / tau_m
    unit = phi(-m)
    mean, mean_rise = decayed(m, y) / unit, x * decayed_behind(x, y, m) / unit
    return KernelConstants(-jnp.expm1(-y), -jnp.expm1(-x), x * decayed(x, y), mean, mean_rise)


class ExponentialKinetics(eqx.Module):
    """s jumps by the weight and decays: tau ds/dt = -s + tau w sum of delta(t - t_k)."""

    tau: Float[Array, "*n"]

    def constants(self, dt: float, tau_m: Float[Array, "*n"] | None) -> KernelConstants:
        return _kernel_constants(self.tau, self.tau, dt, tau_m)

    def init(self, n: int) -> Float[Array, "n"]:
        return jnp.zeros(n, self.tau.dtype)

    def mean(self, constants: KernelConstants, state: Float[Array, "n"]) -> Float[Array, "n"]:
        return constants.mean * state

    def step(
        self, constants: KernelConstants, state: Float[Array, "n"], arrivals: Float[Array, "n"]
    ) -> Float[Array, "n"]:
        return state - constants.fall * state + arrivals

    def area(self) -> Float[Array, "*n"]:
        """The integral of s after a spike of weight 1 [ms]."""
        return self.tau

    def time_constants(self) -> tuple[Float[Array, "*n"], ...]:
        """Those of the stages [ms]."""
        return (self.tau,)


class AlphaState(eqx.Module):
    """The synaptic variable s, and the rising variable behind it."""

    s: Float[Array, "n"]
    rising: Float[Array, "n"]


class AlphaKinetics(eqx.Module):
    """s = w (t/tau) exp(1 - t/tau) after a spike: its peak is the weight, at t = tau."""

    tau: Float[Array, "*n"]

    def constants(self, dt: float, tau_m: Float[Array, "*n"] | None) -> KernelConstants:
        return _kernel_constants(self.tau, self.tau, dt, tau_m)

    def init(self, n: int) -> AlphaState:
        return AlphaState(jnp.zeros(n, self.tau.dtype), jnp.zeros(n, self.tau.dtype))

    def mean(self, constants: KernelConstants, state: AlphaState) -> Float[Array, "n"]:
        return constants.mean * state.s + constants.mean_rise * state.rising

    def step(self, constants: KernelConstants, state: AlphaState, arrivals: Float[Array, "n"]) -> AlphaState:
        return _risen(constants, state, jnp.e * arrivals)

    def area(self) -> Float[Array, "*n"]:
        """The integral of s after a spike of weight 1 [ms]."""
        return jnp.e * self.tau

    def time_constants(self) -> tuple[Float[Array, "*n"], ...]:
        """Those of the stages [ms]."""
        return (self.tau, self.tau)


def _risen(constants: KernelConstants, state: AlphaState, jump: Float[Array, "n"]) -> AlphaState:
    s = state.s + (constants.rise * state.rising - constants.fall * state.s)
    return AlphaState(s, state.rising - constants.rise_fall * state.rising + jump)


class RiseDecayConstants(eqx.Module):
    """The constants of the two variables, and the factor that makes the peak the weight."""

    kernel: KernelConstants
    factor: Float[Array, "*n"]


class RiseDecayKinetics(eqx.Module):
    """s = w c (exp(-t/tau_decay) - exp(-t/tau_rise)) after a spike; c makes the peak the weight.

    Kept are s and a variable that rises behind it, no pair of exponentials: where these meet c is infinite.
    """

    tau_rise: Float[Array, "*n"]
    tau_decay: Float[Array, "*n"]

    def constants(self, dt: float, tau_m: Float[Array, "*n"] | None) -> RiseDecayConstants:
        return RiseDecayConstants(_kernel_constants(self.tau_decay, self.tau_rise, dt, tau_m), self.factor())

    def factor(self) -> Float[Array, "*n"]:
        """The rising variable over the peak of s after a spike: x^(-x/(1 - x)), x = tau_rise/tau_decay; e at x = 1."""
        return jnp.exp(self.tau_rise * log_ratio_over_difference(self.tau_decay, self.tau_rise))

    def init(self, n: int) -> AlphaState:
        return AlphaState(jnp.zeros(n, self.tau_rise.dtype), jnp.zeros(n, self.tau_rise.dtype))

    def mean(self, constants: RiseDecayConstants, state: AlphaState) -> Float[Array, "n"]:
        return constants.kernel.mean * state.s + constants.kernel.mean_rise * state.rising

    def step(self, constants: RiseDecayConstants, state: AlphaState, arrivals: Float[Array, "n"]) -> AlphaState:
        return _risen(constants.kernel, state, constants.factor * arrivals)

    def area(self) -> Float[Array, "*n"]:
        """The integral of s after a spike of weight 1 [ms]: tau_decay x^(-x/(1 - x)), e tau_decay at x = 1."""
        return self.tau_decay * self.factor()

    def time_constants(self) -> tuple[Float[Array, "*n"], ...]:
        """Those of the stages [ms]."""
        return (self.tau_rise, self.tau_decay)
