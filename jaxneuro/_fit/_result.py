"""What a fit found: parameters with their errors, predictions, a table, a plot, JSON."""

import enum
import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, PyTree

from .._numerics import (
    AbstractBijection,
    Positive,
    Result,
    Unbounded,
    as_leaf,
    check_positive,
    check_precision,
    units_of,
    write_text,
)
from ..laws import AbstractLaw, PSPTable, as_inhibitory
from ._bootstrap import Bootstrap
from ._optimiser import AbstractOptimiser
from ._predict import Prediction, predict
from ._problem import Problem
from ._profile import Profile, profile
from ._solve import Summary
from ._uncertainty import Uncertainty

PREDICTED_AT = (100.0, 1_000.0, 10_000.0)  # connections, for laws in JSON


class FitCode(enum.Enum):
    """What became of a fit, as it was told before `FitResult.result`; it goes with the next version."""

    SUCCESSFUL = Result[Result.successful]
    NOT_CONVERGED = Result[Result.not_converged]
    NONFINITE = Result[Result.nonfinite_loss]


@dataclass(frozen=True, eq=False)
class FitResult:
    """A fitted model. Made by `jaxneuro.fit`.

    `params`, `stderr` and `ci95` are dictionaries by name, in the parameters' own units. Intervals are those
    of Student's t (least squares) or of the normal (likelihood) in the unbounded coordinate, so a positive
    parameter has an interval that is symmetric in its logarithm; they are exact where the coordinate enters
    linearly. `rms` is in the unit of the data (mV for amplitudes), NaN where the model has no residuals.
    """

    problem: Problem
    optimiser: AbstractOptimiser
    theta: np.ndarray
    value: float
    counts: np.ndarray
    summary: Summary
    uncertainty: Uncertainty
    result: Result
    concerns: tuple[str, ...]
    bootstrap: Bootstrap | None

    @property
    def code(self) -> FitCode:
        """The old form of `result`."""
        warnings.warn("`FitResult.code` is now `FitResult.result`, a `jn.Result`.", DeprecationWarning, stacklevel=2)
        return FitCode(Result[self.result])

    @property
    def converged(self) -> bool:
        """Whether the fit converged; if not, `result` says why."""
        return bool(self.result == Result.successful)

    @property
    def model(self) -> PyTree:
        """The fitted model."""
        return self.summary.model

    @property
    def loss(self) -> PyTree:
        """The loss with its own fitted parameters."""
        return self.summary.loss

    @property
    def data(self) -> PyTree:
        """The data the model was fitted to."""
        return self.problem.data

    @cached_property
    def params(self) -> dict[str, float]:
        """Fitted parameters by name."""
        return dict(zip(self.problem.names, map(float, self.summary.parameters), strict=True))

    @cached_property
    def stderr(self) -> dict[str, float]:
        """Standard errors by name, infinite where the data cannot tell."""
        errors = np.abs(np.asarray(self.summary.slopes, dtype=np.float64)) * self.uncertainty.spread
        return dict(zip(self.problem.names, map(float, errors), strict=True))

    @cached_property
    def ci95(self) -> dict[str, tuple[float, float]]:
        """95% intervals by name."""
        half = self.uncertainty.quantile * self.uncertainty.spread
        low, high = (
            np.asarray(self.problem.parameters(jnp.asarray(self.theta + sign * half, dtype=self.theta.dtype)))
            for sign in (-1.0, 1.0)
        )
        return {name: (float(low[j]), float(high[j])) for j, name in enumerate(self.problem.names)}

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        return round(float(np.sum(self.counts)))

    @property
    def n_parameters(self) -> int:
        """Number of fitted numbers, the scatter of a least-squares fit among them."""
        return len(self.theta) + int(self.problem.is_least_squares)

    @cached_property
    def log_likelihood(self) -> float:
        """log L at the fit; for least squares that of Gaussian residuals with the best scatter."""
        if not self.problem.is_least_squares:
            return -self.value
        n = self.n_observations
        return -0.5 * n * (np.log(2.0 * np.pi * 2.0 * self.value / n) + 1.0)

    @cached_property
    def aicc(self) -> float:
        """Akaike's criterion with the small-sample correction; infinite where n <= k + 1."""
        k, n = self.n_parameters, self.n_observations
        correction = 2.0 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
        return float(-2.0 * self.log_likelihood + 2.0 * k + correction)

    @cached_property
    def rms(self) -> float:
        """Root mean square between data and model, in the unit of the data."""
        residual = self.summary.misfit
        if residual is None and self.problem.is_least_squares:
            residual = self.summary.terms
        if residual is None:
            return float("nan")
        return float(np.sqrt(np.average(np.asarray(residual, dtype=np.float64) ** 2, weights=self.counts)))

    def predict(
        self,
        *inputs: Any,
        function: Callable[..., Array] | None = None,
        band: AbstractBijection | None = None,
        **keywords: Any,
    ) -> Prediction:
        """What the fitted model says at `inputs`, with the 95% band that the parameters' errors leave.

        **Arguments:** whatever the model's `__call__` takes; for a law the number of connections, and
        `inhibitory=True` for inhibition. `function` of the model and these inputs is predicted in place of
        the model's call, such as `lambda law, k: law.efficacy(k)`. `band` is the bijection in whose coordinate
        the band is symmetric: `Positive()` for laws, `Unbounded()` otherwise.

        **Returns:** a `Prediction` with `value`, `low` and `high` [the model's unit].
        """
        if isinstance(self.model, AbstractLaw) and function is None:
            if len(inputs) != 1:
                raise ValueError(f"`predict` of a law takes the number of connections; got {len(inputs)} arguments.")
            inputs = (as_leaf(inputs[0], "k"),)
            check_positive("k", inputs[0])
            if not isinstance(keywords.get("inhibitory", False), bool):
                keywords["inhibitory"] = as_inhibitory(keywords["inhibitory"])
        if band is None:
            band = Positive() if isinstance(self.model, AbstractLaw) else Unbounded()
        covariance = np.where(self.uncertainty.open[:, None] | self.uncertainty.open, 0.0, self.uncertainty.covariance)
        return predict(
            self.problem, self.theta, covariance, self.uncertainty.quantile, band, function, inputs, keywords
        )

    @cached_property
    def predictions(self) -> Prediction:
        """Of a law: J_E (first row) and J_I (second) at 100, 1,000 and 10,000 connections."""
        return self.predict(np.asarray(PREDICTED_AT), inhibitory=np.array([[False], [True]]))

    @property
    def kinds(self) -> tuple[int, ...]:
        """Of a law: the rows of `predictions` that the data say something of, 0 excitatory, 1 inhibitory."""
        table = self.problem.data
        if not isinstance(table, PSPTable):
            return (0, 1)
        return tuple(int(kind) for kind in np.unique(np.asarray(table.inhibitory)))

    def profile(self, name: str, *, points: int = 41, span: float = 4.0) -> Profile:
        """The profile likelihood of one parameter, and its interval.

        **Arguments:** `name` of a fitted parameter; `points` of the grid; `span` in standard errors to each side.
        Warns where the profile stays flat on a side. Raises `ValueError` for an unknown name.
        """
        check_precision("model", self.model)
        found = profile(
            self.problem, self.optimiser, self.counts, self.theta, self.value, self.uncertainty, name, points, span
        )
        return replace(found, unit=units_of(type(self.model)).get(name, ""))

    def plot(self, inputs: ArrayLike | None = None, *, axes: Any = None, label: str | None = None) -> Any:
        """Draws the data and the fitted curve with its band; returns the matplotlib axes."""
        from ._plot import plot_result

        return plot_result(self, inputs, axes=axes, label=label)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it: `params`, `stderr`, `ci95` as {name: [low, high]}, `rms`, `aicc`, `predictions`."""
        out: dict[str, Any] = {
            "params": self.params,
            "stderr": self.stderr,
            "ci95": {name: list(ends) for name, ends in self.ci95.items()},
            "rms": self.rms,
            "aicc": self.aicc,
            "log_likelihood": self.log_likelihood,
            "n": self.n_observations,
            "converged": self.converged,
            "warnings": list(self.concerns),
            "predictions": {},
        }
        if self.bootstrap is not None:
            out["bootstrap_ci95"] = {name: list(ends) for name, ends in self.bootstrap.ci95.items()}
        if isinstance(self.model, AbstractLaw):
            found = self.predictions
            predictions: dict[str, Any] = {"n_connections": list(PREDICTED_AT)}
            for row in self.kinds:
                kind = ("excitatory_mv", "inhibitory_mv")[row]
                columns = zip(found.value[row], found.low[row], found.high[row], strict=True)
                predictions[kind] = [{"value": float(v), "ci95": [float(a), float(b)]} for v, a, b in columns]
            out["predictions"] = predictions
        return without_nonfinite(out)

    def to_json(self, path: str | os.PathLike) -> None:
        """Writes `to_dict()` to `path`, whole or not at all; numbers that are not finite become null."""
        write_text(path, json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")

    def __repr__(self) -> str:
        from ._table import fit_table

        return fit_table(self)

    def _repr_html_(self) -> str:
        from ._table import fit_html

        return fit_html(self)


def without_nonfinite(value: Any) -> Any:
    """The same with None for every float that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: without_nonfinite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nonfinite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
