"""Products of spikes and weights: dense where many neurons spike, row by row where few do.

Two primitives, each linear in its floats and the transpose of the other: the sum of the rows of those that spiked, and
the sum for each source of the rows in which it spiked. A batch over one matrix becomes more rows.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics._primitive import batch_size, define, linear_in_last, one_by_one
from ._delivery import has_numba
from ._native_product import add_outer, sum_rows

# Smaller matrices are multiplied whole: a call costs more.
_LEAST_PAIRS = 2**14
# Above this share of spikes a dense product is less work than reading rows one by one.
_DENSE_SHARE = 0.1
_SAMPLE = 32


def spike_product(
    spikes: Bool[Array, "time n_pre"], soft: Float[Array, "time n_pre"] | None, matrix: Float[Array, "n_pre n_post"]
) -> Float[Array, "time n_post"]:
    """`spikes @ matrix`, with the derivative of `soft`, the spikes as floats, where there is one."""
    if matrix.size < _LEAST_PAIRS or jax.default_backend() != "cpu" or not has_numba():
        return (spikes.astype(matrix.dtype) if soft is None else soft) @ matrix
    if soft is None:
        return _rows.bind(spikes, matrix)
    return _with_soft(spikes, soft, matrix)


@jax.custom_jvp
def _with_soft(
    spikes: Bool[Array, "time n_pre"], soft: Float[Array, "time n_pre"], matrix: Float[Array, "n_pre n_post"]
) -> Float[Array, "time n_post"]:
    return _rows.bind(spikes, matrix)


@_with_soft.defjvp
def _with_soft_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    spikes, _, matrix = primals
    return _with_soft(*primals), tangents[1] @ matrix + _rows.bind(spikes, tangents[2])


def _few(spikes: Array) -> Array:
    """Whether few neurons spike, by a sample of the rows."""
    sample = spikes[:: max(1, spikes.shape[0] // _SAMPLE)]
    return jnp.sum(sample, dtype=jnp.int32) < int(_DENSE_SHARE * sample.size)


def _sum_rows(spikes: Array, matrix: Array) -> Array:
    return lax.cond(_few(spikes), sum_rows, lambda s, m: s.astype(m.dtype) @ m, spikes, matrix)


def _add_outer(spikes: Array, values: Array) -> Array:
    return lax.cond(_few(spikes), add_outer, lambda s, v: s.astype(v.dtype).T @ v, spikes, values)


def _batch_rows(primitive: Any, arguments: tuple, dims: tuple, parameters: dict) -> tuple[Array, int]:
    spikes, matrix = arguments
    if dims[1] is not None:
        return one_by_one(primitive, arguments, dims, parameters)
    size = batch_size(arguments, dims)
    spikes = jnp.moveaxis(spikes, dims[0], 0)
    out = primitive.bind(spikes.reshape(-1, spikes.shape[-1]), matrix)
    return out.reshape(size, -1, out.shape[-1]), 0


def _rows_shape(spikes: Any, matrix: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((spikes.shape[0], matrix.shape[1]), matrix.dtype)


def _outer_shape(spikes: Any, values: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((spikes.shape[1], values.shape[1]), values.dtype)


_rows = define("sum_rows_of_spikes", _sum_rows, batch=_batch_rows, shape=_rows_shape)
_outer = define("add_rows_of_spikes", _add_outer, batch=one_by_one, shape=_outer_shape)
linear_in_last(_rows, lambda cotangent, spikes: _outer.bind(spikes, cotangent))
linear_in_last(_outer, lambda cotangent, spikes: _rows.bind(spikes, cotangent))
