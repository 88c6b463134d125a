"""The first phi function of exponential integrators."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def phi(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The integral of exp(x u) over u in (0, 1): (exp(x) - 1)/x, 1 at x = 0."""
    near = jnp.abs(x) < 0.02
    safe = jnp.where(near, 1.0, x)
    series = 1.0 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x / 5040)))))
    return jnp.where(near, series, jnp.expm1(safe) / safe)
