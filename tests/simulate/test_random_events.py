"""Runs from spike to spike of a Poisson input, against the theory of shot noise, closed forms, and a clock."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.theory import ShotNoise, conductance_cv

X64 = jax.config.jax_enable_x64
KEY = jax.random.key(3)
NEURON = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
# Rates [Hz] of shot noise at nu_X 5, 10, 20: jumps a (E - V), and the exact jump.
TABLE = {"first": [1.07315, 8.5158, 29.144], "exact": [1.35604, 10.7303, 36.089]}
RULES = {"first": jn.FirstOrderJump(), "exact": jn.ExactJump()}


def table(n):
    """A population of `n` neurons for each entry of the table."""
    lif = jn.LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    populations, drives = {}, []
    for rule, jump in RULES.items():
        for nu_x in (5.0, 10.0, 20.0):
            name = f"{rule}{nu_x:g}"
            populations[name] = jn.Population(lif, n)
            for reversal, a, k, rate in ((0.0, 0.01, 1_000, nu_x), (-75.0, 0.12, 250, 1.8 * nu_x)):
                synapse = jn.DeltaConductance(reversal, jump=jump)
                drives.append(jn.PoissonDrive(name, synapse, weight=a, n_sources=k, rate=rate))
    return jn.Network(populations, drives=drives)


def compare(n, t1, start=100.0):
    events = jn.simulate_events(table(n), t1, most=round(20 * 6 * n * t1 / 1000.0), key=KEY)
    assert not events.overflow
    times, who = np.asarray(events.times), np.asarray(events.neurons)
    for place, (rule, index) in enumerate((rule, index) for rule in RULES for index in range(3)):
        nu_x = (5.0, 10.0, 20.0)[index]
        mine = (who >= place * n) & (who < (place + 1) * n) & (times > start)
        expected = n * (t1 - start) / 1000.0 * TABLE[rule][index]
        cv = float(conductance_cv(nu_x, **NEURON, noise=ShotNoise(RULES[rule]))) if nu_x == 20.0 else 1.0
        assert abs(mine.sum() - expected) < 4.0 * cv * np.sqrt(expected)


@pytest.mark.skipif(not X64, reason="one type is enough")
def test_shot_noise_and_runs_agree():
    compare(100, 300.0)


@pytest.mark.proof
def test_shot_noise_and_long_runs_agree():
    compare(400, 3_000.0)


@pytest.mark.float32
def test_a_neuron_above_threshold_fires_as_a_clock():
    # Rest lies above threshold: without input the period is t_ref + tau log((V_rest - V_r)/(V_rest - theta)).
    lif = jn.LIF(tau_m=20.0, v_rest=30.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1, rate=0.0)
    net = jn.Network({"E": jn.Population(lif, 2)}, drives=[drive])
    period = 2.0 + 20.0 * np.log(2.0)
    found = jn.simulate_events(net, 100.0, most=20, key=KEY).of("E", 6)
    np.testing.assert_allclose(found[:, :6], np.tile(period * np.arange(6), (2, 1)), rtol=1e-5, atol=1e-5)
    below = jn.LIF(tau_m=20.0, v_rest=0.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    driven = jn.Network({"E": jn.Population(below, 2)}, drives=[drive])
    found = jn.simulate_events(driven, 100.0, most=20, key=KEY, stimulus={"E": 30.0}).of("E", 3)
    first = 20.0 * np.log(3.0)
    np.testing.assert_allclose(found, np.tile(first + period * np.arange(3), (2, 1)), rtol=1e-5)


@pytest.mark.float32
def test_one_spike_that_carries_over_threshold_gives_a_poisson_process_with_dead_time():
    lif = jn.LIF(tau_m=20.0, v_rest=0.0, v_th=20.0, v_reset=10.0, t_ref=4.0)
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=30.0, n_sources=10, rate=10.0)
    events = jn.simulate_events(jn.Network({"E": jn.Population(lif, 200)}, drives=[drive]), 500.0, most=20_000, key=KEY)
    intervals = np.diff(np.asarray(events.of("E", 20)), axis=1)
    intervals = intervals[np.isfinite(intervals)]
    assert intervals.min() > 4.0
    assert abs(intervals.mean() - 14.0) < 4.0 * 10.0 / np.sqrt(intervals.size)
    again = jn.simulate_events(jn.Network({"E": jn.Population(lif, 200)}, drives=[drive]), 500.0, most=10, key=KEY)
    assert again.overflow


def test_refusals(as_users_run):
    net, run = table(2), jn.simulate_events
    with pytest.raises(ValueError, match="`key` is needed"):
        run(net, 10.0, most=5)
    white = jn.Network({"E": jn.Population(jn.LIF(), 2)}, drives=[jn.WhiteNoiseDrive("E", mu=0.0, sigma=1.0)])
    with pytest.raises(ValueError, match=r"`drives\[0\]` is no train of spikes"):
        run(white, 10.0, most=5, key=KEY)
    slow = jn.PoissonDrive("E", jn.ExponentialCurrent(5.0), weight=0.1, n_sources=1, rate=1.0)
    with pytest.raises(ValueError, match=r"act at once, each alike.*ExponentialCurrent"):
        run(jn.Network({"E": jn.Population(jn.LIF(), 2)}, drives=[slow]), 10.0, most=5, key=KEY)
    loop = jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=jn.AllToAll(), delay=1.0)
    fast = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1, rate=1.0)
    with pytest.raises(ValueError, match="drives and projections"):
        run(jn.Network({"E": jn.Population(jn.LIF(), 2)}, [loop], [fast]), 10.0, most=5, key=KEY)
    with pytest.raises(ValueError, match="`LIF` neurons with a hard reset"):
        run(jn.Network({"E": jn.Population(jn.neurons.eif(), 2)}, drives=[fast]), 10.0, most=5, key=KEY)

    def first(weight):
        drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=weight, n_sources=1, rate=10.0)
        one = jn.Network({"E": jn.Population(jn.LIF(), 2)}, drives=[drive])
        return run(one, 10.0, most=5, key=KEY).times[0]

    with pytest.raises(ValueError, match="has no derivative"):
        jax.grad(first)(30.0)
