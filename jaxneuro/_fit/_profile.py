"""Profile likelihood: how bad the best fit becomes when one parameter is held."""

import warnings

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from ._optimiser import AbstractOptimiser
from ._problem import Problem
from ._solve import solve_profile
from ._uncertainty import Uncertainty


class IdentifiabilityWarning(UserWarning):
    """The data cannot tell a parameter.

    ```python
    >>> import warnings, jaxneuro as jn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", jn.results.IdentifiabilityWarning)
    ...     pass                                                              # a call that is known to warn of it

    ```
    """


class Profile(eqx.Module):
    """Values (b,) of one parameter in its `unit`, the deviance (b,) of the best fit at each, and the 95% interval.

    The deviance is 2 (log L_best - log L), or the growth of the sum of squares over the variance. An end of
    the interval is infinite, or the end of the parameter's range, where the deviance stays below its limit.
    """

    name: str
    values: np.ndarray
    deviance: np.ndarray
    limit: float
    ci95: tuple[float, float]
    unit: str = ""


def _crossing(coordinates: np.ndarray, deviance: np.ndarray, limit: float) -> float | None:
    """Where the root of the deviance, nearly a straight line, first passes that of `limit`; outwards."""
    root = np.sqrt(np.maximum(deviance, 0.0))
    above = np.nonzero(root > np.sqrt(limit))[0]
    if len(above) == 0 or above[0] == 0:
        return None
    i = above[0]
    share = (np.sqrt(limit) - root[i - 1]) / (root[i] - root[i - 1])
    return float(coordinates[i - 1] + share * (coordinates[i] - coordinates[i - 1]))


def profile(
    problem: Problem,
    optimiser: AbstractOptimiser,
    counts: np.ndarray,
    theta: np.ndarray,
    best: float,
    uncertainty: Uncertainty,
    name: str,
    points: int,
    span: float,
) -> Profile:
    """Profiles the parameter `name` over `span` standard errors to each side."""
    if name not in problem.names:
        raise ValueError(f"`name` is {name!r}, which was not fitted; there are {list(problem.names)}.")
    index = problem.names.index(name)
    half = min(span * float(uncertainty.spread[index]), 20.0)  # in coordinates: 20 is a factor of 5e8
    grid = theta[index] + np.linspace(-half, half, 2 * (points // 2) + 1)
    rest = np.delete(theta, index)
    minima = solve_profile(
        problem, optimiser, jnp.asarray(counts), jnp.asarray(index), jnp.asarray(grid, theta.dtype), jnp.asarray(rest)
    )
    scale = uncertainty.variance if problem.is_least_squares else 1.0
    deviance = 2.0 * (np.asarray(minima.value, dtype=np.float64) - best) / scale
    deviance = np.where(np.isfinite(deviance), deviance, np.inf)
    limit = uncertainty.quantile**2
    middle = len(grid) // 2
    ends = (
        _crossing(grid[middle::-1], deviance[middle::-1], limit),
        _crossing(grid[middle:], deviance[middle:], limit),
    )
    if None in ends:
        warnings.warn(
            f"The profile of `{name}` stays flat as far as {grid[0]:.3g} to {grid[-1]:.3g} (in its unbounded "
            "coordinate): the data cannot tell it.",
            IdentifiabilityWarning,
            stacklevel=3,
        )
    coordinates = np.concatenate(
        [grid, [-np.inf if ends[0] is None else ends[0], np.inf if ends[1] is None else ends[1]]]
    )
    values = _to_parameter(problem, theta, index, coordinates)
    return Profile(name, values[:-2], deviance, limit, (float(values[-2]), float(values[-1])))


def _to_parameter(problem: Problem, theta: np.ndarray, index: int, coordinates: np.ndarray) -> np.ndarray:
    """The parameter at each of `coordinates`."""
    moved = np.repeat(np.asarray(theta)[None], len(coordinates), axis=0)
    moved[:, index] = coordinates
    return np.stack([np.asarray(problem.parameters(jnp.asarray(row)))[index] for row in moved])
