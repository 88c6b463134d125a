"""Covariance of the coordinates, and which parameters the data cannot tell."""

import equinox as eqx
import numpy as np

from ._quantiles import NORMAL_975, student_975
from ._solve import Summary

_WIDE = np.log(10.0)  # an interval of a decade to each side says next to nothing about a positive parameter


class Uncertainty(eqx.Module):
    """The covariance of the coordinates, the quantile that makes intervals of it, and the directions it leaves open."""

    covariance: np.ndarray
    quantile: float
    variance: float  # of the residuals; 1 for a likelihood
    open: np.ndarray  # true where a parameter takes part in a direction that the data do not fix

    @property
    def spread(self) -> np.ndarray:
        """Standard errors of the coordinates, infinite where open."""
        return np.where(self.open, np.inf, np.sqrt(np.diag(self.covariance)))


def uncertainty_of(summary: Summary, weights: np.ndarray) -> Uncertainty:
    """From the Jacobian of least squares, (J^T J)^-1 s^2; from the Hessian H of minus a log-likelihood, H^-1."""
    n = float(np.sum(weights))
    if summary.jacobian is not None:
        jacobian = np.asarray(summary.jacobian, dtype=np.float64)
        dof = round(n) - jacobian.shape[1]
        variance = float(np.sum(weights * np.asarray(summary.terms, dtype=np.float64) ** 2)) / dof
        information, quantile = jacobian.T @ jacobian, student_975(dof)
    else:
        information, variance, quantile = np.asarray(summary.hessian, dtype=np.float64), 1.0, NORMAL_975
    dtype = np.asarray(summary.terms).dtype
    scale = np.sqrt(np.abs(np.diag(information)))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    # A correlation matrix: its smallest eigenvalue is 1 minus how well the other columns replace one.
    singular = values < (1e-5 if dtype == np.float32 else 1e-10)
    is_open = np.any(np.abs(vectors[:, singular]) > 0.1, axis=1)
    inverse = np.where(singular, 0.0, 1.0 / np.where(singular, 1.0, values))
    covariance = (vectors * inverse) @ vectors.T / np.outer(scale, scale) * variance
    return Uncertainty(covariance, quantile, variance, is_open)


def unidentified(uncertainty: Uncertainty, names: tuple[str, ...], bounded: np.ndarray) -> tuple[str, ...]:
    """One sentence for each parameter that the data do not tell."""
    sentences = []
    for j, name in enumerate(names):
        half = uncertainty.quantile * uncertainty.spread[j]
        if uncertainty.open[j]:
            sentences.append(
                f"The data cannot tell `{name}`: the fit is as good for other values (singular Jacobian). "
                "Fix it, or bring data that depend on it."
            )
        elif bounded[j] and half > _WIDE:
            factor = np.exp(min(2.0 * half, 700.0))
            sentences.append(
                f"The data hardly tell `{name}`: its 95% interval spans a factor of {factor:.3g}. "
                "Fix it, or bring data over a wider range."
            )
    return tuple(sentences)
