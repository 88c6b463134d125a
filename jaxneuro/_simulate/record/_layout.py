"""What a recorder knows of the run."""

from collections.abc import Mapping

import equinox as eqx
from jaxtyping import Array, Int

from ..._numerics import Shown


class Layout(Shown):
    """Names and sizes of the populations, and the clock of the run.

    `fields` are the variables of each population; `spiking` the populations that may spike, of which those
    `within_step` do so at a time inside their step. `grids` has rows, columns and spacing of those with positions,
    None where they are on no lattice.
    """

    sizes: Mapping[str, int] = eqx.field(static=True)
    fields: Mapping[str, tuple[str, ...]] = eqx.field(static=True)
    differentiable: tuple[str, ...] = eqx.field(static=True)
    within_step: tuple[str, ...] = eqx.field(static=True)
    spiking: tuple[str, ...] = eqx.field(static=True)
    dt: float = eqx.field(static=True)
    n_steps: int = eqx.field(static=True)
    first: Int[Array, ""]
    grids: Mapping[str, tuple[int, int, float] | None] = eqx.field(static=True, default_factory=dict)
