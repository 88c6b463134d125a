"""Counts and intervals of Poisson trains against scipy, and a histogram counted by hand."""

import jax
import numpy as np
import pytest
from scipy import integrate, stats

import jaxneuro as jn

S = jn.statistics


def test_counts_are_poisson_and_binomial():
    n = np.arange(12)
    np.testing.assert_allclose(S.poisson_counts(n, rate=25.0, width=150.0), stats.poisson.pmf(n, 3.75), rtol=1e-10)
    np.testing.assert_allclose(
        S.binomial_counts(n, rate=25.0, width=150.0, dt=15.0), stats.binom.pmf(n, 10, 0.375), rtol=1e-10, atol=1e-300
    )
    assert float(S.poisson_counts(0, rate=0.0, width=5.0)) == 1.0
    assert float(S.binomial_counts(10, rate=100.0, width=100.0, dt=10.0)) == 1.0  # a spike in every bin
    # For short bins the one becomes the other.
    np.testing.assert_allclose(
        S.binomial_counts(n, rate=25.0, width=150.0, dt=0.001), stats.poisson.pmf(n, 3.75), rtol=2e-3
    )


def test_the_density_of_intervals_has_the_mean_and_the_cv_of_its_source():
    t = np.linspace(0.0, 2000.0, 400_001)
    density = np.asarray(S.interval_density(t, rate=20.0, t_ref=10.0))
    mean = integrate.trapezoid(t * density, t)
    assert integrate.trapezoid(density, t) == pytest.approx(1.0, abs=2e-4)  # the jump at t_ref costs half a bin
    assert mean == pytest.approx(50.0, rel=2e-4)
    assert np.sqrt(integrate.trapezoid((t - mean) ** 2 * density, t)) / mean == pytest.approx(0.8, rel=1e-3)
    assert float(S.interval_density(9.9, rate=20.0, t_ref=10.0)) == 0.0


def test_a_histogram_of_intervals_counts_each_once():
    trains = [np.array([0.0, 0.3, 0.6, 1.6]), np.array([5.0, 17.0]), np.array([3.0])]
    found = S.isi_histogram(trains, width=0.1, longest=2.0)
    assert found.counts.tolist() == [0, 0, 2, *[0] * 6, 1, *[0] * 10]
    assert found.beyond == 1
    assert found.density.sum() * 0.1 == pytest.approx(0.75)
    trains = S.poisson_trains(40.0, 0.0, 20_000.0, n=20, key=jax.random.key(1))
    found = S.isi_histogram(trains, width=5.0, longest=100.0)
    total = found.counts.sum() + found.beyond
    expected = total * -np.diff(np.exp(-found.edges / 25.0))
    assert np.all(np.abs(found.counts - expected) < 4.5 * np.sqrt(expected))  # 20 bins of 16,000 intervals


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: S.poisson_counts(1.5, rate=1.0, width=1.0), "`n` has to hold whole numbers"),
        (lambda: S.poisson_counts(-1, rate=1.0, width=1.0), "`n` must not be negative"),
        (lambda: S.poisson_counts(1, rate=-1.0, width=1.0), "`rate` must not be negative"),
        (lambda: S.poisson_counts(1, rate=1.0, width=0.0), "`width` has to be positive"),
        (lambda: S.binomial_counts(1, rate=1.0, width=1.0, dt=0.3), "`width` has to be a multiple of `dt`"),
        (lambda: S.binomial_counts(1, rate=2000.0, width=1.0, dt=1.0), "`rate` gives more than one spike"),
        (lambda: S.interval_density(1.0, rate=0.0), "`rate` has to be positive"),
        (lambda: S.interval_density(1.0, rate=100.0, t_ref=10.0), "`t_ref` has to be below the mean interval"),
        (lambda: S.isi_histogram([[2.0, 1.0]], width=1.0, longest=2.0), r"`trains\[0\]` has to hold increasing"),
        (lambda: S.isi_histogram([[1.0]], width=1.0, longest=2.5), "`longest` has to be a multiple"),
        (lambda: S.isi_histogram([[1.0]], width=0.0, longest=2.5), "`width` has to be positive"),
    ],
)
def test_wrong_values_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
