"""Gains of networks with conductances at strong coupling."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.theory import EffectiveNoise, ItoNoise, ShotNoise, linear_gain, network_gain

X64 = jax.config.jax_enable_x64
NET = dict(a=5e-4, k=1e5, gamma=0.25)


@pytest.mark.skipif(not X64, reason="all digits")
def test_gains_with_additive_noise():
    at_20, at_30 = (network_gain(g=g, noise=EffectiveNoise(), **NET) for g in (20.0, 30.0))
    assert f"{at_20.rho:.5f} {at_30.rho:.5f} {at_20.rho_simplified:.5f}" == "2.65438 1.05499 2.68081"


@pytest.mark.skipif(not X64, reason="all digits")
def test_gains_with_multiplicative_noise():
    seen = network_gain(g=20.0, noise=ItoNoise(), **NET)
    assert f"{seen.rho:.4f} {seen.rho_simplified:.5f} {seen.rho_2:.4f}" == "2.9617 2.99414 -1.0460"


@pytest.mark.parametrize("noise", [EffectiveNoise(), ItoNoise()])
def test_weak_inhibition_has_no_gain(noise):
    seen = network_gain(g=12.0, noise=noise, **NET)
    assert np.isnan(seen.rho)
    assert np.isnan(seen.rho_simplified)
    assert seen.result == jn.Result.no_fixed_point


def test_the_gain_of_a_balance_without_noise():
    np.testing.assert_allclose(linear_gain(g=np.array([20.0, 30.0]), gamma=0.25), [11 / 9, 0.578947], rtol=1e-6)
    assert np.isinf(linear_gain(g=1.0, gamma=0.25))


@pytest.mark.skipif(not X64, reason="differences")
def test_gradient():
    slope = jax.grad(lambda a: network_gain(g=20.0, **NET | dict(a=a)).rho)(5e-4)
    up, down = (network_gain(g=20.0, **NET | dict(a=a)).rho for a in (5.001e-4, 4.999e-4))
    np.testing.assert_allclose(slope, (up - down) / 2e-7, rtol=1e-6)


def test_many_inputs_stay_finite():
    for noise in (EffectiveNoise(), ItoNoise()):
        seen = network_gain(g=20.0, a=2e-4, k=1e12, gamma=0.25, noise=noise)
        assert np.isfinite(seen.rho_simplified) or seen.result_simplified == jn.Result.no_fixed_point


def test_refusals():
    with pytest.raises(ValueError, match="`ShotNoise` has no strong-coupling form"):
        network_gain(g=20.0, noise=ShotNoise(), **NET)
    with pytest.raises(ValueError, match="`a` has to be positive"):
        network_gain(g=20.0, **NET | dict(a=0.0))
    with pytest.raises(ValueError, match="`v_th` has to lie between"):
        linear_gain(g=20.0, gamma=0.25, v_th=-80.0)
