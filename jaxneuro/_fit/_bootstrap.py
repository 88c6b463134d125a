"""Intervals from refits to resampled data."""

import warnings
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._optimiser import AbstractOptimiser
from ._problem import Problem
from ._solve import parameters_of, solve_weightings


class Bootstrap(eqx.Module):
    """Parameters refitted to resampled data: `samples` by name, (b,) each; `ci95` from their percentiles."""

    samples: dict[str, np.ndarray]
    ci95: dict[str, tuple[float, float]]
    theta: np.ndarray  # (b, p) coordinates
    n_failed: int


@eqx.filter_jit
def resample_counts(key: Array, counts: Float[Array, " n"], n_resamples: int, n_observations: int) -> Array:
    """How often each row turns up in each of `n_resamples` draws with replacement, (n_resamples, n)."""
    ends = jnp.cumsum(counts)
    draws = jax.random.uniform(key, (n_resamples, n_observations), dtype=counts.dtype) * ends[-1]
    rows = jnp.minimum(jnp.searchsorted(ends, draws, side="right"), counts.shape[0] - 1)
    return jax.vmap(lambda r: jnp.zeros_like(counts).at[r].add(1.0))(rows)


def bootstrap(
    problem: Problem,
    optimiser: AbstractOptimiser,
    counts: Float[Array, " n"],
    theta: Float[Array, " p"],
    n_resamples: int,
    key: Array,
    report: Callable[[int], None],
) -> Bootstrap:
    """Refits to `n_resamples` resamplings of the rows, and warns where some did not converge."""
    weights = resample_counts(key, counts, n_resamples, round(float(jnp.sum(counts))))
    refits = solve_weightings(problem, optimiser, weights, theta, report)
    n_failed = int(np.sum(~refits.succeeded))
    if n_failed:
        warnings.warn(
            f"{n_failed} of {n_resamples} bootstrap refits did not converge and are left out of the intervals.",
            UserWarning,
            stacklevel=3,
        )
    kept = refits.theta[refits.succeeded]
    if len(kept) == 0:
        raise RuntimeError("No bootstrap refit converged. Fix a parameter or give `bounds`.")
    values = np.asarray(parameters_of(problem, jnp.asarray(refits.theta)))[refits.succeeded]
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    return Bootstrap(
        samples={name: values[:, j] for j, name in enumerate(problem.names)},
        ci95={name: (float(low[j]), float(high[j])) for j, name in enumerate(problem.names)},
        theta=kept,
        n_failed=n_failed,
    )
