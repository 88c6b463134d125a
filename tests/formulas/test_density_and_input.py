"""Density, Kramers' form, Poisson input and the free membrane, against closed forms, quadrature and simulation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special

from jaxneuro._formulas._density import _scaled_integral
from jaxneuro.theory import kramers_rate, lif_cv, lif_density, lif_rate, ou_moments, poisson_input

FLOAT = jnp.result_type(float)
EPS = float(jnp.finfo(FLOAT).eps)
NEURON = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}
REGIMES = [(18.0, 5.0), (0.0, 5.0), (30.0, 1.0), (5.0, 40.0), (20.0, 0.5), (60.0, 30.0)]


@pytest.mark.parametrize(("mu", "sigma"), REGIMES)
def test_density_is_the_printed_integral(mu, sigma):
    v = np.concatenate([np.linspace(mu - 2 * sigma, 20.0, 7)[:-1], [10.0, 15.0, 19.9]])
    v = v[v < 20.0]
    rate = float(lif_rate(mu, sigma, **NEURON)) / 1000.0

    def printed(potential):
        y, low, high = ((x - mu) / sigma for x in (potential, max(potential, 10.0), 20.0))
        inner = integrate.quad(lambda x: np.exp(x * x - y * y), low, high, epsabs=0, epsrel=1e-12)[0]
        return 2.0 * rate * 20.0 / sigma * inner

    np.testing.assert_allclose(lif_density(v, mu, sigma, **NEURON), [printed(x) for x in v], rtol=1e-10)


@pytest.mark.parametrize(("mu", "sigma"), REGIMES)
def test_density_integrates_to_the_time_outside_refractoriness(mu, sigma):
    low = min(mu, 10.0) - 12 * sigma
    nodes, weights = np.polynomial.legendre.leggauss(160)  # the error is 1e-13; 2,000 take NumPy seconds
    total = 0.0
    for a, b in ((low, 10.0), (10.0, 20.0)):
        v = 0.5 * (a + b) + 0.5 * (b - a) * nodes
        total += float(np.sum(0.5 * (b - a) * weights * lif_density(v, mu, sigma, **NEURON)))
    assert total == pytest.approx(1.0 - 2e-3 * float(lif_rate(mu, sigma, **NEURON)), rel=1e-10)


@pytest.mark.float32
def test_density_at_and_beyond_the_threshold_is_zero_and_its_flux_is_the_rate():
    beyond = lif_density(np.array([20.0, 25.0]), 18.0, 5.0, **NEURON)
    assert np.all(np.asarray(beyond) == 0.0)
    # The flux through the threshold: nu = -(sigma^2 / (2 tau)) dP/dV.
    slope = jax.grad(lambda v: lif_density(v, 18.0, 5.0, **NEURON))(20.0 - 1e-4)
    assert -1000.0 * 25.0 / 40.0 * float(slope) == pytest.approx(float(lif_rate(18.0, 5.0, **NEURON)), rel=1e-3)


def of_three(x):
    return lif_density(x[0], x[1], x[2], **NEURON)


def test_density_has_its_slopes_in_both_modes():
    both, forward = (jax.jit(jax.vmap(f)) for f in (jax.value_and_grad(of_three), jax.jacfwd(of_three)))
    x = jnp.asarray([[v, 15.0, 4.0] for v in (-3.0, 12.0, 18.0)])
    reverse = both(x)[1]
    np.testing.assert_allclose(forward(x), reverse, rtol=1e-12)
    for i, shift in enumerate(1e-5 * np.eye(3)):
        np.testing.assert_allclose(reverse[:, i], (both(x + shift)[0] - both(x - shift)[0]) / 2e-5, atol=1e-9)


@pytest.mark.proof
def test_density_derivatives():
    value, reverse, forward = (jax.jit(jax.vmap(f)) for f in (of_three, jax.grad(of_three), jax.jacfwd(of_three)))
    x = jnp.asarray([[v, 15.0, 4.0] for v in (-3.0, 12.0, 18.0)])
    curvature = jax.jit(jax.vmap(jax.hessian(of_three)))(x)
    np.testing.assert_allclose(forward(x), reverse(x), rtol=1e-12)
    for i in range(3):
        shift = 1e-5 * jnp.eye(3)[i]  # central differences: 1e-10 from the third derivative, 1e-11 from rounding
        np.testing.assert_allclose(reverse(x)[:, i], (value(x + shift) - value(x - shift)) / 2e-5, atol=1e-9)
        np.testing.assert_allclose(curvature[:, i], (reverse(x + shift) - reverse(x - shift)) / 2e-5, atol=1e-9)


@pytest.mark.float32
def test_density_is_finite_with_finite_gradients():
    v, mu, sigma = (
        jnp.asarray(x.ravel(), FLOAT)
        for x in np.meshgrid(
            [-1e3, 0.0, 9.0, 10.0, 11.0, 19.99, 20.0, 30.0], [-1e3, 0.0, 10.0, 20.0, 1e3], np.logspace(-3, 3, 7)
        )
    )
    value, slopes = jax.vmap(jax.value_and_grad(lambda *x: lif_density(*x, **NEURON), (0, 1, 2)))(v, mu, sigma)
    assert bool(jnp.all(jnp.isfinite(value) & (value >= 0.0)))
    assert all(bool(jnp.all(jnp.isfinite(slope))) for slope in slopes)


def test_density_refuses_no_noise():
    with pytest.raises(ValueError, match="`sigma`"):
        lif_density(15.0, 18.0, 0.0, **NEURON)
    with pytest.raises(ValueError, match="`v`"):
        lif_density(np.nan, 18.0, 1.0, **NEURON)
    assert np.isnan(jax.jit(lambda s: lif_density(15.0, 18.0, s, **NEURON))(0.0))


@pytest.mark.parametrize("b", [5.0, 10.0, 20.0])
def test_lif_rate_tends_to_kramers(b):
    ratio = kramers_rate(20.0 - 2.0 * b, 2.0, tau=20.0, v_th=20.0, t_ref=2.0) / lif_rate(20.0 - 2.0 * b, 2.0, **NEURON)
    # The next terms of Dawson's integral: 1 + 1/(2 b^2) + 3/(4 b^4); the reset contributes exp(-(b^2 - a^2)).
    assert float(ratio) - 1.0 == pytest.approx(1 / (2 * b**2), rel=6 / b**2)


@pytest.mark.float32
def test_kramers_form():
    b = 3.0
    wanted = 1000.0 / (2.0 + 20.0 * np.sqrt(np.pi) * np.exp(b * b) / b)
    assert float(kramers_rate(8.0, 4.0, tau=20.0, v_th=20.0, t_ref=2.0)) == pytest.approx(wanted, rel=50 * EPS)
    slope = jax.grad(lambda s: kramers_rate(-1e6, s, tau=20.0, v_th=20.0, t_ref=2.0))(1e-6)
    assert np.isfinite(slope)
    with pytest.raises(ValueError, match="`mu`"):
        kramers_rate(20.0, 4.0, tau=20.0, v_th=20.0, t_ref=2.0)
    with pytest.raises(ValueError, match="`sigma`"):
        kramers_rate(10.0, 0.0, tau=20.0, v_th=20.0, t_ref=2.0)
    assert np.isnan(jax.jit(lambda m: kramers_rate(m, 4.0, tau=20.0, v_th=20.0, t_ref=2.0))(21.0))


def test_poisson_input_against_counts():
    """n = 20,000 windows; |z| < 4 for mean and variance."""
    n, generator = 20_000, np.random.default_rng(1)
    drive = poisson_input(800, 200, j=0.2, g=4.5, rate=7.0, tau_m=15.0, t=40.0)
    excitatory = generator.poisson(800 * 7e-3 * 40.0, n)
    inhibitory = generator.poisson(200 * 7e-3 * 40.0, n)
    total = 15.0 * 0.2 * (excitatory - 4.5 * inhibitory)
    mean, variance = float(drive.mean), float(drive.variance)
    assert abs(total.mean() - mean) < 4 * np.sqrt(variance / n)
    assert abs(total.var() - variance) < 4 * variance * np.sqrt(2 / n)


@pytest.mark.float32
def test_poisson_input_scales():
    drive = poisson_input(np.array([100.0, 1_000.0]), 250, 0.1, 5.0, 20.0, 20.0, 50.0)
    np.testing.assert_allclose(drive.mean, drive.mu * 50.0, rtol=4 * EPS)
    np.testing.assert_allclose(drive.variance, drive.sigma**2 * 20.0 * 50.0, rtol=8 * EPS)
    np.testing.assert_allclose(drive.mu, 20.0 * 0.1 * (np.array([100.0, 1_000.0]) - 1_250.0) * 0.02, rtol=8 * EPS)
    with pytest.raises(ValueError, match="`c_i`"):
        poisson_input(1, -1, 0.1, 5.0, 20.0, 20.0, 50.0)


@pytest.mark.float32
def test_ou_moments_obey_their_equations():
    at = {"mu": 15.0, "sigma": 5.0, "tau": 20.0, "v_0": -70.0, "e_l": -65.0}
    t = jnp.asarray(7.0, FLOAT)
    now = ou_moments(t, **at, lag=3.0)
    # tau dm/dt = e_l + mu - m, tau dvar/dt = sigma^2 - 2 var, and the covariance falls with the lag.
    slope = jax.jacfwd(lambda x: ou_moments(x, **at))(t)
    tolerance = 1e3 * EPS
    assert 20.0 * float(slope.mean) == pytest.approx(-50.0 - float(now.mean), rel=tolerance)
    assert 20.0 * float(slope.variance) == pytest.approx(25.0 - 2.0 * float(now.variance), rel=tolerance)
    assert float(now.autocovariance) == pytest.approx(np.exp(-0.15) * float(now.variance), rel=tolerance)
    start, end = ou_moments(0.0, **at), ou_moments(1e5, **at)
    assert (float(start.mean), float(start.variance)) == (-70.0, 0.0)
    assert (float(end.mean), float(end.variance)) == pytest.approx((-50.0, 12.5))
    with pytest.raises(ValueError, match="`lag`"):
        ou_moments(1.0, **at, lag=-1.0)


def test_ou_moments_against_exact_steps():
    """n = 50,000 paths in exact steps of the process; |z| < 4."""
    n, generator, decay = 50_000, np.random.default_rng(2), np.exp(-0.1)
    v = np.full(n, 3.0)
    seen = {}
    for step in range(1, 16):
        v = 12.0 + (v - 12.0) * decay + 4.0 / np.sqrt(2) * np.sqrt(1 - decay**2) * generator.standard_normal(n)
        seen[step] = v
    wanted = ou_moments(10.0, mu=12.0, sigma=4.0, tau=10.0, v_0=3.0, lag=5.0)
    variance = float(wanted.variance)
    assert abs(seen[10].mean() - float(wanted.mean)) < 4 * np.sqrt(variance / n)
    assert abs(seen[10].var() - variance) < 4 * variance * np.sqrt(2 / n)
    covariance = np.mean((seen[10] - seen[10].mean()) * (seen[15] - seen[15].mean()))
    spread = np.sqrt((seen[10].var() * seen[15].var() + covariance**2) / n)
    assert abs(covariance - float(wanted.autocovariance)) < 4 * spread


@pytest.mark.slow
def test_rate_and_cv_against_first_passages():
    """4,000 neurons, exact steps of 0.01 ms with the chance of an unseen crossing between two steps; |z| < 4."""
    n, dt, tau, sigma, mu = 4_000, 0.01, 20.0, 5.0, 20.0
    generator, decay = np.random.default_rng(3), np.exp(-dt / tau)
    spread = sigma / np.sqrt(2) * np.sqrt(1 - decay**2)
    v, first = np.full(n, 10.0), np.full(n, np.nan)
    for step in range(1, 60_001):
        new = mu + (v - mu) * decay + spread * generator.standard_normal(n)
        # Brownian bridge between two points below the threshold: exp(-2 x y / (sigma^2 dt / tau)).
        unseen = np.exp(-2 * np.maximum(20.0 - v, 0) * np.maximum(20.0 - new, 0) / (sigma**2 * dt / tau))
        fired = (new >= 20.0) | (generator.random(n) < unseen)
        fresh = fired & np.isnan(first)
        first[fresh] = (step - 0.5) * dt
        v = np.where(fired, 10.0, new)
        if not np.isnan(first).any():
            break
    intervals = first + 2.0
    mean, cv = intervals.mean(), intervals.std() / intervals.mean()
    wanted, wanted_cv = 1000.0 / float(lif_rate(mu, sigma, **NEURON)), float(lif_cv(mu, sigma, **NEURON))
    assert abs(mean - wanted) < 4 * wanted * wanted_cv / np.sqrt(n)
    # The standard error of a CV near 0.58 is about 0.58 / sqrt(2 n) * 1.2 = 0.008 for these skewed intervals.
    assert abs(cv - wanted_cv) < 0.03


def test_scaled_integral():
    """int exp(x^2) on either side of 0 and across it, against scipy's erfi."""
    for low, high in ((-3.0, -2.0), (-2.0, 0.5), (-0.5, 2.0), (1.0, 1.0001), (0.0, 1.0), (-1.0, 0.0)):
        wanted = np.sqrt(np.pi) / 2 * (special.erfi(high) - special.erfi(low)) * np.exp(-max(low**2, high**2))
        got = _scaled_integral(*(jnp.asarray(x) for x in (low, high, high - low)))
        assert float(got) == pytest.approx(wanted, rel=1e-10)
