"""What a spiking neuron is to a run."""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
from jaxtyping import Array, Bool, Float

from .._formulas import Input
from .._numerics import Result, Shown, told
from ..surrogate import AbstractSurrogate
from ._firing import Firing
from ._runnable import AbstractStimulated

# What a membrane in mV hears: currents times the resistance, conductances relative to the leak.
INPUT_UNITS = {
    "input.current": "mV",
    "input.conductance": "1",
    "input.conductance_times_reversal": "mV",
    "input.kick": "mV",
    "input.log_decay": "1",
    "input.log_decay_times_reversal": "mV",
}


class LeakyMembrane(Shown):
    """A leaky integrate-and-fire neuron with a hard reset, as theory reads it; each number one, or one a neuron.

    tau_m dV/dt = -(V - v_rest) + input;   V >= v_th: a spike, V = v_reset for t_ref.

    ```python
    >>> import jaxneuro as jn
    >>> float(jn.LIF(tau_m=15.0).diffusion_parameters().tau_m)
    15.0

    ```
    """

    tau_m: Float[Array, "..."]
    v_rest: Float[Array, "..."]
    v_th: Float[Array, "..."]
    v_reset: Float[Array, "..."]
    t_ref: Float[Array, "..."]

    def diffusion_parameters(self) -> "LeakyMembrane":
        """The membrane itself, so that theory reads it as it reads a neuron."""
        return self

    def curved_membrane(self) -> None:
        """None: it is linear."""


class CurvedMembrane(Shown):
    """The numbers of an integrate-and-fire neuron whose membrane is not linear, as theory reads them.

    tau_m dV/dt = F(V) + input, F the `curve`;   V >= v_peak: a spike, V = v_reset for t_ref.
    """

    tau_m: Float[Array, "*n"]
    curve: Callable[[Float[Array, "..."]], Float[Array, "..."]]
    v_peak: Float[Array, "*n"]
    v_reset: Float[Array, "*n"]
    t_ref: Float[Array, "*n"]


class StepConstants(Shown):
    """What a step of a model without constants of its own needs: its length [ms], and the surrogate of its spikes."""

    dt: float = eqx.field(static=True)
    surrogate: AbstractSurrogate | None


class AbstractNeuron(AbstractStimulated):
    """A neuron model: parameters of one number, or one number a neuron, (n,).

    A neuron of one's own is `init`, `step`, `observe` and `resting_potential`. It hears currents; what else it hears,
    `understands` says. The rest is what most models leave as it is.
    """

    @abc.abstractmethod
    def init(self, v: Float[Array, "n"]) -> Any:
        """The state with the potentials `v` [mV]."""

    def started(self, state: Any, dt: float) -> Any:
        """The state that a run in steps of `dt` [ms] starts from, made of that of `init`: by default the same."""
        return state

    @abc.abstractmethod
    def resting_potential(self) -> Float[Array, "*n"]:
        """The potential without input [mV]."""

    def starting_potential(self) -> Float[Array, "*n"]:
        """Where a run starts that is told nothing [mV]: at rest, unless that is unstable or nowhere."""
        return self.resting_potential()

    @abc.abstractmethod
    def step(self, constants: Any, state: Any, inputs: Input) -> tuple[Any, Firing]:
        """One step: the new state and who spiked in it. `constants` are those of `prepare`."""

    @abc.abstractmethod
    def observe(self, y: Any) -> dict[str, Any]:
        """The variables that can be recorded, by name; synapses are given the one named "v"."""

    def variable_units(self) -> dict[str, str]:
        """The units of variables of `observe`, and of inputs such as "input.current"; of V alone unless told."""
        return {"v": "mV"}

    def prepare(self, dt: float, solver: Any, surrogate: AbstractSurrogate | None = None) -> Any:
        """The constants of a step of `dt` [ms]: its length and the surrogate, unless the model has others."""
        return StepConstants(dt, surrogate)

    def membrane_time_constant(self) -> Float[Array, "*n"] | None:
        """tau_m [ms] of a membrane that is linear between spikes; None of any other."""
        return None

    def settling_time(self) -> Float[Array, "*n"] | None:
        """The time constant [ms] of the membrane, beside which a far shorter run warns; None where none is told."""
        return self.membrane_time_constant()

    def default_solver(self) -> Any:
        """The solver of a run that is told none; None of a model that has only one step."""
        return None

    def check_solver(self, solver: Any) -> None:
        """Raises `ValueError` where the model cannot be stepped so."""
        raise ValueError(f"`solver` is not for {type(self).__name__}, whose step is its own; got {told(solver)}.")

    def sends_spikes(self) -> bool:
        """Whether it has spikes at all; a read-out has none."""
        return True

    def spikes_within_step(self) -> bool:
        """Whether a spike has a time inside its step, the crossing of a threshold; if not, it is at the end."""
        return False

    def diffusion_parameters(self) -> LeakyMembrane:
        """The numbers of the leaky integrate-and-fire neuron that this one is, for theory.

        Raises `ValueError` where it is none.
        """
        raise ValueError(
            f"this theory is of leaky integrate-and-fire neurons such as `LIF`, and {type(self).__name__} is none: "
            "simulate it."
        )

    def rate_under(self, current: Float[Array, "*m"]) -> Float[Array, "..."]:
        """The firing rate [Hz] under a constant current without noise, by a formula.

        Raises `ValueError` where there is none.
        """
        raise ValueError(
            f"`model` has to be a LIF or another neuron with `rate_under`; {type(self).__name__} has no formula for "
            "its rate: simulate it, as `jn.analysis.fi_curve` does."
        )

    def curved_membrane(self) -> CurvedMembrane | None:
        """The membrane of a neuron without adaptation whose drive F(V) is not the leak alone, for theory; else None."""
        return None

    def inside_steps(self, name: str) -> "AbstractNeuron":
        """The same neuron with spikes at their times inside the steps; `name` is that of its population.

        Raises `ValueError` where it has no such form.
        """
        raise ValueError(
            f"`spike_times`: {name!r} is of {type(self).__name__}; a crossing in closed form is that of `LIF`."
        )

    def kept_per_step(self) -> int:
        """What a step keeps for its derivative and the time that it is read back in, in states; 0 if about nothing."""
        return 0

    def resolves(self, dt: Float[Array, ""]) -> Bool[Array, ""] | None:
        """Whether steps of `dt` [ms] are short enough to follow it; None where any are, or a run tells by itself."""
        return None

    def outcome(self, state: Any) -> Result | None:
        """What a run that ended in this state has to say of itself; None where nothing went amiss that finite tells."""
        return None
