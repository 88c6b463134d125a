"""Products of spikes and weights: dense where many neurons spike, row by row where few do.

Two primitives, each linear in its floats and the transpose of the other: the sum of the rows of those that spiked, and
the sum for each source of the rows in which it spiked. A batch over one matrix becomes more rows.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Bool, Float

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


_rows, _outer = Primitive("sum_rows_of_spikes"), Primitive("add_rows_of_spikes")


def _few(spikes: Array) -> Array:
    """Whether few neurons spike, by a sample of the rows."""
    sample = spikes[:: max(1, spikes.shape[0] // _SAMPLE)]
    return jnp.sum(sample, dtype=jnp.int32) < int(_DENSE_SHARE * sample.size)


def _sum_rows(spikes: Array, matrix: Array) -> Array:
    return lax.cond(_few(spikes), sum_rows, lambda s, m: s.astype(m.dtype) @ m, spikes, matrix)


def _add_outer(spikes: Array, values: Array) -> Array:
    return lax.cond(_few(spikes), add_outer, lambda s, v: s.astype(v.dtype).T @ v, spikes, values)


def _one_by_one(primitive: Primitive, arguments: tuple, dims: tuple) -> tuple[Array, int]:
    size = next(a.shape[d] for a, d in zip(arguments, dims, strict=True) if d is not batching.not_mapped)
    full = [
        jnp.broadcast_to(a, (size, *a.shape)) if d is batching.not_mapped else jnp.moveaxis(a, d, 0)
        for a, d in zip(arguments, dims, strict=True)
    ]
    return lax.map(lambda own: primitive.bind(*own), tuple(full)), 0


def _batch_rows(arguments: tuple, dims: tuple) -> tuple[Array, int]:
    spikes, matrix = arguments
    if dims[1] is not batching.not_mapped:
        return _one_by_one(_rows, arguments, dims)
    spikes = jnp.moveaxis(spikes, dims[0], 0)
    out = _rows.bind(spikes.reshape(-1, spikes.shape[-1]), matrix)
    return out.reshape(*spikes.shape[:2], -1), 0


def _define(primitive: Primitive, function: Any, other: Primitive) -> None:
    def shape(*arguments: Any) -> ShapedArray:
        spikes, floats = arguments
        rows = spikes.shape[0] if primitive is _rows else spikes.shape[1]
        return ShapedArray((rows, floats.shape[1]), floats.dtype)

    def jvp(primals: tuple, tangents: tuple) -> tuple[Array, Any]:
        out = primitive.bind(*primals)
        if isinstance(tangents[1], ad.Zero):
            return out, ad.Zero(jax.typeof(out).to_tangent_aval())
        return out, primitive.bind(primals[0], tangents[1])

    def transpose(cotangent: Any, spikes: Any, floats: Any) -> list:
        if isinstance(cotangent, ad.Zero):
            return [None, ad.Zero(floats.aval)]
        return [None, other.bind(spikes, cotangent)]

    primitive.def_impl(jax.jit(function))
    primitive.def_abstract_eval(shape)
    mlir.register_lowering(primitive, mlir.lower_fun(function, multiple_results=False))
    ad.primitive_jvps[primitive] = jvp
    ad.primitive_transposes[primitive] = transpose


_define(_rows, _sum_rows, _outer)
_define(_outer, _add_outer, _rows)
batching.primitive_batchers[_rows] = _batch_rows
batching.primitive_batchers[_outer] = lambda a, d: _one_by_one(_outer, a, d)
