"""Collocation on panels of y' = g y + f along a line, where y may grow or fall by many powers of ten.

On a panel y is a polynomial that satisfies the equation at Radau's points, the last of which is the end of the panel:
of order 2 s - 1 at the ends, and stable however fast y falls. A panel maps y at its start to y at its points linearly.
"""

from functools import cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

POINTS = 9


class Stages(eqx.Module):
    """The points of one panel [0, 1], and what acts on values at its start and at these points."""

    points: Float[Array, " s"]
    weights: Float[Array, " s"]
    start: Float[Array, " s"]
    slope: Float[Array, "s s"]
    series: Float[Array, "t t"]


class Panel(eqx.Module):
    """y at the points of each panel: `carried` y_0 + `made`, `answer` @ f for another f."""

    carried: Float[Array, "panels s"]
    answer: Float[Array, "panels s s"]


def stages(dtype: np.dtype) -> Stages:
    """Radau's points on [0, 1] with weights; the derivative by value at 0 and at the points; the Legendre series."""
    return Stages(*(jnp.asarray(x, dtype) for x in _stages(POINTS)))


@cache
def _stages(s: int) -> tuple[np.ndarray, ...]:
    legendre = np.polynomial.legendre
    # Radau's points to the right are where P_s - P_(s-1) is 0, with 1 among them.
    series = np.zeros(s + 1)
    series[s], series[s - 1] = 1.0, -1.0
    x = np.sort(legendre.legroots(series).real)
    x[-1] = 1.0
    rows = legendre.legvander(x, s - 1)
    total = np.zeros(s)
    total[0] = 2.0
    weights = 0.5 * np.linalg.solve(rows.T, total)
    nodes = np.concatenate([[-1.0], x])
    values = legendre.legvander(nodes, s)
    slopes = np.stack([legendre.legval(nodes, legendre.legder(row)) for row in np.eye(s + 1)], axis=1)
    by_value = 2.0 * slopes @ np.linalg.inv(values)
    return 0.5 * (1.0 + x), weights, by_value[1:, 0], by_value[1:, 1:], np.linalg.inv(values)


def solve_panels(rule: Stages, g: Float[Array, "panels s"], width: Float[Array, "panels"]) -> Panel:
    """The maps of all panels for y' = g y + f, g at the points in the order in which they are passed."""
    # Times the width, by which nothing is divided: in float32 panels that crowd may have none, and pass y on as it is.
    inverse = jnp.linalg.inv(rule.slope - (width[:, None] * g)[:, :, None] * jnp.eye(POINTS, dtype=g.dtype))
    return Panel(-jnp.einsum("pij,j->pi", inverse, rule.start), width[:, None, None] * inverse)


def read(rule: Stages, values: Array, place: Float[Array, "n"]) -> Array:
    """The polynomials with (n, s + 1) `values` at the start and the points, at a place of [0, 1] each."""
    y = (2.0 * place - 1.0).astype(values.dtype)
    series = jnp.einsum("ij,nj->ni", rule.series.astype(values.dtype), values)
    total, now, before = series[:, 0] + series[:, 1] * y, y, jnp.ones_like(y)
    for k in range(2, POINTS + 1):
        now, before = ((2 * k - 1) * y * now - (k - 1) * before) / k, now
        total = total + series[:, k] * now
    return total
