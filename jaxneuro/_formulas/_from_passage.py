"""The rate from the mean passage time."""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float


def log_rate_of(log_time: Float[Array, "..."], t_ref: Float[Array, "..."]) -> Float[Array, "..."]:
    """log of the rate [Hz] from the log of the mean passage time [ms]: log 1000/(t_ref + T), without overflow."""
    long = log_time > 0.0
    share = t_ref * jnp.exp(-jnp.where(long, log_time, 0.0))
    interval = t_ref + jnp.exp(jnp.where(long, 0.0, log_time))
    log_interval = jnp.where(long, log_time + jnp.log1p(share), jnp.log(jnp.where(long, 1.0, interval)))
    return math.log(1000.0) - log_interval
