"""How bursty trains are, and how long a fluctuation lasts: by hand, and in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

X64 = jax.config.jax_enable_x64


def test_the_share_of_short_intervals():
    trains = [np.array([0.0, 3.0, 9.0, 14.9, 50.0]), np.array([1.0, 20.0, 21.0]), np.zeros(0)]
    # Intervals 3, 6, 5.9, 35.1: of 3 t_ref = 6 only those below count; two intervals are too few.
    np.testing.assert_array_equal(jn.statistics.burst_index(trains, t_ref=2.0), [0.5, np.nan, np.nan])


def test_intervals_of_a_poisson_process():
    trains = jn.statistics.poisson_trains(50.0, 0.0, 20_000.0, n=20, key=jax.random.key(0))
    share = jn.statistics.burst_index(trains, t_ref=2.0)
    n = sum(len(train) - 1 for train in trains)
    exact = 1.0 - np.exp(-0.3)
    assert abs(share.mean() - exact) < 4.0 * np.sqrt(exact * (1.0 - exact) / n)


@pytest.mark.float32
def test_the_correlation_time_of_exponentials_is_exact():
    lags = 0.5 * np.arange(60)[:, None]
    taus = np.array([0.7, 3.0, 11.0])
    found = jn.statistics.correlation_time(9.0 * np.exp(-lags / taus), spacing=0.5)
    np.testing.assert_allclose(found, taus, rtol=1e-9 if X64 else 1e-4)
    slope = jax.grad(lambda tau: jn.statistics.correlation_time(jnp.exp(-lags[:, 0] / tau), spacing=0.5))(3.0)
    np.testing.assert_allclose(slope, 1.0, rtol=1e-9 if X64 else 1e-4)


def test_one_that_does_not_fall_or_falls_below_zero():
    assert np.isnan(jn.statistics.correlation_time(np.array([1.0, 0.9, 0.8]), spacing=1.0))
    assert np.isnan(jn.statistics.correlation_time(np.array([0.0, 0.0]), spacing=1.0))
    at = jn.statistics.correlation_time(np.array([1.0, 0.9, -0.1]), spacing=2.0)
    np.testing.assert_allclose(at, 2.0 * (1.0 + (0.9 - np.exp(-1.0)) / 1.0), rtol=1e-6)


def test_refusals(as_users_run):
    with pytest.raises(ValueError, match="`t_ref` has to be positive"):
        jn.statistics.burst_index([np.arange(5.0)], t_ref=0.0)
    with pytest.raises(ValueError, match="`spacing` has to be positive"):
        jn.statistics.correlation_time(np.array([1.0, 0.1]), spacing=0.0)
    with pytest.raises(ValueError, match="`autocovariance` has to be"):
        jn.statistics.correlation_time(np.array([1.0]), spacing=1.0)
