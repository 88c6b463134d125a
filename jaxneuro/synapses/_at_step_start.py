"""A conductance whose spikes arrive where the step begins."""

import dataclasses
from typing import Any

from jaxtyping import Array, Float

from .._numerics import in_a_line
from ._effect import SpikeEffect
from ._filtered import RiseDecayConductance
from ._synapse import AbstractSynapse, Received


class AtStepStart(AbstractSynapse):
    """A conductance whose spikes arrive at the start of a step, one dt before those of other synapses.

    With a delay of one step a spike arrives at the end of the step in which it was fired: no time passes between. So
    do loops in which all neurons move, and then their spikes are added to the conductances.

    **Arguments:** `synapse`, a `RiseDecayConductance`.

    Raises `ValueError` for another synapse.

    Derivatives: forward and reverse mode, as of the conductance.

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.AtStepStart(jn.RiseDecayConductance(tau_rise=0.5, tau_decay=2.0, reversal=0.0))

    ```
    """

    synapse: RiseDecayConductance

    def __init__(self, synapse: Any):
        if not isinstance(synapse, RiseDecayConductance):
            raise ValueError(
                f"`synapse` of `AtStepStart` has to be a `RiseDecayConductance`; got {in_a_line(synapse)}."
            )
        self.synapse = synapse

    def init(self, n: int) -> Any:
        return self.synapse.init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        return self.synapse.prepare(dt, tau_m)

    def step(
        self, constants: Any, state: Any, counts: Float[Array, "n"], weight: Float[Array, "*n"], v: Any
    ) -> Received:
        began = dataclasses.replace(state, rising=state.rising + constants.factor * (weight * counts))
        return self.synapse.step(constants, began, 0.0 * counts, weight, v)

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """That of the conductance."""
        return self.synapse.spike_effect(weight, tau_m)

    def gives(self) -> tuple[str, ...]:
        return ("conductance",)
