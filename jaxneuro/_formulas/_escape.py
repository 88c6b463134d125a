"""Kramers' escape over the top of any energy."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from .._numerics import (
    as_elementwise,
    as_leaf,
    check_nonnegative,
    check_positive,
    gauss_legendre,
    implicit_roots,
    told,
    violates,
    where_defined,
)

_STEPS, _NODES = 80, 64


def escape_rate(
    force: Callable[[Float[Array, "..."]], Float[Array, "..."]],
    sigma: ArrayLike,
    *,
    tau: ArrayLike,
    t_ref: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    middle: ArrayLike,
) -> Float[Array, ""]:
    """Returns the escape rate of tau dV/dt = -H'(V) + sigma sqrt(tau) xi from a minimum of H over its maximum.

        1/nu = t_ref + 2 pi tau / sqrt(|H''(mu*) H''(th*)|) exp(2 [H(th*) - H(mu*)]/sigma^2),

    where the printed exponent lacks the factor 2/sigma and the square root the absolute value. `kramers_rate` is the
    case of a threshold.

    **Arguments:** `force`: -H'(V) [mV], a function of an array of potentials: positive at `low`, negative at `middle`,
    positive at `high`, with the minimum mu* between the first two and the maximum th* between the last two [mV];
    `sigma` [mV], `tau`, `t_ref` [ms].

    **Returns:** the rate [Hz].

    Raises `ValueError` where a number is out of range or an array, the three potentials do not rise, or the force has
    other signs there; NaN under jit.

    Derivatives: forward and reverse mode, in what the force holds too.

    ```python
    >>> import jax.numpy as jnp
    >>> from jaxneuro.theory import escape_rate
    >>> eif = lambda v: -65.0 - v + 2.0 * jnp.exp((v + 55.0) / 2.0)
    >>> rate = escape_rate(eif, 3.0, tau=5.0, t_ref=0.0, low=-80.0, middle=-60.0, high=-40.0)
    >>> f"{1 / float(rate):.0f} s"
    '53045 s'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (C4), corrected; Gardiner (2009),
    Stochastic Methods, section 5.5.3.
    """
    if not callable(force):
        raise ValueError(f"`force` has to be a function of the potential; got {told(force)}.")
    names = ("sigma", "tau", "t_ref", "low", "middle", "high")
    values = [as_leaf(x, n) for n, x in zip(names, (sigma, tau, t_ref, low, middle, high), strict=True)]
    for name, value in zip(names, values, strict=True):
        if value.ndim:
            raise ValueError(f"`{name}` has to be one number; got shape {value.shape}: use jax.vmap.")
    check_positive("sigma", values[0])
    check_positive("tau", values[1])
    check_nonnegative("t_ref", values[2])
    if violates(lambda a, b, c: (a < b) & (b < c), *values[3:]):
        raise ValueError(f"`low`, `middle` and `high` have to rise; got {low}, {middle} and {high}.")
    field = as_elementwise(force, "force")
    if violates(lambda a, b, c: (field(a) > 0.0) & (field(b) < 0.0) & (field(c) > 0.0), *values[3:]):
        with jax.ensure_compile_time_eval():  # they are known, under a user's `jax.jit` too
            seen = [float(field(x)) for x in values[3:]]
        raise ValueError(
            f"`force` has to be positive at `low`, negative at `middle` and positive at `high`; at {low}, {middle} and "
            f"{high} mV it is {seen}."
        )
    return _escape(field, *values)


@eqx.filter_jit
def _escape(
    force: Any,
    sigma: Float[Array, ""],
    tau: Float[Array, ""],
    t_ref: Float[Array, ""],
    low: Float[Array, ""],
    middle: Float[Array, ""],
    high: Float[Array, ""],
) -> Float[Array, ""]:
    well, top = _zero(force, low, middle, 1.0), _zero(force, middle, high, -1.0)
    rule = gauss_legendre(_NODES, well.dtype)
    height = -(top - well) * jnp.sum(rule.weights * force(well + (top - well) * rule.nodes))
    bends = [jnp.abs(jax.jvp(force, (x,), (jnp.ones_like(x),))[1]) for x in (well, top)]
    time = jnp.log(2.0 * math.pi * tau / jnp.sqrt(bends[0] * bends[1])) + 2.0 * height / jnp.square(sigma)
    rate = 1000.0 * jnp.exp(-time) / (1.0 + t_ref * jnp.exp(-time))
    valid = (force(low) > 0.0) & (force(middle) < 0.0) & (force(high) > 0.0) & (sigma > 0.0) & (tau > 0.0)
    return where_defined(valid & (t_ref >= 0.0) & (low < middle) & (middle < high), rate)


def _zero(force: Any, low: Float[Array, ""], high: Float[Array, ""], sign: float) -> Float[Array, ""]:
    """Where the force, times `sign` falling from `low` to `high`, is 0."""

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        before = sign * force(middle) > 0.0
        return jnp.where(before, middle, low), jnp.where(before, high, middle)

    ends = lax.fori_loop(0, _STEPS, halve, (lax.stop_gradient(low), lax.stop_gradient(high)))
    return implicit_roots(force, lax.stop_gradient(0.5 * (ends[0] + ends[1])))
