"""Optimisers as objects: each turns an objective and a start into a minimum."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optimistix as optx
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics import Shown, check_count, check_positive, in_a_line
from ._problem import Objective


class Minimum(eqx.Module):
    """Where an optimiser stopped, the value there, and whether it had converged."""

    theta: Float[Array, " q"]
    value: Float[Array, ""]
    converged: Bool[Array, ""]


class AbstractOptimiser(Shown):
    """Minimises an objective from one start; a batch of starts is a `vmap` of it."""

    @abstractmethod
    def minimise(self, objective: Objective, start: Float[Array, " q"], default_tolerance: Float[Array, ""]) -> Minimum:
        """Minimises from `start`, to the optimiser's own tolerance if it has one."""

    def from_python(self) -> bool:
        """Whether it steps from Python and calls the model, where others are compiled with it."""
        return False


def tolerance_for(dtype: jnp.dtype, *, refit: bool) -> Float[Array, ""]:
    """Such that a last step still shows in the value, which changes by the square of this.

    Refits need errors that are small against their own scatter only.
    """
    return jnp.asarray(1e-3 if dtype == jnp.float32 else 1e-5 if refit else 1e-7, dtype)


def check_end(tolerance: float | None, name: str, steps: int) -> None:
    """Raises `ValueError` where what ends an optimiser is no positive number, or no number of steps."""
    if tolerance is not None:
        check_positive("tolerance", tolerance)
        if np.ndim(tolerance):
            raise ValueError(f"`tolerance` has to be one number; got shape {np.shape(tolerance)}.")
    check_count(name, steps, "a whole number of at least 1")


class LevenbergMarquardt(AbstractOptimiser):
    """Damped Gauss-Newton steps, for least squares.

    **Arguments:** `tolerance` relative change of coordinates and residuals at which it stops, by default
    1e-7 (1e-5 for bootstrap refits, 1e-3 in float32); `max_steps`.

    Raises `ValueError` where the loss is no least squares.

    ```python
    >>> import jaxneuro as jn
    >>> jn.optimiser.LevenbergMarquardt(max_steps=500).max_steps              # then jn.fit(..., optimiser=...)
    500

    ```
    """

    tolerance: float | None = eqx.field(static=True, default=None)
    max_steps: int = eqx.field(static=True, default=200)

    def __check_init__(self) -> None:
        check_end(self.tolerance, "max_steps", self.max_steps)

    def minimise(self, objective: Objective, start: Float[Array, " q"], default_tolerance: Float[Array, ""]) -> Minimum:
        if not objective.problem.is_least_squares:
            raise ValueError(
                "`optimiser` LevenbergMarquardt needs a least-squares `loss`; use jn.optimiser.QuasiNewton()."
            )
        tolerance: Any = default_tolerance if self.tolerance is None else self.tolerance  # traced, or a float
        solution = optx.least_squares(
            lambda theta, obj: obj.residuals(theta),
            optx.LevenbergMarquardt(tolerance, tolerance),
            start,
            args=objective,
            max_steps=self.max_steps,
            throw=False,
        )
        converged = (solution.result == optx.RESULTS.successful) | _is_stationary(objective, solution.value)
        return Minimum(solution.value, objective.value(solution.value), converged)


def _is_stationary(objective: Objective, theta: Float[Array, " q"]) -> Bool[Array, ""]:
    """Whether the residuals are orthogonal to every column of their Jacobian, but for rounding.

    optimistix ends on accepted steps only, and refuses steps whose gain drowns in rounding.
    """
    residuals, jacobian = objective.residuals(theta), jax.jacfwd(objective.residuals)(theta)
    size = jnp.linalg.norm(residuals) * jnp.linalg.norm(jacobian, axis=0)
    return jnp.all(jnp.abs(residuals @ jacobian) <= 10.0 * jnp.sqrt(jnp.finfo(theta.dtype).eps) * size)


class QuasiNewton(AbstractOptimiser):
    """The Broyden-Fletcher-Goldfarb-Shanno method, for any smooth loss.

    **Arguments:** `tolerance` relative change of coordinates and value at which it stops, by default 1e-7
    (1e-5 for bootstrap refits, 1e-3 in float32); `max_steps`.

    ```python
    >>> import jaxneuro as jn
    >>> jn.optimiser.QuasiNewton(tolerance=1e-8).tolerance                    # then jn.fit(..., optimiser=...)
    1e-08

    ```
    """

    tolerance: float | None = eqx.field(static=True, default=None)
    max_steps: int = eqx.field(static=True, default=500)

    def __check_init__(self) -> None:
        check_end(self.tolerance, "max_steps", self.max_steps)

    def minimise(self, objective: Objective, start: Float[Array, " q"], default_tolerance: Float[Array, ""]) -> Minimum:
        tolerance: Any = default_tolerance if self.tolerance is None else self.tolerance  # traced, or a float
        scale = 1.0 / jnp.sum(objective.weights)
        solution = optx.minimise(
            lambda theta, obj: scale * obj.value(theta),
            optx.BFGS(tolerance, tolerance),
            start,
            args=objective,
            max_steps=self.max_steps,
            throw=False,
        )
        converged = solution.result == optx.RESULTS.successful
        return Minimum(solution.value, objective.value(solution.value), converged)


class Optax(AbstractOptimiser):
    """A fixed number of steps of an optax transformation, for any loss.

    **Arguments:** `transformation`, such as `optax.adam(0.05)` or `optax.lbfgs()`; `steps`; `tolerance` on the
    norm of the gradient, per observation, below which the fit counts as converged.

    ```python
    >>> import optax, jaxneuro as jn
    >>> jn.optimiser.Optax(optax.adam(0.05), steps=500).steps                 # then jn.fit(..., optimiser=...)
    500

    ```
    """

    transformation: optax.GradientTransformation = eqx.field(static=True)
    steps: int = eqx.field(static=True, default=2000)
    tolerance: float = eqx.field(static=True, default=1e-4)

    def __check_init__(self) -> None:
        if not isinstance(self.transformation, optax.GradientTransformation):
            raise ValueError(
                "`transformation` has to be of optax, such as `optax.adam(0.05)`; got "
                f"{in_a_line(self.transformation)}."
            )
        check_end(self.tolerance, "steps", self.steps)

    def minimise(self, objective: Objective, start: Float[Array, " q"], default_tolerance: Float[Array, ""]) -> Minimum:
        transformation = optax.with_extra_args_support(self.transformation)
        scale = 1.0 / jnp.sum(objective.weights)

        def loss(theta: Array) -> Array:
            return scale * objective.value(theta)

        def step(carry, _):
            theta, state = carry
            value, gradient = jax.value_and_grad(loss)(theta)
            update, state = transformation.update(gradient, state, theta, value=value, grad=gradient, value_fn=loss)
            return (optax.apply_updates(theta, update), state), None

        # The user's transformation mixes Python numbers with arrays as optax does; its rules are not ours.
        with jax.numpy_dtype_promotion("standard"):
            (final, _), _ = lax.scan(step, (start, transformation.init(start)), length=self.steps)
            theta = jnp.asarray(final)
            slope = jnp.linalg.norm(jax.grad(loss)(theta))
        return Minimum(theta, objective.value(theta), slope < self.tolerance)
