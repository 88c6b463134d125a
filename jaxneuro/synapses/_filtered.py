"""Synapses with a time course: exponential, alpha, rise and decay, as current and as conductance."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._formulas import Input
from .._numerics import (
    as_leaf,
    check_finite,
    check_nonnegative,
    decayed,
    decayed_behind,
    log_ratio_over_difference,
    phi,
)
from ._arguments import checked_rise, checked_tau
from ._effect import SpikeEffect, conductance_effect, current_effect
from ._off_grid import OffGridCurrent
from ._synapse import AbstractSynapse, Received


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


class Exponential(eqx.Module):
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


class Alpha(eqx.Module):
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


class RiseDecay(eqx.Module):
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


class AbstractFilteredCurrent(AbstractSynapse):
    """A current with a time course: the synaptic variable is the current [mV] itself."""

    @abc.abstractmethod
    def kinetics(self) -> Any:
        """The time course: `Exponential`, `Alpha` or `RiseDecay`."""

    def init(self, n: int) -> Any:
        return self.kinetics().init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        return self.kinetics().constants(dt, tau_m)

    def step(
        self, constants: Any, state: Any, counts: Float[Array, "n"], weight: Float[Array, "*n"], v: Any
    ) -> Received:
        kinetics = self.kinetics()
        inputs = Input(current=kinetics.mean(constants, state))
        return Received(kinetics.step(constants, state, weight * counts), inputs)

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """The jump of a current of the same area, and the time constants."""
        kinetics = self.kinetics()
        return current_effect(weight * kinetics.area() / tau_m, kinetics.time_constants())

    def gives(self) -> tuple[str, ...]:
        return ("current",)


class AbstractFilteredConductance(AbstractSynapse):
    """A conductance with a time course: the synaptic variable is g/g_leak."""

    reversal: eqx.AbstractVar[Float[Array, "*n"]]

    @abc.abstractmethod
    def kinetics(self) -> Any:
        """The time course: `Exponential`, `Alpha` or `RiseDecay`."""

    def init(self, n: int) -> Any:
        return self.kinetics().init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        # The membrane's own time constant moves with the conductance: the mean over the step.
        return self.kinetics().constants(dt, None)

    def step(
        self, constants: Any, state: Any, counts: Float[Array, "n"], weight: Float[Array, "*n"], v: Any
    ) -> Received:
        kinetics = self.kinetics()
        g = kinetics.mean(constants, state)
        inputs = Input(conductance=g, conductance_times_reversal=g * self.reversal)
        return Received(kinetics.step(constants, state, weight * counts), inputs)

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """The integral of the conductance over tau_m, and the time constants."""
        kinetics = self.kinetics()
        return conductance_effect(weight * kinetics.area() / tau_m, self.reversal, kinetics.time_constants())

    def gives(self) -> tuple[str, ...]:
        return ("conductance",)

    def is_signed(self) -> bool:
        return False

    def check_weight(self, name: str, weight: Float[Array, "..."], summed: bool) -> None:
        check_finite(name, weight)
        check_nonnegative(name, weight)


class ExponentialCurrent(AbstractFilteredCurrent):
    """A current that jumps by the weight w [mV] at each spike and decays exponentially.

        tau dI/dt = -I + tau w sum of delta(t - t_k).

    The step is exact for a leaky integrate-and-fire target. The limit tau -> 0 at fixed
    w tau/tau_m = J is `DeltaCurrent` with weight J.

    **Arguments:** `tau`, decay time constant [ms].

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.ExponentialCurrent(tau=5.0)

    ```

    Source: Dayan and Abbott, Theoretical Neuroscience (2001), chapter 7.
    """

    tau: Float[Array, "*n"]

    def __init__(self, tau: ArrayLike):
        self.tau = checked_tau(tau)

    def kinetics(self) -> Exponential:
        return Exponential(self.tau)

    def inside_steps(self, name: str) -> AbstractSynapse:
        """The current whose spikes arrive inside steps."""
        return OffGridCurrent(self.tau)


class AlphaCurrent(AbstractFilteredCurrent):
    """A current w (t/tau) exp(1 - t/tau) after each spike: the weight w [mV] is its peak.

    The step is exact for a leaky integrate-and-fire target. Its integral is e w tau.

    **Arguments:** `tau`, time to peak [ms].

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.AlphaCurrent(tau=2.0)

    ```

    Source: Dayan and Abbott, Theoretical Neuroscience (2001), section 5.8.
    """

    tau: Float[Array, "*n"]

    def __init__(self, tau: ArrayLike):
        self.tau = checked_tau(tau)

    def kinetics(self) -> Alpha:
        return Alpha(self.tau)


class ExponentialConductance(AbstractFilteredConductance):
    """A conductance that jumps by the weight a, relative to leak, and decays exponentially.

        tau dg/dt = -g + tau a sum of delta(t - t_k);   tau_m dV/dt = -(V - v_rest) - g (V - reversal).

    The limit tau -> 0 at fixed a tau/tau_m is `DeltaConductance` with that efficacy.

    **Arguments:** `tau`, decay time constant [ms]; `reversal`, reversal potential [mV].

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.ExponentialConductance(tau=5.0, reversal=0.0)

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (23).
    """

    tau: Float[Array, "*n"]
    reversal: Float[Array, "*n"]

    def __init__(self, tau: ArrayLike, *, reversal: ArrayLike):
        self.tau = checked_tau(tau)
        self.reversal = as_leaf(reversal, "reversal")
        check_finite("reversal", self.reversal)

    def kinetics(self) -> Exponential:
        return Exponential(self.tau)


class AlphaConductance(AbstractFilteredConductance):
    """A conductance a (t/tau) exp(1 - t/tau) after each spike: the weight a, relative to leak, is its peak.

    **Arguments:** `tau`, time to peak [ms]; `reversal`, reversal potential [mV].

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.AlphaConductance(tau=2.0, reversal=-75.0)

    ```

    Source: Dayan and Abbott, Theoretical Neuroscience (2001), section 5.8.
    """

    tau: Float[Array, "*n"]
    reversal: Float[Array, "*n"]

    def __init__(self, tau: ArrayLike, *, reversal: ArrayLike):
        self.tau = checked_tau(tau)
        self.reversal = as_leaf(reversal, "reversal")
        check_finite("reversal", self.reversal)

    def kinetics(self) -> Alpha:
        return Alpha(self.tau)


class RiseDecayCurrent(AbstractFilteredCurrent):
    """A current w c (exp(-t/tau_decay) - exp(-t/tau_rise)) after each spike: the weight w [mV] is its peak.

    With x = tau_rise/tau_decay, 1/c = (1 - x) x^(x/(1 - x)), and the integral is w c (tau_decay - tau_rise). The step
    is exact for a leaky integrate-and-fire target. tau_rise to 0 is `ExponentialCurrent`, tau_rise = tau_decay
    `AlphaCurrent`, which it joins smoothly, value and derivatives.

    **Arguments:** `tau_rise`, `tau_decay` [ms], the former at most the latter.

    Raises `ValueError` where one is not positive or `tau_rise` is above `tau_decay`.

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.RiseDecayCurrent(tau_rise=0.5, tau_decay=5.0)

    ```

    Source: Dayan and Abbott, Theoretical Neuroscience (2001), section 5.8; source text 001, equation (5).
    """

    time_course: RiseDecay

    def __init__(self, *, tau_rise: ArrayLike, tau_decay: ArrayLike):
        self.time_course = RiseDecay(**checked_rise(tau_rise, tau_decay))

    def kinetics(self) -> RiseDecay:
        return self.time_course


class RiseDecayConductance(AbstractFilteredConductance):
    """A conductance a c (exp(-t/tau_decay) - exp(-t/tau_rise)) after each spike: the weight a is its peak.

    a is relative to leak; c as of `RiseDecayCurrent`, and `AlphaConductance` where the time constants are equal.

    **Arguments:** `tau_rise`, `tau_decay` [ms], the former at most the latter; `reversal`, reversal potential [mV].

    Raises `ValueError` as `RiseDecayCurrent`, and where `reversal` is not finite.

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.RiseDecayConductance(tau_rise=0.5, tau_decay=5.0, reversal=0.0)

    ```

    Source: Dayan and Abbott, Theoretical Neuroscience (2001), section 5.8; source text 001, equation (5).
    """

    time_course: RiseDecay
    reversal: Float[Array, "*n"]

    def __init__(self, *, tau_rise: ArrayLike, tau_decay: ArrayLike, reversal: ArrayLike):
        self.time_course = RiseDecay(**checked_rise(tau_rise, tau_decay))
        self.reversal = as_leaf(reversal, "reversal")
        check_finite("reversal", self.reversal)

    def kinetics(self) -> RiseDecay:
        return self.time_course
