"""The tuning of a balanced network: theory's derivative finds what theory's value misses."""

import warnings

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fitting import balanced_network
from fitting.balanced_network import _methods as methods
from fitting.balanced_network._problem import Problem, differences, starting_at, theory_of
from fitting.balanced_network._study import CUT

pytestmark = pytest.mark.example

KEY = jax.random.key(0)


@pytest.mark.proof
def test_theory_misses_the_cv_and_its_derivative_finds_it():
    problem = Problem(starting_at(j=0.2, g=6.0, drive=1.5), n_e=400, duration=600.0)
    theory = methods.by_theory(problem, 6)
    value, derivative = theory_of(problem)
    np.testing.assert_allclose(value(jnp.asarray(theory.x)), [np.log(30.0), 0.5], rtol=2e-3)
    wiring = problem.wire(KEY)
    both = methods.by_both(problem, wiring, KEY, 6, start=jnp.asarray(theory.x))
    assert (both.runs, both.path.shape) == (6, (7, 3))
    run = methods.jitted(problem, wiring)
    missed, met = (run(jnp.asarray(x), jax.random.key(5)) for x in (theory.x, both.x))
    # The spread of a run of 600 ms of 400 neurons is about 0.01 in log rate and in CV.
    assert abs(float(missed[1]) - 0.5) > 0.1
    np.testing.assert_allclose(met, [np.log(30.0), 0.5], atol=0.05)
    seen = differences(lambda x: run(x, KEY), jnp.asarray(both.x), methods.STEP)
    np.testing.assert_allclose(derivative(jnp.asarray(both.x)), seen, rtol=0.4, atol=0.3)


def test_gauss_newton_is_exact_for_a_linear_misfit_and_keeps_its_limit():
    problem = Problem(jnp.zeros(3), rate=2.0, cv=0.3, tolerance=(1e-4, 1e-4, 1.0))
    matrix = jnp.asarray([[1.0, -1.0, 0.5], [0.2, 1.0, 0.0]])
    path = methods.gauss_newton(problem, lambda x, _: matrix @ x, lambda x, _: matrix, problem.start, 9, limit=0.1)
    assert np.max(np.abs(np.diff(path, axis=0))) <= 0.1 + 1e-12
    np.testing.assert_allclose(matrix @ path[-1], [np.log(2.0), 0.3], atol=1e-6)
    # Of all solutions the one of least norm.
    np.testing.assert_allclose(path[-1], np.linalg.pinv(matrix) @ [np.log(2.0), 0.3], atol=1e-6)


@pytest.mark.proof
def test_the_study_says_what_it_shows():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = balanced_network.run()
    seen = {name: judged.mean for name, judged in study.judged.items()}
    np.testing.assert_allclose(seen[methods.BOTH], [30.0, 0.5], rtol=0.03)
    np.testing.assert_allclose(seen[methods.DIFFERENCES], [30.0, 0.5], rtol=0.03)
    np.testing.assert_allclose(seen[methods.AFTER], [30.0, 0.5], rtol=0.1)
    assert seen[methods.THEORY][0] == pytest.approx(30.0, rel=0.05)
    assert seen[methods.THEORY][1] < 0.4
    assert abs(seen[methods.SURROGATE][1] - 0.5) > 0.1
    wanted = study.derivatives["differences of runs"][0]
    np.testing.assert_allclose(study.derivatives["theory"][0], wanted, rtol=0.3, atol=0.1)
    assert np.linalg.norm(study.derivatives[CUT][0]) > 3.0 * np.linalg.norm(wanted)
    assert "theory" in balanced_network.report(study)
    assert set(balanced_network.to_json(study)["methods"]) == set(seen)
    plt.close(balanced_network.draw(study))
