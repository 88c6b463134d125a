"""Loops whose turns are written out in a program for a GPU, where every turn of a loop has to be launched."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from jax import lax
from jaxtyping import Array

from ._primitive import define_steps

# Turns that are written out one after another: the compiler needs longer for more, and gains little.
_MOST = 16

_bind_steps = define_steps("steps", _MOST)


def scan_steps(
    body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, rows: Any, *, length: int | None = None
) -> tuple[Any, Any]:
    """`lax.scan(body, carry, rows)`; of its turns up to 16 at once are one kernel on a GPU.

    On a CPU written-out turns take 2 to 5 times as long as a loop. What decides is the platform that a program is
    lowered for. Under a derivative it is a loop everywhere.
    """

    scanned = partial(lax.scan, body, length=length)
    jaxpr, shape = jax.make_jaxpr(scanned, return_shape=True)(carry, rows)
    found: list[Array] = _bind_steps(jaxpr, jax.tree_util.tree_leaves((carry, rows)))
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape), found)
