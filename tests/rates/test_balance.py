"""The summed input of binary sources: theory against exact enumeration and Monte Carlo."""

import itertools

import jax
import numpy as np
import pytest

import jaxneuro as jn


def test_moments_by_enumeration():
    # Three sources of each kind and the two common ones: every state with its probability.
    n, j_e, j_i, p_e, p_i, c_e, c_i = 3, 1.2, 0.7, 0.3, 0.4, 0.2, 0.1
    first, second = 0.0, 0.0
    both = min(p_e, p_i)
    common = {(1, 1): both, (1, 0): p_e - both, (0, 1): p_i - both}
    common[0, 0] = 1 - sum(common.values())
    for (z_e, z_i), weight in common.items():
        chance_e = np.sqrt(c_e) * z_e + (1 - np.sqrt(c_e)) * p_e
        chance_i = np.sqrt(c_i) * z_i + (1 - np.sqrt(c_i)) * p_i
        for state in itertools.product((0, 1), repeat=2 * n):
            chances = np.array([chance_e] * n + [chance_i] * n)
            probability = weight * np.prod(np.where(state, chances, 1 - chances))
            value = (j_e * sum(state[:n]) - j_i * sum(state[n:])) / np.sqrt(n)
            first, second = first + probability * value, second + probability * value**2
    found = jn.theory.BalancedInput(n=n, j_e=j_e, p_e=p_e, j_i=j_i, p_i=p_i, c_e=c_e, c_i=c_i)
    assert float(found.mean()) == pytest.approx(first, rel=1e-12)
    assert float(found.variance()) == pytest.approx(second - first**2, rel=1e-12)


@pytest.mark.parametrize("power", [1.0, 0.5])
@pytest.mark.parametrize("c", [0.0, 0.05])
@pytest.mark.parametrize("n", [50, 5_000])
def test_monte_carlo(n, c, power):
    many = 20_000
    model = jn.theory.BalancedInput(n=n, j_e=1.0, p_e=0.2, j_i=1.0, p_i=0.2, power=power, c_e=c, c_i=c)
    seen = np.asarray(model.sample(many, key=jax.random.key(0)))
    variance = float(model.variance())
    assert abs(seen.mean() - float(model.mean())) < 4 * np.sqrt(variance / many)
    fourth = np.mean((seen - seen.mean()) ** 4)
    assert abs(seen.var() - variance) < 4 * np.sqrt((fourth - variance**2) / many)


def test_scaling_with_n():
    n = np.array([1e2, 1e4, 1e6])
    averaged = jn.theory.BalancedInput(n=n, j_e=1.0, p_e=0.2, power=1.0)
    np.testing.assert_allclose(averaged.mean(), 0.2, rtol=1e-12)
    np.testing.assert_allclose(averaged.variance(), 0.16 / n, rtol=1e-12)
    balanced = jn.theory.BalancedInput(n=n, j_e=2.0, p_e=0.2, j_i=1.0, p_i=0.4)
    np.testing.assert_allclose(balanced.mean(), 0.0, atol=1e-10)
    np.testing.assert_allclose(balanced.variance(), 4 * 0.16 + 0.24, rtol=1e-12)
    # Correlated sources do not average out: with weights of 1/N the variance tends to c p (1 - p).
    correlated = jn.theory.BalancedInput(n=n, j_e=1.0, p_e=0.2, power=1.0, c_e=0.1)
    assert float(correlated.variance()[-1]) == pytest.approx(0.016, rel=1e-4)
    # Where E and I share their common source, balance cancels it.
    shared = jn.theory.BalancedInput(n=n, j_e=1.0, p_e=0.2, j_i=1.0, p_i=0.2, c_e=0.1, c_i=0.1)
    np.testing.assert_allclose(shared.variance(), 2 * 0.16 * 0.9, rtol=1e-9)


@pytest.mark.usefixtures("as_users_run")
def test_errors():
    for name in ("p_e", "c_e"):
        with pytest.raises(ValueError, match=f"`{name}` has to lie between 0 and 1"):
            jn.theory.BalancedInput(**({"n": 10, "j_e": 1.0, "p_e": 0.2} | {name: 1.5}))
    with pytest.raises(ValueError, match="`n_samples` has to be a positive number"):
        jn.theory.BalancedInput(n=10, j_e=1.0, p_e=0.2).sample(0, key=jax.random.key(0))
