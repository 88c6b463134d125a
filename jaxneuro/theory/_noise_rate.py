"""The rate from its logarithm."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def hertz(log_rate: Float[Array, "..."]) -> Float[Array, "..."]:
    """exp(log_rate), with derivative 0 where the rate is 0."""
    silent = jnp.isneginf(log_rate)
    return jnp.where(silent, 0.0, jnp.exp(jnp.where(silent, 0.0, log_rate)))
