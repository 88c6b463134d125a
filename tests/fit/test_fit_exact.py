"""Fits against closed forms and against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import optimize, special, stats

import jaxneuro as jn
from jaxneuro._fit._quantiles import student_975
from jaxneuro.laws import ConductanceScaling, CurrentScaling, PowerLaw, PSPTable


def make_table(n=60, seed=0, spread=0.3, law=None):
    law = CurrentScaling() if law is None else law
    rng = np.random.default_rng(seed)
    k = np.rint(np.exp(rng.uniform(np.log(50), np.log(1000), n)))
    inhibitory = np.arange(n) % 2 == 0
    return PSPTable(k, np.asarray(law(k, inhibitory=inhibitory)) * np.exp(spread * rng.normal(size=n)), inhibitory)


DATA = make_table()


def regression(data):
    """Ordinary least squares of log J on (1, log K, kind): coefficients, covariance, residuals."""
    design = np.stack([np.ones(len(data)), np.log(data.n_connections), np.asarray(data.inhibitory, float)], axis=1)
    y = np.log(np.asarray(data.psp))
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    residuals = y - design @ coefficients
    variance = residuals @ residuals / (len(y) - 3)
    return coefficients, variance * np.linalg.inv(design.T @ design), residuals


def test_power_law_is_linear_regression_with_its_exact_intervals():
    result = jn.fit(PowerLaw(), DATA)
    (c, slope, log_g), covariance, residuals = regression(DATA)
    t = stats.t.ppf(0.975, len(DATA) - 3)
    # 1e-6: the solver stops where a step changes the residuals by 1e-7
    np.testing.assert_allclose(
        [result.params["j0"], result.params["beta"], result.params["g"]], [np.exp(c), -slope, np.exp(log_g)], rtol=1e-6
    )
    se = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(result.ci95["beta"], [-slope - t * se[1], -slope + t * se[1]], rtol=1e-6)
    np.testing.assert_allclose(result.ci95["j0"], np.exp([c - t * se[0], c + t * se[0]]), rtol=1e-6)
    np.testing.assert_allclose(result.stderr["beta"], se[1], rtol=1e-6)
    n, rss = len(DATA), residuals @ residuals
    log_likelihood = stats.norm.logpdf(residuals, scale=np.sqrt(rss / n)).sum()
    np.testing.assert_allclose(result.log_likelihood, log_likelihood, rtol=1e-9)
    np.testing.assert_allclose(result.aicc, -2 * log_likelihood + 8 + 40 / (n - 5), rtol=1e-9)
    # The band of the mean at a new K is that of the regression.
    x = np.array([1.0, np.log(1e4), 0.0])
    half = t * np.sqrt(x @ covariance @ x)
    found = result.predict(10_000)
    np.testing.assert_allclose(
        [found.low, found.high], np.exp(c + slope * np.log(1e4) + half * np.array([-1, 1])), rtol=1e-6
    )
    # Leave-one-out of a linear regression: e_i / (1 - h_i).
    design = np.stack([np.ones(n), np.log(DATA.n_connections), np.asarray(DATA.inhibitory, float)], axis=1)
    hat = np.einsum("ij,jk,ik->i", design, np.linalg.inv(design.T @ design), design)
    left_out = residuals / (1 - hat)
    variance = (rss - residuals * left_out) / (n - 1)
    expected = stats.norm.logpdf(left_out, scale=np.sqrt(variance))
    np.testing.assert_allclose(jn.leave_one_out(result).pointwise, expected, rtol=1e-4)  # refits stop at 1e-5


def by_hand(design, y):
    """AICc of a regression, and the log density of each observation under the regression of all others."""
    n, k = design.shape
    rss = np.linalg.lstsq(design, y, rcond=None)[1][0]
    log_likelihood = -0.5 * n * (np.log(2 * np.pi * rss / n) + 1)
    k += 1  # the scatter
    aicc = -2 * log_likelihood + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    scores = []
    for left in range(n):
        others = np.arange(n) != left
        coefficients = np.linalg.lstsq(design[others], y[others], rcond=None)[0]
        scale = np.sqrt(np.mean((y[others] - design[others] @ coefficients) ** 2))
        scores.append(stats.norm.logpdf(y[left] - design[left] @ coefficients, scale=scale))
    return aicc, np.array(scores)


def test_a_comparison_is_that_of_refits_by_hand():
    found = jn.compare({"power": jn.fit(PowerLaw(), DATA), "current": jn.fit(CurrentScaling(), DATA)})
    log_k, kind = np.log(DATA.n_connections), np.asarray(DATA.inhibitory, float)
    y, one = np.log(np.asarray(DATA.psp)), np.ones(len(DATA))
    known = {
        "power": by_hand(np.stack([one, log_k, kind], axis=1), y),
        "current": by_hand(np.stack([one, kind], axis=1), y + 0.5 * log_k),
    }
    order = sorted(known, key=lambda name: known[name][0])
    assert found.names == tuple(order)
    aicc = np.array([known[name][0] for name in order])
    relative = np.exp(-(aicc - aicc.min()) / 2)
    np.testing.assert_allclose(found.aicc, aicc, rtol=1e-8)
    np.testing.assert_allclose(found.delta_aicc, aicc - aicc.min(), atol=1e-6)
    np.testing.assert_allclose(found.weight, relative / relative.sum(), rtol=1e-5)
    scores = [known[name][1] for name in order]
    differences = [s - scores[0] for s in scores]
    np.testing.assert_allclose(found.loo, [s.sum() for s in scores], rtol=1e-4)  # refits stop at 1e-5
    np.testing.assert_allclose(found.delta_loo, [d.sum() for d in differences], atol=1e-3)
    se = [np.sqrt(len(d) * np.sum((d - d.mean()) ** 2) / (len(d) - 1)) for d in differences]
    np.testing.assert_allclose(found.delta_loo_se, se, rtol=1e-3, atol=1e-9)
    assert se[1] > 0.1


def scipy_conductance(data, tau_bar=None):
    def residuals(theta):
        v, g = np.exp(theta[:2])
        tau = 1 / (1 + g) if tau_bar is None else tau_bar
        # log(tau/(sqrt(a) v)) + v^2/a = log K, with y = v^2/a: 2 y exp(2 y) = 2 (K v^2/tau)^2.
        k = np.asarray(data.n_connections)
        y = 0.5 * special.lambertw(2.0 * (k * v**2 / tau) ** 2).real
        law = np.where(data.inhibitory, 20 * g, 60.0) * v**2 / y
        return np.log(data.psp) - np.log(law)

    return optimize.least_squares(residuals, np.log([0.283, 3.4]), xtol=1e-12, ftol=1e-12, gtol=1e-12)


def test_conductance_law_equals_scipy():
    result, reference = jn.fit(ConductanceScaling(), DATA), scipy_conductance(DATA)
    np.testing.assert_allclose([result.params["v_bar"], result.params["g"]], np.exp(reference.x), rtol=1e-6)
    rss = 2 * reference.cost
    covariance = np.linalg.inv(reference.jac.T @ reference.jac) * rss / (len(DATA) - 2)
    errors = np.exp(reference.x) * np.sqrt(np.diag(covariance))
    np.testing.assert_allclose([result.stderr["v_bar"], result.stderr["g"]], errors, rtol=1e-4)  # scipy differences
    predicted = np.where(DATA.inhibitory, result.model.inhibitory(DATA.n_connections), result.model(DATA.n_connections))
    np.testing.assert_allclose(result.rms, np.sqrt(np.mean((DATA.psp - predicted) ** 2)), rtol=1e-12)


OPTIMISERS = [
    jn.optimiser.QuasiNewton(),
    jn.optimiser.Optax(optax.adam(0.05), steps=1500),
    jn.optimiser.Optax(optax.lbfgs(), steps=50),
]


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=["bfgs", "adam", "lbfgs"])
def test_optimisers_agree(optimiser):
    expected = jn.fit(CurrentScaling(), DATA)
    result = jn.fit(CurrentScaling(), DATA, optimiser=optimiser, starts=2)
    for name in expected.params:
        np.testing.assert_allclose(result.params[name], expected.params[name], rtol=1e-4)  # what adam reaches


def test_log_normal_likelihood_has_the_same_fit_and_scatter():
    squares, likelihood = (
        jn.fit(CurrentScaling(), DATA),
        jn.fit(CurrentScaling(), DATA, loss=jn.loss.LogNormalScatter()),
    )
    np.testing.assert_allclose(likelihood.params["j0"], squares.params["j0"], rtol=1e-5)
    np.testing.assert_allclose(likelihood.log_likelihood, squares.log_likelihood, rtol=1e-9)
    np.testing.assert_allclose(likelihood.aicc, squares.aicc, rtol=1e-9)
    np.testing.assert_allclose(likelihood.params["scatter"], np.sqrt(2 * squares.value / len(DATA)), rtol=1e-5)
    shrunk = np.sqrt((len(DATA) - 2) / len(DATA))  # maximum likelihood divides by n
    np.testing.assert_allclose(likelihood.stderr["j0"], squares.stderr["j0"] * shrunk, rtol=1e-4)


def test_profile_of_a_linear_parameter_is_its_interval():
    result = jn.fit(PowerLaw(), DATA)
    found = result.profile("beta", points=21)
    (_, slope, _), covariance, _ = regression(DATA)
    half = stats.t.ppf(0.975, len(DATA) - 3) * np.sqrt(covariance[1, 1])
    np.testing.assert_allclose(found.ci95, [-slope - half, -slope + half], rtol=1e-4)
    assert found.deviance.min() >= -1e-9


def test_bootstrap_of_the_mean_has_the_closed_form():
    x = np.random.default_rng(1).normal(3.0, 2.0, 40)
    loss = jn.loss.LeastSquares(lambda model, data: data - model["mean"])
    result = jn.fit({"mean": jnp.asarray(0.0)}, jnp.asarray(x), loss=loss, bootstrap=4000, key=jax.random.key(3))
    np.testing.assert_allclose(result.params["mean"], x.mean(), rtol=1e-7)
    np.testing.assert_allclose(result.stderr["mean"], x.std(ddof=1) / np.sqrt(40), rtol=1e-7)
    samples = result.bootstrap.samples["mean"]
    exact = x.std() / np.sqrt(40)
    assert abs(samples.mean() - x.mean()) < 4 * exact / np.sqrt(4000)
    assert abs(samples.std() / exact - 1) < 4 / np.sqrt(2 * 4000)
    # The interval is that of NumPy's own resampling: the density at a 2.5% point is 0.0584 over the spread, n = 4,000.
    own = np.random.default_rng(5).choice(x, (200_000, 40)).mean(axis=1)
    tolerance = 4 * np.sqrt(0.025 * 0.975 / 4000) / 0.0584 * exact
    np.testing.assert_allclose(result.bootstrap.ci95["mean"], np.quantile(own, [0.025, 0.975]), atol=tolerance)


@pytest.mark.parametrize("dof", [1, 2, 3, 4, 7, 30, 237, 9_999, 20_000])
def test_student_quantile(dof):
    np.testing.assert_allclose(student_975(dof), stats.t.ppf(0.975, dof), rtol=1e-7)


@pytest.mark.float32
def test_float32_fit_is_near():
    law = jn.fit(ConductanceScaling(), make_table(n=100))
    assert abs(np.log(law.params["v_bar"] / 0.28)) < 0.3
    assert np.isfinite(law.aicc)


def test_of_several_minima_the_lowest_is_the_fit():
    """(a^2 - 1)^2 + 0.09 (a - 1)^2: 0 at 1, and 0.35 at another minimum, where a start below 0 ends."""
    loss = jn.loss.LeastSquares(lambda model, data: jnp.stack([model["a"] ** 2 - 1.0, 0.3 * (model["a"] - 1.0), data]))
    found = jn.fit({"a": jnp.asarray(-0.9)}, jnp.asarray(0.0), loss=loss, starts=16, spread=2.0, progress=False)
    np.testing.assert_allclose(found.theta, [1.0], rtol=1e-5)
