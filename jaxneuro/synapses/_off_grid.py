"""A current whose spikes arrive inside steps."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._formulas import DecayingCurrent, Input, current_in
from ._synapse import AbstractSynapse, Received


class OffGridCurrent(AbstractSynapse):
    """An exponential current whose spikes arrive inside the step."""

    tau: Float[Array, "*n"]

    def init(self, n: int) -> Float[Array, "n"]:
        return jnp.zeros(n, self.tau.dtype)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> float:
        return dt

    def step(
        self, constants: float, state: Float[Array, "n"], counts: Float[Array, "n *moments"],
        weight: Float[Array, "*n"], v: Any,
    ) -> Received:  # fmt: skip
        """`counts` are (n, 3): the moments of what arrives in the step, or (n,) spikes that arrive at its end."""
        if counts.ndim == 1:
            current = DecayingCurrent(state, self.tau, None)
            after = current_in(current, constants).at_end(constants) + weight * counts
            return Received(after, Input(decaying=(current,)))
        current = DecayingCurrent(state, self.tau, jnp.reshape(weight, (-1, 1)) * counts)
        return Received(current_in(current, constants).at_end(constants), Input(decaying=(current,)))

    def gives(self) -> tuple[str, ...]:
        return ("decaying",)

    def hears_inside_steps(self) -> bool:
        return True
