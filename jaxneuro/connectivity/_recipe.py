"""What the wiring of a projection is drawn from."""

import abc
from typing import ClassVar

import equinox as eqx
import numpy as np

from .._numerics import Shown
from ._delay_laws import AbstractDelayLaw
from ._delivery import AbstractDelivery
from ._draw import Balance, bytes_needed, draw_operator
from ._operator import AbstractOperator
from ._packed import draw_packed
from ._positions import AbstractPositions, Neurons
from ._rules import AbstractConnectivity
from ._sketch import Sketch, sketch_operator, sketch_packed
from ._weight_laws import AbstractWeightLaw


class AbstractRecipe(Shown):
    """All that a wiring depends on beside its key and the sizes; a wiring keeps it to know what it was drawn for."""

    network: eqx.AbstractClassVar[str]
    """What it is for, in a word."""
    rule: eqx.AbstractVar[AbstractConnectivity]
    weights: eqx.AbstractVar[AbstractWeightLaw | None]
    delays: eqx.AbstractVar[AbstractDelayLaw | None]
    positions: eqx.AbstractVar[tuple[AbstractPositions | None, ...]]

    @abc.abstractmethod
    def draw(
        self,
        rng: np.random.Generator,
        pre: Neurons,
        posts: tuple[Neurons, ...],
        recurrent: tuple[bool, ...],
        delivery: AbstractDelivery | None,
        balance: Balance | None = None,
    ) -> AbstractOperator:
        """The operator of a projection, whose numbers have to be known; `balance`, of weights that are matched."""

    def bytes_needed(
        self,
        pre: Neurons,
        posts: tuple[Neurons, ...],
        recurrent: tuple[bool, ...],
        delivery: AbstractDelivery | None,
    ) -> float:
        """About how much memory the drawn synapses take, where that may be much [bytes]."""
        return 0.0

    @abc.abstractmethod
    def sketch(self, pre: Neurons, posts: tuple[Neurons, ...], recurrent: tuple[bool, ...]) -> Sketch:
        """What `draw` would draw where no delivery is asked for, without drawing it."""


class SpikeRecipe(AbstractRecipe):
    """Synapses between spiking neurons; `weights` and `delays` are None where synapses draw none of their own.

    `signed` says whether a weight may be negative.
    """

    network: ClassVar[str] = "spiking"
    rule: AbstractConnectivity
    weights: AbstractWeightLaw | None
    delays: AbstractDelayLaw | None
    positions: tuple[AbstractPositions | None, ...]
    signed: bool = eqx.field(static=True, default=True)

    def draw(
        self,
        rng: np.random.Generator,
        pre: Neurons,
        posts: tuple[Neurons, ...],
        recurrent: tuple[bool, ...],
        delivery: AbstractDelivery | None,
        balance: Balance | None = None,
    ) -> AbstractOperator:
        return draw_operator(
            self.rule, rng, pre, posts, recurrent, weights=self.weights, delays=self.delays, signed=self.signed,
            delivery=delivery, balance=balance,
        )  # fmt: skip

    def bytes_needed(
        self,
        pre: Neurons,
        posts: tuple[Neurons, ...],
        recurrent: tuple[bool, ...],
        delivery: AbstractDelivery | None,
    ) -> float:
        return bytes_needed(self.rule, pre, posts, recurrent, self.weights, self.delays, delivery)

    def sketch(self, pre: Neurons, posts: tuple[Neurons, ...], recurrent: tuple[bool, ...]) -> Sketch:
        return sketch_operator(self.rule, pre, posts, recurrent, self.weights, self.delays)


class BitRecipe(AbstractRecipe):
    """Connections between binary units, held as bits."""

    network: ClassVar[str] = "binary"
    rule: AbstractConnectivity
    weights: None
    delays: None
    positions: tuple[AbstractPositions | None, ...]

    def draw(
        self,
        rng: np.random.Generator,
        pre: Neurons,
        posts: tuple[Neurons, ...],
        recurrent: tuple[bool, ...],
        delivery: AbstractDelivery | None,
        balance: Balance | None = None,
    ) -> AbstractOperator:
        if delivery is not None:
            raise ValueError("`delivery` is of spikes; the wiring of a BinaryNetwork is always held as bits.")
        return draw_packed(self.rule, rng, pre, posts, recurrent)

    def sketch(self, pre: Neurons, posts: tuple[Neurons, ...], recurrent: tuple[bool, ...]) -> Sketch:
        return sketch_packed(self.rule, pre, posts, recurrent)
