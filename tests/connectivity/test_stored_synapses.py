"""Synapses at rest: delays in bytes, weights in 16 bits whose sums are exact, numbers of synapses that are integers."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._simulate import _wire
from jaxneuro.connectivity import Group, draw_operator
from jaxneuro.connectivity._stored import draw_numbers, weight_form

KEY = jax.random.key(0)
DELAY = jn.NormalDelay(1.5, 0.75, low=0.1, high=6.0, grid=0.1)


def drawn(delivery=None, weights=None, delays=DELAY, n=4_000):
    weights = jn.NormalWeight(1.0, cv=0.1) if weights is None else weights
    rule, rng = jn.FixedTotalNumber(n), np.random.default_rng(0)
    return draw_operator(
        rule, rng, Group(60), (Group(50),), (False,), weights=weights, delays=delays, delivery=delivery
    )


def test_a_synapse_takes_five_bytes_and_its_delays_are_steps():
    operator = drawn(jn.delivery.Sparse())
    assert (operator.targets.dtype, operator.numbers.dtype, operator.weights.dtype) == ("uint16", "uint8", "int16")
    assert operator.delay_steps(0.1, 1, 60) is operator.numbers
    steps = np.asarray(operator.numbers)
    assert 1 <= steps.min() <= steps.max() <= 60
    np.testing.assert_allclose(operator.delays, 0.1 * steps, rtol=1e-6)
    # The mean of the normal law cut at 0.1 and 6 ms, and its standard error.
    assert abs(steps.mean() / 10 - float(DELAY.mean)) < 4 * 0.75 / np.sqrt(steps.size)
    # Steps of another length are made of these; without a grid 16 bits hold 1/65,535 of the longest.
    np.testing.assert_array_equal(operator.delay_steps(0.3, 1, 20), np.clip(np.rint(steps / 3.0), 1, 20))
    free = drawn(jn.delivery.Sparse(), delays=jn.NormalDelay(1.5, 0.75, low=0.1, high=6.0))
    assert free.numbers.dtype == np.uint16
    assert free.delay_steps(0.1, 1, 60).dtype == np.uint8


def test_weights_are_rounded_to_the_nearest_multiple_and_their_mean_is_kept():
    law, n = jn.NormalWeight(1.0, cv=0.1), 200_000
    form = weight_form(law, 100)
    kept = draw_numbers("weight", law, form, np.random.default_rng(0), n)
    exact = law.draw(np.random.default_rng(0), (n,))
    error = kept * form.quantum - exact
    assert form.quantum < 6e-5
    assert np.abs(error).max() <= 0.5000001 * form.quantum
    # Of a uniform error: standard deviation q/sqrt(12), and the mean of n of them.
    np.testing.assert_allclose(error.std(), form.quantum / np.sqrt(12), rtol=0.02)
    assert abs(error.mean()) < 4 * form.quantum / np.sqrt(12 * n)
    # Laws that reach far, and targets whose weights could exceed 32 bits, are kept as floats.
    assert weight_form(jn.LogNormalWeight(1.0, 1.0), 100).dtype == np.float32
    assert weight_form(law, 70_000).dtype == np.float32
    assert weight_form(jn.NormalWeight(0.0, cv=0.1), 100).dtype == np.float32


def test_many_numbers_are_drawn_in_parts_whatever_the_threads(monkeypatch):
    law, form = jn.NormalWeight(1.0, cv=0.1), weight_form(jn.NormalWeight(1.0, cv=0.1), 100)
    both = []
    for threads in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda threads=threads: threads)
        both.append(draw_numbers("weight", law, form, np.random.default_rng(0), 2_500_000))
    np.testing.assert_array_equal(*both)
    values = both[0] * form.quantum
    np.testing.assert_allclose([values.mean(), values.std()], [1.0, 0.1], atol=4 * 0.1 / np.sqrt(2_500_000))
    wrong = SimpleNamespace(draw=lambda rng, shape: np.full(shape, np.nan))
    with pytest.raises(ValueError, match=r"`weight`: SimpleNamespace\.draw has to give finite numbers"):
        draw_numbers("weight", wrong, form, np.random.default_rng(0), 2_500_000)


@pytest.mark.parametrize("delivery", [jn.delivery.Sparse(window=3), jn.delivery.NativeSparse()], ids=str)
def test_sums_of_weights_are_whole_numbers_in_any_order(delivery):
    operator = drawn(delivery)
    assert operator.count_dtype == np.int32
    steps, sources = operator.delay_steps(0.1, 1, 60), np.repeat(np.arange(60), np.diff(operator.offsets))
    scheduled = operator.scheduled(steps, 70, jnp.asarray(0, jnp.int32))
    spikes = np.random.default_rng(1).random((5, 60)) < 0.3
    expected = np.zeros((70, 50), np.int64)
    for t in range(5):
        own = spikes[t, sources]
        np.add.at(expected, (t + np.asarray(steps)[own], operator.targets[own]), np.asarray(operator.weights)[own])
    np.testing.assert_array_equal(scheduled.push(scheduled.nothing(), jnp.asarray(spikes)), expected)
    values = jnp.asarray(np.where(spikes, 1.0, 0.0))
    linear, back = jax.vjp(lambda v: scheduled.linear(v, jnp.asarray(spikes)), values)
    np.testing.assert_allclose(linear, expected, rtol=1e-5)
    cotangent = np.random.default_rng(2).normal(size=(70, 50))
    np.testing.assert_allclose(jnp.sum(back(jnp.asarray(cotangent))[0]), np.sum(expected * cotangent), rtol=1e-4)
    matrix = np.zeros((50, 60))
    np.add.at(matrix, (np.asarray(operator.targets), sources), np.asarray(operator.weights) * float(operator.quantum))
    np.testing.assert_allclose(operator.as_matrix(), matrix, rtol=1e-5)


def test_all_ways_to_store_draw_the_same_synapses():
    listed = drawn(jn.delivery.Sparse(), delays=None)
    for delivery in (jn.delivery.Rows(), jn.delivery.NativeSparse()):
        np.testing.assert_allclose(drawn(delivery, delays=None).as_matrix(), listed.as_matrix(), rtol=1e-5)


def test_a_number_of_synapses_is_exact_above_what_float32_holds():
    rule = jn.FixedTotalNumber(45_000_003)
    assert rule.number == 45_000_003
    assert rule.expected(Group(10), Group(10), False) == 45_000_003.0
    assert jn.FixedTotalNumber(0).number == 0
    slope = jax.grad(lambda n: jn.FixedTotalNumber(n).in_degree(Group(5), Group(8), False).mean)(24.0)
    np.testing.assert_allclose(slope, 1 / 8)


def pair(n, delay=1.5, weight=0.1):
    group = jn.Population(jn.LIF(), 40_000)
    projection = jn.Projection(
        "E", "E", jn.DeltaCurrent(), weight=weight, connectivity=jn.FixedTotalNumber(n), delay=delay
    )
    return jn.Network({"E": group}, [projection])


@pytest.mark.usefixtures("as_users_run")
def test_too_many_synapses_or_too_little_memory_is_said_before_drawing(monkeypatch):
    with pytest.raises(ValueError, match=r"2,200,000,000 synapses are too many to list for one projection"):
        jn.wire(pair(2_200_000_000), key=KEY)
    monkeypatch.setattr(_wire, "free_memory", lambda: 2.5e9)
    with pytest.raises(ValueError, match=r"`net`: its synapses need 4\.0 GB, and 2\.5 GB of memory are free"):
        jn.wire(pair(2_000_000_000), key=KEY)
    # 2 bytes for a target, 1 for a delay, 2 for a weight.
    with pytest.raises(ValueError, match=r"its synapses need 5\.0 GB"):
        jn.wire(pair(1_000_000_000, DELAY, jn.NormalWeight(0.1, cv=0.1)), key=KEY)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("grid", [0.0, -0.1, 20.0, 1e-5])
def test_a_grid_that_is_no_step_of_runs_is_refused(grid):
    with pytest.raises(ValueError, match="`grid` has to be the step of runs"):
        jn.NormalDelay(1.5, 0.75, low=0.1, high=6.0, grid=grid)
