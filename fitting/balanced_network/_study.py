"""The methods side by side: what each costs, and what long runs with other wirings make of its answer."""

import json
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro._fit import text_table

from ._methods import (
    AFTER,
    BOTH,
    DIFFERENCES,
    HORIZON,
    STEP,
    SURROGATE,
    THEORY,
    WIDTH,
    Tuned,
    by_both,
    by_differences,
    by_surrogate,
    by_theory,
)
from ._problem import NAMES, Problem, differences, jitted, starting_at, theory_of

UNCUT = "surrogate, not cut"
CUT = f"surrogate, cut at {HORIZON:g} ms"


@dataclass(frozen=True)
class Judged:
    """(rate [Hz], CV) of long runs at what a method found, one row a wiring."""

    seen: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        return self.seen.mean(axis=0)

    @property
    def sd(self) -> np.ndarray:
        return self.seen.std(axis=0, ddof=1)


@dataclass(frozen=True)
class Study:
    """The answers of all methods, what they are worth, and the derivatives that they followed, (mean, SD over runs)."""

    problem: Problem
    tuned: dict[str, Tuned]
    judged: dict[str, Judged]
    derivatives: dict[str, tuple[np.ndarray, np.ndarray]]
    expected: np.ndarray


def tune(problem: Problem, key: Any, *, adam: int, newton: int) -> dict[str, Tuned]:
    """All five methods, over one wiring."""
    wiring = problem.wire(jax.random.fold_in(key, 0))
    theory = by_theory(problem, newton)
    there = jnp.asarray(theory.x)
    keys = jax.random.split(jax.random.fold_in(key, 1), 4)
    return {
        THEORY: theory,
        SURROGATE: by_surrogate(problem, wiring, keys[0], adam),
        AFTER: by_surrogate(problem, wiring, keys[1], adam // 2, start=there, rate=0.03),
        BOTH: by_both(problem, wiring, keys[2], newton, start=there),
        DIFFERENCES: by_differences(problem, wiring, keys[3], newton),
    }


def judge(problem: Problem, places: dict[str, np.ndarray], key: Any, wirings: int) -> dict[str, Judged]:
    """Runs at each x, over wirings and noise that no method saw."""
    seen: dict[str, list[list[float]]] = {name: [] for name in places}
    for own in jax.random.split(key, wirings):
        run = jitted(problem, problem.wire(own))
        for name, x in places.items():
            log_rate, cv = run(jnp.asarray(x), own)
            seen[name].append([float(jnp.exp(log_rate)), float(cv)])
    return {name: Judged(np.asarray(values)) for name, values in seen.items()}


def derivatives_at(problem: Problem, x: np.ndarray, key: Any, runs: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """d(log rate, CV)/dx by theory, by differences of runs and by surrogates, cut and not."""
    wiring, at = problem.wire(jax.random.fold_in(key, 0)), jnp.asarray(x)
    run, keys = jitted(problem, wiring), jax.random.split(key, runs)

    def soft(horizon: float | None) -> list[Any]:
        slope = jax.jit(jax.jacrev(lambda x, k: problem.soft(x, k, wiring, horizon, WIDTH)))
        return [slope(at, k) for k in keys]

    found = {
        "theory": [theory_of(problem)[1](at)],
        "differences of runs": [differences(lambda x: run(x, k), at, STEP) for k in keys],
        CUT: soft(HORIZON),
        UNCUT: soft(None),
    }
    return {name: _mean_and_sd(np.asarray(values)) for name, values in found.items()}


def _mean_and_sd(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.max(np.abs(values))  # the square of an uncut derivative overflows
    return scale * np.mean(values / scale, axis=0), scale * np.std(values / scale, axis=0)


def run(problem: Problem | None = None, *, adam: int = 60, newton: int = 8, wirings: int = 4, seed: int = 0) -> Study:
    """Tunes, judges, and compares the derivatives at the answer of both."""
    problem = Problem(starting_at()) if problem is None else problem
    key = jax.random.key(seed)
    tuned = tune(problem, key, adam=adam, newton=newton)
    places = {"start": np.asarray(problem.start), **{name: t.x for name, t in tuned.items()}}
    judged = judge(problem, places, jax.random.fold_in(key, 2), wirings)
    slopes = derivatives_at(problem, tuned[BOTH].x, jax.random.fold_in(key, 3), wirings)
    value, _ = theory_of(problem)
    expected = np.asarray(value(jnp.asarray(tuned[THEORY].x)))
    return Study(problem, tuned, judged, slopes, np.asarray([np.exp(expected[0]), expected[1]]))


def to_json(study: Study) -> dict[str, Any]:
    """Everything that the report says, as numbers."""
    methods = {}
    for name, judged in study.judged.items():
        entry: dict[str, Any] = {
            "rate": judged.mean[0], "rate_sd": judged.sd[0], "cv": judged.mean[1], "cv_sd": judged.sd[1],
        }  # fmt: skip
        if name in study.tuned:
            t = study.tuned[name]
            entry |= {"runs": t.runs, "surrogate_gradients": t.gradients, "seconds": t.seconds}
            entry |= dict(zip(NAMES, np.exp(t.x).tolist(), strict=True))
        methods[name] = entry
    slopes = {name: {"mean": m.tolist(), "sd": sd.tolist()} for name, (m, sd) in study.derivatives.items()}
    targets = {"rate": study.problem.rate, "cv": study.problem.cv}
    return json.loads(json.dumps({"targets": targets, "methods": methods, "derivatives": slopes}, default=float))


def report(study: Study) -> str:
    """Everything as text."""
    problem, rows = study.problem, []
    for name, judged in study.judged.items():
        (rate, cv), (rate_sd, cv_sd) = judged.mean, judged.sd
        t = study.tuned.get(name)
        x = np.exp(problem.start if t is None else t.x)
        cost = ["", "", ""] if t is None else [str(t.runs), str(t.gradients), f"{t.seconds:.0f}"]
        numbers = [f"{v:.3g}" for v in x]
        rows.append([name, *numbers, f"{rate:.1f} +- {rate_sd:.1f}", f"{cv:.3f} +- {cv_sd:.3f}", *cost])
    heads = ["method", "J, mV", *NAMES[1:], "rate, Hz", "CV", "runs", "gradients", "s"]
    slopes = [
        [name, *(f"{m:.3g} ({sd:.2g})" for m, sd in zip(mean.ravel(), sds.ravel(), strict=True))]
        for name, (mean, sds) in study.derivatives.items()
    ]
    by = [f"{what} by {name}" for what in ("log rate", "CV") for name in ("J", "g", "drive")]
    runs = len(study.judged[THEORY].seen)
    n = problem.n_e + problem.n_e // 4
    return "\n\n".join(
        [
            f"A BALANCED NETWORK of {n:,} neurons, tuned to {problem.rate:g} Hz and a CV of {problem.cv:g}",
            "Two targets and three unknowns: of the networks that meet both the one nearest to the start in log J, "
            "log g\nand log drive is wanted. "
            f"A run lasts {problem.duration:g} ms, one that is differentiated {problem.differentiated:g} ms; answers "
            f"are judged\nby {runs} runs with other wirings (+- SD).",
            text_table(heads, rows),
            f"The mean field expects {study.expected[0]:.1f} Hz and {study.expected[1]:.3f} at its own answer: its "
            "input is Poisson noise,\nthe network's is not. Seconds include compilation; those of theory come on top "
            "of\nthe two that start at its answer.",
            "Derivatives of (log rate, CV) by the logarithms of the unknowns, at the answer of theory's derivative "
            "with simulated\nmisfits: mean (SD over runs)",
            text_table(["way", *by], slopes),
        ]
    )
