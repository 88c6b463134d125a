"""Polynomials by Horner's rule, and their divided differences, each one operation of a program."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._primitive import define_elementwise


def horner(coefficients: Sequence[float], t: Float[Array, "..."]) -> Float[Array, "..."]:
    """Evaluates sum_k c_k t^k, lowest power first."""
    return _value.bind(t, coefficients=tuple(coefficients))


class ValueAndSlope(eqx.Module):
    """A polynomial at t, and its divided difference between t and u."""

    value: Float[Array, "..."]
    slope: Float[Array, "..."]


def horner_pair(coefficients: Sequence[float], t: Float[Array, "..."], u: Float[Array, "..."]) -> ValueAndSlope:
    """Evaluates p(t) and the divided difference (p(t) - p(u)) / (t - u).

    The divided difference is a polynomial in t and u, so nothing cancels where they are close:
    with p_k = p_(k+1) t + c_k it obeys q_k = q_(k+1) u + p_(k+1).
    """
    if t.shape != u.shape:
        t, u = jnp.broadcast_arrays(t, u)
    known = tuple(coefficients)
    # What both compute the compiler does once.
    return ValueAndSlope(_value.bind(t, coefficients=known), _slope.bind(t, u, coefficients=known))


def _write_value(t: Float[Array, "..."], *, coefficients: tuple[float, ...]) -> Float[Array, "..."]:
    # Even and odd powers by themselves: two sums that wait for nothing take half the time of one.
    square = t * t
    return _sum(coefficients[::2], square) + t * _sum(coefficients[1::2], square)


def _write_slope(
    t: Float[Array, "..."], u: Float[Array, "..."], *, coefficients: tuple[float, ...]
) -> Float[Array, "..."]:
    # Of e(t^2) + t o(t^2) it is (t + u) (e[t^2, u^2] + u o[t^2, u^2]) + o(t^2).
    square, other = t * t, u * u
    even, odd = _sum_slope(coefficients[::2], square, other), _sum_slope(coefficients[1::2], square, other)
    return (t + u) * (even + u * odd) + _sum(coefficients[1::2], square)


def _sum(coefficients: tuple[float, ...], t: Float[Array, "..."]) -> Float[Array, "..."]:
    value = jnp.full_like(t, coefficients[-1]) if coefficients else jnp.zeros_like(t)
    for c in coefficients[-2::-1]:
        value = value * t + c
    return value


def _sum_slope(coefficients: tuple[float, ...], t: Float[Array, "..."], u: Float[Array, "..."]) -> Float[Array, "..."]:
    value = jnp.full_like(t, coefficients[-1]) if coefficients else jnp.zeros_like(t)
    slope = jnp.zeros_like(t)
    for c in coefficients[-2::-1]:
        slope = slope * u + value
        value = value * t + c
    return slope


_value = define_elementwise("jaxneuro_polynomial", _write_value, static=("coefficients",))
_slope = define_elementwise("jaxneuro_divided_difference", _write_slope, static=("coefficients",))
