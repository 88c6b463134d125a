"""What the networks have in common: a call finds the part of it that is for their units."""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx

from ..models import AbstractRunnable, AbstractRunner
from ._population import Population


class AbstractNetwork(AbstractRunnable):
    """Populations by name, with what connects and drives them."""

    populations: eqx.AbstractVar[dict[str, Population]]
    names: eqx.AbstractVar[tuple[str, ...]]

    @abc.abstractmethod
    def handed(self, *, to_neurons: Callable[[Any], Any], to_binary: Callable[[Any], Any]) -> Any:
        """What the part of a call for its own units makes of it: neurons with spikes, or binary units."""

    def run_by(self, runner: AbstractRunner) -> Any:
        """As a network of its units."""
        return self.handed(to_neurons=runner.network, to_binary=runner.binary)


def check_network(net: Any) -> None:
    """Raises `ValueError` where `net` is no network."""
    if not isinstance(net, AbstractNetwork):
        raise ValueError(f"`net` has to be a Network or a BinaryNetwork; got {type(net).__name__}.")


def check_spiking(net: Any, name: str = "net") -> None:
    """Raises `ValueError` where the argument called `name` is no network of neurons."""
    wrong = f"`{name}` has to be a Network; got {type(net).__name__}."
    if not isinstance(net, AbstractNetwork) or net.handed(to_neurons=lambda _: False, to_binary=lambda _: True):
        raise ValueError(wrong)
