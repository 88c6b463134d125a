"""What a function depends on, read from its program."""

from collections.abc import Callable
from typing import Any

import jax


def uses_first(function: Callable[..., Any], first: Any, *others: Any) -> bool:
    """Whether the result of `function` takes the first of its arguments into account, in any operation."""
    jaxpr = jax.make_jaxpr(function)(first, *others).jaxpr
    return _uses(jaxpr, jaxpr.invars[0])


def _uses(jaxpr: Any, variable: Any) -> bool:
    if any(variable is out for out in jaxpr.outvars):
        return True
    for equation in jaxpr.eqns:
        for place, given in enumerate(equation.invars):
            if given is not variable:
                continue
            inner = getattr(equation.params.get("jaxpr"), "jaxpr", None)  # of a function under jit
            if inner is None or len(inner.invars) != len(equation.invars) or _uses(inner, inner.invars[place]):
                return True
    return False
