"""A progress line on standard error."""

import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

_UPDATES = 50


def progress_line(n_blocks: int, duration: float) -> Callable[[Array], None]:
    """A function of the block's index that keeps a line such as "simulate: 420 of 1000 ms" up to date."""
    every = max(1, n_blocks // _UPDATES)

    def show(index: Array) -> None:
        done = int(index) + 1
        end = "\n" if done + every > n_blocks else ""
        sys.stderr.write(f"\rsimulate: {done / n_blocks * duration:.0f} of {duration:.0f} ms{end}")
        sys.stderr.flush()

    def report(index: Array) -> None:
        lax.cond(
            jnp.equal((index + 1) % every, 0),
            lambda i: jax.debug.callback(show, i, ordered=False),
            lambda i: None,
            index,
        )

    return report
