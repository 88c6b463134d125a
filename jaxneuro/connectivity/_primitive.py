"""Delivery as two primitives: counts of spikes, and the linear map that carries its derivatives.

An operator that treats every row of a block alone (`rows_alone`) takes a batch over one wiring as more rows, so that
the wiring is not copied; else the elements of a batch are done one after another.
"""

from typing import Any

import jax
from jaxtyping import Array, Bool, Float, Real, Shaped

from .._numerics._primitive import batch_first, batch_size, define, linear_in_last, one_by_one


def bind_counts(operator: Any, *rows: Shaped[Array, "_ _"]) -> Real[Array, "_ _"]:
    """`operator.count(*rows)`; without derivatives."""
    leaves, structure = jax.tree_util.tree_flatten(operator)
    return _counts.bind(*leaves, *rows, structure=structure)


def bind_linear(
    operator: Any, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
) -> Float[Array, "_ n_post"]:
    """`operator.push_forward(values, sensitive)`, linear in `values`; its transpose is `operator.pull_back`."""
    leaves, structure = jax.tree_util.tree_flatten(operator)
    return _linear.bind(*leaves, sensitive, values, structure=structure, transposed=False)


def _count(*arguments: Array, structure: Any) -> Array:
    leaves, rows = arguments[: structure.num_leaves], arguments[structure.num_leaves :]
    return jax.tree_util.tree_unflatten(structure, leaves).count(*rows)


def _sum(*arguments: Array, structure: Any, transposed: bool) -> Array:
    *leaves, sensitive, values = arguments
    operator = jax.tree_util.tree_unflatten(structure, leaves)
    return operator.pull_back(values, sensitive) if transposed else operator.push_forward(values, sensitive)


def _batch(primitive: Any, arguments: tuple, dims: tuple, parameters: dict) -> tuple[Array, int]:
    """A batch over one wiring becomes more rows; a batch of wirings is done one after another."""
    structure = parameters["structure"]
    n_leaves = structure.num_leaves
    leaves = arguments[:n_leaves]
    one_wiring = all(d is None for d in dims[:n_leaves])
    if not one_wiring or not jax.tree_util.tree_unflatten(structure, leaves).rows_alone:
        return one_by_one(primitive, arguments, dims, parameters)
    size = batch_size(arguments, dims)
    rows = batch_first(arguments[n_leaves:], dims[n_leaves:], size)
    out = primitive.bind(*leaves, *(r.reshape(-1, r.shape[-1]) for r in rows), **parameters)
    return out.reshape(size, -1, out.shape[-1]), 0


def _transpose(cotangent: Array, *others: Array, structure: Any, transposed: bool) -> Array:
    return _linear.bind(*others, cotangent, structure=structure, transposed=not transposed)


_counts = define("count_arrivals", _count, batch=_batch, static=("structure",))
_linear = define("sum_arrivals", _sum, batch=_batch, static=("structure", "transposed"))
linear_in_last(_linear, _transpose)
