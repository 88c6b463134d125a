"""A conductance that does not change."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._formulas import Input
from .._numerics import as_leaf, check_finite, check_nonnegative
from ..synapses import Received
from ._arguments import checked_targets
from ._drive import AbstractDrive


class ConstantConductance(AbstractDrive):
    """A conductance that is always open: the current into the membrane is g (reversal - V).

    **Arguments:** `targets`, name of a population, or a tuple of names; `g`, relative to leak of integrate-and-fire
    neurons, mS/cm2 of neurons with channels; `reversal` [mV]: numbers or one a target neuron.

    Raises `ValueError` where `g` is negative or a value is not finite.

    Derivatives: forward and reverse mode, in both numbers.

    ```python
    >>> import jaxneuro as jn
    >>> drive = jn.ConstantConductance("E", g=0.3, reversal=0.0)

    ```
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    g: Float[Array, "*n"]
    reversal: Float[Array, "*n"]

    def __init__(self, targets: str | tuple[str, ...] | list[str], *, g: ArrayLike, reversal: ArrayLike):
        self.targets = checked_targets("targets", targets)
        self.g, self.reversal = as_leaf(g, "g"), as_leaf(reversal, "reversal")
        check_nonnegative("g", self.g)
        check_finite("reversal", self.reversal)

    def gives(self) -> tuple[str, ...]:
        """Conductance."""
        return ("conductance",)

    def input(self, constants: Any, state: None, drawn: None, v: Float[Array, "n"] | None) -> Received:
        """g and g times the reversal potential."""
        shape = jnp.shape(self.g) if v is None else v.shape
        g = jnp.broadcast_to(self.g, shape)
        return Received(None, Input(conductance=g, conductance_times_reversal=g * self.reversal))
