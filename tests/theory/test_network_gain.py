"""Gains of networks with conductances at strong coupling, against the printed equations in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import jaxneuro as jn
from jaxneuro.theory import EffectiveNoise, ItoNoise, ShotNoise, linear_gain, network_gain, scale_efficacy

X64 = jax.config.jax_enable_x64
NET = dict(a=5e-4, k=1e5, gamma=0.25)
MODEL_B = NET | dict(g=(20.0, 19.0))


def moments(r_e, r_i, g, a, k):
    """tau nu_X, mu and sigma^2 of (5) without leak, gamma 1/4."""
    tau = 1.0 / (a * k * (r_e + r_i * g * 0.25))
    mu = tau * a * k * r_i * g * 0.25 * -75.0
    return tau, mu, a**2 * k * tau * (r_e * mu**2 + g**2 * 0.25 * r_i * (mu + 75.0) ** 2)


def time_by_10(rho, g, a=5e-4, k=1e5):
    """nu_X T by equation (10), Gauss and Legendre over erfcx."""
    tau, mu, variance = moments(1.0 + rho, rho, g, a, k)
    low, top = ((v - mu) / np.sqrt(variance) for v in (-65.0, -55.0))
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = low + (top - low) * 0.5 * (1.0 + nodes)
    return tau * np.sqrt(np.pi) * 0.5 * (top - low) * np.sum(weights * special.erfcx(-x))


def time_by_12(rho, g, a=5e-4, k=1e5):
    """nu_X T by equation (12)."""
    tau, mu, variance = moments(1.0 + rho, rho, g, a, k)
    top = (-55.0 - mu) / np.sqrt(variance)
    return tau * np.sqrt(np.pi) / top * np.exp(top**2)


def time_by_d5(rho_e, rho_i, g, a=5e-4, k=1e5):
    """nu_X T by (D5), (D23), corrected: |v_max - alpha| outside the root, 1/(sqrt(a) K) in front."""
    r_e = 1.0 + rho_e
    width, noise = r_e + rho_i * g * 0.25, r_e + rho_i * g**2 * 0.25
    mu, centre = -75.0 * rho_i * g * 0.25 / width, -75.0 * rho_i * g**2 * 0.25 / noise
    spread = 75.0 * np.sqrt(r_e * rho_i * g**2 * 0.25) / noise
    top, alpha = (-55.0 - centre) / spread, (mu - centre) / spread

    def f(x):
        return 2.0 * width / noise * (0.5 * np.log(x**2 + 1.0) - alpha * np.arctan(x))

    front = np.sqrt(np.pi * noise / (width**3 * (alpha**2 + 1.0))) * (top**2 + 1.0) / abs(top - alpha)
    return np.exp((f(top) - f(alpha)) / a) / (np.sqrt(a) * k) * front


def slope(function, x, step=1e-5):
    return (function(x + step) - function(x - step)) / (2.0 * step)


@pytest.mark.skipif(not X64, reason="all digits")
def test_gains_with_additive_noise():
    at_20, at_30 = (network_gain(g=g, noise=EffectiveNoise(), **NET) for g in (20.0, 30.0))
    assert f"{at_20.rho:.5f} {at_30.rho:.5f} {at_20.rho_simplified:.5f}" == "2.65438 1.05499 2.68081"
    for seen, g in ((at_20, 20.0), (at_30, 30.0)):
        rho, short = float(seen.rho), float(seen.rho_simplified)
        np.testing.assert_allclose(1.0 / time_by_10(rho, g), rho, rtol=1e-9)
        np.testing.assert_allclose(1.0 / time_by_12(short, g), short, rtol=1e-9)
        # (D11), and (D3) with bars: a divides v_max^2.
        by_rho = slope(lambda x, g=g: np.log(time_by_12(x, g)), short)
        np.testing.assert_allclose(seen.rho_2, -(short**2) / (short * by_rho + 1.0), rtol=1e-6)
        mu, sd = (lambda x, g=g, i=i: moments(1.0 + x, x, g, 5e-4, 1e5)[i] ** (1.0, 0.5)[i - 1] for i in (1, 2))
        top = (-55.0 - mu(short)) / sd(short)
        bend = sd(short) * slope(mu, short) + (-55.0 - mu(short)) * slope(sd, short)
        np.testing.assert_allclose(seen.rho_2_leading, short * sd(short) ** 2 / (2.0 * top * bend), rtol=1e-6)


@pytest.mark.skipif(not X64, reason="all digits")
def test_gains_with_multiplicative_noise():
    seen = network_gain(g=20.0, noise=ItoNoise(), **NET)
    assert f"{seen.rho:.4f} {seen.rho_simplified:.5f} {seen.rho_2:.4f}" == "2.9617 2.99414 -1.0460"
    short = float(seen.rho_simplified)
    np.testing.assert_allclose(1.0 / time_by_d5(short, short, 20.0), short, rtol=1e-9)
    # What (D12), corrected, forgets is all but the exponent: the two come together as a falls.
    like = jn.networks.conductance_based(**NET, g=20.0)
    errors = [float(seen.rho_2_leading / seen.rho_2) - 1.0]
    for k in (1e7, 1e12):
        at = network_gain(g=20.0, noise=ItoNoise(), a=scale_efficacy(k, like=like, noise=ItoNoise()), k=k, gamma=0.25)
        errors.append(float(at.rho_2_leading / at.rho_2) - 1.0)
    assert abs(errors[2]) < abs(errors[1]) < abs(errors[0]) < 0.06


@pytest.mark.skipif(not X64, reason="all digits")
def test_gains_of_model_b_with_additive_noise():
    """The same by both neurons, and by their mean field far from saturation."""
    seen = network_gain(**MODEL_B)
    e, i = (float(x) for x in seen.rho_simplified)
    tau, mu, variance = moments(1.0 + e, i, np.array([20.0, 19.0]), 5e-4, 1e5)
    top = (-55.0 - mu) / np.sqrt(variance)
    np.testing.assert_allclose(1.0 / (tau * np.sqrt(np.pi) / top * np.exp(top**2)), (e, i), rtol=1e-8)
    # The exponents depend on nu_I/(nu_X + nu_E) alone: to leading order nothing is said of both rates.
    assert np.all(np.isnan(seen.rho_2_leading))
    assert np.all(np.isfinite(seen.rho_2))
    pair = network_gain(**NET | dict(g=(20.0, 20.0)))
    np.testing.assert_allclose(pair.rho, [2.65438, 2.65438], rtol=1e-5)
    assert pair.rho_2.shape == (2,)
    # Refractoriness of a network of equal cells is the same read as two kinds.
    np.testing.assert_allclose(pair.rho_2, [network_gain(**NET, g=20.0).rho_2] * 2, rtol=1e-5)


@pytest.mark.skipif(not X64, reason="all digits")
def test_gains_of_model_b_with_multiplicative_noise():
    seen = network_gain(**MODEL_B, noise=ItoNoise())
    e, i = (float(x) for x in seen.rho_simplified)
    assert f"{e:.5f}, {i:.5f}" == "0.19329, 0.93377"
    np.testing.assert_allclose(1.0 / time_by_d5(e, i, 20.0), e, rtol=1e-8)
    np.testing.assert_allclose(1.0 / time_by_d5(e, i, 19.0), i, rtol=1e-8)


@pytest.mark.parametrize("noise", [EffectiveNoise(), ItoNoise()])
def test_weak_inhibition_has_no_gain(noise):
    seen = network_gain(g=12.0, noise=noise, **NET)
    assert np.isnan(seen.rho)
    assert np.isnan(seen.rho_simplified)
    assert seen.result == jn.Result.no_fixed_point


@pytest.mark.skipif(not X64, reason="a grid")
def test_the_gain_is_finite_over_a_finite_range_of_g():
    """Fig. 11E: it falls and rises with g, and diverges at both ends; a larger a shifts it up and narrows the range."""
    g = [12.0, 25.0, 50.0, 100.0, 200.0, 315.0, 700.0, 2_500.0]
    found = [[network_gain(a=a, k=1e3, g=x, gamma=0.25, noise=ItoNoise()) for x in g] for a in (0.0016, 0.004)]
    curves = np.array([[float(one.rho) for one in row] for row in found])
    codes = [[bool(one.result == jn.Result.successful) for one in row] for row in found]
    np.testing.assert_array_equal(np.isfinite(curves), codes)
    np.testing.assert_array_equal(np.isfinite(curves[0]), [False] + 6 * [True] + [False])
    np.testing.assert_array_equal(np.isfinite(curves[1]), [False] + 5 * [True] + 2 * [False])
    for curve, lowest in zip(curves, (5, 3), strict=True):
        assert np.nanargmin(curve) == lowest
        falls = np.diff(curve)[np.isfinite(np.diff(curve))] < 0.0
        assert np.all(np.diff(falls.astype(int)) <= 0)
    assert np.all(curves[1][1:6] > curves[0][1:6])


def test_the_gain_of_a_balance_without_noise():
    np.testing.assert_allclose(linear_gain(g=np.array([20.0, 30.0]), gamma=0.25), [11 / 9, 0.578947], rtol=1e-6)
    assert np.isinf(linear_gain(g=1.0, gamma=0.25))


@jax.jit
def gains_and_slopes(a, k, g):
    def gains(a, k, g):
        seen = network_gain(a=a, k=k, g=g, gamma=0.25)
        found = jnp.stack([seen.rho, seen.rho_simplified, seen.rho_2])
        return found, found

    slopes, found = jax.jacrev(gains, (0, 1, 2), has_aux=True)(a, k, g)
    return found, slopes


@pytest.mark.skipif(not X64, reason="differences")
def test_gradients():
    _, slopes = gains_and_slopes(5e-4, 1e5, 20.0)
    by_a = (gains_and_slopes(5.0001e-4, 1e5, 20.0)[0] - gains_and_slopes(4.9999e-4, 1e5, 20.0)[0]) / 2e-8
    by_g = (gains_and_slopes(5e-4, 1e5, 20.001)[0] - gains_and_slopes(5e-4, 1e5, 19.999)[0]) / 2e-3
    np.testing.assert_allclose(slopes[0], by_a, rtol=1e-5)
    np.testing.assert_allclose(slopes[2], by_g, rtol=1e-5)


@pytest.mark.skipif(not X64, reason="an efficacy that falls as 1/log K")
def test_many_inputs_stay_finite_with_their_derivatives():
    a = float(scale_efficacy(1e12, like=jn.networks.conductance_based(**NET, g=20.0)))
    gains, slopes = gains_and_slopes(a, 1e12, 20.0)
    assert 2.0 < gains[0] < 3.0
    assert np.isfinite(slopes[1][0])


@pytest.mark.float32
def test_float32():
    seen = network_gain(g=20.0, **NET)
    np.testing.assert_allclose((seen.rho, seen.rho_simplified), (2.65438, 2.68081), rtol=2e-3)
    assert seen.rho.dtype == jnp.result_type(float)


def test_bad_numbers_under_vmap_are_nan_in_their_own_place():
    gains = jax.vmap(lambda g: network_gain(g=g, **NET).rho)(jnp.asarray([20.0, -1.0, jnp.nan]))
    np.testing.assert_array_equal(np.isnan(gains), [False, True, True])


@pytest.mark.usefixtures("as_users_run")
def test_refusals():
    for change, says in (
        (dict(noise=ShotNoise()), "`ShotNoise` has no strong-coupling form"),
        (dict(a=0.0), "`a` has to be positive"),
        (dict(k=(1e5, -1.0)), "`k` must not be negative"),
        (dict(gamma=float("nan")), "`gamma` has to be finite"),
        (dict(g=np.ones(3)), r"`g` has to be a number or a pair.*got shape \(3,\)"),
        (dict(v_th=np.ones(2)), "`network_gain` is of one network"),
        (dict(e_i=5.0), "`e_i` has to lie below `e_e`"),
        (dict(noise="ito"), "`noise` has to be a theory of the noise"),
    ):
        with pytest.raises(ValueError, match=says):
            network_gain(**dict(g=20.0) | NET | change)
    with pytest.raises(ValueError, match="`v_th` has to lie between"):
        linear_gain(g=20.0, gamma=0.25, v_th=-80.0)
    with pytest.raises(ValueError, match="The lengths do not fit: `g`"):
        linear_gain(g=np.ones(2), gamma=np.ones(3))


def test_linear_gain_of_impossible_numbers_is_nan_under_a_transformation():
    gains = jax.jit(lambda g: linear_gain(g=g, gamma=0.25))(jnp.asarray([20.0, 1.0, -1.0, jnp.nan]))
    np.testing.assert_array_equal(np.isnan(gains), [False, False, True, True])
    assert np.isinf(gains[1])
