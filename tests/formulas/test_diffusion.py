"""Neurons with any drift and any noise: rate, CV, density and response against other ways to them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from jaxneuro._formulas import _diffusion
from jaxneuro.theory import (
    Ito,
    Stratonovich,
    diffusion_cv,
    diffusion_density,
    diffusion_rate,
    diffusion_response,
    lif_cv,
    lif_density,
    lif_log_rate,
    lif_rate,
    lif_response,
)

X64 = jax.config.jax_enable_x64
LINE = dict(v_th=-55.0, v_reset=-65.0, t_ref=2.0)
PULL = 0.35  # 1/ms
BASE = -62.0
WIDE = 0.15  # noise against its distance from -74 mV, 1/sqrt(ms)
CENTRE, SPREAD = -74.0, 9.0


class Leak(eqx.Module):
    mu: jax.Array
    tau: jax.Array

    def __call__(self, v):
        return (self.mu - v) / self.tau


class Flat(eqx.Module):
    size: jax.Array

    def __call__(self, v):
        return self.size + jnp.zeros_like(v)


def drift(v):
    return PULL * (BASE - v)


def noise(v):
    return WIDE * jnp.sqrt((v - CENTRE) ** 2 + SPREAD**2)


def lif(mu, sigma, tau=10.0):
    size = jnp.asarray(float(sigma)) / jnp.sqrt(jnp.asarray(float(tau)))
    return Leak(jnp.asarray(float(mu)), jnp.asarray(float(tau))), Flat(size)


def fokker_planck_rate(stratonovich):
    """The rate from the stationary Fokker-Planck equation, solved by an adaptive Runge-Kutta method from the top down.

    Q = B^2 P/2 obeys Q' = 2 A/B^2 Q - J with J = 1 above the reset potential and 0 below.
    """

    def right(v, y, flux):
        square = WIDE**2 * ((v - CENTRE) ** 2 + SPREAD**2)
        pull = PULL * (BASE - v) + (0.5 * WIDE**2 * (v - CENTRE) if stratonovich else 0.0)
        return [2.0 * pull / square * y[0] - flux, -2.0 * y[0] / square]

    options = dict(rtol=1e-13, atol=1e-30, method="DOP853")
    above = integrate.solve_ivp(right, (-55.0, -65.0), [0.0, 0.0], args=(1.0,), **options).y[:, -1]
    below = integrate.solve_ivp(right, (-65.0, -1e4), above, args=(0.0,), **options).y[1, -1]
    return 1000.0 / (2.0 + below)


@pytest.mark.skipif(not X64, reason="to 1e-9")
@pytest.mark.parametrize("convention", [Ito(), Stratonovich()], ids=["Ito", "Stratonovich"])
def test_rate_against_the_fokker_planck_equation(convention):
    rate = diffusion_rate(drift, noise, convention=convention, **LINE)
    np.testing.assert_allclose(rate, fokker_planck_rate(isinstance(convention, Stratonovich)), rtol=1e-9)


# Of a LIF neuron in white noise everything is known: from 1e-30 Hz to saturation, above and below threshold.
INPUTS = [(-60.0, 3.0), (-66.0, 3.0), (-66.0, 1.3), (-50.0, 0.5), (-75.0, 8.0), (0.0, 5.0)]


@pytest.mark.float32
@pytest.mark.parametrize(("mu", "sigma"), INPUTS)
def test_a_lif_neuron(mu, sigma):
    functions = lif(mu, sigma)
    known = dict(tau=10.0, **LINE)
    tight, loose = (1e-9, 1e-9) if X64 else (2e-4, 2e-4)
    rate = diffusion_rate(*functions, convention=Ito(), **LINE)
    np.testing.assert_allclose(np.log(rate), lif_log_rate(mu, sigma, **known), rtol=tight)
    np.testing.assert_allclose(
        diffusion_cv(*functions, convention=Ito(), **LINE), lif_cv(mu, sigma, **known), rtol=loose, atol=1e-6
    )
    v = jnp.asarray([-70.0, -65.0, -63.0, -57.0, -55.0, -50.0])
    density = diffusion_density(v, *functions, convention=Ito(), **LINE)
    np.testing.assert_allclose(density, lif_density(v, mu, sigma, **known), rtol=max(loose, 1e-8), atol=1e-12)


def test_the_least_number_of_panels():
    rate = diffusion_rate(*lif(-60.0, 3.0), convention=Ito(), n=3, **LINE)
    np.testing.assert_allclose(rate, lif_rate(-60.0, 3.0, tau=10.0, **LINE), rtol=1e-3)


@pytest.mark.float32
@pytest.mark.parametrize("mu", [-60.0, -66.0, -50.0])
def test_derivatives_of_a_lif_neuron(mu):
    def of_line(mu, reset, threshold):
        leak, flat = lif(0.0, 3.0)
        leak = Leak(mu, leak.tau)
        return diffusion_rate(leak, flat, convention=Ito(), v_th=threshold, v_reset=reset, t_ref=2.0)

    def known(mu, reset, threshold):
        return lif_rate(mu, 3.0, tau=10.0, v_th=threshold, v_reset=reset, t_ref=2.0)

    at = tuple(jnp.asarray(x) for x in (mu, -65.0, -55.0))
    seen, right = (jax.grad(f, (0, 1, 2))(*at) for f in (of_line, known))
    np.testing.assert_allclose(seen, right, rtol=1e-8 if X64 else 2e-3, atol=0.0 if X64 else 1e-9)
    forward = jax.jvp(of_line, at, (jnp.ones(()), jnp.zeros(()), jnp.zeros(())))[1]
    np.testing.assert_allclose(forward, right[0], rtol=1e-8 if X64 else 2e-3)


@pytest.mark.skipif(not X64, reason="differences of rates")
@pytest.mark.parametrize("convention", [Ito(), Stratonovich()], ids=["Ito", "Stratonovich"])
def test_derivatives_in_what_the_functions_hold(convention):
    def rate(pull, wide):
        return diffusion_rate(
            jax.tree_util.Partial(lambda p, v: p * (BASE - v), pull),
            jax.tree_util.Partial(lambda w, v: w * jnp.sqrt((v - CENTRE) ** 2 + SPREAD**2), wide),
            convention=convention,
            **LINE,
        )

    at = jnp.asarray(PULL), jnp.asarray(WIDE)
    step = 1e-5
    for k, slope in enumerate(jax.grad(rate, (0, 1))(*at)):
        up, down = (rate(*(x + s * step * (i == k) for i, x in enumerate(at))) for s in (1, -1))
        np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-6)


def test_density_is_normalised_and_its_flux_is_the_rate():
    for convention in (Ito(), Stratonovich()):
        of = dict(convention=convention, **LINE)
        nodes, weights = np.polynomial.legendre.leggauss(60)
        ends = np.array([-2000.0, -300.0, -120.0, -80.0, -65.0, -55.0])
        half = np.diff(ends)[:, None] / 2
        v = jnp.asarray(ends[:-1, None] + half * (1 + nodes))
        density = diffusion_density(v, drift, noise, **of)
        rate = diffusion_rate(drift, noise, **of)
        np.testing.assert_allclose(np.sum(half * weights * density), 1.0 - 2e-3 * rate, rtol=1e-8 if X64 else 1e-4)
        slope = jax.grad(lambda v: diffusion_density(v, drift, noise, **of))(
            jnp.asarray(-55.0 - 1e-6 * X64 - 1e-3 * (not X64))
        )
        flux = -0.5 * noise(jnp.asarray(-55.0)) ** 2 * slope
        np.testing.assert_allclose(flux, rate / 1000.0, rtol=1e-5 if X64 else 2e-2)


@pytest.mark.skipif(not X64, reason="exact")
def test_response_of_a_lif_neuron():
    hertz = jnp.asarray([0.0, 1.0, 100.0, 2000.0])
    seen = diffusion_response(*lif(-58.0, 4.0), frequency=hertz, convention=Ito(), **LINE)
    known = lif_response(2 * np.pi * hertz, -58.0, 4.0, tau=10.0, **LINE)
    np.testing.assert_allclose(seen.drift / 10.0, known.mu, rtol=1e-9)
    np.testing.assert_allclose(seen.noise, 2.0 * 4.0**2 * known.variance, rtol=1e-9)


@pytest.mark.parametrize("convention", [Ito(), Stratonovich()], ids=["Ito", "Stratonovich"])
def test_slow_response_is_the_slope_of_the_rate(convention):
    def rate(added, factor):
        return diffusion_rate(lambda v: drift(v) + added, lambda v: noise(v) * factor, convention=convention, **LINE)

    slopes = jax.grad(rate, (0, 1))(jnp.zeros(()), jnp.ones(()))
    seen = diffusion_response(drift, noise, frequency=0.0, convention=convention, **LINE)
    tight = 1e-9 if X64 else 1e-3
    np.testing.assert_allclose((seen.drift.real, seen.noise.real), slopes, rtol=tight)


@pytest.mark.skipif(not X64, reason="a rate of 1e-5 Hz")
def test_an_exponential_neuron_and_where_its_spike_is_cut():
    def seconds(peak):
        rate = diffusion_rate(
            lambda v: (-65.0 - v + 2.0 * jnp.exp((v + 55.0) / 2.0)) / 5.0,
            lambda v: 3.0 / 5.0**0.5 + 0.0 * v,
            convention=Ito(),
            v_th=peak,
            v_reset=-65.0,
            t_ref=0.0,
        )
        return 1.0 / float(rate)

    assert round(seconds(-20.0)) == 54_612
    np.testing.assert_allclose(seconds(20.0), seconds(-20.0), rtol=5e-3)


def test_a_new_number_compiles_nothing():
    calls = 0

    def counting(mu, v):
        nonlocal calls
        calls += 1
        return (mu - v) / 10.0

    def call(mu):
        return diffusion_rate(
            jax.tree_util.Partial(counting, jnp.asarray(mu)), lif(0.0, 3.0)[1], convention=Ito(), **LINE
        )

    call(-60.0)
    traced, compiled = calls, _diffusion._log_rate._cached._cache_size()
    call(-61.0)
    assert calls - traced == 2  # the check of known values, and what the function computes of one number
    assert _diffusion._log_rate._cached._cache_size() == compiled


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(convention="Ito"), "`convention` has to be `Ito"),
        (dict(convention=None), "`convention` has to be `Ito"),
        (dict(n=2), "`n` has to be a number of panels"),
        (dict(v_reset=-50.0), "`v_reset` has to lie below `v_th`"),
        (dict(v_low=-60.0), "`v_low` has to lie below `v_reset`"),
        (dict(t_ref=-1.0), "`t_ref` must not be negative"),
        (dict(v_th=np.ones(2)), "`v_th` has to be one number"),
        (dict(drift=3.0), "`drift` has to be a function"),
        (dict(noise=lambda v: 0.0 * v), "`noise` must not be 0"),
        (dict(noise=lambda v: 1.0), "`noise` has to give one value for each potential"),
        (dict(drift=lambda v: jnp.log(v)), "`drift` has to be finite"),
    ],
)
def test_refusals(as_users_run, change, says):
    arguments = dict(drift=drift, noise=noise, convention=Ito(), **LINE) | change
    functions = [arguments.pop(name) for name in ("drift", "noise")]
    with pytest.raises(ValueError, match=says):
        diffusion_rate(*functions, **arguments)
    with pytest.raises(TypeError, match="convention"):
        diffusion_rate(drift, noise, **LINE)
