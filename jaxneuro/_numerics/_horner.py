"""Polynomials by Horner's rule, and their divided differences."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


def horner(coefficients: Sequence[float], t: Float[Array, "..."]) -> Float[Array, "..."]:
    """Evaluates sum_k c_k t^k, lowest power first."""
    value = jnp.full_like(t, coefficients[-1])
    for c in coefficients[-2::-1]:
        value = value * t + c
    return value


class ValueAndSlope(eqx.Module):
    """A polynomial at t, and its divided difference between t and u."""

    value: Float[Array, "..."]
    slope: Float[Array, "..."]


def horner_pair(coefficients: Sequence[float], t: Float[Array, "..."], u: Float[Array, "..."]) -> ValueAndSlope:
    """Evaluates p(t) and the divided difference (p(t) - p(u)) / (t - u).

    The divided difference is a polynomial in t and u, so nothing cancels where they are close:
    with p_k = p_(k+1) t + c_k it obeys q_k = q_(k+1) u + p_(k+1).
    """
    value = jnp.full_like(t, coefficients[-1])
    slope = jnp.zeros_like(t * u)
    for c in coefficients[-2::-1]:
        slope = slope * u + value
        value = value * t + c
    return ValueAndSlope(value, slope)
