"""Integer time, keys by role, and the Poisson sampler."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxneuro._numerics import PoissonTable, TwoFloat, as_leaf, count_steps, delay_steps, random_bits, role_key


def test_steps_of_decimal_times():
    for k in (0, 1, 7, 10_001, 123_456_789):
        assert count_steps("t", k * 0.1, 0.1) == k
    assert count_steps("t", 1_000.0, 0.05) == 20_000
    assert count_steps("t", 0.3, 0.1) == 3  # 0.3/0.1 is 2.9999999999999996
    for time in (0.25, 0.1001, 1e6 + 0.05):
        with pytest.raises(ValueError, match="`t` has to be a multiple"):
            count_steps("t", time, 0.1)


def test_delays_round_to_steps():
    assert delay_steps("d", 1.5, 0.1) == 15
    assert delay_steps("d", 1.46, 0.1) == 15
    assert delay_steps("d", 0.1, 0.1) == 1
    with pytest.raises(ValueError, match="`d` has to be at least dt"):
        delay_steps("d", 0.05, 0.1)
    with pytest.raises(ValueError, match=r"`d` of 1.5 ms is 1.5e\+07 steps"):
        delay_steps("d", 1.5, 1e-7)


def test_roles_have_keys_of_their_own():
    key = jax.random.key(0)
    keys = [jax.random.key_data(role_key(key, r)).tolist() for r in ("drive 0", "drive 1", "wiring 0")]
    assert len({tuple(k) for k in keys}) == 3


@partial(jax.jit, static_argnums=2)
def sample(mean, key, n):
    return PoissonTable(mean).sample(key, n)


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("mean", [0.0, 1e-3, 0.5, 2.0, 17.0, 24.9, 25.1, 70.0, 900.0])
def test_poisson_counts_follow_their_law(mean):
    n = 40_000
    counts = np.asarray(sample(as_leaf(mean), jax.random.key(3), n))
    if mean == 0:
        assert not counts.any()
        return
    assert abs(counts.mean() - mean) < 4 * np.sqrt(mean / n)
    assert abs(counts.var() - mean) < 4 * np.sqrt((2 * mean**2 + mean) / n)
    edges = np.unique(stats.poisson.ppf(np.linspace(0.02, 0.98, 15), mean))
    cells = np.diff(np.concatenate([[0.0], stats.poisson.cdf(edges, mean), [1.0]]))
    found = np.bincount(np.searchsorted(edges, counts), minlength=cells.size)
    assert stats.chisquare(found[cells > 0], n * cells[cells > 0]).pvalue > 1e-4


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("mean", [0.01, 2.0, 24.0])
def test_poisson_thresholds_are_the_tail_probabilities(mean):
    thresholds = np.asarray(PoissonTable(as_leaf(mean)).thresholds).astype(float) / 2.0**32
    expected = stats.poisson.sf(np.arange(64), float(np.float32(mean)) if not jax.config.jax_enable_x64 else mean)
    # The resolution of 32 bits, which truncation uses up; in float32 too.
    np.testing.assert_allclose(thresholds, expected, rtol=0, atol=1.001 * 2.0**-32)


def test_poisson_element_depends_on_its_place_alone():
    two, key = as_leaf(2.0), jax.random.key(9)
    np.testing.assert_array_equal(sample(two, key, 100)[:50], sample(two, key, 50))
    means = as_leaf(np.linspace(0.0, 40.0, 100))
    mixed = np.asarray(sample(means, key, 100))
    assert mixed[0] == 0
    assert mixed[-10:].mean() > 25
    batch = jax.vmap(lambda m: sample(m, key, 50))(as_leaf([2.0, 60.0]))
    np.testing.assert_array_equal(batch[0], sample(two, key, 50))
    np.testing.assert_array_equal(batch[1], sample(as_leaf(60.0), key, 50))


def test_as_leaf_refuses_what_is_no_number():
    for value in ("a", None, 1j, jnp.asarray(1j)):
        with pytest.raises(ValueError, match="has to be a real number"):
            as_leaf(value)


@pytest.mark.float32
@pytest.mark.bits
def test_two_floats_keep_twice_the_digits():
    # In float32: 1/3 * 3 - 1 and a sum that single floats lose, against exact fractions.
    third = TwoFloat.of(jnp.float32(1.0)) / TwoFloat.of(jnp.float32(3.0))
    exact = float(np.float64(third.high)) + float(np.float64(third.low))
    assert abs(exact - 1.0 / 3.0) < 2.0**-46
    product = third * third
    assert abs(float(product.high) + float(product.low) - 1.0 / 9.0) < 2.0**-46
    total = TwoFloat.of(jnp.float32(1.0)) + TwoFloat.of(jnp.float32(1e-9))
    assert abs(float(total.high) - 1.0 + float(total.low) - float(np.float32(1e-9))) < 1e-18


def test_own_bits_are_those_of_jax():
    key = jax.random.fold_in(jax.random.key(5), 17)
    np.testing.assert_array_equal(random_bits(key, 1_001), jax.random.bits(key, (1_001,), jnp.uint32))
    np.testing.assert_array_equal(random_bits(key, 60), random_bits(key, 1_001)[:60])
