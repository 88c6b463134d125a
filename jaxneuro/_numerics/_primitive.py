"""Operations of our own in JAX's programs, defined by what they do. No other file speaks to `jax.interpreters`.

JAX does not promise that module to stay: what is taken from it is `register_lowering`, `lower_fun`, the tables of
rules of `ad` and `batching` (of those for a scan too), `instantiate_zeros` and `Zero`. In a rule for batches the axis
of an argument that is not mapped is None.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Literal, Primitive
from jax.extend.core.primitives import scan_p
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array

# (primitive, arguments, the mapped axis of each or None, parameters) -> (result, its mapped axis)
Batch = Callable[[Primitive, tuple, tuple, dict], tuple[Array, int]]


def define(
    name: str,
    function: Callable[..., Array],
    *,
    batch: Batch,
    shape: Callable[..., Any] | None = None,
    static: tuple = (),
    on_cpu: Callable[..., Array] | None = None,
) -> Primitive:
    """An operation that does what `function(*arrays, **static)` does, with a rule of its own for batches.

    `shape(*arguments, **static)` gives the result's shape and dtype where tracing `function` for it would take long.
    `on_cpu` does the same in a way that only a CPU knows. Which of them is part of a program is decided when it is
    lowered, by what it is lowered for: a program may be traced on one platform for another.
    """

    def abstract(*arguments: Any, **parameters: Any) -> ShapedArray:
        if shape is None:
            out = jax.eval_shape(lambda *a: function(*a, **parameters), *arguments)
        else:
            out = shape(*arguments, **parameters)
        return ShapedArray(out.shape, out.dtype)

    made = Primitive(name)
    alone = function if on_cpu is None else lambda *arguments, **given: made.bind(*arguments, **given)
    made.def_impl(jax.jit(alone, static_argnames=static))
    made.def_abstract_eval(abstract)
    mlir.register_lowering(made, mlir.lower_fun(function, multiple_results=False))
    if on_cpu is not None:
        mlir.register_lowering(made, mlir.lower_fun(on_cpu, multiple_results=False), platform="cpu")
    batching.primitive_batchers[made] = lambda arguments, dims, **given: batch(made, arguments, dims, given)
    return made


def define_mapped(
    name: str, function: Callable[..., Array], *, on_cpu: Callable[..., Array], shape: Callable[..., Any], static: tuple
) -> Primitive:
    """An operation as of `define`, whose batch is `jax.vmap` of what is done on the platform."""

    def within(one: Callable[..., Array]) -> Callable[..., Array]:
        def whole(*arguments: Array, mapped: tuple = (), **given: Any) -> Array:
            mapping = partial(one, **given)
            for dims in reversed(mapped):
                mapping = jax.vmap(mapping, in_axes=dims)
            return mapping(*arguments)

        return whole

    def batch(primitive: Primitive, arguments: tuple, dims: tuple, given: dict) -> tuple[Array, int]:
        return primitive.bind(*arguments, **{**given, "mapped": (dims, *given.get("mapped", ()))}), 0

    def mapped_shape(*arguments: Any, mapped: tuple = (), **given: Any) -> jax.ShapeDtypeStruct:
        shapes, sizes = [], []
        for own in arguments:
            shapes.append(list(own.shape))
        for dims in mapped:
            size = 0
            for own, d in zip(shapes, dims, strict=True):
                size = size if d is None else own.pop(d)
            sizes.append(size)
        one = shape(*arguments, **given)
        return jax.ShapeDtypeStruct((*sizes, *one.shape), one.dtype)

    return define(
        name, within(function), on_cpu=within(on_cpu), batch=batch, shape=mapped_shape, static=(*static, "mapped")
    )


def define_elementwise(name: str, function: Callable[..., Array], *, static: tuple = ()) -> Primitive:
    """An operation on arrays of one shape, element by element, that is traced, mapped over and lowered as one.

    A polynomial is fifty operations: written out, every transformation of a program would go through all of them, and
    spend more time on it than the compiler. Derivatives are those of `function`.
    """

    def batch(primitive: Primitive, arguments: tuple, dims: tuple, given: dict) -> tuple[Array, int]:
        if len(set(dims)) == 1:
            return primitive.bind(*arguments, **given), dims[0]
        return primitive.bind(*batch_first(arguments, dims, batch_size(arguments, dims)), **given), 0

    made = define(name, function, batch=batch, shape=lambda *arguments, **given: arguments[0], static=static)

    def jvp(primals: tuple, tangents: tuple, **given: Any) -> tuple[Array, Array]:
        moved = tuple(map(ad.instantiate_zeros, tangents))
        return jax.jvp(lambda *arguments: function(*arguments, **given), primals, moved)

    ad.primitive_jvps[made] = jvp
    # In a function of its own, which is called wherever the operation is done to arrays of one shape.
    mlir.register_lowering(made, mlir.lower_fun(function, multiple_results=False), inline=False)
    return made


def define_steps(name: str, most: int) -> Callable[[Any, list], list[Array]]:
    """What evaluates a traced program so that `most` turns of its `scan`s are written out where it goes to a GPU.

    Each becomes an operation with the parameters of the scan, which is that scan everywhere else and under a
    derivative, and whose batch is the batch of the scan.
    """
    made = Primitive(name)
    made.multiple_results = True

    def scan(*arguments: Array, **given: Any) -> list[Array]:
        return scan_p.bind(*arguments, **given)

    def written_out(*arguments: Array, **given: Any) -> list[Array]:
        return scan_p.bind(*arguments, **{**given, "unroll": min(most, max(1, given["length"]))})

    def batch(axis: Any, arguments: tuple, dims: tuple, **given: Any) -> tuple[list[Array], list]:
        mapped: list = []

        def batched(*own: Array) -> list[Array]:
            found, out_dims = batching.fancy_primitive_batchers[scan_p](axis, own, dims, **given)
            mapped.extend(out_dims)
            return list(found)

        return evaluate(jax.make_jaxpr(batched)(*arguments), list(arguments)), mapped

    def evaluate(closed: Any, arguments: list) -> list[Array]:
        values = dict(zip([*closed.jaxpr.constvars, *closed.jaxpr.invars], [*closed.consts, *arguments], strict=True))

        for one in closed.jaxpr.eqns:
            primitive = made if one.primitive is scan_p and not one.effects else one.primitive
            own = []
            for atom in one.invars:
                own.append(atom.val if isinstance(atom, Literal) else values[atom])
            found = primitive.bind(*own, **one.params)
            values |= zip(one.outvars, found if primitive.multiple_results else [found], strict=True)
        results = []
        for atom in closed.jaxpr.outvars:
            results.append(atom.val if isinstance(atom, Literal) else values[atom])
        return results

    made.def_impl(scan)
    made.def_effectful_abstract_eval(scan_p.abstract_eval)
    mlir.register_lowering(made, mlir.lower_fun(scan))
    for platform in ("cuda", "rocm"):
        mlir.register_lowering(made, mlir.lower_fun(written_out), platform=platform)
    ad.primitive_jvps[made] = lambda primals, tangents, **given: ad.primitive_jvps[scan_p](primals, tangents, **given)
    batching.fancy_primitive_batchers[made] = batch
    return evaluate


def linear_in_last(primitive: Primitive, transpose: Callable[..., Array]) -> None:
    """Says that `primitive` is linear in its last argument and has no derivative by the others.

    `transpose(cotangent, *others, **parameters)` is the cotangent of the last argument.
    """

    def jvp(primals: tuple, tangents: tuple, **parameters: Any) -> tuple[Array, Any]:
        out = primitive.bind(*primals, **parameters)
        if isinstance(tangents[-1], ad.Zero):
            return out, ad.Zero(jax.typeof(out).to_tangent_aval())
        return out, primitive.bind(*primals[:-1], tangents[-1], **parameters)

    def back(cotangent: Any, *arguments: Any, **parameters: Any) -> list:
        *others, last = arguments
        nothing = [None] * len(others)
        if isinstance(cotangent, ad.Zero):
            return [*nothing, ad.Zero(last.aval)]
        return [*nothing, transpose(cotangent, *others, **parameters)]

    ad.primitive_jvps[primitive] = jvp
    ad.primitive_transposes[primitive] = back


def batch_size(arguments: tuple, dims: tuple) -> int:
    """The number of elements of the batch."""
    return next(a.shape[d] for a, d in zip(arguments, dims, strict=True) if d is not None)


def batch_first(arguments: tuple, dims: tuple, size: int) -> list[Array]:
    """Every argument with the batch as its first axis, repeated where it is not mapped."""
    return [
        jnp.broadcast_to(a, (size, *a.shape)) if d is None else jnp.moveaxis(a, d, 0)
        for a, d in zip(arguments, dims, strict=True)
    ]


def one_by_one(primitive: Primitive, arguments: tuple, dims: tuple, parameters: dict) -> tuple[Array, int]:
    """The elements of a batch one after another; what is not mapped is not copied."""
    mapped = [jnp.moveaxis(a, d, 0) for a, d in zip(arguments, dims, strict=True) if d is not None]

    def one(own: list[Array]) -> Array:
        rest = iter(own)
        return primitive.bind(
            *(a if d is None else next(rest) for a, d in zip(arguments, dims, strict=True)), **parameters
        )

    return lax.map(one, mapped), 0
