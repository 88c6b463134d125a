"""The LIF neuron in noise with a time course, against runs of its two equations and the limits of the regimes."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from jaxneuro._formulas import FilteredNeuron
from jaxneuro.theory import Crossings, LongFilter, ShortFilter, lif_rate, lif_rate_filtered

X64 = jax.config.jax_enable_x64
# Long runs of the two equations: (tau_s/tau, v_min, v_max, rate [Hz], tolerance).
RUNS = [
    (0.1, 0.0, 1.0, 11.82, 0.03),
    (0.1, -1.0, 0.5, 25.28, 0.03),
    (1.0, 0.0, 1.0, 2.223, 0.2),
    (1.0, -1.0, 0.5, 11.26, 0.2),
    (1.0, 0.0, 1.5, 0.1693, 0.2),
    (10.0, -1.0, 0.5, 0.405, 0.2),
    (10.0, -0.5, 0.3, 3.80, 0.2),
]


# Runs of our own, tests/references/make_filtered_references.py.
OWN = np.loadtxt(Path(__file__).parents[1] / "references" / "filtered.csv", delimiter=",", skiprows=1)


def rate(ratio, low, top, regime=None, tau=10.0, t_ref=2.0):
    return lif_rate_filtered(0.0, 1.0, tau=tau, tau_s=tau * ratio, v_th=top, v_reset=low, t_ref=t_ref, regime=regime)


@pytest.mark.float32
def test_the_rule_against_runs():
    ratio, low, top, right, tolerance = np.array(RUNS).T
    assert np.all(np.abs(np.asarray(rate(ratio, low, top)) / right - 1.0) < tolerance)


def test_rates_and_variability_against_runs_of_our_own():
    ratio, low, top, t_ref, right, cv, n = OWN.T
    tolerance = np.where(ratio < 0.5, 0.03, 0.2)
    assert np.all(np.abs(np.asarray(rate(ratio, low, top, t_ref=t_ref)) / right - 1.0) < tolerance)
    short = ratio < 0.5
    values = (np.zeros(9), np.ones(9), np.full(9, 10.0), top, low, t_ref, 10.0 * ratio)
    found = ShortFilter().cv(FilteredNeuron(*(jnp.asarray(x[short]) for x in values)))
    # What the theory leaves out, of order tau_s/tau, and four standard errors of a CV near 1.
    assert np.all(np.abs(np.asarray(found) / cv[short] - 1.0) < 0.1 * ratio[short] + 4.0 / np.sqrt(2.0 * n[short]))


def test_the_rule_is_continuous():
    top = jnp.linspace(-1.0, 1.5, 2_501)
    for ratio in (0.3, 1.0, 3.0):
        assert np.max(np.abs(np.diff(np.log(rate(ratio, -2.0, top))))) < 0.03
    ratio = jnp.exp(jnp.linspace(-4.0, 2.5, 2_501))
    for top in (-0.5, 0.2, 1.0):
        assert np.max(np.abs(np.diff(np.log(rate(ratio, -2.0, top))))) < 0.1


def test_a_short_filter_tends_to_white_noise():
    white = lif_rate(0.0, 1.0, tau=10.0, v_th=1.0, v_reset=0.0, t_ref=2.0)
    np.testing.assert_allclose(rate(1e-12, 0.0, 1.0, ShortFilter()), white, rtol=1e-5)
    # Of simulations, tau_s/tau 0.02, limits -0.5 and 1, t_ref 0: 0.1658 a tau; white noise 0.2114.
    np.testing.assert_allclose(rate(0.02, -0.5, 1.0, ShortFilter(), tau=1000.0, t_ref=0.0), 0.1639, atol=5e-5)


def test_crossings_and_a_long_filter():
    exact = 1000.0 / (2.0 * np.pi * 10.0) * np.exp(-2.0)
    np.testing.assert_allclose(rate(1.0, 0.0, 1.0, Crossings()), exact, rtol=1e-5)
    limit = special.erfc(0.3 * np.sqrt(10.0)) / 2.0 / 2.0 * 1000.0
    np.testing.assert_allclose(rate(10.0, -0.5, 0.3, LongFilter(), tau=1e-4), limit, rtol=2e-3)


def test_crossings_above_threshold_are_no_spikes():
    assert np.isnan(rate(1.0, -2.0, -0.5, Crossings()))
    assert np.isfinite(rate(1.0, -2.0, -0.5))


# Equation (G11) by quadrature with mpmath of the printed integrand, tau 10 ms, t_ref 2 ms.
LONG = [
    (0.1, 0.0, 1.0, 41.687935312142734),
    (1.0, -30.0, -20.0, 165.13012618065798),
    (10.0, -10.0, -8.0, 236.28910850450617),
    (10.0, -0.5, 0.3, 3.5809617930230746),
    (100.0, -5.0, -3.0, 140.67104122308993),
    (1000.0, -3.0, -0.5, 50.19992147157564),
    (1000.0, -30.0, -20.0, 165.16225163057223),
]


@pytest.mark.float32
def test_a_long_filter_from_far_below_to_far_above_threshold():
    ratio, low, top, right = np.array(LONG).T
    np.testing.assert_allclose(rate(ratio, low, top, LongFilter()), right, rtol=1e-11 if X64 else 2e-5)


def test_derivatives_are_finite():
    for top in (-1.0, 0.25, 2.0):
        slopes = jax.grad(lambda r, t: rate(r, -2.0, t), (0, 1))(jnp.asarray(0.5), jnp.asarray(top))
        assert np.all(np.isfinite(slopes))


def test_refusals(as_users_run):
    with pytest.raises(ValueError, match="`regime` has to be"):
        rate(1.0, 0.0, 1.0, "long")
    with pytest.raises(ValueError, match="`tau_s` has to be positive"):
        rate(0.0, 0.0, 1.0)
