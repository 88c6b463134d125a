"""Rates over neurons of different in-degree, against NumPy and SciPy; and the escape over any energy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import jaxneuro as jn
from jaxneuro.theory import escape_rate, kramers_rate, rate_distribution

X64 = jax.config.jax_enable_x64


def net(cv):
    lif = jn.LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    excitatory, inhibitory = jn.DeltaConductance(reversal=0.0), jn.DeltaConductance(reversal=-75.0)
    many, few = jn.GaussianInDegree(1_000, cv=cv), jn.GaussianInDegree(250, cv=cv)
    both = ("E", "I")
    return jn.Network(
        {"E": jn.Population(lif, 10_000), "I": jn.Population(lif, 2_500), "X": jn.Population(jn.Poisson(25.0), 10_000)},
        projections=[
            jn.Projection("E", both, excitatory, weight=0.0016, connectivity=many, delay=1.0),
            jn.Projection("X", both, excitatory, weight=0.0016, connectivity=many, delay=1.0),
            jn.Projection("I", both, inhibitory, weight=0.032, connectivity=few, delay=1.0),
        ],
    )


def rates(nu, variance, z_e, z_i, cv):
    """The effective rate of neurons with quenched numbers z_E, z_I, equations (F1), (5), (6), (10)."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    r_e = nu + 25.0 + z_e * np.sqrt(cv**2 * (nu**2 + 25.0**2) + variance / 1_000.0)
    r_i = nu + z_i * np.sqrt(cv**2 * nu**2 + variance / 250.0)
    r_e, r_i = np.maximum(r_e, 0.0) / 1000.0, np.maximum(r_i, 0.0) / 1000.0
    tau = 1.0 / (1.0 / 20.0 + 1.6 * (r_e + 5.0 * r_i))
    mu = tau * (-4.0 - 1.6 * 5.0 * 75.0 * r_i)
    sigma = np.sqrt(0.0016**2 * 1_000.0 * tau * (r_e * mu**2 + 100.0 * r_i * (mu + 75.0) ** 2))
    low, top = (-65.0 - mu) / sigma, (-55.0 - mu) / sigma
    x = low[..., None] + (top - low)[..., None] * 0.5 * (1.0 + nodes)
    integral = np.sum(weights * special.erfcx(-x), axis=-1) * 0.5 * (top - low)
    return 1000.0 / (2.0 + tau * np.sqrt(np.pi) * integral)


@pytest.mark.skipif(not X64, reason="digits")
def test_self_consistent_mean_and_sd():
    found = rate_distribution(net(0.05))
    mean, sd = float(found.mean), float(found.sd)
    # What NumPy finds by iteration; and a sample of neurons is what these say of themselves.
    np.testing.assert_allclose((mean, sd / mean), (35.1864, 0.585182), rtol=2e-5)
    z = np.random.default_rng(0).standard_normal((2, 20_000))
    sample = rates(mean, sd**2, *z, 0.05)
    assert abs(sample.mean() - mean) < 4.0 * sd / np.sqrt(20_000)
    assert abs(np.mean(sample < 20.0) - found.fraction_below(20.0)) < 4.0 * 0.5 / np.sqrt(20_000)
    difference = (found.fraction_below(20.1) - found.fraction_below(19.9)) / 0.2
    np.testing.assert_allclose(found.pdf(20.0), difference, rtol=1e-3)
    assert abs(np.mean(np.exp(-0.1 * sample)) - found.fraction_silent(100.0)) < 4.0 * 0.5 / np.sqrt(20_000)


@pytest.mark.skipif(not X64, reason="a time of 1e4 s")
def test_escape_of_an_exponential_neuron():
    def eif(v):
        return -65.0 - v + 2.0 * jnp.exp((v + 55.0) / 2.0)

    rate = escape_rate(eif, 3.0, tau=5.0, t_ref=0.0, low=-80.0, middle=-60.0, high=-40.0)
    assert round(1.0 / float(rate)) == 53_045


@pytest.mark.skipif(not X64, reason="to 1e-9")
def test_escape_over_a_cubic_energy():
    """V - V^3/3 about -1 and 1: the barrier is 4/3 and both bends are 2."""
    rate = escape_rate(lambda v: v**2 - 1.0, 0.7, tau=3.0, t_ref=1.0, low=-2.0, middle=0.0, high=2.0)
    time = 2.0 * np.pi * 3.0 / 2.0 * np.exp(2.0 * (4.0 / 3.0) / 0.49)
    np.testing.assert_allclose(rate, 1000.0 / (1.0 + time), rtol=1e-9)
    assert float(kramers_rate(0.0, 1.0, tau=3.0, v_th=3.0, t_ref=1.0)) > 0.0


def test_refusals(as_users_run):
    with pytest.raises(ValueError, match="`force` has to be positive at `low`"):
        escape_rate(lambda v: -v, 1.0, tau=1.0, t_ref=0.0, low=-1.0, middle=0.5, high=1.0)
    with pytest.raises(ValueError, match="`net` has to be a Network"):
        rate_distribution(3.0)
