"""Delivery as two primitives: counts of spikes, and the linear map that carries its derivatives.

An operator that treats every row of a block alone (`rows_alone`) takes a batch over one wiring as more rows, so that
the wiring is not copied; else the elements of a batch are done one after another.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Bool, Float, Int, Shaped


def bind_counts(operator: Any, *rows: Shaped[Array, "_ _"]) -> Int[Array, "_ _"]:
    """`operator.count(*rows)`; without derivatives."""
    leaves, structure = jax.tree_util.tree_flatten(operator)
    return _counts.bind(*leaves, *rows, structure=structure)


def bind_linear(
    operator: Any, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
) -> Float[Array, "_ n_post"]:
    """`operator.push_forward(values, sensitive)`, linear in `values`; its transpose is `operator.pull_back`."""
    leaves, structure = jax.tree_util.tree_flatten(operator)
    return _linear.bind(*leaves, sensitive, values, structure=structure, transposed=False)


_counts = Primitive("count_arrivals")
_linear = Primitive("sum_arrivals")


def _count(*arguments: Array, structure: Any) -> Array:
    leaves, rows = arguments[: structure.num_leaves], arguments[structure.num_leaves :]
    return jax.tree_util.tree_unflatten(structure, leaves).count(*rows)


def _sum(*arguments: Array, structure: Any, transposed: bool) -> Array:
    *leaves, sensitive, values = arguments
    operator = jax.tree_util.tree_unflatten(structure, leaves)
    return operator.pull_back(values, sensitive) if transposed else operator.push_forward(values, sensitive)


def _define(primitive: Primitive, function: Any, static: tuple[str, ...]) -> None:
    def shape(*arguments: Any, **parameters: Any) -> ShapedArray:
        out = jax.eval_shape(lambda *a: function(*a, **parameters), *arguments)
        return ShapedArray(out.shape, out.dtype)

    primitive.def_impl(jax.jit(function, static_argnames=static))
    primitive.def_abstract_eval(shape)
    mlir.register_lowering(primitive, mlir.lower_fun(function, multiple_results=False))
    batching.primitive_batchers[primitive] = lambda a, d, **k: _batch(primitive, a, d, k)


def _batch(primitive: Primitive, arguments: tuple, dims: tuple, parameters: dict) -> tuple[Array, int]:
    """A batch over one wiring becomes more rows; a batch of wirings is done one after another."""
    structure = parameters["structure"]
    n_leaves = structure.num_leaves
    size = next(a.shape[d] for a, d in zip(arguments, dims, strict=True) if d is not batching.not_mapped)
    rows = [
        jnp.broadcast_to(a, (size, *a.shape)) if d is batching.not_mapped else jnp.moveaxis(a, d, 0)
        for a, d in zip(arguments[n_leaves:], dims[n_leaves:], strict=True)
    ]
    leaves, leaf_dims = arguments[:n_leaves], dims[:n_leaves]
    rows_alone = jax.tree_util.tree_unflatten(structure, leaves).rows_alone
    if rows_alone and all(d is batching.not_mapped for d in leaf_dims):
        merged = [r.reshape(-1, r.shape[-1]) for r in rows]
        out = primitive.bind(*leaves, *merged, **parameters)
        return out.reshape(size, -1, out.shape[-1]), 0
    mapped = [jnp.moveaxis(a, d, 0) for a, d in zip(leaves, leaf_dims, strict=True) if d is not batching.not_mapped]

    def one(batch: tuple) -> Array:
        own = iter(batch[0])
        filled = [a if d is batching.not_mapped else next(own) for a, d in zip(leaves, leaf_dims, strict=True)]
        return primitive.bind(*filled, *batch[1], **parameters)

    return lax.map(one, (tuple(mapped), tuple(rows))), 0


def _linear_jvp(primals: tuple, tangents: tuple, **parameters: Any) -> tuple[Array, Any]:
    out = _linear.bind(*primals, **parameters)
    tangent = tangents[-1]
    if isinstance(tangent, ad.Zero):
        return out, jnp.zeros_like(out)
    return out, _linear.bind(*primals[:-1], tangent, **parameters)


def _linear_transpose(cotangent: Any, *arguments: Any, structure: Any, transposed: bool) -> list:
    nothing = [None] * (len(arguments) - 1)
    if isinstance(cotangent, ad.Zero):
        return [*nothing, ad.Zero(arguments[-1].aval)]
    back = _linear.bind(*arguments[:-1], cotangent, structure=structure, transposed=not transposed)
    return [*nothing, back]


_define(_counts, _count, ("structure",))
_define(_linear, _sum, ("structure", "transposed"))
ad.primitive_jvps[_linear] = _linear_jvp
ad.primitive_transposes[_linear] = _linear_transpose
