"""What every synapse does."""

import abc
from typing import Any, Generic, TypeVar

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from .._formulas import Input
from .._numerics import Shown, check_finite, check_nonnegative
from ._effect import Released, SpikeEffect

State = TypeVar("State")


class Received(Shown, Generic[State]):
    """What a synapse hands on in one step: its new state, and the input to the neuron."""

    state: State
    inputs: Input


class AbstractSynapse(Shown):
    """Turns weighted arrivals into the `Input` of the target neurons.

    A synapse of one's own is `init`, `prepare` and `step`, and `gives` what it gives. What happens before arrival, at
    the presynaptic neuron (`presynaptic`, `release`) and by chance (`chance`, `transmitted`), costs nothing where it
    is left out.
    """

    @abc.abstractmethod
    def init(self, n: int) -> Any:
        """The state of `n` targets without input; None where there is none."""

    @abc.abstractmethod
    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        """Constants of a step of `dt` [ms] onto targets with membrane time constant `tau_m` [ms]."""

    @abc.abstractmethod
    def step(
        self,
        constants: Any,
        state: Any,
        counts: Float[Array, "n"],
        weight: Float[Array, "*n"],
        v: Float[Array, "n"] | None,
    ) -> Received:
        """One step: `counts` spikes arrive at its end, each with `weight`.

        `v` is the potential of the targets at the step's start [mV]; None of a model that observes no "v".
        """

    def gives(self) -> tuple[str, ...]:
        """The parts of `Input` that it gives, by name; a network refuses targets that do not understand them."""
        return ()

    def check_weight(self, name: str, weight: Float[Array, "..."], summed: bool) -> None:
        """Raises `ValueError` where a weight is not allowed; `summed`, where arrivals are sums of given weights."""
        check_finite(name, weight)
        if not self.is_signed():
            check_nonnegative(name, weight)

    def is_signed(self) -> bool:
        """Whether a weight may be negative: that of a conductance may not, whose sign is in its reversal potential."""
        return not {"conductance", "log_decay"} & set(self.gives())

    def is_linear(self) -> bool:
        """Whether k spikes of weight w in a step act as one of weight k w; if not, it needs counts of spikes."""
        return True

    def presynaptic(self, n_pre: int) -> Any:
        """What each of `n_pre` presynaptic neurons remembers at the start; None where spikes are released as they are.

        Where there is something, `release` is called, and spikes have amplitudes.
        """
        return None

    def release(
        self, memory: Any, spikes: Bool[Array, "time n_pre"], dt: float
    ) -> tuple[Any, Float[Array, "time n_pre"]]:
        """The memory after a block of steps of `dt` [ms], and the amplitude of each spike, 0 where there is none."""
        raise NotImplementedError("A synapse with a `presynaptic` memory has to have `release`.")

    def counts_as(self, amplitude: Float[Array, "time n_pre"], weight: Float[Array, ""]) -> Float[Array, "time n_pre"]:
        """How many spikes of `weight` one with an `amplitude` is: the amplitude itself, where the synapse is linear."""
        return amplitude

    def takes_amplitudes(self) -> bool:
        """Whether a spike may have an amplitude; where it is counted it may not."""
        return True

    def chance(self, key: PRNGKeyArray, steps: Int[Array, "time"], n_post: int) -> Float[Array, "time n_post"] | None:
        """The random numbers of the successive `steps` by which spikes are transmitted; None where all are.

        Where there are some, `transmitted` is called. They depend on `key`, step and neuron alone: one key a step.
        """
        return None

    def transmitted(self, counts: Shaped[Array, "n"], numbers: Float[Array, "n"]) -> Float[Array, "n"]:
        """What of `counts` spikes is transmitted, by the random numbers of the step."""
        raise NotImplementedError("A synapse with `chance` has to have `transmitted`.")

    def is_plain(self) -> bool:
        """Whether it acts on arrivals alone, so that a drive, which has no presynaptic neurons, may have it."""
        return True

    def inside_steps(self, name: str) -> "AbstractSynapse":
        """The synapse whose spikes arrive inside steps; `name` is whose it is.

        Raises `ValueError` where it has no such form.
        """
        raise ValueError(f"`spike_times`: {name} has to be of an `ExponentialCurrent`; got {type(self).__name__}.")

    def current_time_constant(self) -> Float[Array, "*n"] | None:
        """tau [ms] of a current that jumps by the weight at a spike and decays exponentially; None of anything else."""
        return None

    def hears_inside_steps(self) -> bool:
        """Whether arrivals are moments of their times inside the step, (n, 3), and no counts."""
        return False

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """What one spike of `weight` does to a leaky membrane of `tau_m` [ms]: what theory reads, differentiable.

        Raises `ValueError` where a synapse does not say, as one that depends on the spikes before.
        """
        raise ValueError(f"{type(self).__name__} does not say what one spike does, which theory needs: simulate it.")

    def released(self, rate: Float[Array, ""]) -> Released | None:
        """By what a spike of a Poisson train of `rate` [Hz] multiplies the weight, for theory; None where by 1."""
        return None
