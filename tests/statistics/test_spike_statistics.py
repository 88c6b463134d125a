"""Statistics as functions of spike trains, against numpy and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

import jaxneuro as jn

KEY = jax.random.key(3)
S = jn.statistics


def correlated_trains(n=6, seed=0):
    """Spike times [ms] in (0, 2000) that share some of their spikes."""
    generator = np.random.default_rng(seed)
    shared = generator.uniform(0, 2_000, 60)
    return [np.sort(np.concatenate([shared, generator.uniform(0, 2_000, 40 + 5 * i)])) for i in range(n)]


TRAINS = correlated_trains()
SPAN = dict(t0=0.0, t1=2_000.0)


def test_counts_of_times_and_of_packed_trains_agree():
    trains = S.bernoulli_trains(60.0, 10.3, 210.3, n=40, dt=0.1, key=KEY)
    for width in (0.1, 0.7, 5.0, 30.0):
        from_times = S.spike_counts(trains.times, width=width, t0=10.3, t1=210.3)
        np.testing.assert_array_equal(from_times, S.spike_counts(trains, width=width))
    assert S.spike_counts(trains, width=0.1).sum() == trains.counts.sum()


def test_fano_and_pairwise_correlation_against_numpy():
    counts = np.stack([np.histogram(t, np.arange(0, 2_010, 10.0))[0] for t in TRAINS])
    expected = counts.var(axis=1, ddof=1) / counts.mean(axis=1)
    np.testing.assert_allclose(S.fano(TRAINS, window=10.0, **SPAN), expected)
    coefficients = np.corrcoef(counts)
    pairs = coefficients[np.triu_indices(6, 1)]
    np.testing.assert_allclose(S.pairwise_correlation(TRAINS, width=10.0, **SPAN), pairs.mean(), rtol=1e-10)
    found = S.synchrony(TRAINS, width=10.0, **SPAN)
    covariances = np.cov(counts)
    np.testing.assert_allclose(found.covariance, covariances[np.triu_indices(6, 1)].mean(), rtol=1e-10)


def test_spectrum_and_autocovariance_against_scipy():
    rate = np.mean([np.histogram(t, np.arange(0, 2_001, 1.0))[0] for t in TRAINS], axis=0) * 1_000
    _, expected = signal.welch(rate, fs=1_000.0, nperseg=250, noverlap=125, return_onesided=False)
    found = S.power_spectrum(TRAINS, width=1.0, segment=250.0, **SPAN)
    np.testing.assert_allclose(found.density, expected[:126], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.frequencies, np.arange(126) * 4.0)
    centred = rate - rate.mean()
    auto = S.autocovariance(TRAINS, width=1.0, max_lag=5.0, **SPAN)
    np.testing.assert_allclose(auto.values, [np.mean(centred[: 2_000 - k] * centred[k:]) for k in range(6)], rtol=1e-9)


def test_an_odd_segment_has_no_nyquist_frequency():
    rate = np.mean([np.histogram(t, np.arange(0, 2_001, 1.0))[0] for t in TRAINS], axis=0) * 1_000
    frequencies, expected = signal.welch(rate, fs=1_000.0, nperseg=125, noverlap=63, return_onesided=False)
    found = S.power_spectrum(TRAINS, width=1.0, segment=125.0, **SPAN)
    np.testing.assert_allclose(found.density, expected[frequencies >= 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.frequencies, frequencies[frequencies >= 0])


def test_synchrony_has_its_limits():
    alike = S.synchrony([TRAINS[0]] * 5, width=10.0, **SPAN)
    np.testing.assert_allclose([alike.chi, alike.correlation], 1.0, rtol=1e-12)
    independent = S.synchrony(S.poisson_trains(50.0, 0.0, 20_000.0, n=50, key=KEY), width=5.0, t0=0.0, t1=20_000.0)
    # Var(S) of 4,000 bins has the relative error sqrt(2 / 4000), and chi half of it.
    assert abs(independent.chi * np.sqrt(50) - 1) < 4 * np.sqrt(0.5 / 4_000)
    one = S.synchrony(TRAINS[:1], width=10.0, **SPAN)
    assert np.isnan(one.covariance)
    np.testing.assert_allclose(one.chi, 1.0)


def test_chi_of_potentials():
    generator = np.random.default_rng(0)
    common, own = generator.standard_normal((4_000, 1)), generator.standard_normal((4_000, 100))
    # Var of the mean = 1 + 1/N, of each 2.
    np.testing.assert_allclose(S.chi(jnp.asarray(common + own)), np.sqrt(1.01 / 2), rtol=0.05)
    np.testing.assert_allclose(S.chi(jnp.asarray(own)), 0.1, rtol=0.1)
    assert np.isnan(S.chi(jnp.ones((10, 3))))
    gradient = jax.grad(lambda a: S.chi(jnp.asarray(common + a * own)))(1.0)
    step = 1e-4
    ends = [float(S.chi(jnp.asarray(common + a * own))) for a in (1 - step, 1 + step)]
    np.testing.assert_allclose(gradient, (ends[1] - ends[0]) / (2 * step), rtol=1e-5)


def test_cv_of_packed_trains_by_hand():
    raster = np.zeros((20, 2), bool)
    raster[[0, 1, 3, 6], 0] = True  # intervals of 1, 2 and 3 steps: mean 2, variance 2/3
    found = S.isi_cv(S.SpikeTrains.of(raster, dt=0.5))
    np.testing.assert_allclose(found, [np.sqrt(2 / 3) / 2, np.nan])


def test_too_little_data_is_nan():
    assert np.isnan(S.fano([np.array([1.0])], window=10.0, t0=0.0, t1=15.0)).all()
    assert np.isnan(S.fano([np.array([])], window=1.0, t0=0.0, t1=15.0)).all()
    assert np.isnan(S.pairwise_correlation([np.array([1.0]), np.array([])], width=1.0, t0=0.0, t1=15.0))
    assert np.isnan(S.synchrony([np.array([1.0])] * 2, width=10.0, t0=0.0, t1=15.0).chi)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: S.fano(TRAINS, window=10.0), "`t0` and `t1` are needed"),
        (lambda: S.fano(TRAINS, window=0.0, **SPAN), "above 0 and fit"),
        (lambda: S.fano(TRAINS, window=3_000.0, **SPAN), "above 0 and fit"),
        (lambda: S.fano(S.bernoulli_trains(5.0, 0.0, 9.0, n=1, dt=0.1, key=KEY), window=1.0, t0=0.0), "has its own"),
        (lambda: S.power_spectrum(TRAINS, width=1.0, segment=2_500.0, **SPAN), "`segment` has to fit"),
        (lambda: S.power_spectrum(TRAINS, width=0.0, segment=100.0, **SPAN), "`width` has to be positive"),
        (lambda: S.autocovariance(TRAINS, width=1.0, max_lag=2_000.0, **SPAN), "`max_lag` has to be shorter"),
        (lambda: S.power_spectrum([], width=1.0, segment=100.0, **SPAN), "`trains` is empty"),
        (lambda: S.autocovariance([], width=1.0, max_lag=9.0, **SPAN), "`trains` is empty"),
        (lambda: S.chi(jnp.ones(3)), r"`values` has to have the shape"),
        (lambda: S.chi([1.0, 2.0]), r"`values` has to have the shape"),
        (lambda: S.isi_cv([[1.0, 3.0, 2.0]]), r"`trains\[0\]` has to hold increasing finite spike times"),
        (lambda: S.isi_cv([[1.0], [0.0, np.nan]]), r"`trains\[1\]` has to hold increasing finite spike times"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("share", [0.003, 0.1, 0.6])
@pytest.mark.parametrize("block", [1, 15, 80])
def test_running_moments_of_any_block_are_those_of_all_intervals(share, block):
    """Few spikes a block are taken in by rank, many step by step, and long blocks in words of 32 steps."""
    spikes = np.random.default_rng(0).random((240, 30)) < share
    spikes[:, 0] = True
    update = jax.jit(lambda m, steps, s: m.update(steps, s))
    moments = jax.tree.map(lambda x: jnp.stack([x, x]), jn.statistics.IntervalMoments.start(30))
    for begin in range(0, 240, block):  # two runs as a batch, of which one is silent; steps below 0 do not count
        steps = jnp.arange(begin, begin + block, dtype=jnp.int32) - 20
        part = spikes[begin : begin + block]
        pair = jnp.asarray(np.stack([part, np.zeros_like(part)]))
        moments = jax.vmap(update, in_axes=(0, None, 0))(moments, steps, pair)
    intervals = [np.diff(np.flatnonzero(spikes[20:, i])) for i in range(30)]
    np.testing.assert_array_equal(moments.n, [[len(x) for x in intervals], [0] * 30])
    expected = [x.std() / x.mean() if len(x) >= 3 else np.nan for x in intervals]
    cv = jax.vmap(lambda m: m.cv())(moments)
    np.testing.assert_allclose(cv[0], expected, rtol=1e-6 if moments.mean.dtype == np.float32 else 1e-12)
    assert np.isnan(cv[1]).all()


@pytest.mark.float32
@pytest.mark.bits
def test_running_moments_of_a_batch_are_those_of_each_to_the_bit():
    spikes = jnp.asarray(np.random.default_rng(0).random((3, 200, 15, 80)) < 0.004)
    steps = jnp.arange(3_000, dtype=jnp.int32).reshape(200, 15)

    def moments(spikes):
        start = jn.statistics.IntervalMoments.start(80)
        return jax.lax.scan(lambda m, now: (m.update(*now), None), start, (steps, spikes))[0]

    alone = [jax.jit(moments)(one) for one in spikes]
    together = jax.jit(jax.vmap(moments))(spikes)
    assert int(together.n.sum()) > 1_000
    same = jax.tree.map(lambda batch, *each: bool((batch == jnp.stack(each)).all()), together, *alone)
    assert all(jax.tree.leaves(same))
