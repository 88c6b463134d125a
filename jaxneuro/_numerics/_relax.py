"""Opening rates of channels and the exact step of a linear relaxation, safe and quick in float32."""

from fractions import Fraction
from functools import partial
from math import comb, factorial

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Bool, Float


def _bernoulli(most: int) -> list[Fraction]:
    numbers = [Fraction(1)]
    for m in range(1, most + 1):
        numbers.append(-sum((comb(m + 1, k) * numbers[k] for k in range(m)), Fraction(0)) / (m + 1))
    return numbers


# x/(exp(x) - 1) = 1 - x/2 + sum of B_2k x^2k/(2k)!; for |x| < 1 a term more changes nothing in float32 or float64.
_SERIES = [float(b / factorial(2 * k)) for k, b in enumerate(_bernoulli(22)[::2])][1:]
_TERMS = {4: 4, 8: 11}
# exp(x) beyond this is as good as infinite, and its products with what follows still are floats.
_LARGEST = {4: 60.0, 8: 300.0}
_NEXT_TO_NOTHING = 1e-30
# Below this share of its time constant a step is short: (1 - (1 + s) exp(-s))/s^2 is six terms of its series.
_SMALL = {4: 0.125, 8: 0.005}


def bounded_exp(x: Float[Array, "*n"], largest: float | None = None) -> Float[Array, "*n"]:
    """exp(x), constant above `largest`, so that nothing made of it is infinite or NaN: by default above 60 in float32
    and 300 in float64."""
    return _bounded_exp(x, _LARGEST[x.dtype.itemsize] if largest is None else largest)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _bounded_exp(x: Float[Array, "*n"], largest: float) -> Float[Array, "*n"]:
    # The maximum changes nothing. Without it XLA makes of exp(x) exp(x) the exponential of 2 x, and of one exponential
    # and its powers as many exponentials.
    return jnp.maximum(jnp.exp(jnp.minimum(x, largest)), _NEXT_TO_NOTHING)


@_bounded_exp.defjvp
def _bounded_exp_jvp(largest: float, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # The exponential is its own derivative; that of a minimum would be a division.
    value = _bounded_exp(primals[0], largest)
    return value, value * (primals[0] < largest).astype(value.dtype) * tangents[0]


def linoid(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """x/(exp(x) - 1), 1 at x = 0, with its derivative: the voltage dependence of many opening rates."""
    return linoid_from(x, bounded_exp(x))


def linoid_from(x: Float[Array, "*n"], exp_x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """`linoid(x)` where exp(x) is known already; an error of it does not grow near the singularity.

    The derivatives, of every order, are those in x; `exp_x` is taken to be exp(x).
    """
    # No stop_gradient: inside a scan it takes the second derivative away. The rule below leaves that tangent out.
    return _linoid(x, exp_x)


@jax.custom_jvp
def _linoid(x: Float[Array, "*n"], exp_x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    near, square = jnp.abs(x) < 1.0, jnp.minimum(x * x, 1.0)
    series = 0.0
    for coefficient in reversed(_SERIES[: _TERMS[x.dtype.itemsize]]):
        series = square * (series + coefficient)
    return jnp.where(near, 1.0 - 0.5 * x + series, x * _below(exp_x, near))


@jax.custom_jvp
def _known_below(x: Float[Array, "*n"], exp_x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    return _below(exp_x, jnp.abs(x) < 1.0)


@_known_below.defjvp
def _known_below_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # q' = -q (1 + q), for derivatives of higher order; that of `exp_x` is in it.
    q = _known_below(*primals)
    return q, -q * (1.0 + q) * tangents[0]


def _below(exp_x: Float[Array, "*n"], near: Bool[Array, "*n"]) -> Float[Array, "*n"]:
    """1/(exp(x) - 1), and something else that is finite near 0: no constant array, which loops would carry along."""
    return 1.0 / (exp_x - 1.0 + 3.0 * near.astype(exp_x.dtype))


@_linoid.defjvp
def _linoid_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # L' = q - L (1 + q) with q = 1/(exp(x) - 1); near 0 the derivative of the series.
    x, exp_x = primals
    near, square = jnp.abs(x) < 1.0, jnp.minimum(x * x, 1.0)
    q = _known_below(x, exp_x)
    series, slope = 0.0, 0.0
    terms = _SERIES[: _TERMS[x.dtype.itemsize]]
    for k, coefficient in reversed(list(enumerate(terms, start=1))):
        series = square * (series + coefficient)
        slope = slope * square + 2 * k * coefficient
    value = jnp.where(near, 1.0 - 0.5 * x + series, x * q)
    slope = jnp.where(near, slope * x - 0.5, q - value * (1.0 + q))
    return value, slope * tangents[0]


def growth(s: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """exp(s) - 1 for s >= 0; in float32 by seven terms of the series at s/4, squared twice.

    There the relative error of 1/(1 + growth(s)), the share exp(-s) that is left, is s^7/2e7 plus rounding, and its
    error never exceeds 2e-5.
    """
    if s.dtype.itemsize == 8:
        return jnp.expm1(jnp.minimum(s, _LARGEST[8]))
    z = 0.25 * jnp.minimum(s, 40.0)
    total = 1.0 / 720.0
    for k in (5, 4, 3, 2, 1):
        total = total * z + 1.0 / factorial(k)
    total = total * z
    total = total * (2.0 + total)
    return total * (2.0 + total)


@jax.custom_jvp
def relaxed(
    x: Float[Array, "..."], gain: Float[Array, "..."], total: Float[Array, "..."], dt: float | Array
) -> Float[Array, "..."]:
    """x after `dt` of dx/dt = gain - total x: exactly gain/total + (x - gain/total) exp(-total dt), in one division.

    Where `total` is 0 it is x + gain dt. The change is added as such: of a step that is a small part of the time
    constant, x times what is left of it would be rounding.
    """
    return x + relaxation_change(x, gain, total, dt)


@jax.custom_jvp
def relaxation_change(
    x: Float[Array, "..."], gain: Float[Array, "..."], total: Float[Array, "..."], dt: float | Array
) -> Float[Array, "..."]:
    """What `dt` of dx/dt = gain - total x adds to x: (gain/total - x) (1 - exp(-total dt))."""
    total = jnp.maximum(total, _NEXT_TO_NOTHING)
    grown = growth(total * dt)
    # In this form XLA computes the parts once and not anew for every use of the sum.
    return (gain * grown - x * (total * grown)) * (1.0 / (total + total * grown))


def _relaxed_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Not that of a sum: XLA would compute the parts of the change once for each term.
    change, moved = _change_jvp(primals, tangents, kept=True)
    return primals[0] + change, moved


def _change_jvp(primals: tuple, tangents: tuple, kept: bool = False) -> tuple[Array, Array]:
    # The change is reach slope, slope = gain - total x, reach = (1 - left)/total: so that d reach/d total = (left dt -
    # reach)/total and d reach/d dt = left. All of it from one division, rest = left/total = 1/total - reach.
    x, gain, total, dt = primals
    total = jnp.maximum(total, _NEXT_TO_NOTHING)
    s = total * dt
    grown = growth(s)
    rest = 1.0 / (total + total * grown)
    reach, left = grown * rest, total * rest
    slope = gain - total * x

    def by_total() -> Array:
        small, series = _SMALL[s.dtype.itemsize], 0.0
        for k in reversed(range(6)):
            series = (k + 1) / factorial(k + 2) - s * series
        # Of a slow relaxation the difference is rounding alone.
        of_reach = jnp.where(s < small, -dt * dt * series, (left * dt - reach) * (reach + rest))
        return slope * of_reach - reach * x

    by = (lambda: left if kept else -total * reach, lambda: reach, by_total, lambda: slope * left)
    # XLA does not leave out products with 0.
    changes = [f() * t for f, t in zip(by, tangents, strict=True) if not isinstance(t, SymbolicZero)]
    value = (gain * grown - x * (total * grown)) * rest
    return value, sum(changes[1:], changes[0]) if changes else jnp.zeros_like(value)


relaxed.defjvp(_relaxed_jvp, symbolic_zeros=True)
relaxation_change.defjvp(_change_jvp, symbolic_zeros=True)
