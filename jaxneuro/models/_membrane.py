"""The state of a membrane with channels."""

import equinox as eqx
from jaxtyping import Array, Float


class MembraneState(eqx.Module):
    """Membrane potential [mV] and gates; in a run of a population the gates are half a step behind the potential.

    `left_out` is what rounding left out of the potential and of each gate, in very short steps in float32.
    """

    v: Float[Array, "*n"]
    gates: dict[str, Float[Array, "*n"]]
    left_out: tuple[Float[Array, "*n"], dict[str, Float[Array, "*n"]]] | None = None
