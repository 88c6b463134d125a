"""Losses, encoders and decoders against numpy and closed forms, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import jaxneuro as jn

learning = jn.learning
RNG = np.random.default_rng(11)


def test_losses_equal_numpy():
    logits, labels = RNG.normal(size=(7, 4)), RNG.integers(0, 4, 7)
    expected = -np.mean(special.log_softmax(logits, axis=1)[np.arange(7), labels])
    assert float(learning.cross_entropy(jnp.asarray(logits), jnp.asarray(labels))) == pytest.approx(expected, rel=1e-12)
    assert float(learning.accuracy(jnp.asarray(logits), jnp.asarray(labels))) == np.mean(logits.argmax(1) == labels)
    v = RNG.normal(size=(3, 9, 4))
    np.testing.assert_array_equal(learning.max_potential(jnp.asarray(v)), v.max(1))
    np.testing.assert_allclose(learning.mean_potential(jnp.asarray(v)), v.mean(1), rtol=1e-12)
    np.testing.assert_allclose(learning.spike_counts(jnp.asarray(v)), v.sum(1), rtol=1e-12)
    rates = np.array([0.0, 5.0, 30.0])
    assert float(learning.rate_bounds(jnp.asarray(rates), low=3.0, high=24.0)) == pytest.approx((9 + 36) / 3)
    assert float(learning.squared_error(jnp.asarray(rates), 5.0)) == pytest.approx(np.mean((rates - 5) ** 2))


def test_van_rossum_equals_its_integral():
    dt, tau = 0.1, 8.0
    spikes, target = (RNG.random((2, 600, 3)) < 0.02).astype(float)
    t = np.arange(600) * dt

    def inner(a, b):
        """Pairs of spikes: the integral of two decaying exponentials to the end of the run."""
        total = 0.0
        for x in t[a > 0]:
            for y in t[b > 0]:
                total += 0.5 * (np.exp(-abs(x - y) / tau) - np.exp(-(2 * 600 * dt - x - y) / tau))
        return total

    parts = [
        inner(spikes[:, i], spikes[:, i]) + inner(target[:, i], target[:, i]) - 2 * inner(spikes[:, i], target[:, i])
        for i in range(3)
    ]
    found = learning.van_rossum(jnp.asarray(spikes), jnp.asarray(target), dt=dt, tau=tau)
    assert float(found) == pytest.approx(np.mean(parts), rel=1e-10)


def test_interval_cv_equals_numpy_and_its_derivative_moves_a_spike():
    trains = (RNG.random((400, 5)) < np.array([0.05, 0.1, 0.02, 0.0, 0.001])).astype(float)
    trains[:, 3] = 0.0
    trains[::20, 3] = 1.0
    found = learning.interval_cv(jnp.asarray(trains), dt=0.5)
    for i in range(5):
        intervals = np.diff(np.flatnonzero(trains[:, i])) * 0.5
        if len(intervals) < 3:
            assert np.isnan(found[i])
        else:
            assert float(found[i]) == pytest.approx(np.std(intervals) / np.mean(intervals), rel=1e-9, abs=1e-9)

    def sums(s):
        return jnp.nansum(learning.interval_cv(s, dt=0.5))

    gradient = jax.grad(sums)(jnp.asarray(trains))
    direction = jnp.asarray(RNG.normal(size=trains.shape))
    forward = jax.jvp(sums, (jnp.asarray(trains),), (direction,))[1]
    assert float(forward) == pytest.approx(float(jnp.sum(gradient * direction)), rel=1e-9)
    assert np.all(np.isfinite(gradient))
    assert np.all(np.any(np.asarray(gradient)[:, :3] != 0, axis=0))


def test_encoders():
    drawn = learning.poisson_spikes(
        jnp.asarray([[0.0, 20.0], [100.0, 1000.0]]), n_steps=4_000, dt=1.0, key=jax.random.key(1)
    )
    assert drawn.shape == (2, 4_000, 2)
    for found, p in zip(drawn.mean(1).ravel(), (0.0, 0.02, 0.1, 1.0), strict=True):
        assert abs(float(found) - p) <= 4 * np.sqrt(p * (1 - p) / 4_000)
    values = RNG.random((3, 6))
    spikes = np.asarray(learning.latency_spikes(values, n_steps=50, dt=0.5, tau=10.0, threshold=0.3))
    for i, x in np.ndenumerate(values):
        train = spikes[i[0], :, i[1]]
        t = 10.0 * np.log(x / (x - 0.3)) if x > 0.3 else np.inf
        assert train.sum() == (t < 25.0)
        if t < 25.0:
            assert train.argmax() == int(t / 0.5)
    rates = learning.population_rates([0.0, 2.0], centres=[0.0, 1.0], width=0.5, peak=40.0)
    np.testing.assert_allclose(rates, 40 * np.exp(-2 * np.array([[0, 1], [4, 1]])), rtol=1e-12)
    times = learning.first_spike_times(jnp.asarray(spikes, float), dt=0.5)
    assert np.all((np.asarray(times) < np.inf) == spikes.any(1))


def test_a_raster_is_the_rate_with_its_derivative():
    stimulus = 25.0 + 5.0 * RNG.normal(size=(60, 4))

    def run(v_th, record):
        cells = jn.Population(jn.LIF(v_th=v_th, t_ref=1.0), 4)
        return jn.simulate(
            cells, 0.0, 60.0, dt=1.0, key=jax.random.key(0), stimulus=stimulus, record=record,
            surrogate=jn.surrogate.ArcTan(2.0), throw=False,
        )  # fmt: skip

    def both(v_th):
        sol = run(v_th, {"s": jn.record.Raster("population", start=1.0), "r": jn.record.Rate(start=1.0)})
        return jnp.sum(sol["s"], axis=0) * (1000.0 / 59.0), sol["r"]

    value = jnp.asarray(18.0)
    by_raster, by_rate = jax.jit(jax.jacrev(both))(value)
    names = {"s": jn.record.Raster("population"), "r": jn.record.Rate(start=1.0), "n": jn.record.Spikes("population")}
    sol = run(value, names)
    raster = np.asarray(sol["s"])
    np.testing.assert_allclose(raster[1:].sum(axis=0) * (1000.0 / 59.0), sol["r"], rtol=1e-12)
    spikes = [(round(t) - 1, k) for k, times in enumerate(sol["n"].times) for t in times]
    assert sorted(spikes) == sorted(zip(*map(np.ndarray.tolist, np.nonzero(raster)), strict=True))
    np.testing.assert_allclose(by_raster, by_rate, rtol=1e-12)
    assert np.all(np.asarray(by_rate) < 0)


def test_wrong_numbers(as_users_run):
    with pytest.raises(ValueError, match="more than one spike a step"):
        learning.poisson_spikes([2_000.0], n_steps=5, dt=1.0, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`rates` must not be negative"):
        learning.poisson_spikes([-1.0], n_steps=5, dt=1.0, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`threshold` has to be positive"):
        learning.latency_spikes([0.5], n_steps=5, dt=1.0, threshold=0.0)
    with pytest.raises(ValueError, match="`tau` has to be positive"):
        learning.van_rossum(jnp.ones((3, 1)), jnp.ones((3, 1)), dt=1.0, tau=-1.0)
    with pytest.raises(ValueError, match="`dt` has to be positive"):
        learning.poisson_spikes([5.0], n_steps=5, dt=-1.0, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`low` has to be at most `high`"):
        learning.rate_bounds(jnp.ones(2), low=10.0, high=1.0)
    logits = jnp.zeros((2, 3))
    for loss in (learning.cross_entropy, learning.accuracy):
        for labels in ([0], [0, 3], [-1, 0], [[0], [1]], [0.0, 1.0]):
            with pytest.raises(ValueError, match="`labels` has"):
                loss(logits, jnp.asarray(labels))
    for shape in ((3, 1), (2,), (1, 4, 3)):
        with pytest.raises(ValueError, match="`target` has to be of the shape of `values`"):
            learning.squared_error(jnp.zeros((4, 3)), jnp.zeros(shape))
    for shape in ((3,), (1, 3), (9, 1), (8, 3)):
        with pytest.raises(ValueError, match="`target` has to be of the shape of `spikes`"):
            learning.van_rossum(jnp.zeros((9, 3)), jnp.zeros(shape), dt=1.0, tau=5.0)


def test_spikes_may_be_true_and_false_or_whole_numbers():
    raster = RNG.random((60, 4)) < 0.1
    raster[:, 0] = False
    first = [np.flatnonzero(train)[0] + 1 if train.any() else np.inf for train in raster.T]
    other = RNG.random((60, 4)) < 0.1
    distance = learning.van_rossum(jnp.asarray(raster, float), jnp.asarray(other, float), dt=0.5, tau=5.0)
    for kind in (bool, np.int32, float):
        spikes = jnp.asarray(raster, kind)
        np.testing.assert_allclose(learning.first_spike_times(spikes, dt=0.5), 0.5 * np.asarray(first))
        np.testing.assert_allclose(
            learning.van_rossum(spikes, jnp.asarray(other, kind), dt=0.5, tau=5.0), distance, rtol=1e-6
        )
        cv = learning.interval_cv(spikes, dt=0.5)
        for found, train in zip(np.asarray(cv), raster.T, strict=True):
            intervals = np.diff(np.flatnonzero(train))
            assert np.isnan(found) if len(intervals) < 3 else np.isclose(found, intervals.std() / intervals.mean())
