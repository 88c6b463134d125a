"""The laws of external counts: moments of a free membrane under either."""

import jax
import numpy as np
import pytest

import jaxneuro as jn


@pytest.mark.float32
@pytest.mark.parametrize("counts", [jn.counts.PoissonCounts(), jn.counts.GaussianCounts()], ids=str)
def test_moments_of_the_free_membrane(counts):
    # Stationary mean J nu tau and variance J^2 nu tau / 2, with kicks once a step: lambda J / (1 - d), / (1 - d^2).
    n, dt, weight = 4_000, 0.5, 0.2
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=weight, n_sources=100.0, rate=40.0, counts=counts)
    net = jn.Network({"E": jn.Population(jn.LIF(v_th=1e6), n)}, drives=[drive])
    v = np.asarray(jn.simulate(net, 0.0, 150.0, dt=dt, key=jax.random.key(2)).state.neurons["E"].v)
    mean_count, decay = 100.0 * 40.0 * dt / 1000.0, np.exp(-dt / 20.0)
    mean = weight * mean_count / (1.0 - decay) * (1.0 - decay**300)
    variance = weight**2 * mean_count / (1.0 - decay**2)
    assert abs(v.mean() - mean) < 4 * np.sqrt(variance / n)
    assert abs(v.var() - variance) < 4 * variance * np.sqrt(2.2 / n)


@pytest.mark.usefixtures("as_users_run")
def test_another_law_is_refused():
    with pytest.raises(ValueError, match="`counts` has to be"):
        jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=10.0, rate=1.0, counts="gaussian")
