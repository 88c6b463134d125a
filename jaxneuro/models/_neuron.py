"""What a spiking neuron is to a run."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from .._formulas import Input
from ..surrogate import AbstractSurrogate
from ._firing import Firing


class LeakyMembrane(eqx.Module):
    """The numbers of a leaky integrate-and-fire neuron with a hard reset, as theory reads them.

    tau_m dV/dt = -(V - v_rest) + input;   V >= v_th: a spike, V = v_reset for t_ref.
    """

    tau_m: Float[Array, "*n"]
    v_rest: Float[Array, "*n"]
    v_th: Float[Array, "*n"]
    v_reset: Float[Array, "*n"]
    t_ref: Float[Array, "*n"]


class AbstractNeuron(eqx.Module):
    """A neuron model: parameters of one number, or one number a neuron, (n,)."""

    @abc.abstractmethod
    def init(self, v: Float[Array, "n"]) -> Any:
        """The state with the potentials `v` [mV]."""

    @abc.abstractmethod
    def resting_potential(self) -> Float[Array, "*n"]:
        """The potential without input [mV]."""

    @abc.abstractmethod
    def membrane_time_constant(self) -> Float[Array, "*n"] | None:
        """tau_m [ms] of a membrane that is linear between spikes; None of any other."""

    @abc.abstractmethod
    def default_solver(self) -> Any:
        """The solver of a run that is told none."""

    @abc.abstractmethod
    def check_solver(self, solver: Any) -> None:
        """Raises `ValueError` where the model cannot be stepped so."""

    @abc.abstractmethod
    def prepare(self, dt: float, solver: Any, surrogate: AbstractSurrogate | None = None) -> Any:
        """The constants of a step of `dt` [ms]."""

    @abc.abstractmethod
    def step(self, constants: Any, state: Any, inputs: Input) -> tuple[Any, Firing]:
        """One step: the new state and who spiked in it."""

    @abc.abstractmethod
    def observe(self, y: Any) -> dict[str, Any]:
        """The variables that can be recorded, by name."""

    @abc.abstractmethod
    def spikes_within_step(self) -> bool:
        """Whether a spike has a time inside its step, the crossing of a threshold; if not, it is at the end."""

    @abc.abstractmethod
    def together(self) -> int:
        """How many steps are best compiled as one."""

    def diffusion_parameters(self) -> LeakyMembrane:
        """The numbers of the leaky integrate-and-fire neuron that this one is, for theory.

        Raises `ValueError` where it is none.
        """
        raise ValueError(
            f"this theory is of leaky integrate-and-fire neurons such as `LIF`, and {type(self).__name__} is none: "
            "simulate it."
        )
