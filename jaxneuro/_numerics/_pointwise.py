"""Derivatives of functions that mix no places: one number a place and dependence is all that is kept."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.extend.core import Literal
from jaxtyping import Array


def pointwise(function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)`, whose results (n,) depend at each place on the numbers of that place, and single ones, alone.

    Its derivative is a diagonal for each pair of a result and an argument, (n,) numbers. They are computed with the
    value, by way of as few tangents as tell them apart, and nothing else is kept for reverse mode: without this every
    exponential and product inside is.

    Forward and reverse mode, of any order.
    """
    numbers, rest = eqx.partition(args, eqx.is_inexact_array)
    leaves, structure = jax.tree_util.tree_flatten(numbers)

    def flat(*given: Array) -> list[Array]:
        made = function(*eqx.combine(jax.tree_util.tree_unflatten(structure, given), rest))
        shapes.append(jax.tree_util.tree_structure(made))
        return jax.tree_util.tree_leaves(made)

    shapes: list[Any] = []
    call = jax.custom_jvp(flat)
    call.defjvp(lambda primals, tangents: _jvp(flat, primals, tangents), symbolic_zeros=True)
    results = call(*leaves)
    return jax.tree_util.tree_unflatten(shapes[-1], results)


def _jvp(flat: Callable[..., list[Array]], primals: tuple, tangents: tuple) -> tuple[list[Array], list[Array]]:
    moving = [k for k, tangent in enumerate(tangents) if not isinstance(tangent, SymbolicZero)]

    def of_moving(*given: Array) -> list[Array]:
        filled = list(primals)
        for k, x in zip(moving, given, strict=True):
            filled[k] = x
        return flat(*filled)

    given = [primals[k] for k in moving]
    heard = _dependences(of_moving, given)
    results, changes = of_moving(*given), {}
    for together in _told_apart(heard, len(given)):

        def of_these(*these: Array, together: list[int] = together) -> list[Array]:
            filled = list(given)
            for k, x in zip(together, these, strict=True):
                filled[k] = x
            return of_moving(*filled)

        # Without tangents of the others: XLA does not leave out products with 0.
        these = [given[k] for k in together]
        _, diagonals = jax.jvp(of_these, these, [jnp.ones_like(x) for x in these])
        for i, of in enumerate(heard):
            for k in of.intersection(together):
                change = diagonals[i] * tangents[moving[k]]
                changes[i] = changes[i] + change if i in changes else change
    return results, [changes.get(i, jnp.zeros_like(x)) for i, x in enumerate(results)]


def _dependences(function: Callable[..., list[Array]], given: list[Array]) -> list[set[int]]:
    """For each result the arguments that it may depend on."""
    program = jax.make_jaxpr(function)(*given).jaxpr
    of: dict[Any, set[int]] = {x: {k} for k, x in enumerate(program.invars)}

    def heard(atom: Any) -> set[int]:
        return set() if isinstance(atom, Literal) else of.get(atom, set())

    for step in program.eqns:
        every = set().union(*(heard(atom) for atom in step.invars))
        of.update((made, every) for made in step.outvars)
    return [heard(atom) for atom in program.outvars]


def _told_apart(heard: list[set[int]], n: int) -> list[list[int]]:
    """Groups of arguments of which no result depends on two: one tangent gives the derivatives by all of a group."""
    groups: list[list[int]] = []
    for k in range(n):
        if not any(k in of for of in heard):
            continue
        free = (g for g in groups if not any(k in of and not of.isdisjoint(g) for of in heard))
        group = next(free, None)
        if group is None:
            groups.append([k])
        else:
            group.append(k)
    return groups
