"""Reversal potentials far away at fixed a E: conductances become currents, equation (8), in every diffusion."""

import jax
import numpy as np
import pytest

from jaxneuro.theory import EffectiveNoise, ItoNoise, StratonovichNoise, conductance_rate, lif_rate

X64 = jax.config.jax_enable_x64
J, K, G, GAMMA, NU_X = 0.02, 1e4, 3.0, 0.25, 20.0


@pytest.mark.skipif(not X64, reason="differences of far reversal potentials")
@pytest.mark.parametrize("noise", [EffectiveNoise(), ItoNoise(), StratonovichNoise()], ids=lambda n: type(n).__name__)
def test_far_reversal_potentials_make_currents(noise):
    mu = -80.0 + 20.0 * J * K * NU_X / 1000.0 * (1.0 - G * GAMMA)
    sigma = np.sqrt(20.0 * J**2 * K * NU_X / 1000.0 * (1.0 + G**2 * GAMMA))
    right = lif_rate(mu, sigma, tau=20.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    far = np.array([1e6, 1e7, 1e8])
    found = conductance_rate(NU_X, a=J / far, k=K, g=G, eta=1.0, gamma=GAMMA, e_e=far, e_i=-far, noise=noise)
    off = np.abs(np.asarray(found) / float(right) - 1.0)
    assert np.all(off < 2e4 / far)  # as 1/E
