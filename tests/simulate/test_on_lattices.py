"""Recorders of neurons on lattices, beside NumPy's own correlations of the recorded states."""

import jax
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
ROWS, COLUMNS = 6, 8


@pytest.fixture(scope="module")
def sheet():
    """A sheet under a stimulus that neighbours share in part, with everything recorded and gathered."""
    rng = np.random.default_rng(0)
    white = rng.normal(size=(1_200, ROWS, COLUMNS))
    shared = white + sum(np.roll(white, k, axis) for k in (-1, 1) for axis in (1, 2))
    stimulus = 15.0 + 40.0 * shared.reshape(1_200, -1)
    net = jn.Network({"E": jn.Population(jn.LIF(), positions=jn.Lattice(ROWS, COLUMNS, spacing=0.5))})
    record = {
        "v": jn.record.Trace("E.v", every=4),
        "spikes": jn.record.Raster("E"),
        "of v": jn.record.PairCorrelation("E.v", width=1.0, distances=[0.5, 1.5], start=50.0),
        "of counts": jn.record.PairCorrelation("E", width=20.0, distances=[0.5], start=50.0),
        "lags": jn.record.Lag("E.v", "E.refractory", max_lag=8.0, every=4, each=True, neurons=slice(0, 5), start=50.0),
        "lag": jn.record.Lag("E.v", "E.refractory", max_lag=8.0, every=4, start=50.0),
        "refractory": jn.record.Trace("E.refractory", every=4),
    }
    return jn.simulate(net, 0.0, 300.0, dt=0.25, key=KEY, stimulus={"E": stimulus}, record=record)


def coefficients(x, sites):
    """Of x, (time, neurons), the mean correlation coefficient of pairs so many sites apart along either side."""
    places = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    found = []
    for axis in (0, 1):
        others = np.roll(places, -sites, axis).ravel()
        found += [np.corrcoef(x[:, i], x[:, j])[0, 1] for i, j in zip(places.ravel(), others, strict=True)]
    return np.mean(found)


def test_correlations_of_potentials_are_those_of_numpy(sheet):
    v = np.asarray(sheet["v"])[50:]
    expected = [coefficients(v, 1), coefficients(v, 3)]
    np.testing.assert_allclose(sheet["of v"]["E.v"], expected, atol=1e-9)
    assert expected[0] > 0.2 > abs(expected[1])
    behind = sheet.counts["of v"]["E.v"]
    np.testing.assert_allclose(behind["mean"], v.mean(), rtol=1e-9)
    np.testing.assert_allclose(behind["variance"], v.var(axis=0).mean(), rtol=1e-9)


def test_correlations_of_counts_are_those_of_numpy(sheet):
    spikes = np.asarray(sheet["spikes"])[200:]
    counts = spikes[: len(spikes) // 80 * 80].reshape(-1, 80, ROWS * COLUMNS).sum(axis=1)
    np.testing.assert_allclose(sheet["of counts"]["E"], [coefficients(counts, 1)], atol=1e-9)
    behind = sheet.counts["of counts"]["E"]
    deviations = counts - counts.mean(0)
    near = [(deviations * deviations[:, others]).mean() for others in _one_apart()]
    np.testing.assert_allclose(behind["covariance"], [np.mean(near)], atol=1e-9)
    np.testing.assert_allclose(behind["mean"], counts.mean(), rtol=1e-9)


def _one_apart():
    places = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    return [np.roll(places, -1, axis).ravel() for axis in (0, 1)]


def lagged(x, y, steps):
    """The correlations of x in the middle of its record with y so many samples away, by NumPy."""
    ends = len(x) - steps
    x, scale = x[steps:ends], x[steps:ends].std() * y[steps:ends].std()
    others = [y[steps + k : ends + k] for k in range(-steps, steps + 1)]
    return [(x * other).mean() - x.mean() * other.mean() for other in others] / scale


def test_lags_neuron_by_neuron_and_of_the_means(sheet):
    v, refractory = (np.asarray(sheet[name], float)[50:] for name in ("v", "refractory"))
    for i in range(5):
        np.testing.assert_allclose(sheet.counts["lags"][:, i], lagged(v[:, i], refractory[:, i], 8), atol=1e-9)
    np.testing.assert_allclose(sheet.counts["lag"], lagged(v.mean(1), refractory.mean(1), 8), atol=1e-9)
    assert sheet["lags"].shape == (5,)
    np.testing.assert_allclose(sheet.lags["lags"], np.arange(-8, 9))


def _plane_wave(speed, side, dt, duration):
    """Spikes of a wave that crosses the columns of a sheet at `speed`, again and again."""
    columns = np.tile(np.arange(side), side)
    period = side / speed
    first = columns / speed
    times = [first + k * period for k in range(round(duration / period))]
    steps = np.floor(np.concatenate(times) / dt).astype(int)
    raster = np.zeros((round(duration / dt), side * side), bool)
    raster[steps, np.tile(np.arange(side * side), len(times))] = True
    return raster


def test_the_speed_of_a_plane_wave_and_its_correlations():
    side, dt, width, lags = 16, 0.25, 0.5, 12
    raster = _plane_wave(2.0, side, dt, 64.0)
    net = jn.Network({"E": jn.Population(jn.SpikeSource(), positions=jn.Lattice(side, side))})
    record = {"w": jn.record.WaveSpeed("E", width=width, max_lag=6.0, distances=(2.0, 7.0))}
    sol = jn.simulate(net, 0.0, 64.0, dt=dt, stimulus={"E": raster}, record=record, key=KEY)
    counts = raster.reshape(-1, 2, side, side).sum(axis=1).astype(float)
    shifts = [(i, j) for i in range(-8, 8) for j in range(-8, 8)]
    expected = np.zeros((6, lags + 1))
    for r in range(2, 8):
        ring = [(i, j) for i, j in shifts if abs(np.hypot(i, j) - r) <= 0.5]
        for lag in range(lags + 1):
            early, late = counts[: len(counts) - lags], counts[lag : len(counts) - lags + lag]
            near = [(early * np.roll(late, (-i, -j), (1, 2))).mean() for i, j in ring]
            expected[r - 2, lag] = np.mean(near)
    np.testing.assert_allclose(sol.counts["w"], expected, atol=1e-9)
    np.testing.assert_allclose(sol["w"], 2.0, rtol=0.1)


def _population(**places):
    return jn.Network({"E": jn.Population(jn.LIF(), **places)})


R, PLAIN, SMALL = jn.record, {"n": 9}, {"positions": jn.Lattice(8, 8)}


@pytest.mark.parametrize(
    ("record", "places", "message"),
    [
        (lambda: R.PairCorrelation("E.v"), PLAIN, "of a variable takes `distances`"),
        (lambda: R.PairCorrelation("E", distances=[-1.0]), PLAIN, "`distances` has to be positive numbers"),
        (lambda: R.PairCorrelation("E", distances=[1.0]), PLAIN, "give the population 'E' `positions="),
        (lambda: R.PairCorrelation("E", distances=[1.5]), SMALL, "are multiples of"),
        (lambda: R.PairCorrelation("E", distances=[5.0]), SMALL, "up to half of"),
        (lambda: R.PairCorrelation("E.u", distances=[1.0]), SMALL, "the variables of"),
        (lambda: R.WaveSpeed("E"), PLAIN, "`WaveSpeed` needs places"),
        (lambda: R.WaveSpeed("E"), SMALL, "at most half a side, 4"),
        (lambda: R.WaveSpeed("E", distances=3.0), PLAIN, "`distances` has to be the shortest and the longest"),
        (lambda: R.WaveSpeed("E", max_lag=30.0), {"positions": jn.Lattice(30, 30)}, "`max_lag` has to be two bins"),
        (lambda: R.WaveSpeed("E", width=-1.0), PLAIN, "`width` and `max_lag` have to be positive"),
        (lambda: R.Lag("E.v", "E.v", max_lag=1.0, each=2), PLAIN, "`each` has to be True or False"),
        (lambda: R.Lag("E.v", "E.v", max_lag=1.0, every=0), PLAIN, "`every` has to be a positive whole number"),
    ],
)
def test_bad_arguments(record, places, message):
    with pytest.raises(ValueError, match=message) as caught:
        jn.simulate(_population(**places), 0.0, 40.0, dt=0.5, key=KEY, record={"it": record()})
    assert "\n" not in str(caught.value)
