"""Gauss-Newton from Python: the least squares of NumPy, one evaluation a step, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn

X, Y = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.1, 4.9, 7.2, 8.8])
LINE = jn.loss.LeastSquares(lambda model, data: data[1] - model["a"] - model["b"] * data[0])


def start(a=0.0, b=1.0):
    return {"a": jnp.array(a), "b": jnp.array(b)}


@pytest.fixture(scope="module")
def line():
    return jn.fit(start(), (X, Y), loss=LINE, optimiser=jn.optimiser.GaussNewton(), starts=1)


def test_a_line_is_that_of_numpy_with_its_errors(line):
    (b, a), covariance = np.polyfit(X, Y, 1, cov=True)
    np.testing.assert_allclose([line.params["a"], line.params["b"]], [a, b], rtol=1e-10)
    errors = np.sqrt(np.diag(covariance))[::-1]
    np.testing.assert_allclose([line.stderr["a"], line.stderr["b"]], errors, rtol=1e-10)


def test_the_model_is_called_once_a_step_and_never_for_a_start_that_was_not_asked_for():
    calls = []

    def residuals(model, data):
        calls.append(model)
        return data[1] - model["a"] - model["b"] * data[0]

    jn.fit(start(), (X, Y), loss=jn.loss.LeastSquares(residuals), optimiser=jn.optimiser.GaussNewton(), starts=1)
    # The loss is read once for its shapes, and called at the start, at the solution, and once more for the errors; a
    # function is held as what it computes, so that it runs in Python once.
    assert len(calls) <= 4


def test_a_step_that_overshoots_is_halved():
    # From 3, a full step for arctan goes to -9.5 and on to infinity.
    arctan = jn.loss.LeastSquares(lambda model, data: jnp.arctan(model["x"] - data))
    fit = jn.fit({"x": jnp.array(3.0)}, jnp.zeros(4), loss=arctan, optimiser=jn.optimiser.GaussNewton(), starts=1)
    assert abs(fit.params["x"]) < 1e-3


def test_refits_leave_each_out_in_turn(line):
    scores = jn.compare({"line": line})
    kept = [np.polyfit(np.delete(X, i), np.delete(Y, i), 1) for i in range(5)]
    own = np.array([Y[i] - np.polyval(c, X[i]) for i, c in enumerate(kept)])
    variance = np.array([np.mean((np.delete(Y, i) - np.polyval(c, np.delete(X, i))) ** 2) for i, c in enumerate(kept)])
    expected = np.sum(-0.5 * own**2 / variance - 0.5 * np.log(2.0 * np.pi * variance))
    np.testing.assert_allclose(scores.loo, [expected], rtol=1e-6)


def test_four_points_on_a_line_with_scatter_leave_none_to_spare(as_users_run):
    four = jn.fit(start(), (X[:4], Y[:4]), loss=LINE, optimiser=jn.optimiser.GaussNewton(), starts=1)
    with pytest.raises(RuntimeError, match="leave-one-out needs 5 observations for 3 parameters; there are 4"):
        jn.leave_one_out(four)


def test_what_an_optimiser_is_told_is_part_of_the_program():
    """None of it is a leaf, which a transformation could take from Python."""
    kinds = jn.optimiser
    for optimiser in (kinds.GaussNewton(), kinds.LevenbergMarquardt(), kinds.QuasiNewton(), kinds.Optax(optax.sgd(1))):
        assert jax.tree.leaves(optimiser) == []


def test_a_step_of_optax_follows_the_slope_of_the_mean_loss():
    """From a = 0, b = 1 the residuals are 0, 1.1, ... in the order of X: half their mean square has a slope."""
    step = jn.optimiser.Optax(optax.sgd(0.1), steps=1)
    found = jn.fit(start(), (X, Y), loss=LINE, optimiser=step, starts=1, throw=False)
    residuals = Y - X
    assert found.params["a"] == pytest.approx(0.1 * np.mean(residuals), rel=1e-6)
    assert found.params["b"] == pytest.approx(1.0 + 0.1 * np.mean(residuals * X), rel=1e-6)


def test_without_refits_there_is_aicc_alone(line):
    alone = jn.compare({"line": line}, refit=False)
    assert np.isnan(alone.loo).all()
    assert alone.aicc[0] == line.aicc
    assert "`refit` is False" in repr(alone)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [({"tolerance": 0.0}, "`tolerance` has to be positive"), ({"max_steps": 0}, "`max_steps` has to be")],
)
def test_numbers_out_of_range_are_refused(how, sentence):
    with pytest.raises(ValueError, match=sentence):
        jn.optimiser.GaussNewton(**how)


def test_a_likelihood_is_refused():
    likelihood = jn.loss.Likelihood(lambda model, data: -((data[1] - model["a"]) ** 2))
    with pytest.raises(ValueError, match=r"GaussNewton needs a least-squares `loss`"):
        jn.fit(start(), (X, Y), loss=likelihood, optimiser=jn.optimiser.GaussNewton(), starts=1)


def test_a_start_without_a_value_is_said():
    broken = jn.loss.LeastSquares(lambda model, data: jnp.log(model["a"] - 1.0) + data)
    with pytest.raises(RuntimeError, match="dict"):
        jn.fit({"a": jnp.array(0.0)}, jnp.zeros(4), loss=broken, optimiser=jn.optimiser.GaussNewton(), starts=1)
