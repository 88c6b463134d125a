"""What a recorder is, and what it is given."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array, Bool, Int, Shaped

from ._layout import Layout
from ._scope import Scope


class Window(eqx.Module):
    """The steps of one block, and what happened in them."""

    steps: Int[Array, "time"]
    spikes: dict[str, Bool[Array, "time _"]]
    traced: Shaped[Array, "time m"] | None


class Recorded(eqx.Module):
    """What a recorder hands over: values, and where they need it the numbers behind them and what they run over."""

    values: Any
    counts: Any = None
    times: Any = None
    frequencies: Any = None
    lags: Any = None


class AbstractRecorder(eqx.Module):
    """Gathers something over a run, from the start of its scope on."""

    scope: eqx.AbstractVar[Scope]

    @abc.abstractmethod
    def check(self, layout: Layout, first: int) -> None:
        """Raises `ValueError` where the recorder does not fit the network or the run."""

    @abc.abstractmethod
    def rows(self, first: int, n_steps: int, dt: float) -> int:
        """How many rows its record has; part of the program."""

    @abc.abstractmethod
    def init(self, layout: Layout, rows: int) -> Any:
        """Nothing gathered yet."""

    @abc.abstractmethod
    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        """Takes in one block."""

    @abc.abstractmethod
    def finish(self, carry: Any, layout: Layout) -> Recorded:
        """The record."""
