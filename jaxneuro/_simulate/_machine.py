"""What the one driver of runs asks of a kind of model: spiking networks, differential equations, binary networks."""

import abc
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
from jaxtyping import Array, Bool, Int

from .._numerics import Result
from ..models import Firing
from .record import AbstractRecorder, Layout

# {name of a recorder: what it watches}, from a function that observes a population.
Look = Callable[[Callable[[str], Mapping[str, Any]]], dict[str, tuple[Array, ...]]]
# The state at the start of a block of so many steps, without derivative where none is to go further back.
Cut = Callable[[Any, int], Any]


class AbstractRunState(eqx.Module):
    """Everything that a run needs to go on; `step` is the steps since t = 0."""

    step: eqx.AbstractVar[Int[Array, ""]]


class Emitted(eqx.Module):
    """What some steps in a row show.

    `firing`: the spikes of each population, (time, n). `seen`: what recorders watch, by their names. `finite`: whether
    each population was finite at the end of each block of equally many steps.
    """

    firing: dict[str, Firing]
    seen: dict[str, tuple[Array, ...]]
    finite: Bool[Array, "blocks populations"]


class AbstractProgram(eqx.Module):
    """A machine made ready inside the compiled program: constants are computed once, outside the loop."""

    block_steps: eqx.AbstractVar[int]
    """Steps of a block. What is left over after whole blocks is done at once."""
    group_steps: eqx.AbstractVar[int]
    """Steps that the loop does in one turn, a multiple of those of a block."""
    kept: eqx.AbstractVar[int]
    """What a turn keeps for its derivative, in states."""

    @abc.abstractmethod
    def start(self, state: Any) -> Any:
        """The state in the types that this run carries."""

    @abc.abstractmethod
    def observe(self, state: Any, name: str) -> dict[str, Any]:
        """The variables of a population."""

    @abc.abstractmethod
    def block(self, state: Any, n_steps: int, look: Look, cut: Cut) -> tuple[Any, Emitted]:
        """`n_steps` steps: whole blocks, or fewer steps than one."""

    @abc.abstractmethod
    def failed(self, state: Any, nonfinite: Bool[Array, ""]) -> Result:
        """What became of the run that ended in `state`."""


class AbstractMachine(eqx.Module):
    """A model with all that its run needs, checked: what the driver hands to the compiled program."""

    @abc.abstractmethod
    def init(self, first: int) -> Any:
        """The state that a run from step `first` on starts from."""

    @abc.abstractmethod
    def layout(self, n_steps: int, first: Int[Array, ""]) -> Layout:
        """Names, sizes and variables of the populations, and the clock of the run."""

    @abc.abstractmethod
    def program(self, n_steps: int, first: Int[Array, ""], timed: bool) -> AbstractProgram:
        """The machine made ready; `timed`, whether a recorder wants the times of spikes inside their steps."""

    @abc.abstractmethod
    def default_record(self, layout: Layout) -> dict[str, AbstractRecorder]:
        """What is recorded where nothing is asked for."""

    def units(self) -> dict[str, Mapping[str, str]]:
        """Of each population the units of its variables, where its model tells them."""
        return {}

    @abc.abstractmethod
    def finite_names(self) -> tuple[str, ...]:
        """The populations that `Emitted.finite` speaks of."""

    @abc.abstractmethod
    def whose(self) -> str:
        """Whose `state` a run takes, for the sentence that refuses another."""

    @abc.abstractmethod
    def advice(self) -> str:
        """What a run that is not finite any more says, and what to do."""


def finite_and_resolved(nonfinite: Bool[Array, ""], resolved: Bool[Array, ""] | None) -> Result:
    """What a run says that went non-finite or not, in steps that were short enough or not; None for any are."""
    long = Result.successful if resolved is None else Result.where(resolved, Result.successful, Result.long_step)
    return Result.where(nonfinite, Result.nonfinite_state, long)
