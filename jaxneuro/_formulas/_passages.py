"""Moments of the first passage of a general diffusion, and its density, by threshold integration over panels.

The slope u = -T' of the mean time T from V to threshold solves the backward equation u' = g u + f, g = -2 A/B^2 and
f = 2/B^2, upwards from far below, in the direction in which it grows: nothing cancels. The flux form of the density,
Q = B^2 P/2, solves dQ/dy = g Q + J downwards from the threshold, y = -V. Both are scaled at every panel.
"""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from ._collocation import Stages, read, solve_panels, stages
from ._line import Equation, edges


class Passages(eqx.Module):
    """log of the mean time [ms] from reset to threshold; its variance over its squared mean; u along the panels."""

    log_time: Float[Array, ""]
    variance: Float[Array, ""]


class Occupancy(eqx.Module):
    """Q = B^2 P/2 for a flux of 1 a ms, panel by panel from the threshold down: values at points, times exp(log)."""

    edges: Float[Array, "edges"]
    values: Float[Array, "panels points"]
    log: Float[Array, "panels"]


def above_reset(n: int) -> Bool[Array, "panels"]:
    """Which of `n` panels lie above the reset potential."""
    return jnp.arange(n) >= max(n // 3, 1)


def passages(equation: Equation, n: int) -> Passages:
    """The first two moments, by one scan over `n` panels from far below to the threshold."""
    dtype = equation.v_th.dtype
    rule, ends = stages(dtype), edges(equation, n)
    width = jnp.diff(ends)
    v = ends[:-1, None] + width[:, None] * rule.points
    variance = jnp.square(equation.noise(v))
    panels = solve_panels(rule, -2.0 * equation.drift(v) / variance, width)
    made = jnp.einsum("pij,pj->pi", panels.answer, 2.0 / variance)
    counted = width * above_reset(n).astype(dtype)
    # Far below the threshold u follows the drift.
    pull = equation.drift(ends[0])
    first = jnp.where(pull > 0.0, 1.0 / jnp.where(pull > 0.0, pull, 1.0), 1.0)

    def step(now: tuple[Array, ...], panel: tuple[Array, ...]) -> tuple[tuple[Array, ...], None]:
        u, time, second, spread, log = now
        carried, answer, made, counts = panel
        at = carried * u + made * jnp.exp(-log)
        # The variance is int of w, w' = g w + 2 u^2: equation (A7).
        second_at = carried * second + answer @ (2.0 * jnp.square(at))
        time, spread = time + counts * rule.weights @ at, spread + counts * rule.weights @ second_at
        scale = lax.stop_gradient(jnp.maximum(jnp.abs(at[-1]), time))
        square = scale * scale
        return (at[-1] / scale, time / scale, second_at[-1] / square, spread / square, log + jnp.log(scale)), None

    zero = jnp.zeros((), dtype)
    start = (first / first, zero, zero, zero, jnp.log(first))
    end, _ = lax.scan(step, start, (panels.carried, panels.answer, made, counted))
    return Passages(jnp.log(end[1]) + end[4], end[3] / jnp.square(end[1]))


def occupancy(equation: Equation, n: int) -> Occupancy:
    """The stationary flux form of the density, from the threshold down."""
    dtype = equation.v_th.dtype
    rule, ends = stages(dtype), edges(equation, n)[::-1]
    width = -jnp.diff(ends)
    v = ends[:-1, None] - width[:, None] * rule.points
    panels = solve_panels(rule, -equation.slope(v), width)
    made = jnp.sum(panels.answer, axis=2) * above_reset(n)[::-1, None].astype(dtype)

    def step(now: tuple[Array, Array], panel: tuple[Array, Array]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        q, log = now
        carried, made = panel
        at = carried * q + made * jnp.exp(-log)
        size = lax.stop_gradient(jnp.abs(at[-1]))
        scale = jnp.where(size > 0.0, size, 1.0)  # what has fallen below the least float stays 0
        return (at[-1] / scale, log + jnp.log(scale)), (jnp.concatenate([q[None], at]), log)

    zero = jnp.zeros((), dtype)
    _, (values, log) = lax.scan(step, (zero, zero), (panels.carried, made))
    return Occupancy(ends, values, log)


def log_flux_density(
    equation: Equation, occupied: Occupancy, v: Float[Array, "n"]
) -> tuple[Float[Array, "n"], Float[Array, "n"]]:
    """Q at `v` of a flux of 1 as a value and the log of its scale; between far below and the threshold."""
    rule: Stages = stages(v.dtype)
    rising = occupied.edges[::-1]
    last = rising.shape[0] - 2
    k = last - jnp.clip(jnp.searchsorted(rising, v, side="left") - 1, 0, last)
    top, bottom = occupied.edges[k], occupied.edges[k + 1]
    width = jnp.where(top > bottom, top - bottom, 1.0)
    return read(rule, occupied.values[k], (top - v) / width), occupied.log[k]
