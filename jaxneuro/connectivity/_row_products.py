"""Products with some rows of a matrix: those of the sources that matter, the others need none."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Real

from ._events import events

# Rows of one product: enough for XLA to convert them to floats on several cores, which is what they cost.
_ROWS = 256


def push_through_rows(
    rows_of: Callable[[Array], Real[Array, "rows n_post"]],
    n_post: int,
    values: Float[Array, "time n_pre"],
    sensitive: Bool[Array, "time n_pre"],
) -> Float[Array, "time n_post"]:
    """`values` where `sensitive`, times the matrix whose rows of given sources are `rows_of` them."""
    masked = jnp.where(sensitive, values, 0)

    def add(sources: Array, there: Array, total: Array) -> Array:
        rows = rows_of(sources).astype(values.dtype)
        return total + jnp.where(there, masked[:, sources], 0) @ rows

    zeros = jnp.zeros((values.shape[0], n_post), values.dtype)
    return events(jnp.any(sensitive, axis=0)).visit(_ROWS, add, zeros)


def pull_through_rows(
    rows_of: Callable[[Array], Real[Array, "rows n_post"]],
    cotangents: Float[Array, "time n_post"],
    sensitive: Bool[Array, "time n_pre"],
) -> Float[Array, "time n_pre"]:
    """`cotangents` times the transposed matrix where `sensitive`, 0 elsewhere.

    Only sources near threshold have a surrogate derivative: the others need no product.
    """
    n_pre = sensitive.shape[1]

    def add(sources: Array, there: Array, total: Array) -> Array:
        rows = rows_of(sources).astype(cotangents.dtype)
        products = lax.dot_general(cotangents, rows, (((1,), (1,)), ((), ())))
        return total.at[:, jnp.where(there, sources, n_pre)].set(products, mode="drop")

    zeros = jnp.zeros((cotangents.shape[0], n_pre), cotangents.dtype)
    found = events(jnp.any(sensitive, axis=0)).visit(_ROWS, add, zeros)
    return jnp.where(sensitive, found, 0)
