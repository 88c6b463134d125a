"""Correlations of pairs of neurons that lie at given distances on a lattice."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..._numerics import read_numbers, told
from ._layout import Layout


class PairSums(eqx.Module):
    """Sums over samples of each neuron's values less its first, their squares, and products with its neighbours'.

    A neuron has a neighbour along its row and one along its column at each distance.
    """

    reference: Float[Array, "n"]
    values: Float[Array, "2 n"]
    products: Float[Array, "distances 2 n"]
    samples: Int[Array, ""]


def read_distances(distances: Any) -> tuple[float, ...] | None:
    """The argument `distances`: None, or positive numbers."""
    if distances is None:
        return None
    known = np.atleast_1d(np.asarray(read_numbers(distances, "distances"), dtype=float))
    if known.ndim != 1 or known.size == 0 or not np.all(np.isfinite(known) & (known > 0.0)):
        raise ValueError(f"`distances` has to be positive numbers, in the unit of the spacing; got {told(distances)}.")
    return tuple(known.tolist())


def grid_of(what: str, population: str, layout: Layout) -> tuple[int, int, float]:
    """Rows, columns and spacing; raises `ValueError` where the population is on no lattice."""
    grid = layout.grids.get(population)
    if grid is None:
        raise ValueError(
            f"`{what}` needs places: give the population {population!r} `positions=jn.Lattice(rows, columns)`."
        )
    return grid


def check_distances(what: str, population: str, distances: tuple[float, ...], layout: Layout) -> None:
    """Raises `ValueError` where the population is on no lattice, or a distance is none between two of its sites."""
    rows, columns, spacing = grid_of(what, population, layout)
    for distance in distances:
        sites = distance / spacing
        if abs(sites - round(sites)) > 1e-6 * sites or not 1 <= round(sites) <= min(rows, columns) // 2:
            raise ValueError(
                f"`distances` of `{what}` are multiples of the spacing of {population!r}, {spacing:g}, up to half of "
                f"the shorter side, {min(rows, columns) // 2 * spacing:g}; got {distance:g}."
            )


def no_pair_sums(n: int, distances: int) -> PairSums:
    """Nothing gathered."""
    floats = jnp.result_type(float)
    return PairSums(
        jnp.zeros(n, floats), jnp.zeros((2, n), floats), jnp.zeros((distances, 2, n), floats), jnp.zeros((), jnp.int32)
    )


def _neighbours(x: Float[Array, "n"], grid: tuple[int, int, float], distances: tuple[float, ...]) -> Array:
    sheet = x.reshape(grid[:2])
    shifts = [round(distance / grid[2]) for distance in distances]
    return jnp.stack([jnp.stack([jnp.roll(sheet, -k, axis).ravel() for axis in (0, 1)]) for k in shifts])


def with_sample(
    sums: PairSums, x: Float[Array, "n"], grid: tuple[int, int, float], distances: tuple[float, ...]
) -> PairSums:
    """With the values of all neurons at one more time."""
    reference = jnp.where(sums.samples == 0, x, sums.reference)
    x = x - reference
    products = sums.products + x * _neighbours(x, grid, distances)
    return PairSums(reference, sums.values + jnp.stack([x, x**2]), products, sums.samples + 1)


def correlations(
    sums: PairSums, grid: tuple[int, int, float], distances: tuple[float, ...]
) -> tuple[Float[Array, "distances"], dict[str, Array]]:
    """Mean correlation coefficient at each distance, and means of the covariances, variances and values."""
    n = sums.samples.astype(sums.values.dtype)
    mean = sums.values[0] / n
    variance = sums.values[1] / n - mean**2
    covariance = sums.products / n - mean * _neighbours(mean, grid, distances)
    varies: Bool[Array, "n"] = variance > 0.0
    safe = jnp.where(varies, variance, 1.0)
    pairs = varies & (_neighbours(varies.astype(mean.dtype), grid, distances) > 0.0)
    coefficient = covariance / jnp.sqrt(safe * _neighbours(safe, grid, distances))
    found = jnp.sum(jnp.where(pairs, coefficient, 0.0), (1, 2)) / jnp.sum(pairs, (1, 2)).astype(mean.dtype)
    behind = {
        "covariance": jnp.mean(covariance, (1, 2)),
        "variance": jnp.mean(variance),
        "mean": jnp.mean(mean + sums.reference),
        "samples": sums.samples,
    }
    return found, behind
