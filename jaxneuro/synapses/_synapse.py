"""What every synapse does."""

import abc
from typing import Any, Generic, TypeVar

import equinox as eqx
from jaxtyping import Array, Float

from .._formulas import Input
from ._effect import SpikeEffect

State = TypeVar("State")


class Received(eqx.Module, Generic[State]):
    """What a synapse hands on in one step: its new state, and the input to the neuron."""

    state: State
    inputs: Input


class AbstractSynapse(eqx.Module):
    """Turns weighted arrivals into the `Input` of the target neurons."""

    @abc.abstractmethod
    def init(self, n: int) -> Any:
        """The state of `n` targets without input; None where there is none."""

    @abc.abstractmethod
    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        """Constants of a step of `dt` [ms] onto targets with membrane time constant `tau_m` [ms]."""

    @abc.abstractmethod
    def step(self, constants: Any, state: Any, counts: Float[Array, "n"], weight: Float[Array, "*n"]) -> Received:
        """One step: `counts` spikes arrive at its end, each with `weight`."""

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """What one spike of `weight` does to a leaky membrane of `tau_m` [ms]: what theory reads, differentiable.

        Raises `ValueError` where a synapse does not say, as one that depends on the spikes before.
        """
        raise ValueError(f"{type(self).__name__} does not say what one spike does, which theory needs: simulate it.")
