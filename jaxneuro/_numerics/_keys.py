"""Random keys by role: noise is a function of (key, role, step, neuron) and of nothing else."""

import zlib

import jax
from jaxtyping import Array, Int, Key, PRNGKeyArray


def role_key(key: PRNGKeyArray, role: str) -> PRNGKeyArray:
    """The key of one role, such as "drive 0": equal names give equal keys on every machine."""
    return jax.random.fold_in(key, zlib.crc32(role.encode()))


def step_keys(key: PRNGKeyArray, steps: Int[Array, "time"]) -> Key[Array, "time"]:
    """One key for each absolute step, whatever block the step is computed in."""
    return jax.vmap(lambda step: jax.random.fold_in(key, step))(steps)


def check_key(key: object) -> None:
    """Raises `ValueError` where `key` is no single typed key of `jax.random.key`."""
    if not isinstance(key, jax.Array) or not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        raise ValueError(f"`key` has to be a key made by `jax.random.key(seed)`; got {type(key).__name__}.")
    if key.ndim != 0:
        raise ValueError(f"`key` has to be one key; got an array of keys of shape {key.shape}: use `jax.vmap`.")
