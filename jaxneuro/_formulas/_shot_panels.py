"""Panels for the backward equation of shot noise: where they lie, and polynomials on them.

T jumps at the threshold, has a kink where a spike just reaches it, and ever weaker ones where the next spikes do. The
panels end there; below, down to the resting potential, they widen with the distance from the last kink and from the
mean potential, around which they are as narrow as the noise; a few more lie beneath.
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
    mean: Float[Array, ""],
    sd: Float[Array, ""],
) -> Float[Array, "edges"]:
    """The ends of all panels in ascending order.

    `share` and `reversal` of the spikes that make the kinks; `mean` and `sd` of the potential far from threshold.
    """
    k = jnp.arange(KINKS + 1).astype(threshold.dtype)
    kinks = threshold - (reversal - threshold) * jnp.expm1(-k * jnp.log1p(-share))
    last = jnp.sum(lax.stop_gradient(kinks) > lax.stop_gradient(rest + _LOWEST_KINK * (threshold - rest))) - 1
    last = jnp.maximum(last, 0)
    left = PANELS - BENEATH - last
    step = jnp.where(last > 0, kinks[jnp.maximum(last - 1, 0)] - kinks[last], kinks[0] - kinks[1])
    way = kinks[last] - rest
    j = jnp.arange(KINKS + WIDER + 1)
    beyond = jnp.maximum(j - last, 0).astype(threshold.dtype) / left.astype(threshold.dtype)
    fixed = (x / way for x in (step, kinks[last] - mean, sd))
    shares = _shares(jnp.minimum(beyond, 1.0), *(lax.stop_gradient(x) for x in fixed))
    upper = jnp.where(j <= last, kinks[jnp.minimum(j, KINKS)], kinks[last] - way * shares)
    below = rest - jnp.maximum(rest - lowest, 1.0) * jnp.arange(1, BENEATH + 1).astype(threshold.dtype) / BENEATH
    return jnp.concatenate([upper.at[-1].set(rest), below])[::-1]


@cache
def upper_integrals() -> np.ndarray:
    """The integrals from each point of [-1, 1] to 1, by the values at the points."""
    x, _, series = chebyshev()
    whole = [np.polynomial.chebyshev.chebint(row) for row in np.eye(POINTS)]
    at = np.stack([np.polynomial.chebyshev.chebval(1.0, c) - np.polynomial.chebyshev.chebval(x, c) for c in whole], 1)
    return at @ series


def _shares(
    part: Float[Array, "n"], step: Float[Array, ""], centre: Float[Array, ""], spread: Float[Array, ""]
) -> Float[Array, "n"]:
    """Where `part` of all panels are behind, as shares of the way.

    Panels lie as densely as 1/(x + step) + 1/sqrt((x - centre)^2 + spread^2) + 1.
    """

    def behind(x: Array) -> Array:
        around = jnp.arcsinh((x - centre) / spread) + jnp.arcsinh(centre / spread)
        return jnp.log1p(x / step) + around + x

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        enough = behind(middle) > wanted
        return jnp.where(enough, low, middle), jnp.where(enough, middle, high)

    wanted = part * behind(jnp.ones_like(step))
    return lax.fori_loop(0, 50, halve, (jnp.zeros_like(part), jnp.ones_like(part)))[1]


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
