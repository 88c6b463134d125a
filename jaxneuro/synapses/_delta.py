"""Synapses without a time course."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._formulas import Input
from .._numerics import Shown, as_leaf, check_finite, check_nonnegative, violates
from ._effect import SpikeEffect, current_effect
from ._synapse import AbstractSynapse, Received


class AbstractJump(Shown):
    """How far the potential jumps at a spike under an instantaneous conductance."""

    @abc.abstractmethod
    def exponent(self, efficacy: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """The L of V <- E + (V - E) exp(-L) at one spike of `efficacy` a."""

    def check(self, name: str, efficacy: Float[Array, "..."]) -> None:
        """Raises `ValueError` where there is no jump of this efficacy."""

    def is_linear(self) -> bool:
        """Whether k spikes of efficacy a are one of k a."""
        return False


class ExactJump(AbstractJump):
    """The jump (1 - exp(-a)) (E - V): the exact effect of a conductance a tau_m delta(t).

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.DeltaConductance(0.0, jump=jn.ExactJump())

    ```
    """

    def exponent(self, efficacy: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return efficacy

    def is_linear(self) -> bool:
        return True


class FirstOrderJump(AbstractJump):
    """The jump a (E - V), first order in a; needs a < 1.

    As a falls, networks with this jump tend to the Ito reading of the multiplicative noise, those
    with `ExactJump` to the Stratonovich reading.
    """

    def exponent(self, efficacy: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return -jnp.log1p(-efficacy)

    def check(self, name: str, efficacy: Float[Array, "..."]) -> None:
        if violates(lambda a: a < 1, efficacy):
            raise ValueError(f"`{name}` has to be below 1 under `FirstOrderJump`; got {efficacy}.")


class DeltaCurrent(AbstractSynapse):
    """An instantaneous current: V jumps by the weight J [mV] at each spike.

        tau_m dV/dt = -(V - v_rest) + tau_m J sum of delta(t - t_k).

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.DeltaCurrent()

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, equation (2).
    """

    def init(self, n: int) -> None:
        return None

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> None:
        return None

    def step(
        self, constants: None, state: None, counts: Float[Array, "n"], weight: Float[Array, "*n"], v: Any
    ) -> Received:
        return Received(None, Input(kick=weight * counts))

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """A jump by the weight."""
        return current_effect(weight)

    def gives(self) -> tuple[str, ...]:
        return ("kick",)


class DeltaConductance(AbstractSynapse):
    """An instantaneous conductance of efficacy a, relative to leak.

        tau_m dV/dt = -(V - v_rest) - tau_m a (V - reversal) sum of delta(t - t_k).

    Spikes of several synapses in one step combine in one exponent.

    **Arguments:**

    - `reversal`: reversal potential E [mV].
    - `jump`: `ExactJump()`, V jumps by (1 - exp(-a)) (E - V), or `FirstOrderJump()`, by a (E - V).

    The weight of the projection is the efficacy a, dimensionless and not negative.

    ```python
    >>> import jaxneuro as jn
    >>> excitatory = jn.DeltaConductance(reversal=0.0)
    >>> inhibitory = jn.DeltaConductance(reversal=-75.0, jump=jn.FirstOrderJump())

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (1), (2).
    The exact jump is a correction: the text's a (E - V) is first order in a.
    """

    reversal: Float[Array, "*n"]
    jump: AbstractJump

    def __init__(self, reversal: ArrayLike, *, jump: AbstractJump | None = None):
        self.reversal = as_leaf(reversal, "reversal")
        self.jump = ExactJump() if jump is None else jump
        check_finite("reversal", self.reversal)

    def init(self, n: int) -> None:
        return None

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> None:
        return None

    def step(
        self, constants: None, state: None, counts: Float[Array, "n"], weight: Float[Array, "*n"], v: Any
    ) -> Received:
        exponent = self.jump.exponent(weight) * counts
        return Received(None, Input(log_decay=exponent, log_decay_times_reversal=exponent * self.reversal))

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """A conductance of integral a; a spike goes the share 1 - exp(-a) of the way, a under `FirstOrderJump`."""
        share = -jnp.expm1(-self.jump.exponent(weight))
        return SpikeEffect(jnp.zeros_like(weight), share, weight, self.reversal, ())

    def gives(self) -> tuple[str, ...]:
        return ("log_decay",)

    def check_weight(self, name: str, weight: Float[Array, "..."], summed: bool) -> None:
        check_finite(name, weight)
        check_nonnegative(name, weight)
        if not summed:
            self.jump.check(name, weight)

    def counts_as(self, amplitude: Float[Array, "time n_pre"], weight: Float[Array, ""]) -> Float[Array, "time n_pre"]:
        """A spike of amplitude s jumps as one of efficacy s a: it is as many spikes as it has exponents."""
        if self.is_linear():
            return amplitude
        silent = weight == 0
        one = jnp.where(silent, 0.5, weight)
        return jnp.where(silent, amplitude, self.jump.exponent(amplitude * one) / self.jump.exponent(one))

    def is_linear(self) -> bool:
        return self.jump.is_linear()
