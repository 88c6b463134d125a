"""Random keys by role: noise is a function of (key, role, step, neuron) and of nothing else."""

import zlib

import jax
from jaxtyping import Array, Int, Key, PRNGKeyArray

# The one generator whose draws are a function of key and place alone, also under vmap and on every kind of device.
_GENERATOR = "threefry2x32"


def role_key(key: PRNGKeyArray, role: str) -> PRNGKeyArray:
    """The key of one role, such as "drive 0": equal names give equal keys on every machine."""
    return jax.random.fold_in(key, zlib.crc32(role.encode()))


def step_keys(key: PRNGKeyArray, steps: Int[Array, "time"]) -> Key[Array, "time"]:
    """One key for each absolute step, whatever block the step is computed in."""
    return jax.vmap(lambda step: jax.random.fold_in(key, step))(steps)


def default_key() -> PRNGKeyArray:
    """The key of what is drawn where none is given, whatever generator jax is set to."""
    return jax.random.key(0, impl=_GENERATOR)


def check_key(key: object) -> None:
    """Raises `ValueError` where `key` is no single typed key of `jax.random.key`, or of a generator that is refused."""
    if not isinstance(key, jax.Array) or not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        raise ValueError(f"`key` has to be a key made by `jax.random.key(seed)`; got {type(key).__name__}.")
    if key.ndim != 0:
        raise ValueError(f"`key` has to be one key; got an array of keys of shape {key.shape}: use `jax.vmap`.")
    if str(jax.random.key_impl(key)) != _GENERATOR:
        raise ValueError(
            f"`key` is of the generator {jax.random.key_impl(key)}, which draws other numbers in a batch or on another "
            f"device; give `jax.random.key(seed, impl={_GENERATOR!r})`, the default of jax."
        )
