"""Panels for the backward equation of shot noise: where they lie, and polynomials on them.

T jumps at the threshold, has a kink where a spike just reaches it, and ever weaker ones where the next spikes do. The
panels end there; below, they widen geometrically down to the resting potential, with a few more beneath it.
"""

from functools import cache

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

POINTS = 10
KINKS = 20
WIDER = 16
BENEATH = 3
PANELS = BENEATH + WIDER + KINKS
# Preimages of the threshold are ends of panels down to this share of the way to the resting potential.
_LOWEST_KINK = 0.2


@cache
def chebyshev() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of [-1, 1] with both ends, the derivative by values there, and the series by values."""
    x = -np.cos(np.pi * np.arange(POINTS) / (POINTS - 1))
    series = np.linalg.inv(np.polynomial.chebyshev.chebvander(x, POINTS - 1))
    slopes = np.stack(
        [np.polynomial.chebyshev.chebval(x, np.polynomial.chebyshev.chebder(row)) for row in np.eye(POINTS)], axis=1
    )
    return x, slopes @ series, series


def shot_edges(
    threshold: Float[Array, ""],
    rest: Float[Array, ""],
    lowest: Float[Array, ""],
    share: Float[Array, ""],
    reversal: Float[Array, ""],
) -> Float[Array, "edges"]:
    """The ends of all panels in ascending order; `share` and `reversal` of the spikes that make the kinks."""
    k = jnp.arange(KINKS + 1).astype(threshold.dtype)
    kinks = reversal - (reversal - threshold) * jnp.exp(-k * jnp.log1p(-share))
    last = jnp.sum(lax.stop_gradient(kinks) > lax.stop_gradient(rest + _LOWEST_KINK * (threshold - rest))) - 1
    last = jnp.maximum(last, 0)
    left = PANELS - BENEATH - last
    step = jnp.where(last > 0, kinks[jnp.maximum(last - 1, 0)] - kinks[last], kinks[0] - kinks[1])
    way = kinks[last] - rest
    growth = _growth(lax.stop_gradient(way / step), left.astype(threshold.dtype))
    j = jnp.arange(KINKS + WIDER + 1)
    beyond = jnp.maximum(j - last, 0).astype(threshold.dtype)
    wider = kinks[last] - way * jnp.expm1(beyond * growth) / jnp.expm1(left.astype(threshold.dtype) * growth)
    upper = jnp.where(j <= last, kinks[jnp.minimum(j, KINKS)], wider)
    below = rest - jnp.maximum(rest - lowest, 1.0) * jnp.arange(1, BENEATH + 1).astype(threshold.dtype) / BENEATH
    return jnp.concatenate([upper.at[-1].set(rest), below])[::-1]


def _growth(ratio: Float[Array, ""], count: Float[Array, ""]) -> Float[Array, ""]:
    """The log q of q + q^2 + ... + q^count = ratio, never 0."""

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        q = middle + 1e-7
        above = jnp.exp(q) * jnp.expm1(count * q) / jnp.expm1(q) > ratio
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    low, high = lax.fori_loop(0, 40, halve, (jnp.full_like(ratio, -2.0), jnp.full_like(ratio, 2.0)))
    return 0.5 * (low + high) + 1e-7


def places(edges: Float[Array, "edges"]) -> Float[Array, "panels points"]:
    """The potentials at the points of all panels."""
    x = jnp.asarray(chebyshev()[0], edges.dtype)
    return edges[:-1, None] + 0.5 * jnp.diff(edges)[:, None] * (1.0 + x)


def panel_of(edges: Float[Array, "edges"], v: Float[Array, "n"]) -> Int[Array, "n"]:
    """The panel that holds each potential."""
    found = jnp.searchsorted(lax.stop_gradient(edges), lax.stop_gradient(v), side="right") - 1
    return jnp.clip(found, 0, PANELS - 1)


def reading(
    edges: Float[Array, "edges"], panel: Int[Array, "n"], v: Float[Array, "n"]
) -> Float[Array, "n panels points"]:
    """The row that reads a function at `v` from its values at all points."""
    low, high = edges[panel], edges[panel + 1]
    y = 2.0 * (v - low) / (high - low) - 1.0
    values = [jnp.ones_like(y), y]
    for _ in range(2, POINTS):
        values.append(2.0 * y * values[-1] - values[-2])
    row = jnp.stack(values, axis=1) @ jnp.asarray(chebyshev()[2], edges.dtype)
    here: Bool[Array, "n panels"] = panel[:, None] == jnp.arange(PANELS, dtype=panel.dtype)
    return here[:, :, None].astype(row.dtype) * row[:, None, :]
