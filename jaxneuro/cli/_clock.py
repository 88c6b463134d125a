"""What every run of a command takes: how long, in which steps, from which seed."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import PRNGKeyArray

# What a seed of jax tells apart.
_SEEDS = 2**32


def check_clock(options: argparse.Namespace) -> None:
    """Raises `ValueError` where `--dt`, `--duration` or `--seed` is none."""
    from .._numerics import count_steps, to_milliseconds

    for flag, value in (("--dt", options.dt), ("--duration", options.duration)):
        if not to_milliseconds(flag, value) > 0:
            raise ValueError(f"`{flag}` has to be a positive number of ms; got {value:g}.")
    count_steps("--duration", options.duration, options.dt)
    if not 0 <= options.seed < _SEEDS:
        raise ValueError(f"`--seed` has to lie between 0 and {_SEEDS - 1:,}; got {options.seed}.")


def key_of(options: argparse.Namespace) -> "PRNGKeyArray":
    """The key of `--seed`, the same whatever generator jax is set to."""
    import jax

    return jax.random.key(options.seed, impl="threefry2x32")
