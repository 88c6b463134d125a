"""Synapses with a time course: exponential, alpha, rise and decay, as current and as conductance."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array, ArrayLike, Float

from .._formulas import Input
from .._numerics import as_leaf, check_finite
from ._arguments import checked_rise, checked_tau
from ._effect import SpikeEffect, conductance_effect, current_effect
from ._kinetics import AlphaKinetics, ExponentialKinetics, RiseDecayKinetics
from ._off_grid import OffGridCurrent
from ._synapse import AbstractSynapse, Received


class AbstractFilteredCurrent(AbstractSynapse):
    """A current with a time course: the synaptic variable is the current [mV] itself."""

    @abc.abstractmethod
    def kinetics(self) -> Any:
        """The time course: `ExponentialKinetics`, `AlphaKinetics` or `RiseDecayKinetics`."""

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
        """The time course: `ExponentialKinetics`, `AlphaKinetics` or `RiseDecayKinetics`."""

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

    def kinetics(self) -> ExponentialKinetics:
        return ExponentialKinetics(self.tau)

    def current_time_constant(self) -> Float[Array, "*n"]:
        return self.tau

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

    def kinetics(self) -> AlphaKinetics:
        return AlphaKinetics(self.tau)


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

    def kinetics(self) -> ExponentialKinetics:
        return ExponentialKinetics(self.tau)


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

    def kinetics(self) -> AlphaKinetics:
        return AlphaKinetics(self.tau)


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

    time_course: RiseDecayKinetics

    def __init__(self, *, tau_rise: ArrayLike, tau_decay: ArrayLike):
        self.time_course = RiseDecayKinetics(**checked_rise(tau_rise, tau_decay))

    def kinetics(self) -> RiseDecayKinetics:
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

    time_course: RiseDecayKinetics
    reversal: Float[Array, "*n"]

    def __init__(self, *, tau_rise: ArrayLike, tau_decay: ArrayLike, reversal: ArrayLike):
        self.time_course = RiseDecayKinetics(**checked_rise(tau_rise, tau_decay))
        self.reversal = as_leaf(reversal, "reversal")
        check_finite("reversal", self.reversal)

    def kinetics(self) -> RiseDecayKinetics:
        return self.time_course
