"""Sums of very many small steps: in float32 a step may be less than the last digit of what it is added to.

Kahan (1965), doi:10.1145/363707.363723.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

# Longer steps [ms] of a membrane are far above the last digit of its potential.
_SHORT = 0.05


def remainder(x: Float[Array, "*shape"], dt: float, short: float = _SHORT) -> Float[Array, "*shape"] | None:
    """What rounding has left out of `x`, nothing as yet; None where steps of `dt` [ms] need no such account.

    They need it in float32 below `short`, by default 0.05 ms; float64 has digits enough for any step.
    """
    return jnp.zeros_like(x) if x.dtype.itemsize == 4 and dt < short else None


def added(
    x: Float[Array, "*shape"], left_out: Float[Array, "*shape"] | None, change: Float[Array, "*shape"]
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"] | None]:
    """x + change, and what rounding leaves out of it: added to the next change, so that it is never lost."""
    if left_out is None:
        return x + change, None
    change = change + left_out
    total = x + change
    # In exact arithmetic this is 0, and so are its derivatives.
    return total, lax.stop_gradient(change - (total - x))
