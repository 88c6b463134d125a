"""Predictions of a fitted model with 95% bands."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._numerics import AbstractBijection
from ._problem import Problem


class Prediction(eqx.Module):
    """What the fitted model says, and the 95% band of what it may as well be."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __repr__(self) -> str:
        if np.ndim(self.value) == 0:
            return f"{float(self.value):.4g} [{float(self.low):.4g}, {float(self.high):.4g}]"
        return f"Prediction(value={self.value}, low={self.low}, high={self.high})"

    def __getitem__(self, index: Any) -> "Prediction":
        return Prediction(*(np.asarray(column[index]) for column in (self.value, self.low, self.high)))

    def __float__(self) -> float:
        return float(self.value)


class _Linearised(eqx.Module):
    coordinate: Array
    slopes: Array  # (..., p)


@eqx.filter_jit
def _linearise(
    problem: Problem,
    theta: Float[Array, " p"],
    band: AbstractBijection,
    function: Callable[..., Array] | None,
    args: tuple,
    keywords: dict[str, Any],
) -> _Linearised:
    def outcome(theta: Array) -> Array:
        model = problem.at(theta).model
        return band.inverse(model(*args, **keywords) if function is None else function(model, *args, **keywords))

    return _Linearised(outcome(theta), jax.jacfwd(outcome)(theta))


def _as_argument(value: Any) -> Any:
    # A Python number would be compiled in, and every other one compile again.
    return jnp.asarray(value, dtype=jnp.result_type(float)) if isinstance(value, int | float | np.number) else value


def predict(
    problem: Problem,
    theta: np.ndarray,
    covariance: np.ndarray,
    quantile: float,
    band: AbstractBijection,
    function: Callable[..., Array] | None,
    args: tuple,
    keywords: dict[str, Any],
) -> Prediction:
    """First-order (delta method) bands, symmetric in the coordinate of `band`."""
    args = tuple(a if isinstance(a, bool) else _as_argument(a) for a in args)
    found = _linearise(problem, jnp.asarray(theta), band, function, args, keywords)
    slopes = np.asarray(found.slopes, dtype=np.float64)
    spread = np.sqrt(np.maximum(np.einsum("...i,ij,...j->...", slopes, covariance, slopes), 0.0))
    middle = np.asarray(found.coordinate, dtype=np.float64)
    ends = (middle, middle - quantile * spread, middle + quantile * spread)
    return Prediction(*(np.asarray(band.forward(jnp.asarray(x, dtype=found.coordinate.dtype))) for x in ends))
