"""The binary network in simulation and mean field: activities, their distribution, and how fast they follow."""

import jax
import numpy as np
import pytest

import jaxneuro as jn


@pytest.mark.parametrize(
    "seeds", [pytest.param((0,), marks=pytest.mark.slow), pytest.param((1, 2, 3, 4), marks=pytest.mark.proof)], ids=str
)
def test_five_wirings_agree_with_poisson_counts(seeds):
    """N = 50 K at K = 200: within 3% of the mean field, in every wiring; activities over units likewise."""
    length = 1_000.0 if len(seeds) > 1 else 400.0
    net = jn.networks.binary(k=200, n_e=10_000, n_i=10_000, m0=0.3)
    mf = jn.theory.mean_field(net)
    for seed in seeds:
        key = jax.random.key(seed)
        sol = jn.simulate(net, 0.0, 100.0 + length, dt=1.0, key=key, record={"m": jn.record.MeanActivity(start=100.0)})
        for name in net.names:
            m = np.asarray(sol["m"][name])
            assert m.mean() == pytest.approx(float(mf.rate[name]), rel=0.03)
            finite_time = float(mf.rate[name] - mf.q[name]) * 2 * 10.0 / length
            assert (m**2).mean() == pytest.approx(float(mf.q[name]) + finite_time, rel=0.08)


def test_the_balanced_network_follows_its_drive_faster_than_tau():
    """A step of m_0: 63% in under half the time of units that hear the drive alone, which need tau."""
    k, n, dt = 400, 4_000, 0.5
    net = jn.networks.binary(k=k, n_e=n, n_i=n, m0=0.2)
    alone = jn.BinaryNetwork(
        {"E": jn.Population(jn.Binary(np.linspace(0.0, 1.0, n)), n)}, drives={"E": 0.2}, initial={"E": 0.2}
    )
    record = {"p": jn.record.PopulationActivity()}

    def time_to_follow(net, step):
        runs = []
        wiring = jn.wire(net, key=jax.random.key(0))
        for seed in range(4):
            run = {"dt": dt, "key": jax.random.key(seed), "wiring": wiring, "record": record}
            start = jn.simulate(net, 0.0, 60.0, **run)
            sol = jn.simulate(net, 60.0, 120.0, state=start.state, stimulus=step, **run)
            runs.append(np.concatenate([start["p"]["E"], sol["p"]["E"]]))
        mean = np.mean(runs, axis=0)
        before, after = mean[60:120].mean(), mean[-40:].mean()
        return dt * (1 + np.argmax((mean[120:] - before) / (after - before) > 1 - np.exp(-1)))

    balanced = time_to_follow(net, {"E": 0.1 * k**0.5, "I": 0.08 * k**0.5})
    driven = time_to_follow(alone, {"E": 0.1})
    assert driven == pytest.approx(10.0, abs=1.5)
    assert balanced < 5.0
