"""Every recorder against the raster of the same run."""

import jax
import numpy as np
import pytest

import jaxneuro as jn

DT, KEY = 0.1, jax.random.key(1)


def cv_by_hand(intervals):
    """Standard deviation over mean, of three intervals or more."""
    if len(intervals) < 3:
        return np.nan
    mean = sum(intervals) / len(intervals)
    return (sum((x - mean) ** 2 for x in intervals) / len(intervals)) ** 0.5 / mean


@pytest.fixture(scope="module")
def run():
    net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
    wiring = jn.wire(net, key=KEY)
    head = jn.simulate(net, 0.0, 10.3, dt=DT, key=KEY, wiring=wiring)  # records that begin inside a block
    record = {
        "raster": jn.record.Spikes(),
        "late": jn.record.Spikes("E", start=120.0),
        "rate": jn.record.Rate(),
        "late_rate": jn.record.Rate("I", start=120.0),
        "cv": jn.record.CV(),
        "late_cv": jn.record.CV(start=120.0),
        "population": jn.record.PopulationRate(width=2.0),
        "late_population": jn.record.PopulationRate("E", width=0.7, start=120.0),
        "v": jn.record.Trace("E.v"),
        "some": jn.record.Trace("E.v", every=7, neurons=slice(0, 10, 3), start=120.0),
        "chosen": jn.record.Trace("I.refractory", every=2, neurons=[3, -1]),
    }
    return jn.simulate(net, 10.3, 400.0, dt=DT, key=KEY, wiring=wiring, state=head.state, record=record)


FIRST, LAST, LATE = 103, 4000, 1200


def test_spikes(run):
    raster = run["raster"]["E"].raster()
    assert raster.shape == (LAST - FIRST, 80)
    assert raster.sum() > 500
    np.testing.assert_array_equal(run["late"].raster(), raster[LATE - FIRST :])
    times = run["late"].times
    assert len(times) == 80
    step, neuron = np.nonzero(raster[LATE - FIRST :])
    np.testing.assert_allclose(
        np.concatenate(times), [t for n in range(80) for t in (step[neuron == n] + LATE + 1) * DT]
    )


def test_rate(run):
    raster = run["raster"]["E"].raster()
    np.testing.assert_allclose(run["rate"]["E"], raster.sum(0) / (LAST - FIRST) / DT * 1000)
    late = run["raster"]["I"].raster()[LATE - FIRST :]
    np.testing.assert_allclose(run["late_rate"]["I"], late.sum(0) / (LAST - LATE) / DT * 1000)
    assert set(run["late_rate"]) == {"I"}
    np.testing.assert_array_equal(run.counts["rate"]["E"], raster.sum(0))


def test_cv(run):
    for record, begin in (("cv", FIRST), ("late_cv", LATE)):
        raster = run["raster"]["E"].raster()[begin - FIRST :]
        trains = [np.nonzero(column)[0] * DT for column in raster.T]
        np.testing.assert_allclose(run[record]["E"], [cv_by_hand(np.diff(t)) for t in trains], rtol=1e-9)
        np.testing.assert_array_equal(run.counts[record]["E"], [max(0, t.size - 1) for t in trains])
    mean = run.mean("late_cv")["E"]
    assert mean.n == np.sum(~np.isnan(run["late_cv"]["E"]))
    assert mean.of == 80
    assert f"over {mean.n} of 80 neurons" in str(run)


def test_population_rate(run):
    raster = run["raster"]["E"].raster()
    steps = np.arange(FIRST, LAST)
    for record, width, begin in (("population", 20, FIRST), ("late_population", 7, LATE)):
        bins = steps[begin - FIRST :] // width
        names = np.unique(bins)
        expected = [raster[begin - FIRST :][bins == b].sum() / (bins == b).sum() / 80 / DT * 1000 for b in names]
        np.testing.assert_allclose(run[record]["E"], expected)
        np.testing.assert_allclose(run.times[record], (names + 0.5) * width * DT)


def test_trace(run):
    v = np.asarray(run["v"])
    np.testing.assert_allclose(run.times["v"], (np.arange(FIRST, LAST) + 1) * DT)
    ends = np.arange(LATE + 1, LAST + 1)
    chosen = ends[ends % 7 == 0]
    np.testing.assert_allclose(run.times["some"], chosen * DT)
    np.testing.assert_array_equal(run["some"], v[chosen - 1 - FIRST][:, [0, 3, 6, 9]])
    # The first end, step 104, is even, and who has all 20 refractory steps left has just spiked.
    np.testing.assert_array_equal(run["chosen"] == 20, run["raster"]["I"].raster()[::2, [3, -1]])


def test_a_single_population_gives_arrays():
    record = {"rate": jn.record.Rate(), "cv": jn.record.CV(), "v": jn.record.Trace("v")}
    sol = jn.simulate(jn.Population(jn.LIF(), 4), 0.0, 200.0, dt=DT, key=KEY, stimulus=30.0, record=record)
    assert sol["rate"].shape == sol["cv"].shape == (4,)
    np.testing.assert_allclose(sol["cv"], 0.0, atol=1e-12)
    assert sol.mean("rate").n == 4
    with pytest.raises(KeyError, match="No record 'x'; there are rate, cv, v"):
        sol["x"]


def test_few_intervals_have_no_cv():
    sol = jn.simulate(
        jn.Population(jn.LIF(), 2), 0.0, 60.0, dt=DT, key=KEY, stimulus=np.array([30.0, 0.0]),
        record={"cv": jn.record.CV()},
    )  # fmt: skip
    assert np.isnan(sol["cv"]).all()
    np.testing.assert_array_equal(sol.counts["cv"], [2, 0])
    assert "nan (over 0 of 2 neurons)" in str(sol)


def test_default_is_rates_only():
    sol = jn.simulate(jn.Population(jn.LIF(), 2), 0.0, 10.0, dt=DT, key=KEY)
    assert list(sol.records) == ["rate"]


def test_progress_is_shown(capfd):
    sol = jn.simulate(jn.Population(jn.LIF(), 2), 0.0, 100.0, dt=DT, key=KEY, progress=True)
    sol["rate"].block_until_ready()
    jax.effects_barrier()
    assert "of 100 ms" in capfd.readouterr().err
