"""The one call that fits."""

import dataclasses
import warnings
from collections.abc import Iterable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from .._numerics import AbstractBijection, ProgressLine, Result, Unbounded, default_key
from ..laws import OutsideTheoryWarning
from ._arguments import check_arguments
from ._bootstrap import bootstrap as run_bootstrap
from ._loss import AbstractLoss, default_loss
from ._optimiser import AbstractOptimiser, LevenbergMarquardt, QuasiNewton
from ._problem import Problem, pose, row_counts
from ._profile import IdentifiabilityWarning
from ._protocol import HasConcerns
from ._result import FitResult
from ._solve import Minimum, solve_starts, summarise
from ._uncertainty import uncertainty_of, unidentified


def fit(
    model: PyTree,
    data: PyTree,
    *,
    loss: AbstractLoss | None = None,
    optimiser: AbstractOptimiser | None = None,
    free: Iterable[str] | None = None,
    bounds: Mapping[str, AbstractBijection] | None = None,
    starts: int = 8,
    spread: float = 0.5,
    bootstrap: int = 0,
    key: Array | None = None,
    progress: bool | None = None,
    throw: bool = True,
) -> FitResult:
    """Fits the parameters of a model to data, with errors.

    Minimises sum_i w_i r_i(theta)^2 (least squares) or -sum_i w_i log p_i(theta) (likelihood), where w_i is
    how many observations row i stands for.

    **Arguments:** `model`, any pytree whose float leaves are parameters, and where the fit starts; `data`, what
    the loss takes. `loss` says what is made small: by default the model's `residuals(data)` (for a law
    those of the log-amplitude) or its `log_likelihood(data)`. `optimiser`: `LevenbergMarquardt()` for least
    squares, `QuasiNewton()` for likelihoods, `GaussNewton()` for what is dear, or `Optax(...)`. `free` names the
    leaves that move, by default those the model declares; `bounds` gives bijections by name. `starts`, the given one
    and others drawn about it with standard deviation `spread` in unbounded coordinates; the best is kept. `bootstrap`,
    a number of refits to resampled rows. `key` for the draws, `jax.random.key(0)` by default. `progress`
    shows a line on standard error, by default on a terminal. `throw` raises where the fit fails; without
    it the result carries a code.

    **Returns:** a `FitResult`.

    Raises `ValueError` for fewer observations than parameters, an unknown name or a start outside its
    bounds; `RuntimeError` where no start converges.
    Warns where the data cannot tell a parameter, or the theory of a law does not hold at the fit.
    A fit with other values or data of the same shape does not compile again.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> k = np.array([50.0, 100.0, 200.0, 400.0, 800.0])
    >>> psp = np.array([2.6, 2.2, 1.3, 1.1, 0.7])
    >>> data = jn.laws.PSPTable(k, psp, np.array([False, True, False, True, False]))
    >>> result = jn.fit(jn.laws.CurrentScaling(), data)
    >>> print(f"{result.params['j0']:.2f} +- {result.stderr['j0']:.2f} mV")
    18.84 +- 0.38 mV
    >>> print(f"{float(result.predict(10_000)):.3f} mV")
    0.188 mV

    ```

    Source: least squares in log-amplitude as in Sanzeni, Histed and Brunel (2022),
    doi:10.1103/PhysRevX.12.011044, section VII.
    """
    check_arguments(
        model, data, loss=loss, optimiser=optimiser, free=free, bounds=bounds,
        starts=starts, spread=spread, bootstrap=bootstrap, key=key,
    )  # fmt: skip
    loss = default_loss(model) if loss is None else loss
    problem = pose(model, loss, data, free, bounds or {})
    if optimiser is None:
        optimiser = LevenbergMarquardt() if problem.is_least_squares else QuasiNewton()
    counts = row_counts(problem)
    _check_enough(problem, counts)
    key = default_key() if key is None else key
    what = f"fit {type(model).__name__}"
    line = ProgressLine(what, "starts", starts, progress)
    line(0)
    first = problem.coordinates()
    draws = jax.random.normal(jax.random.fold_in(key, 0), (starts, *first.shape), dtype=first.dtype)
    minima = solve_starts(problem, optimiser, counts, first + spread * draws.at[0].set(0.0))
    line(starts)
    best = _best_of(minima)
    converged = bool(best.result == Result.successful)
    if throw and not converged:
        raise RuntimeError(f"{type(model).__name__}: {Result[best.result]}")
    summary = summarise(problem, optimiser, counts, best.theta)
    if problem.template.loss is not loss:  # held as what its function computes
        summary = dataclasses.replace(summary, loss=loss)
    weights = np.asarray(counts)
    uncertainty = uncertainty_of(summary, weights)
    bounded = np.array([not isinstance(b, Unbounded) for b in _per_coordinate(problem)])
    concerns = unidentified(uncertainty, problem.names, bounded)
    for sentence in concerns:
        warnings.warn(sentence, IdentifiabilityWarning, stacklevel=2)
    concerns += _model_concerns(summary.model, data)
    refits = None
    if bootstrap and converged:
        boot_key = jax.random.fold_in(key, 1)
        line = ProgressLine(what, "bootstrap refits", bootstrap, progress)
        refits = run_bootstrap(problem, optimiser, counts, best.theta, bootstrap, boot_key, line)
    return FitResult(
        problem,
        optimiser,
        np.asarray(best.theta),
        best.value,
        weights,
        summary,
        uncertainty,
        best.result,
        concerns,
        refits,
    )


class _Best(eqx.Module):
    theta: Float[Array, " p"]
    value: float
    result: Result


def _best_of(minima: Minimum) -> _Best:
    """The lowest converged minimum, or the lowest finite one with the result that says so."""
    value = np.asarray(minima.value)
    finite = np.isfinite(value) & np.isfinite(np.asarray(minima.theta)).all(axis=1)
    converged = finite & np.asarray(minima.converged)
    allowed = converged if converged.any() else finite
    index = int(np.argmin(np.where(allowed, value, np.inf)))
    failed = Result.not_converged if finite.any() else Result.nonfinite_loss
    return _Best(minima.theta[index], float(value[index]), Result.successful if converged.any() else failed)


def _check_enough(problem: Problem, counts: Float[Array, " n"]) -> None:
    n, p = round(float(jnp.sum(counts))), len(problem.names)
    if n <= p:
        raise ValueError(
            f"`data` holds {n} observations, fewer than the {p + 1} that {p} parameters {list(problem.names)} "
            "and their errors need: bring more data or fix parameters with `free`."
        )


def _per_coordinate(problem: Problem) -> list[AbstractBijection]:
    """The bijection of each coordinate."""
    leaves = jax.tree.leaves(problem.template)
    pairs = zip(problem.bijections, problem.places, strict=True)
    return [bijection for bijection, place in pairs for _ in range(leaves[place].size)]


def _model_concerns(model: PyTree, data: PyTree) -> tuple[str, ...]:
    """What a model has to say about itself at the fit, warned of as well."""
    concerns = model.fit_concerns(data) if isinstance(model, HasConcerns) else ()
    for sentence in concerns:
        warnings.warn(sentence, OutsideTheoryWarning, stacklevel=3)
    return concerns
