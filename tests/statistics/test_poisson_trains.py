"""Poisson spike trains: counts, intervals and Fano factors against closed forms, |z| < 4."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn

KEY = jax.random.key(5)
S = jn.statistics


def intervals(trains):
    return np.concatenate([np.diff(times) for times in trains])


def fano_z(fano, expected, n_windows):
    """The mean over neurons of a Fano factor of `n_windows` counts, relative error sqrt(2 / n) each."""
    return (fano.mean() - expected) / (expected * np.sqrt(2 / (n_windows - 1) / fano.size))


def test_counts_and_intervals_in_continuous_time():
    rate, duration, n = 40.0, 20_000.0, 200
    trains = S.poisson_trains(rate, 0.0, duration, n=n, key=KEY)
    counts, mean = np.array([t.size for t in trains]), rate * duration / 1_000
    assert abs(counts.mean() - mean) / np.sqrt(mean / n) < 4
    assert abs(counts.var(ddof=1) / mean - 1) / np.sqrt(2 / (n - 1)) < 4
    assert abs(fano_z(S.fano(trains, window=100.0, t0=0.0, t1=duration), 1.0, 200)) < 4
    gaps = intervals(trains)
    # Kolmogorov and Smirnov: 4 sigma is a p-value of 6e-5.
    assert stats.kstest(gaps, "expon", args=(0, 1_000 / rate)).pvalue > 6e-5
    assert abs(gaps.std() / gaps.mean() - 1) * np.sqrt(gaps.size) < 4
    # The spikes are uniform in time, given their number.
    assert stats.kstest(np.concatenate(trains), "uniform", args=(0, duration)).pvalue > 6e-5
    assert all(np.all(np.diff(t) > 0) and t[0] > 0 and t[-1] < duration for t in trains)


def test_a_dead_time_keeps_the_rate():
    rate, t_ref, duration, n = 50.0, 5.0, 10_000.0, 400
    trains = S.poisson_trains(rate, 100.0, 100.0 + duration, n=n, key=KEY, t_ref=t_ref)
    cv = 1 - rate * t_ref / 1_000
    counts, mean = np.array([t.size for t in trains]), rate * duration / 1_000
    assert abs(counts.mean() - mean) / np.sqrt(cv**2 * mean / n) < 4  # exactly, as the process starts stationary
    gaps = intervals(trains)
    assert gaps.min() >= t_ref
    assert abs(gaps.std() / gaps.mean() - cv) < 4 * cv / np.sqrt(gaps.size)
    assert stats.kstest(gaps, "expon", args=(t_ref, 1_000 / rate - t_ref)).pvalue > 6e-5
    # Long windows: F -> CV^2; the correction, (1 - CV^4) / 2 + ... over rate T, is 0.007 here.
    assert abs(fano_z(S.fano(trains, window=1_000.0, t0=100.0, t1=100.0 + duration), cv**2 + 0.007, 10)) < 4
    # Stationary from the start: as many spikes in the first 2 ms as anywhere.
    early = sum(np.sum(t < 102.0) for t in trains)
    assert abs(early - n * rate * 0.002) / np.sqrt(n * rate * 0.002) < 4


def test_a_rate_that_varies_by_thinning():
    trains = S.poisson_trains(
        lambda t: 30.0 * (1 + np.sin(2 * np.pi * t / 1_000.0)), 0.0, 1_000.0, n=2_000, key=KEY, most=60.0
    )
    counts = S.spike_counts(trains, width=100.0, t0=0.0, t1=1_000.0).sum(axis=1)
    edges = np.arange(11) / 10
    expected = 2_000 * 30.0 * (0.1 - np.diff(np.cos(2 * np.pi * edges)) / (2 * np.pi))
    assert np.abs((counts - expected) / np.sqrt(expected)).max() < 4


@pytest.mark.parametrize("dt", [0.5, 2.0, 5.0])
def test_the_binomial_limit_in_bin_width(dt):
    # M = T / dt bins of probability rate T / M: F = 1 - rate T / M, and geometric intervals.
    rate, duration, n = 100.0, 20_000.0, 200
    trains = S.bernoulli_trains(rate, 0.0, duration, n=n, dt=dt, key=KEY)
    p = rate * dt / 1_000
    assert abs(trains.counts.mean() - rate * duration / 1_000) / np.sqrt(rate * duration / 1_000 * (1 - p) / n) < 4
    assert abs(fano_z(S.fano(trains, window=100.0), 1 - p, 200)) < 4
    gaps = intervals(trains.times) / dt
    # The geometric law: mean 1/p, CV sqrt(1 - p), of which the error is below 1 / sqrt(gaps).
    assert abs(gaps.std() / gaps.mean() - np.sqrt(1 - p)) * np.sqrt(gaps.size) < 4
    observed = np.bincount(gaps.round().astype(int), minlength=20)[1:20]
    expected = gaps.size * p * (1 - p) ** np.arange(19)
    assert np.abs((observed - expected) / np.sqrt(expected)).max() < 4


@pytest.mark.float32
def test_bernoulli_trains_take_rates_by_neuron_and_by_time():
    by_neuron = S.bernoulli_trains(jnp.array([0.0, 500.0, 1_000.0]), 0.0, 100.0, n=3, dt=1.0, key=KEY)
    assert by_neuron.counts[0] == 0
    assert by_neuron.counts[2] == 100
    by_time = S.bernoulli_trains(lambda t: jnp.where(t < 50.0, 0.0, 1_000.0), 0.0, 100.0, n=3, dt=1.0, key=KEY)
    np.testing.assert_array_equal(by_time.raster().sum(axis=1), [0] * 50 + [3] * 50)
    keys = jax.random.split(KEY, 2)
    batch = jax.vmap(lambda k: S.bernoulli_trains(200.0, 5.0, 105.0, n=33, dt=0.5, key=k))(keys)
    alone = S.bernoulli_trains(200.0, 5.0, 105.0, n=33, dt=0.5, key=keys[1])
    np.testing.assert_array_equal(batch.raster()[1], alone.raster())
    assert int(alone.first_step) == 10


def test_a_traced_rate_out_of_range_saturates():
    rates = jnp.array([2_000.0, -5.0, jnp.nan])
    draw = jax.jit(lambda rate: S.bernoulli_trains(rate, 0.0, 20.0, n=3, dt=1.0, key=KEY))
    assert draw(rates).counts.tolist() == [20, 0, 0]


def test_rates_by_neuron_and_silence():
    trains = S.poisson_trains(np.array([0.0, 100.0]), 0.0, 1_000.0, n=2, key=KEY)
    assert trains[0].size == 0
    assert 60 < trains[1].size < 140


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: S.poisson_trains(-1.0, 0.0, 1.0, n=1, key=KEY), "`rate` must not be negative"),
        (lambda: S.poisson_trains(5.0, 1.0, 1.0, n=1, key=KEY), "`t1` has to lie after"),
        (lambda: S.poisson_trains(5.0, 0.0, 1.0, n=0, key=KEY), "`n` has to be a positive"),
        (lambda: S.poisson_trains(5.0, 0.0, 1.0, n=1, key=0), "`key` has to be a key"),
        (lambda: S.poisson_trains(500.0, 0.0, 9.0, n=1, key=KEY, t_ref=2.0), "`t_ref` has to be at least 0 and below"),
        (lambda: S.poisson_trains(5.0, 0.0, 1.0, n=1, key=KEY, most=9.0), "`most` is for a `rate`"),
        (lambda: S.poisson_trains(np.sin, 0.0, 9.0, n=1, key=KEY), "`most` has to be a positive rate"),
        (lambda: S.poisson_trains(np.ones_like, 0.0, 9.0, n=1, key=KEY, most=9.0, t_ref=1.0), "`t_ref` is for rates"),
        (lambda: S.poisson_trains(lambda t: t, 0.0, 900.0, n=1, key=KEY, most=99.0), "`rate` has to lie between"),
        (lambda: S.poisson_trains("5", 0.0, 9.0, n=1, key=KEY), "`rate` has to be a real number"),
        (lambda: S.poisson_trains(lambda t: np.ones(3), 0.0, 900.0, n=1, key=KEY, most=99.0), "`rate` has to give"),
        (lambda: S.poisson_trains([1.0, 2.0], 0.0, 9.0, n=3, key=KEY), r"of shape \(3,\)"),
        (lambda: S.bernoulli_trains(200.0, 0.0, 90.0, n=1, dt=10.0, key=KEY), "`rate` gives 2 spikes a bin"),
        (lambda: S.bernoulli_trains([1.0, 2.0], 0.0, 9.0, n=3, dt=1.0, key=KEY), r"of shape \(3,\)"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
