"""Quadrature rules, made when first asked for."""

from functools import cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float


class Rule(eqx.Module):
    """Nodes and weights of a quadrature rule: sum(weights * f(nodes)) approximates the integral."""

    nodes: Float[Array, " n"]
    weights: Float[Array, " n"]


@cache
def _gauss_legendre(n: int):
    return np.polynomial.legendre.leggauss(n)


def gauss_legendre(n: int, dtype: DTypeLike | None = None) -> Rule:
    """Returns the n-point Gauss-Legendre rule on [0, 1], in the default float dtype unless one is given.

    Raises `ValueError` where n is below 1.

    ```python
    >>> import jaxneuro as jn
    >>> rule = jn.extend.gauss_legendre(5)
    >>> print(f"{float((rule.weights * rule.nodes**2).sum()):.4f}")           # of x^2 from 0 to 1
    0.3333

    ```
    """
    if n < 1:
        raise ValueError(f"`n` has to be at least 1; got {n}.")
    nodes, weights = _gauss_legendre(n)
    dtype = jnp.result_type(float) if dtype is None else dtype
    return Rule(jnp.asarray(0.5 * (1.0 + nodes), dtype=dtype), jnp.asarray(0.5 * weights, dtype=dtype))
