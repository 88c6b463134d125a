"""Uniform numbers that belong to pairs of indices: made again wherever they are needed, and never stored."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Integer, UInt


def hashed_share(
    salt: UInt[Array, ""], first: Integer[Array, "..."], second: Integer[Array, "..."], dtype: jnp.dtype
) -> Float[Array, "..."]:
    """A number in (0, 1) for each pair, uniform and independent over pairs, by a hash of 32 bits with the `salt`."""
    mixed = _mixed(_mixed(first.astype(jnp.uint32) + salt) ^ second.astype(jnp.uint32))
    return (mixed.astype(dtype) + 0.5) * 2.0**-32


def _mixed(h: UInt[Array, "..."]) -> UInt[Array, "..."]:
    """A permutation of 32 bits in which every bit of the result depends on all: Wellons (2018), lowbias32."""
    h = (h ^ (h >> jnp.uint32(16))) * jnp.uint32(0x7FEB352D)
    h = (h ^ (h >> jnp.uint32(15))) * jnp.uint32(0x846CA68B)
    return h ^ (h >> jnp.uint32(16))
