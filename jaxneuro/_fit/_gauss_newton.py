"""Gauss-Newton steps that are taken from Python, one evaluation of the model each."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._numerics import is_concrete
from ._linearise import linearise
from ._optimiser import AbstractOptimiser, Minimum, check_end
from ._problem import Objective


class GaussNewton(AbstractOptimiser):
    """Gauss-Newton steps from Python, for least squares of a model that is dear to compile or to evaluate.

    A step evaluates the model once, residuals and derivatives together, by calling it: the fit compiles nothing of its
    own. What is dear in the model should be compiled by itself, as the calls of `jaxneuro.theory` are, and is then
    shared by all fits and all models that call it. Every start and every refit goes one after another, so that
    `starts=1` costs one. A step that does not lower the sum of squares is halved.

    **Arguments:** `tolerance` in standard errors: the fit ends where the next step is shorter; `max_steps`, evaluations
    of the model.

    Raises `ValueError` where the loss is no least squares.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> t, y = jnp.array([0.0, 1.0, 2.0, 3.0]), jnp.array([1.02, 0.59, 0.38, 0.22])
    >>> decay = jn.loss.LeastSquares(lambda model, data: data[1] - model["y"] * jnp.exp(-data[0] / model["tau"]))
    >>> start = {"y": jnp.array(2.0), "tau": jnp.array(1.0)}
    >>> result = jn.fit(start, (t, y), loss=decay, optimiser=jn.optimiser.GaussNewton(), starts=1)
    >>> print(f"{result.params['tau']:.2f}")
    1.96

    ```
    """

    tolerance: float = eqx.field(static=True, default=1e-3)
    max_steps: int = eqx.field(static=True, default=50)

    def __check_init__(self):
        check_end(self.tolerance, "max_steps", self.max_steps)

    def from_python(self) -> bool:
        return True

    def minimise(self, objective: Objective, start: Float[Array, " q"], default_tolerance: Float[Array, ""]) -> Minimum:
        if not objective.problem.is_least_squares:
            raise ValueError("`optimiser` GaussNewton needs a least-squares `loss`; use jn.optimiser.QuasiNewton().")
        if not is_concrete(start):
            raise ValueError("`optimiser` GaussNewton steps from Python and cannot be traced.")
        theta, value, step, length = np.asarray(start), np.inf, np.zeros(start.shape), np.inf
        free = max(1.0, float(jnp.sum(objective.weights)) - theta.size)
        for _ in range(self.max_steps):
            there = (theta + step).astype(theta.dtype)
            found = linearise(objective.residuals, jnp.asarray(there))
            residuals, jacobian = (np.asarray(x, np.float64) for x in (found.value, found.jacobian))
            new = 0.5 * float(np.sum(residuals**2))
            if np.isfinite(new) and np.isfinite(jacobian).all() and new < value:
                theta, value = there, new
                step = -np.linalg.lstsq(jacobian, residuals, rcond=None)[0]
                length = float(np.linalg.norm(jacobian @ step) / np.sqrt(max(2.0 * value / free, np.finfo(float).tiny)))
            elif np.isinf(value):  # the start itself
                break
            else:
                step, length = 0.5 * step, 0.5 * length
            # A step in units of rounding is none, whatever the standard error of data without scatter.
            short = np.linalg.norm(step) <= 4.0 * np.finfo(theta.dtype).eps * (1.0 + np.linalg.norm(theta))
            if length <= self.tolerance or short:
                return Minimum(jnp.asarray(theta), jnp.asarray(value, theta.dtype), jnp.asarray(True))
        return Minimum(jnp.asarray(theta), jnp.asarray(value, theta.dtype), jnp.asarray(False))
