"""The escape of a membrane with voltage-dependent currents over the potential from which it runs to a spike."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .._numerics import gauss_legendre, implicit_roots
from ..models import CurvedMembrane
from ._afferents import Afferents
from ._curved import curved_input

_GRID, _HALVINGS, _NODES = 801, 60, 64


def escape_log_time(seen: Afferents, membrane: CurvedMembrane) -> Float[Array, ""]:
    """log of the escape time [log ms], equation (C4) without t_ref; NaN where there is no such potential or noise."""
    made = curved_input(seen, membrane)
    drift, rest, peak = made.equation.drift, made.summary.mu, membrane.v_peak
    fixed, low, high = lax.stop_gradient((drift, rest, peak))
    v = low + (high - low) * jnp.linspace(0.0, 1.0, _GRID, dtype=low.dtype)
    bottom = v[jnp.argmin(fixed(v))]
    exists = (fixed(bottom) < 0.0) & (fixed(high) > 0.0) & (bottom > low) & made.noisy

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        middle = 0.5 * (ends[0] + ends[1])
        below = fixed(middle) < 0.0
        return jnp.where(below, middle, ends[0]), jnp.where(below, ends[1], middle)

    start, end = lax.fori_loop(0, _HALVINGS, halve, (bottom, high))
    root = jnp.where(exists, 0.5 * (start + end), high)
    top = implicit_roots(lambda x: jnp.where(exists, drift(x), high - x), root)
    rule = gauss_legendre(_NODES, rest.dtype)
    height = -(top - rest) * jnp.sum(rule.weights * drift(rest + (top - rest) * rule.nodes))
    bends = [jnp.abs(jax.jvp(drift, (x,), (jnp.ones_like(x),))[1]) for x in (rest, top)]
    variance = jnp.square(made.equation.noise(rest))
    log_time = math.log(2.0 * math.pi) - 0.5 * jnp.log(bends[0] * bends[1]) + 2.0 * height / variance
    return jnp.where(exists, log_time, jnp.nan)
