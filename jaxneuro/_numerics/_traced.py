"""A user's function as what it computes: its operations, which are compiled, and its numbers, which are not.

A program that holds a Python function is compiled for that very function, and kept with it for ever: a loop over
lambdas compiles each of them anew and loses ten megabytes at each. Two functions of the same operations are one program
here, whatever the numbers in them.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Literal
from jaxtyping import Array


class _Same:
    """Something that equals itself alone."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class _Operations:
    """What is done to arguments and numbers; equal where the same is done."""

    def __init__(self, jaxpr: Any):
        self.jaxpr = jaxpr
        self.key = _key(jaxpr, with_numbers=False)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Operations) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def run(self, numbers: tuple[Array, ...], arguments: tuple[Any, ...]) -> Any:
        """The one result, operation by operation."""
        jaxpr, place = self.jaxpr, iter(numbers)
        known = {variable: next(place) for variable in jaxpr.constvars}
        known.update(zip(jaxpr.invars, arguments, strict=True))

        def value(atom: Any) -> Any:
            if not isinstance(atom, Literal):
                return known[atom]
            return lax.stop_gradient(next(place)) if _is_number(atom) else atom.val

        for equation in jaxpr.eqns:
            given = [value(atom) for atom in equation.invars]
            found = equation.primitive.bind(*given, **equation.primitive.get_bind_params(equation.params))
            found = found if equation.primitive.multiple_results else [found]
            known.update(zip(equation.outvars, found, strict=True))
        return value(jaxpr.outvars[0])


class _Traced(eqx.Module):
    """A function of arrays that gives one array: its numbers are leaves, its operations part of the program."""

    numbers: tuple[Array, ...]
    operations: _Operations = eqx.field(static=True)

    def __call__(self, *arguments: Any) -> Array:
        return self.operations.run(self.numbers, tuple(jnp.asarray(x) for x in arguments))


class _Elementwise(eqx.Module):
    """A function of one number, of arrays element by element."""

    one: _Traced

    def __call__(self, x: Any) -> Array:
        x = jnp.asarray(x)
        return jax.vmap(self.one)(x.reshape(-1)).reshape(x.shape) if x.ndim else self.one(x)


class _OfTrees(eqx.Module):
    """A function of trees of arrays."""

    one: _Traced

    def __call__(self, *trees: Any) -> Array:
        return self.one(*jax.tree.leaves(eqx.filter(trees, eqx.is_array)))


class _Plain(eqx.Module):
    """A function as itself."""

    function: Callable[..., Any] = eqx.field(static=True)

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)


def as_callable(function: Callable[..., Any], argument: float) -> Callable[..., Any]:
    """A function of a number like `argument` that a model or a program can hold."""
    return _traced(function, jnp.asarray(argument, jnp.result_type(float))) or _Plain(function)


_NOT_TRACED = (jax.errors.TracerArrayConversionError, jax.errors.ConcretizationTypeError)


def as_elementwise(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that a program can hold, of arrays element by element.

    Raises `ValueError`, naming the argument `name`, where the function is written for NumPy, or for known numbers.
    """
    try:
        found = _traced(function, jnp.zeros((), jnp.result_type(float)))
    except _NOT_TRACED:
        raise ValueError(
            f"`{name}` has to be written with `jax.numpy`, so that it can be compiled: `jnp.exp` and `jnp.where` for "
            "`np.exp` and `if`; this one asks for the value of its argument."
        ) from None
    except Exception:  # a function of arrays alone: what it raises of a number is its own affair
        found = None
    return _Plain(function) if found is None else _Elementwise(found)


def as_callable_of(function: Callable[..., Any], *trees: Any) -> Callable[..., Any]:
    """A function of trees like `trees` that a program can hold."""
    arrays, others = eqx.partition(trees, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)

    def of_arrays(*given: Any) -> Any:
        return function(*eqx.combine(jax.tree.unflatten(structure, given), others))

    found = _traced(of_arrays, *leaves)
    return _Plain(function) if found is None else _OfTrees(found)


def _traced(function: Callable[..., Any], *arguments: Any) -> _Traced | None:
    """`function` of arrays like `arguments` as what it computes; None where it does more than compute one array."""
    closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
    jaxpr = closed.jaxpr
    if jaxpr.effects or not jax.tree_util.treedef_is_leaf(jax.tree.structure(shape)):
        return None
    constants = [value if isinstance(value, jax.Array) else jnp.asarray(value) for value in closed.consts]
    atoms: list[Any] = [atom for equation in jaxpr.eqns for atom in equation.invars] + list(jaxpr.outvars)
    literals = [jnp.asarray(atom.val, _dtype(atom)) for atom in atoms if _is_number(atom)]
    return _Traced((*constants, *literals), _Operations(jaxpr))


def _is_number(atom: Any) -> bool:
    """Whether an atom is a float in the text of the function."""
    return isinstance(atom, Literal) and jnp.issubdtype(_dtype(atom), jnp.inexact)


def _dtype(atom: Any) -> Any:
    return atom.aval.dtype


def _key(jaxpr: Any, *, with_numbers: bool) -> Any:
    """A value that is equal for equal operations: variables by their order, floats left out unless asked for."""
    order: dict[Any, int] = {}

    def name(atom: Any) -> Any:
        if not isinstance(atom, Literal):
            return order.setdefault(atom, len(order)), atom.aval
        if _is_number(atom) and not with_numbers:
            return "number", atom.aval
        return "literal", atom.aval, jnp.asarray(atom.val, _dtype(atom)).tobytes()

    inputs = tuple(name(variable) for variable in (*jaxpr.constvars, *jaxpr.invars))
    steps = tuple(
        (
            equation.primitive,
            tuple((label, _parameter(value)) for label, value in sorted(equation.params.items())),
            tuple(name(atom) for atom in equation.invars),
            tuple(name(variable) for variable in equation.outvars),
        )
        for equation in jaxpr.eqns
    )
    return inputs, steps, tuple(name(atom) for atom in jaxpr.outvars)


def _parameter(value: Any) -> Any:
    """A parameter of an operation as a value to compare: programs inside by what they do, without arrays of theirs."""
    if isinstance(value, tuple | list):
        return tuple(_parameter(x) for x in value)
    inner = getattr(value, "jaxpr", value)
    if getattr(inner, "eqns", None) is not None:
        return _Same(value) if getattr(value, "consts", ()) else _key(inner, with_numbers=True)
    try:
        hash(value)
    except TypeError:
        return _Same(value)
    return value
