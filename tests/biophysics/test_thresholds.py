"""Spikes as the upward crossings of a threshold that the recorder names."""

import jax
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
SQUID = jn.HodgkinHuxley()


def crossings_of(v, threshold, dt):
    """Upward crossings of the straight lines between the samples of a trace that starts at rest [ms]."""
    k = np.flatnonzero((v[:-1] < threshold) & (v[1:] >= threshold))
    return dt * (k + (threshold - v[k]) / (v[k + 1] - v[k]))


@pytest.mark.parametrize("threshold", [-40.0, 0.0, 10.0])
@pytest.mark.parametrize("shift", [-65.0, 0.0])
def test_times_are_those_of_the_interpolated_trace(threshold, shift):
    model, level = jn.HodgkinHuxley(v_shift=shift), threshold + 65.0 + shift
    record = {"s": jn.record.Spikes(threshold=level), "v": jn.record.Trace("v"), "own": jn.record.Spikes()}
    sol = jn.simulate(jn.Population(model, 3), 0.0, 60.0, dt=0.025, key=KEY, stimulus=[0.0, 8.0, 30.0], record=record)
    start = np.full((1, 3), float(model.resting_potential()))
    v = np.concatenate([start, np.asarray(sol["v"])])
    for i, times in enumerate(sol["s"].times):
        # Shares of a step are kept in 16 bits.
        np.testing.assert_allclose(times, crossings_of(v[:, i], level, 0.025), rtol=0, atol=0.025 / 65_535)
        assert times.size == sol["own"].times[i].size
        own = crossings_of(v[:, i], shift + 50.0, 0.025)
        np.testing.assert_allclose(sol["own"].times[i], own, rtol=0, atol=0.025 / 65_535)
    assert sol["s"].counts[2] > sol["s"].counts[1] > 2


def test_a_threshold_above_the_peaks_records_nothing_and_changes_nothing():
    record = {"s": jn.record.Spikes(threshold=80.0), "rate": jn.record.Rate()}
    sol = jn.simulate(jn.Population(SQUID, 1), 0.0, 50.0, dt=0.025, key=KEY, stimulus=10.0, record=record)
    assert sol["s"].counts.tolist() == [0]
    assert sol.counts["rate"].tolist() == [4]


def test_a_run_goes_on():
    def times(threshold, t0, t1, state=None):
        cells = jn.Population(SQUID, 1)
        record = {"s": jn.record.Spikes(threshold=threshold, start=5.0)}
        return jn.simulate(cells, t0, t1, dt=0.025, key=KEY, stimulus=10.0, record=record, state=state)

    whole, first = times(0.0, 0.0, 40.0), times(0.0, 0.0, 20.0)
    second = times(0.0, 20.0, 40.0, first.state)
    parts = np.concatenate([first["s"].times[0], second["s"].times[0]])
    np.testing.assert_array_equal(parts, whole["s"].times[0])
    assert times(10.0, 0.0, 40.0)["s"].times[0][0] > whole["s"].times[0][0]


def test_in_a_network_only_populations_with_channels_have_a_threshold():
    net = jn.Network({"squid": jn.Population(SQUID, 2), "lif": jn.Population(jn.LIF(), 2)})
    stimulus = {"squid": 10.0, "lif": 30.0}

    def run(recorder):
        return jn.simulate(net, 0.0, 20.0, dt=0.025, key=KEY, stimulus=stimulus, record={"s": recorder})

    assert run(jn.record.Spikes("squid", threshold=0.0))["s"].counts.tolist() == [2, 2]
    with pytest.raises(ValueError, match="'lif' spikes where its model says"):
        run(jn.record.Spikes(threshold=0.0))
    with pytest.raises(ValueError, match="is of neurons with channels"):
        run(jn.record.Spikes("lif", threshold=0.0))


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), np.zeros(2)])
def test_errors(threshold):
    with pytest.raises(ValueError, match="`threshold`"):
        jn.record.Spikes(threshold=threshold)
