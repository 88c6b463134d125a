"""What `jn.simulate` runs, of whatever kind."""

import abc
from typing import Any

from .._numerics import Shown


class AbstractRunner(abc.ABC):
    """What runs a model of each kind."""

    @abc.abstractmethod
    def network(self, net: Any) -> Any:
        """A network of neurons."""

    @abc.abstractmethod
    def population(self, population: Any) -> Any:
        """A single population of neurons, whose records are arrays."""

    @abc.abstractmethod
    def binary(self, net: Any) -> Any:
        """A network of binary units."""

    @abc.abstractmethod
    def equation(self, model: Any) -> Any:
        """A differential equation."""


class AbstractStimulated(Shown):
    """A model whose units an experimenter stimulates."""

    def understands(self) -> tuple[str, ...]:
        """The parts of `Input` that it hears, by name; others are refused."""
        return ("current",)

    def stimulus_share(self) -> float:
        """Where in a step a stimulus that is a function is called: 0 at its start, 1/2 in its middle."""
        return 0.0


class AbstractRunnable(Shown):
    """A description that can be run: it says as what."""

    @abc.abstractmethod
    def run_by(self, runner: AbstractRunner) -> Any:
        """Hands itself to the method of `runner` for its kind."""
