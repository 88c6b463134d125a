"""What the networks have in common: a call finds the part of it that is for their units."""

import abc
from collections.abc import Callable, Iterable
from typing import Any

import equinox as eqx

from .._numerics import as_json, from_json
from ..models import AbstractRunnable, AbstractRunner
from ._population import Population


class AbstractNetwork(AbstractRunnable):
    """Populations by name, with what connects and drives them."""

    populations: eqx.AbstractVar[dict[str, Population]]
    names: eqx.AbstractVar[tuple[str, ...]]

    @abc.abstractmethod
    def handed(self, *, to_neurons: Callable[[Any], Any], to_binary: Callable[[Any], Any]) -> Any:
        """What the part of a call for its own units makes of it: neurons with spikes, or binary units."""

    def to_json(self) -> str:
        """The network as text of JSON, its numbers to the last digit; `from_json` reads it.

        Raises `ValueError` where it holds a function, or a number that is not known.

        ```python
        >>> import jaxneuro as jn
        >>> net = jn.networks.brunel(g=5.0)
        >>> jn.Network.from_json(net.to_json()).to_json() == net.to_json()
        True

        ```
        """
        return as_json(self, "net")

    @classmethod
    def from_json(cls, text: str, *, classes: Iterable[type] = ()) -> Any:
        """The network that `to_json` wrote; parts of your own need their class in `classes`.

        Raises `ValueError` where `text` is no such network, or one whose parts do not fit.
        """
        net = from_json(text, cls, classes)
        # Made again of its parts, so that a text that was edited is checked.
        return net.handed(to_neurons=lambda n: type(n)(n.populations, n.projections, n.drives), to_binary=lambda n: n)

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
