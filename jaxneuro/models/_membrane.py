"""The state of a membrane with channels."""

from jaxtyping import Array, Float

from .._numerics import Shown


class MembraneState(Shown):
    """Membrane potential [mV] and gates; in a run of a population the gates are half a step behind the potential.

    `left_out` is what rounding left out of the potential and of each gate, in very short steps in float32.
    """

    v: Float[Array, "*n"]
    gates: dict[str, Float[Array, "*n"]]
    left_out: tuple[Float[Array, "*n"], dict[str, Float[Array, "*n"]]] | None = None
