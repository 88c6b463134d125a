"""Mean fields of heavy-tailed weights: against white noise, the parameters written down, and the published maximum."""

import warnings

import jax
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.laws import OutsideTheoryWarning

X64 = jax.config.jax_enable_x64


def pareto(mean, alpha):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTheoryWarning)
        return jn.ParetoWeight(mean, alpha)


@jax.jit
def solved(alpha):
    return jn.theory.mean_field(jn.networks.wardak_gong(alpha=alpha))


def test_the_numbers_of_the_noise():
    nu, nu_x, alpha, g, c_e, j, tau = 40.0, 12.5, 1.3, 4.0, 4_000, 0.02, 0.02
    seen = jn.theory.afferents(jn.networks.wardak_gong(alpha=alpha), {"E": nu, "I": nu})["I"]
    neuron = jn.theory.StableNoise().neuron(seen)
    tail = nu_x + (1.0 + g**alpha / 4.0) * nu
    np.testing.assert_allclose(neuron.mu, c_e * j * tau * (nu_x + (1.0 - g / 4.0) * nu), rtol=1e-6)
    np.testing.assert_allclose(neuron.sigma, j * (c_e * tau * tail) ** (1.0 / alpha), rtol=1e-6)
    np.testing.assert_allclose(neuron.beta, (nu_x + (1.0 - g**alpha / 4.0) * nu) / tail, rtol=1e-5)


def test_rates_of_the_network_are_self_consistent():
    rate = jax.jit(
        lambda alpha, nu: jn.theory.StableNoise().rate(
            jn.theory.afferents(jn.networks.wardak_gong(alpha=alpha), {"E": nu, "I": nu})["E"]
        )
    )
    # Of equal weights: the root of lif_rate, whose network is Brunel's, and the published rate.
    np.testing.assert_allclose(rate(2.0, 17.8431), 17.8431, rtol=1e-5)
    np.testing.assert_allclose(rate(1.2, 54.7), 54.7, rtol=5e-3)


@pytest.mark.proof
def test_rates_of_the_network():
    # Of equal weights: the root of lif_rate, whose network is Brunel's.
    white = jn.networks.brunel(g=4.0, nu_ext_over_nu_thr=1.0, j=0.02, c_e=4_000, c_i=1_000, n_e=40_000, n_i=10_000)
    at_two = solved(2.0)
    np.testing.assert_allclose(at_two.rate["E"], jn.theory.mean_field(white).rate["E"], rtol=1e-6)
    np.testing.assert_allclose(at_two.rate["E"], 17.8431, rtol=1e-5)
    heavy = solved(1.2)
    np.testing.assert_allclose(heavy.rate["E"], 54.7, rtol=2e-3)
    assert int(np.sum(np.isfinite(heavy.branches["E"]))) == 1
    assert "Noise: StableNoise, since weights have heavy tails." in str(
        jn.theory.MeanField(*(getattr(heavy, f) for f in heavy.__dataclass_fields__))
    )


@pytest.mark.proof
def test_the_maximum():
    value = jax.jit(
        jax.value_and_grad(lambda alpha: jn.theory.mean_field(jn.networks.wardak_gong(alpha=alpha)).rate["E"])
    )
    low, high = 1.16, 1.19
    assert value(low)[1] > 0.0 > value(high)[1]
    for _ in range(8):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if value(middle)[1] > 0.0 else (low, middle)
    assert abs(middle - 1.175) < 0.005
    np.testing.assert_allclose(value(middle)[0], 55.8, rtol=0.01)
    rise = (value(1.3 + 1e-4)[0] - value(1.3 - 1e-4)[0]) / 2e-4
    np.testing.assert_allclose(value(1.3)[1], rise, rtol=1e-2)


def heavy(weight=None, synapse=None, drives=(), drive_alpha=1.5):
    both = dict(connectivity=jn.FixedInDegree(50), delay=1.5)
    law = pareto(0.1, 1.5) if weight is None else weight
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=pareto(0.1, drive_alpha), n_sources=50, rate=20.0)
    synapse = jn.DeltaCurrent() if synapse is None else synapse
    return jn.Network(
        {"E": jn.Population(jn.LIF(), 100)}, [jn.Projection("E", "E", synapse, weight=law, **both)], [drive, *drives]
    )


@pytest.mark.parametrize(
    ("net", "noise", "message"),
    [
        (heavy, jn.theory.EffectiveNoise(), "have an infinite variance, and `EffectiveNoise` is of a finite one"),
        (
            lambda: heavy(weight=0.1),
            None,
            r"`projections\[0\]`: `StableNoise` needs a law with a heavy tail everywhere",
        ),
        (lambda: heavy(drive_alpha=1.6), None, r"`drives\[0\]`: `StableNoise` is of one exponent; got `alpha` 1.6"),
        (lambda: heavy(synapse=jn.ExponentialCurrent(5.0)), None, "acts? at once"),
        (lambda: heavy(drives=[jn.WhiteNoiseDrive("E", mu=1.0, sigma=1.0)]), None, "white noise beside them"),
        (jn.networks.brunel, jn.theory.StableNoise(), "`StableNoise` needs a law with a heavy tail everywhere"),
    ],
)
def test_what_is_not_covered(net, noise, message):
    with pytest.raises(ValueError, match=message):
        jn.theory.mean_field(net(), noise=noise)


@pytest.mark.proof
@pytest.mark.parametrize(("alpha", "tolerance", "cv"), [(2.0, 0.05, 0.17), (1.2, 0.08, 1.16)])
def test_runs_of_the_network(alpha, tolerance, cv):
    """10,000 neurons, dense for their in-degree; one of 50,000 has 17.90 Hz (CV 0.173) and 52.64 Hz (1.140)."""
    net = jn.networks.wardak_gong(alpha=alpha, n_e=8_000, n_i=2_000)
    record = {"rate": jn.record.Rate(start=200.0), "cv": jn.record.CV(start=200.0)}
    sol = jn.simulate(net, 0.0, 800.0, dt=0.1, key=jax.random.key(1), record=record)
    rate = np.mean(np.concatenate([sol["rate"][name] for name in "EI"]))
    np.testing.assert_allclose(rate, {2.0: 17.8431, 1.2: 54.66}[alpha], rtol=tolerance)
    np.testing.assert_allclose(np.nanmean(np.concatenate([sol["cv"][name] for name in "EI"])), cv, rtol=0.1)
