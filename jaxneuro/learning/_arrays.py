"""Arrays as losses and decoders take them: numbers with a derivative, and shapes that belong together."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from .._numerics import read_array, violates


def as_floats(value: Any) -> Float[Array, "*shape"]:
    """`value` as floats: spikes may be true and false, counts whole numbers."""
    given = jnp.asarray(read_array(value, None))
    return given if jnp.issubdtype(given.dtype, jnp.inexact) else given.astype(jnp.result_type(float))


def check_labels(logits: Float[Array, "*batch n"], labels: Shaped[Array, "..."]) -> None:
    """Raises `ValueError` where `labels` are not one class a trial, 0 to n - 1."""
    if logits.ndim == 0 or labels.shape != logits.shape[:-1] or not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ValueError(
            f"`labels` has to hold one class a trial, integers of shape (...) beside `logits` (..., n); got "
            f"{labels.dtype} of shape {labels.shape} and shape {logits.shape}."
        )
    n = logits.shape[-1]

    if violates(lambda label: (label >= 0) & (label < n), labels):
        raise ValueError(f"`labels` has a class outside 0 to {n - 1}, which `logits` are of; got {labels}.")


def check_target(name: str, values: Float[Array, "*shape"], target: Float[Array, "..."], axes: int) -> None:
    """Raises `ValueError` where `target` does not fit on `values`: the same last `axes`, one for all trials or each."""
    own, other = values.shape, target.shape
    fits = len(other) <= len(own) and other[len(other) - axes :] == own[len(own) - axes :]
    if not fits or any(a not in (1, b) for a, b in zip(other[::-1], own[::-1], strict=False)):
        raise ValueError(f"`target` has to be of the shape of `{name}`; got {other} and {own}.")
