"""The density of the potential under spikes of fixed efficacy: its integrals, its edge, and point by point."""

import jax
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

import jaxneuro as jn
from jaxneuro.theory import ShotNoise, conductance_density, conductance_rate

X64 = jax.config.jax_enable_x64
NEURON = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
FIRST = ShotNoise(jn.FirstOrderJump())


@pytest.mark.float32
@pytest.mark.parametrize("e_i", [-75.0, -90.0])
def test_density_is_normalised_and_its_flux_over_threshold_is_the_rate(e_i):
    """At -90 mV inhibition leads beneath the resting potential, from where the drift is upwards."""
    numbers = NEURON | dict(e_i=e_i, eta=1.0, noise=FIRST)
    rate = float(conductance_rate(20.0, **numbers))
    v = np.arange(-95.0, -55.0, 0.002) + 0.001  # the edge lies between two
    density = np.asarray(conductance_density(v, 20.0, **numbers), float)
    np.testing.assert_allclose(np.sum(density) * 0.002, 1.0 - 2e-3 * rate, rtol=5e-5)
    # Over threshold goes who is within one jump of it: V + 0.01 (0 - V) >= -55.
    reach = np.sum(density[v >= -55.0 / 0.99]) * 0.002
    np.testing.assert_allclose(20.0 * reach * 1000.0, rate, rtol=3e-3)  # by half a point of 300


@pytest.mark.float32
def test_density_has_one_edge():
    """At the reset potential, of nu tau_m/(v_reset - v_rest); it falls behind within 0.026 mV."""
    rate = float(conductance_rate(20.0, **NEURON, noise=FIRST))
    v = np.array([-65.0002, -65.0001, -64.9999, -64.9998])
    density = np.asarray(conductance_density(v, 20.0, **NEURON, noise=FIRST), float)
    under, over = 2.0 * density[1] - density[0], 2.0 * density[2] - density[3]
    np.testing.assert_allclose(under - over, rate * 20.0 / 15.0 / 1000.0, rtol=1e-3 if X64 else 2e-2)


def forward_equation(rate, shares, per_ms, n):
    """Potentials, and the density there: the forward equation on n points from rest to threshold, solved at once.

    Along the drift [(V + 80)/20 P]' = R P - S, with what spikes bring, S, linear in time between points.
    """
    v = -80.0 + 25.0 * np.arange(1, n + 1) / n
    total, away = sum(per_ms), v + 80.0
    fresh = rate / 1000.0 * 20.0 / 15.0 * np.where(v < -65.0, np.minimum(away / 15.0, 1.0) ** (20.0 * total - 1.0), 0.0)
    brings, new = sparse.csr_matrix((n, n)), np.zeros(n)
    for share, reversal, rate_of in zip(shares, (0.0, -75.0), per_ms, strict=True):
        before = (v - share * reversal) / (1.0 - share)
        rows = np.flatnonzero((before < -55.0) & (before > v[0]))
        place = (before[rows] - v[0]) / (v[1] - v[0])
        low = np.minimum(place.astype(int), n - 2)
        values = np.concatenate([1.0 - (place - low), place - low]) * rate_of / (1.0 - share)
        entries = (values, (np.concatenate([rows, rows]), np.concatenate([low, low + 1])))
        brings = brings + sparse.csr_matrix(entries, (n, n))
        way = np.clip((before + 80.0) / 15.0, 1e-300, 1.0)
        height = np.where(before < -65.0, way ** (20.0 * total - 1.0), 0.0)
        new += rate_of / (1.0 - share) * rate / 1000.0 * 20.0 / 15.0 * height
    wait = 20.0 * np.diff(np.log(away))
    mean = (1.0 - np.exp(-total * wait)) / total
    later = (wait - mean) / (total * wait)
    moves = sparse.diags(away) - sparse.diags(np.exp(-total * wait) * away[1:], 1)
    gathers = sparse.diags(np.append(later * away[:-1], 0.0)) + sparse.diags((mean - later) * away[1:], 1)
    others = sparse_linalg.spsolve((moves - gathers @ brings).tocsc(), gathers @ new)
    mass = 1.0 - 2e-3 * rate - rate / 1000.0 / total
    return v, fresh + others * mass / (np.sum(others) * 25.0 / n)


@pytest.mark.skipif(not X64, reason="one type is enough")
@pytest.mark.parametrize("n", [6_000, pytest.param(24_000, marks=pytest.mark.proof)])
def test_density_point_by_point_against_the_forward_equation(n):
    """Whose error is of first order where the density has a kink, one jump above the reset potential."""
    rate = float(conductance_rate(20.0, **NEURON, noise=FIRST))
    v, right = forward_equation(rate, (0.01, 0.12), (20.0, 9.0), n)
    density = np.asarray(conductance_density(v, 20.0, **NEURON, noise=FIRST))
    seen = (right > 1e-3 * right.max()) & (np.abs(v + 65.0) > 0.01)
    off = np.abs(density[seen] / right[seen] - 1.0)
    assert np.median(off) < 5e-5
    assert np.quantile(off, 0.98) < 1e-3 * 6_000 / n
    assert np.max(off) < 2e-2 * 6_000 / n
