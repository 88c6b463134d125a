"""Products of spikes and weights: on a CPU row by row where few neurons spike, dense elsewhere and where many do.

Two primitives, each linear in its floats and the transpose of the other: the sum of the rows of those that spiked, and
the sum for each source of the rows in which it spiked. A batch over one matrix becomes more rows; else both arguments
have the batch in front.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Shaped

from .._numerics._primitive import batch_first, batch_size, define, linear_in_last
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
    if matrix.size < _LEAST_PAIRS or not has_numba():
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


def _sum_rows(spikes: Shaped[Array, "*batch rows n_pre"], matrix: Shaped[Array, "*batch n_pre n_post"]) -> Array:
    return spikes.astype(matrix.dtype) @ matrix


def _add_outer(spikes: Shaped[Array, "*batch rows n_pre"], values: Shaped[Array, "*batch rows n_post"]) -> Array:
    return spikes.astype(values.dtype).mT @ values


def _few(spikes: Bool[Array, "rows n_pre"]) -> Bool[Array, ""]:
    """Whether few neurons spike, by a sample of the rows."""
    sample = spikes[:: max(1, spikes.shape[0] // _SAMPLE)]
    return jnp.sum(sample, dtype=jnp.int32) < int(_DENSE_SHARE * sample.size)


def _natively(spikes: Array, others: Array, kernel: Callable[..., Array], dense: Callable[..., Array]) -> Array:
    """By the kernel where few spike, and the elements of a batch one after another."""

    def one(own: tuple[Array, Array]) -> Array:
        return lax.cond(_few(own[0]), kernel, dense, *own)

    if spikes.ndim == 2:
        return one((spikes, others))
    flat = [x.reshape(-1, *x.shape[-2:]) for x in (spikes, others)]
    out = lax.map(one, tuple(flat))
    return out.reshape(*spikes.shape[:-2], *out.shape[-2:])


def _sum_rows_on_cpu(spikes: Array, matrix: Array) -> Array:
    return _natively(spikes, matrix, sum_rows, _sum_rows)


def _add_outer_on_cpu(spikes: Array, values: Array) -> Array:
    return _natively(spikes, values, add_outer, _add_outer)


def _batch_rows(primitive: Any, arguments: tuple, dims: tuple, parameters: dict) -> tuple[Array, int]:
    """A batch over one matrix becomes more rows."""
    spikes, matrix = arguments
    if dims[1] is not None:
        return _batch(primitive, arguments, dims, parameters)
    spikes = jnp.moveaxis(spikes, dims[0], -3)
    before, size, n_rows, n_pre = spikes.shape[:-3], *spikes.shape[-3:]
    out = primitive.bind(spikes.reshape(*before, size * n_rows, n_pre), matrix)
    return out.reshape(*before, size, n_rows, out.shape[-1]), len(before)


def _batch(primitive: Any, arguments: tuple, dims: tuple, parameters: dict) -> tuple[Array, int]:
    return primitive.bind(*batch_first(arguments, dims, batch_size(arguments, dims))), 0


def _rows_shape(spikes: Any, matrix: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((*spikes.shape[:-1], matrix.shape[-1]), matrix.dtype)


def _outer_shape(spikes: Any, values: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((*spikes.shape[:-2], spikes.shape[-1], values.shape[-1]), values.dtype)


_rows = define("sum_rows_of_spikes", _sum_rows, on_cpu=_sum_rows_on_cpu, batch=_batch_rows, shape=_rows_shape)
_outer = define("add_rows_of_spikes", _add_outer, on_cpu=_add_outer_on_cpu, batch=_batch, shape=_outer_shape)
linear_in_last(_rows, lambda cotangent, spikes: _outer.bind(spikes, cotangent))
linear_in_last(_outer, lambda cotangent, spikes: _rows.bind(spikes, cotangent))
