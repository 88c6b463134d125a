"""Rates of a network without leak and refractoriness, as at strong coupling: proportional to those from outside."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics import implicit_root, where_defined
from ..models import LeakyMembrane
from ._afferents import Afferents, side_by_side
from ._gain_roots import lowest_root
from ._noise import AbstractNoise

# A leak that is gone, and an efficacy at which an exponent has its limit.
NO_LEAK = 1e30
TINY = 1e-8

# What one neuron of each kind receives, at log rates.
Read = Callable[[Any, Float[Array, "kinds"]], tuple[Afferents, ...]]


class FreeRates(eqx.Module):
    """Log rates, one a kind of neurons, 0 where there are none; and whether there are.

    - `full`: of the theory's rate itself; `simplified`: of its strong-coupling form, where every threshold is more than
      one noise width away.
    - `next`: relative correction of the latter by refractoriness, times t_ref nu; `leading`: to leading order in a; NaN
      where that does not tell the rates of two kinds apart.
    """

    full: Float[Array, "kinds"]
    simplified: Float[Array, "kinds"]
    next: Float[Array, "kinds"]
    leading: Float[Array, "kinds"]
    full_exists: Bool[Array, ""]
    simplified_exists: Bool[Array, ""]


def without_leak(seen: Afferents) -> Afferents:
    """The neuron without leak and refractoriness, and without currents, which are nothing beside conductances."""
    own = seen.membrane()
    gone = jnp.full_like(lax.stop_gradient(own.tau_m), NO_LEAK)
    bare = LeakyMembrane(
        tau_m=gone, v_rest=own.v_rest, v_th=own.v_th, v_reset=own.v_reset, t_ref=jnp.zeros_like(own.t_ref)
    )
    return Afferents(bare, seen.streams)


@eqx.filter_jit
def simplified_rates(
    read: Read, parameters: Any, theory: AbstractNoise, reference: Float[Array, ""], kinds: int
) -> tuple[Float[Array, "kinds"], Bool[Array, ""]]:
    """Log rates over that of `reference` by the strong-coupling form of the theory, and whether there are any."""
    simple = _simple(read, theory)
    return _solved(simple, parameters, reference, kinds)


@eqx.filter_jit
def free_rates(
    read: Read, parameters: Any, theory: AbstractNoise, reference: Float[Array, ""], kinds: int
) -> FreeRates:
    """Both kinds of roots and how the simplified one bends."""

    def full(held: Any, x: Float[Array, "kinds"]) -> tuple[Float[Array, "kinds"], Bool[Array, ""]]:
        return _each(theory.log_rate, read(held, x)) - x, jnp.ones((), bool)

    def folds(x: Float[Array, "kinds"]) -> Float[Array, "kinds"]:
        return _each(theory.exponent, read(parameters, x + jnp.log(reference)))

    simple = _simple(read, theory)
    whole, whole_exists = _solved(full, parameters, reference, kinds)
    short, exists = _solved(simple, parameters, reference, kinds)
    # 1/nu = t_ref + Q(nu)/nu_X, with J the slopes of -log Q - log nu by log nu: log nu changes by t_ref u, J u = nu.
    slopes = jax.jacfwd(lambda y: simple(parameters, y + jnp.log(reference))[0])(short)
    steepest = -jax.jacfwd(folds)(short)
    rates = jnp.exp(short)

    def bend(matrix: Float[Array, "kinds kinds"]) -> Float[Array, "kinds"]:
        # Beside Hadamard's bound a determinant that rounding alone leaves: nothing is said of both rates apart.
        bound = jnp.prod(jnp.sqrt(jnp.sum(jnp.square(matrix), axis=1)))
        singular = jnp.abs(jnp.linalg.det(matrix)) < float(jnp.finfo(short.dtype).eps) ** 0.5 * bound
        safe = jnp.where(exists & ~singular, matrix, jnp.eye(kinds, dtype=short.dtype))
        return where_defined(~singular, jnp.linalg.solve(safe, rates))

    return FreeRates(whole, short, bend(slopes), bend(steepest), whole_exists, exists)


def _simple(read: Read, theory: AbstractNoise) -> Callable[..., tuple[Array, Array]]:
    def simple(held: Any, x: Float[Array, "kinds"]) -> tuple[Float[Array, "kinds"], Bool[Array, ""]]:
        times, counts = _each(answer, read(held, x))
        return jnp.log(jnp.asarray(1000.0, x.dtype)) - times - x, jnp.all(counts)

    def answer(seen: Afferents) -> tuple[Float[Array, ""], Bool[Array, ""]]:
        found = theory.asymptotics(seen)
        return found.log_time, found.subthreshold & (found.distance > 1.0)

    return simple


def _each(function: Callable[[Afferents], Any], received: tuple[Afferents, ...]) -> Any:
    """What a function says of every kind of neurons whose leak is gone, side by side."""
    values = side_by_side(function, [without_leak(seen) for seen in received])
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *values)


def _solved(
    conditions: Callable[..., tuple[Array, Array]], parameters: Any, reference: Float[Array, ""], kinds: int
) -> tuple[Float[Array, "kinds"], Bool[Array, ""]]:
    """The root, relative to the reference, as a function of the parameters."""
    fixed: Any = lax.stop_gradient(parameters)
    log_reference = jnp.log(reference)
    at = lax.stop_gradient(log_reference)
    root, exists = lowest_root(lambda x: conditions(fixed, x + at), kinds, reference.dtype)

    def implicit(y: Float[Array, "kinds"]) -> Float[Array, "kinds"]:
        return jnp.where(exists, conditions(parameters, y + log_reference)[0], -y)

    return implicit_root(implicit, root), exists
