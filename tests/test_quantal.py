"""The quantal mixture against numpy and scipy, and back from its own samples."""

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import integrate, optimize, stats

import jaxneuro as jn
from jaxneuro._fit._fit import _model_concerns
from jaxneuro.quantal import AmplitudeHistogram, QuantalRelease, log_normal_mass

MASS = jax.jit(log_normal_mass)


@pytest.mark.parametrize("low", [-40.0, -8.0, -0.5, 0.0, 3.0, 9.0, 39.0])
@pytest.mark.parametrize("width", [1e-6, 0.1, 3.0])
def test_mass_of_a_bin_keeps_its_digits_in_the_tails(low, width):
    with mpmath.workdps(400):  # the difference of two numbers that agree to 300 digits
        a, b = mpmath.mpf(low), mpmath.mpf(low) + mpmath.mpf(width)
        exact = float(mpmath.log(mpmath.ncdf(b) - mpmath.ncdf(a)))
    found = MASS(low, low + width)
    # Narrow bins: low + width itself is rounded, to 1e-16 |low| / width of the mass.
    np.testing.assert_allclose(found, exact, rtol=1e-13, atol=1e-14 * max(1.0, abs(low)) ** 2 / width)


def reference_log_likelihood(m, u, s1, s0, xi, low, high):
    k = np.arange(1, 60)
    spread = np.sqrt(s0**2 + k * s1**2)
    cdf = stats.norm.cdf
    mass = cdf((high[:, None] - xi - k * u) / spread) - cdf((low[:, None] - xi - k * u) / spread)
    return np.log(np.sum(stats.poisson.pmf(k, m) * mass, axis=1))


LOW = np.arange(0.2, 2.6, 0.1)
HIGH = LOW + 0.1
COUNTS = np.round(60 * np.exp(-LOW)) + 1
DATA = AmplitudeHistogram(LOW, HIGH, COUNTS, n_failures=30.0)


def test_log_likelihood_equals_numpy():
    model = QuantalRelease(m=1.7, u=0.42, sigma_1=0.11, sigma_0=0.05, xi_0=0.02)
    found = model.log_likelihood(DATA)
    expected = reference_log_likelihood(1.7, 0.42, 0.11, 0.05, 0.02, LOW, HIGH)
    np.testing.assert_allclose(found[0], -1.7, rtol=1e-15)
    np.testing.assert_allclose(found[1:], expected, rtol=1e-9)  # scipy differences plain CDFs
    truncated = AmplitudeHistogram(LOW, HIGH, COUNTS, n_failures=None)
    np.testing.assert_allclose(model.log_likelihood(truncated), expected - np.log1p(-np.exp(-1.7)), rtol=1e-9)


@pytest.mark.parametrize("mode", [jax.jacfwd, jax.jacrev], ids=["forward", "reverse"])
def test_gradient_equals_finite_differences(mode):
    def total(theta):
        return jnp.sum(DATA.counts * QuantalRelease(*theta).log_likelihood(DATA))

    theta, step = np.array([1.7, 0.42, 0.11, 0.05, 0.02]), 1e-6 * np.eye(5)
    slope, ends = jax.jit(lambda x, moved: (mode(total)(x), jax.vmap(total)(moved)))(
        theta, np.concatenate([theta + step, theta - step])
    )
    np.testing.assert_allclose(slope, (ends[:5] - ends[5:]) / 2e-6, rtol=1e-5)


def test_density_integrates_to_the_responses():
    model = QuantalRelease(m=1.3, u=0.5, sigma_1=0.1)
    # 400 nodes, of which several lie in every width of 0.1.
    area, _ = integrate.fixed_quad(lambda v: np.asarray(model.density(v)), 0.0, 8.0, n=400)
    np.testing.assert_allclose(area, 1 - np.exp(-1.3), rtol=1e-6)  # what lies below 0 is 3e-7


def test_the_mixture_of_all_trials_integrates_to_one():
    model = QuantalRelease(m=0.5, u=0.4, xi_0=0.05, sigma_0=0.03, sigma_1=0.1)
    k, v = np.arange(40), np.linspace(-0.5, 4.0, 7)
    spread = np.sqrt(0.03**2 + k * 0.1**2)
    expected = np.sum(stats.poisson.pmf(k, 0.5) * stats.norm.pdf(v[:, None], 0.05 + k * 0.4, spread), axis=1)
    np.testing.assert_allclose(model.mixture(v), expected, rtol=1e-12, atol=1e-300)
    assert float(model.mixture(0.1)) == pytest.approx(2.0154, abs=5e-5)
    line = np.linspace(-0.5, 6.0, 20_001)
    assert integrate.trapezoid(model.mixture(line), line) == pytest.approx(1.0, abs=1e-9)
    assert integrate.trapezoid(model.density(line), line) == pytest.approx(1 - np.exp(-0.5), abs=1e-4)


def test_no_number_of_quanta_is_left_out_in_silence():
    assert QuantalRelease(m=25.0).max_quanta == 200
    assert stats.poisson.sf(QuantalRelease(m=900.0).max_quanta, 900.0) < 1e-12
    low = np.arange(6.0, 14.0, 1.0)
    k = np.arange(1, 200)[:, None]
    spread = 0.1 * np.sqrt(k)
    mass = stats.norm.cdf(low + 1.0, 0.4 * k, spread) - stats.norm.cdf(low, 0.4 * k, spread)
    expected = np.log(np.sum(stats.poisson.pmf(k, 25.0) * mass, axis=0))
    data = AmplitudeHistogram(low, low + 1.0, np.ones(8), n_failures=None)
    np.testing.assert_allclose(QuantalRelease(m=25.0).log_likelihood(data), expected, rtol=1e-9)
    # Where a fit has moved to, construction does not look; the result does.
    moved = eqx.tree_at(lambda model: model.m, QuantalRelease(m=15.0, max_quanta=40), jnp.asarray(27.0))
    lost = stats.poisson.sf(40, 27.0)
    assert f"`max_quanta` of 40 leaves out {lost:.2g} of the probability" in moved.concerns()[0]
    with pytest.warns(jn.laws.OutsideTheoryWarning, match="take 200"):
        _model_concerns(moved, data)
    assert jax.jit(lambda m: QuantalRelease(m=m, max_quanta=40).density(0.4))(60.0) >= 0


def test_fit_equals_scipy():
    result = jn.fit(QuantalRelease(), DATA)

    def cost(theta):
        m, u, s1 = np.exp(theta)
        return 30.0 * m - np.sum(COUNTS * reference_log_likelihood(m, u, s1, 0.0, 0.0, LOW, HIGH))

    start = np.log([result.params[name] for name in ("m", "u", "sigma_1")]) + 0.02
    found = optimize.minimize(
        cost, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000}
    )
    np.testing.assert_allclose(list(result.params.values()), np.exp(found.x), rtol=1e-5)
    np.testing.assert_allclose(-result.log_likelihood, found.fun, rtol=1e-10)
    assert np.isnan(result.rms)


def test_sample_has_the_moments_of_the_mixture():
    model, n = QuantalRelease(m=2.3, u=0.4, sigma_1=0.08, sigma_0=0.05, xi_0=0.1), 200_000
    release = model.sample(n, key=jax.random.key(0))
    variance = 0.05**2 + 2.3 * (0.4**2 + 0.08**2)
    assert abs(release.amplitude.mean() - 0.1 - 2.3 * 0.4) < 4 * np.sqrt(variance / n)  # n = 200,000
    p = np.exp(-2.3)
    assert abs(np.mean(np.asarray(release.quanta) == 0) - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_parameters_come_back():
    truth = QuantalRelease(m=1.8, u=0.4, sigma_1=0.07)
    release = truth.sample(3000, key=jax.random.key(4))
    seen = np.asarray(release.amplitude)[np.asarray(release.quanta) > 0]
    data = AmplitudeHistogram.from_amplitudes(seen, bin_width=0.05, n_failures=3000.0 - len(seen))
    result = jn.fit(QuantalRelease(), data)
    for name, value in (("m", 1.8), ("u", 0.4), ("sigma_1", 0.07)):
        assert abs(result.params[name] - value) < 4 * result.stderr[name]  # n = 3000


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: QuantalRelease(m=-1.0), "`m` has to be positive"),
        (lambda: QuantalRelease(sigma_0=-1.0), "`sigma_0` must not be negative"),
        (lambda: QuantalRelease(max_quanta=0), "`max_quanta` has to be a whole number of at least 1; got 0"),
        (lambda: QuantalRelease(m=25.0, max_quanta=30), "`max_quanta` of 30 leaves out 0.14 of the probability"),
        (lambda: QuantalRelease(m=np.ones(2)), "`m` has to be one number"),
        (lambda: QuantalRelease().mixture(0.1), "`sigma_0` is 0"),
        (lambda: AmplitudeHistogram([0.3], [0.2], [1.0], n_failures=1), "`lower` has to be below `upper`"),
        (lambda: AmplitudeHistogram([0.3], [0.4], [-1.0], n_failures=1), "`counts` must not be negative"),
        (lambda: AmplitudeHistogram([0.3], [0.4, 0.5], [1.0], n_failures=1), "as long as each other"),
        (lambda: AmplitudeHistogram.from_amplitudes([0.3], bin_width=0.0, n_failures=1), "`bin_width` has to be"),
    ],
)
def test_wrong_values_are_named(make, match):
    with pytest.raises(ValueError, match=match):
        make()
