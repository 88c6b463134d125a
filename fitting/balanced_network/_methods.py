"""Five ways to the targets, which spend runs, surrogate gradients and solutions of the mean field."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

import jaxneuro as jn

from ._problem import Problem, differences, jitted, theory_of

THEORY, SURROGATE, AFTER, BOTH, DIFFERENCES = (
    "theory", "surrogate", "theory, then surrogate", "theory's derivative, simulated misfit", "differences of runs",
)  # fmt: skip
HORIZON, WIDTH, STEP = 5.0, 1.0, 0.1


@dataclass(frozen=True)
class Tuned:
    """Where a method ended, how it got there, and what it cost.

    `path` holds the unknowns after each step; `runs` counts simulations, `gradients` surrogate gradients of one run.
    """

    x: np.ndarray
    path: np.ndarray
    runs: int
    gradients: int
    seconds: float


def gauss_newton(
    problem: Problem,
    seen: Callable[[Array, int], Float[Array, "2"]],
    derivative: Callable[[Array, int], Float[Array, "2 3"]],
    start: Float[Array, "3"],
    steps: int,
    *,
    limit: float = 0.3,
) -> np.ndarray:
    """The unknowns after each step; no step changes the logarithm of one by more than `limit`.

    Where `derivative` is that of something else than `seen`, such as theory's of a simulated network, the step is still
    0 where the misfit is, and the iteration converges if the two derivatives are close enough.
    """
    tolerance, path, x = jnp.asarray(problem.tolerance), [start], start
    for step in range(steps):
        misfit = problem.residuals(seen(x, step), x)
        matrix = jnp.concatenate([derivative(x, step) / tolerance[:2, None], jnp.eye(3, dtype=x.dtype) / tolerance[2]])
        move = -jnp.linalg.lstsq(matrix, misfit)[0]
        x = x + move * jnp.minimum(1.0, limit / jnp.max(jnp.abs(move)))
        path.append(x)
    return np.asarray(jnp.stack(path))


def by_theory(problem: Problem, steps: int) -> Tuned:
    """Gauss-Newton on the mean field alone."""
    begin = time.perf_counter()
    value, derivative = theory_of(problem)
    path = gauss_newton(problem, lambda x, _: value(x), lambda x, _: derivative(x), problem.start, steps)
    return Tuned(path[-1], path, 0, 0, time.perf_counter() - begin)


def by_surrogate(
    problem: Problem, wiring: jn.Wiring, key: Array, steps: int, *, start: Array | None = None, rate: float = 0.05
) -> Tuned:
    """Adam along surrogate gradients of runs, cut at a horizon: uncut they are of the order of 1e100."""
    begin = time.perf_counter()

    def loss(x: Array, batch: None, key: Array) -> Array:
        return problem.loss(problem.soft(x, key, wiring, HORIZON, WIDTH), x)

    path: list[Array] = []

    def keep(x: Array) -> float:
        path.append(x)
        return 0.0

    first = problem.start if start is None else start
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, steps))
    with warnings.catch_warnings(), jax.numpy_dtype_promotion("standard"):  # of schedules
        warnings.simplefilter("ignore", jn.results.TrainingWarning)  # the table says how well it ended
        trained = jn.train(
            first, loss, lambda step: None, steps=steps, optimiser=optimiser, key=key, validate=keep, every=1,
            progress=False,
        )  # fmt: skip
    passed = np.asarray(jnp.stack([first, *path]))
    return Tuned(np.asarray(trained.params), passed, 0, steps, time.perf_counter() - begin)


def by_both(problem: Problem, wiring: jn.Wiring, key: Array, steps: int, *, start: Array) -> Tuned:
    """Gauss-Newton with theory's derivative on the misfit of simulated runs, from theory's solution."""
    begin = time.perf_counter()
    run, (_, derivative) = jitted(problem, wiring), theory_of(problem)
    path = gauss_newton(
        problem, lambda x, step: run(x, jax.random.fold_in(key, step)), lambda x, _: derivative(x), start, steps
    )
    return Tuned(_settled(path), path, steps, 0, time.perf_counter() - begin)


def by_differences(problem: Problem, wiring: jn.Wiring, key: Array, steps: int) -> Tuned:
    """Gauss-Newton with differences of runs over a tenth of each unknown: no theory, no surrogate."""
    begin = time.perf_counter()
    run = jitted(problem, wiring)

    def seen(x: Array, step: int) -> Array:
        return run(x, jax.random.fold_in(key, step))

    def derivative(x: Array, step: int) -> Array:
        return differences(lambda x: seen(x, step), x, STEP)

    path = gauss_newton(problem, seen, derivative, problem.start, steps)
    return Tuned(_settled(path), path, 7 * steps, 0, time.perf_counter() - begin)


def _settled(path: np.ndarray) -> np.ndarray:
    """The mean over the last half of the steps, whose noise is that of single runs."""
    return path[-(len(path) // 2) :].mean(axis=0)
