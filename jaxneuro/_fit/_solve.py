"""Compiled solves: from many starts, with many weightings, along a profile."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from .._numerics import one_at_a_time
from ._linearise import linearise
from ._optimiser import AbstractOptimiser, Minimum, tolerance_for
from ._problem import Objective, Problem
from ._protocol import HasMisfit

# Starts or refits in one call. One size, so that one compilation serves all, and small, so that the residuals stay in
# the cache and few lanes wait for the slowest: 10,000 refits take 1.2 s in batches of 64, 2.1 s in batches of 500.
BATCH = 64


def _solve(
    problem: Problem,
    optimiser: AbstractOptimiser,
    weights: Float[Array, "b n"],
    starts: Float[Array, "b p"],
    tolerance: Float[Array, ""],
) -> Minimum:
    if not optimiser.from_python():
        return _solve_compiled(problem, optimiser, weights, starts, tolerance)
    pairs = zip(weights, starts, strict=True)
    return _stacked([optimiser.minimise(Objective(problem, w), start, tolerance) for w, start in pairs])


def _stacked(minima: list[Minimum]) -> Minimum:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *minima)


@one_at_a_time
@eqx.filter_jit
def _solve_compiled(
    problem: Problem,
    optimiser: AbstractOptimiser,
    weights: Float[Array, "b n"],
    starts: Float[Array, "b p"],
    tolerance: Float[Array, ""],
) -> Minimum:
    return jax.vmap(lambda w, start: optimiser.minimise(Objective(problem, w), start, tolerance))(weights, starts)


def solve_starts(
    problem: Problem, optimiser: AbstractOptimiser, weights: Float[Array, " n"], starts: Float[Array, "b p"]
) -> Minimum:
    """Minimises from every start; a batch of minima."""
    total = starts.shape[0]
    # Likelihoods are seldom refitted and dearer to evaluate: there idle lanes would cost more than a compilation.
    together = problem.is_least_squares and not optimiser.from_python()
    size = BATCH * -(-total // BATCH) if together else total
    padded = starts[np.arange(size) % total]
    found = _solve(problem, optimiser, jnp.tile(weights, (size, 1)), padded, tolerance_for(starts.dtype, refit=False))
    return jax.tree.map(lambda x: x[:total], found)


class Refits(eqx.Module):
    """The coordinates of many refits, and which of them converged to a finite value."""

    theta: np.ndarray
    succeeded: np.ndarray


def solve_weightings(
    problem: Problem,
    optimiser: AbstractOptimiser,
    weights: Float[Array, "b n"],
    start: Float[Array, " p"],
    report: Callable[[int], None],
) -> Refits:
    """Refits under every weighting, all from `start`, a batch of them in one `vmap`."""
    total, size = weights.shape[0], 1 if optimiser.from_python() else BATCH
    starts, tolerance = jnp.tile(start, (size, 1)), tolerance_for(start.dtype, refit=True)
    theta, succeeded = [], []
    for begin in range(0, total, size):
        rows = np.minimum(np.arange(begin, begin + size), total - 1)  # the last batch repeats its last row
        found = _solve(problem, optimiser, weights[rows], starts, tolerance)
        keep = min(size, total - begin)
        theta.append(np.asarray(found.theta)[:keep])
        succeeded.append((np.asarray(found.converged) & np.isfinite(np.asarray(found.value)))[:keep])
        report(begin + keep)
    return Refits(np.concatenate(theta), np.concatenate(succeeded))


def solve_profile(
    problem: Problem,
    optimiser: AbstractOptimiser,
    weights: Float[Array, " n"],
    index: Array,
    values: Float[Array, " b"],
    start: Float[Array, " q"],
) -> Minimum:
    """Minimises over the other coordinates with coordinate `index` held at each of `values`."""
    if optimiser.from_python():
        return _stacked([_solve_held(problem, optimiser, weights, index, value, start) for value in values])
    return _solve_profile_compiled(problem, optimiser, weights, index, values, start)


@one_at_a_time
@eqx.filter_jit
def _solve_profile_compiled(
    problem: Problem,
    optimiser: AbstractOptimiser,
    weights: Float[Array, " n"],
    index: Array,
    values: Float[Array, " b"],
    start: Float[Array, " q"],
) -> Minimum:
    return jax.vmap(lambda value: _solve_held(problem, optimiser, weights, index, value, start))(values)


def _solve_held(
    problem: Problem,
    optimiser: AbstractOptimiser,
    weights: Float[Array, " n"],
    index: Array,
    value: Float[Array, ""],
    start: Float[Array, " q"],
) -> Minimum:
    objective = Objective(problem, weights, index, value)
    if start.shape[0] == 0:
        return Minimum(start, objective.value(start), jnp.asarray(True))
    return optimiser.minimise(objective, start, tolerance_for(start.dtype, refit=False))


class Summary(eqx.Module):
    """What the uncertainties are computed from, at one vector of coordinates."""

    terms: Float[Array, " n"]
    jacobian: Float[Array, "n p"] | None  # least squares: of the weighted residuals
    hessian: Float[Array, "p p"] | None  # likelihood: of minus the log-likelihood
    parameters: Float[Array, " p"]
    slopes: Float[Array, " p"]  # of each parameter in its coordinate
    misfit: Float[Array, " n"] | None
    model: PyTree
    loss: PyTree


def summarise(
    problem: Problem, optimiser: AbstractOptimiser, weights: Float[Array, " n"], theta: Float[Array, " p"]
) -> Summary:
    """Evaluates everything that a result reports at `theta`."""
    make = _summary if optimiser.from_python() else _summary_compiled
    return make(problem, weights, theta)


def _summary(problem: Problem, weights: Float[Array, " n"], theta: Float[Array, " p"]) -> Summary:
    objective = Objective(problem, weights)
    candidate = problem.at(theta)
    has_misfit = isinstance(candidate.model, HasMisfit)
    if problem.is_least_squares:
        found = linearise(problem.terms, theta)
        terms, jacobian, hessian = found.value, jnp.sqrt(weights)[:, None] * found.jacobian, None
    else:
        terms, jacobian, hessian = problem.terms(theta), None, jax.hessian(objective.value)(theta)
    return Summary(
        terms=terms,
        jacobian=jacobian,
        hessian=hessian,
        parameters=problem.parameters(theta),
        slopes=jax.jvp(problem.parameters, (theta,), (jnp.ones_like(theta),))[1],
        misfit=candidate.model.misfit(problem.data) if has_misfit else None,
        model=candidate.model,
        loss=candidate.loss,
    )


_summary_compiled = eqx.filter_jit(_summary)


def terms_of(problem: Problem, optimiser: AbstractOptimiser, thetas: Float[Array, "b p"]) -> Float[Array, "b n"]:
    """The residuals or log-probabilities at each row of coordinates."""
    if optimiser.from_python():
        return jnp.stack([problem.terms(theta) for theta in thetas])
    return _terms_compiled(problem, thetas)


@eqx.filter_jit
def _terms_compiled(problem: Problem, thetas: Float[Array, "b p"]) -> Float[Array, "b n"]:
    return jax.vmap(problem.terms)(thetas)


@eqx.filter_jit
def parameters_of(problem: Problem, thetas: Float[Array, "b p"]) -> Float[Array, "b p"]:
    """The parameters at each row of coordinates."""
    return jax.vmap(problem.parameters)(thetas)
