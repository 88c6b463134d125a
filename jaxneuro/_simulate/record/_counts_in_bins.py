"""Spikes of each population in successive bins from the first step that counts."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..._numerics import count_steps
from ._layout import Layout
from ._recorder import Window
from ._scope import Scope


def complete_bins(scope: Scope, width: float, first: int, n_steps: int, dt: float) -> int:
    """How many bins of `width` [ms] the run covers in full."""
    return scope.steps(first, n_steps, dt) // count_steps("width", width, dt)


def check_width(name: str, width: float, dt: float) -> int:
    """The steps of a bin; `ValueError` where it holds none."""
    steps = count_steps(name, width, dt)
    if steps < 1:
        raise ValueError(f"`{name}` has to be at least dt = {dt} ms; got {width} ms.")
    return steps


def check_fits_twice(name: str, width: float, scope: Scope, layout: Layout, first: int) -> None:
    """`ValueError` where the run has fewer than two bins, which have no variance."""
    recorded = scope.steps(first, layout.n_steps, layout.dt)
    if 2 * check_width(name, width, layout.dt) > recorded:
        raise ValueError(
            f"`{name}` has to fit at least twice into the recorded time, {recorded * layout.dt:g} ms; got {width:g} ms."
        )


def no_counts(scope: Scope, layout: Layout, bins: int) -> dict[str, Int[Array, "bins"]]:
    """Nothing counted yet."""
    return {name: jnp.zeros(bins, jnp.int32) for name in scope.names(layout)}


def count_block(carry: dict[str, Any], window: Window, scope: Scope, width: float, layout: Layout) -> dict[str, Any]:
    """Adds the spikes of a block to the bins; what lies outside of them is dropped."""
    since = window.steps - scope.first_counted(layout)
    bins = since // count_steps("width", width, layout.dt)

    def add(counts: Int[Array, "bins"], name: str) -> Int[Array, "bins"]:
        # Negative indices would wrap: they are sent past the end, where they are dropped.
        places = jnp.where(since < 0, counts.shape[0], bins)
        return counts.at[places].add(jnp.sum(window.spikes[name], axis=1, dtype=jnp.int32), mode="drop")

    return {name: add(counts, name) for name, counts in carry.items()}


def rate_in_bins(counts: Int[Array, "bins"], n: int, width: float) -> Float[Array, "bins"]:
    """The rate of `n` neurons [Hz]."""
    return counts.astype(jnp.result_type(float)) * (1000.0 / (width * n))
