"""The exact field of three binary populations against triple sums by NumPy."""

import jax.numpy as jnp
import numpy as np
import scipy.stats

import jaxneuro as jn
from jaxneuro.theory._binary_field import BinaryInputs

FIELD = jn.theory.PoissonField(20)
WEIGHT = np.array([[0.31, -0.47, 0.23], [0.19, -0.71, 0.53], [0.0, 0.0, 0.0]])
IN_DEGREE = np.array([[8.0, 6.0, 5.0], [7.0, 6.0, 4.0], [0.0, 0.0, 0.0]])
DRIVE, TEMPERATURE = np.array([0.1337, -0.21, 0.4]), np.array([0.0, 0.3, 0.0])
M, Q = np.array([0.3, 0.2, 0.4]), np.array([0.15, 0.08, 0.25])
# No field lies on the threshold. A window of 20 counts from 0 on misses 1e-12 of a Poisson number of mean 2.4.
COUNTS = np.arange(20)


def inputs():
    return BinaryInputs(*(jnp.asarray(x) for x in (WEIGHT, IN_DEGREE, 0.0 * WEIGHT, DRIVE, TEMPERATURE, 10.0 + 0 * M)))


def active(k, n):
    """P(active) of population k for counts `n` of every source, arrays that are broadcast."""
    u = DRIVE[k] + sum(w * x for w, x in zip(WEIGHT[k], n, strict=True))
    return (u > 0) * 1.0 if TEMPERATURE[k] == 0 else 1.0 / (1.0 + np.exp(-u / TEMPERATURE[k]))


def laws(mean):
    return [scipy.stats.poisson.pmf(COUNTS, x) for x in mean]


def test_activity_and_damage_by_triple_sums():
    grid = np.meshgrid(COUNTS, COUNTS, COUNTS, indexing="ij")
    expected, offspring = np.zeros(3), np.zeros((3, 3))
    for k in range(3):
        p = np.einsum("a,b,c->abc", *laws(IN_DEGREE[k] * M))
        expected[k] = np.sum(p * active(k, grid))
        for l in range(3):
            more = [x + (i == l) for i, x in enumerate(grid)]
            offspring[k, l] = IN_DEGREE[k, l] * np.sum(p * np.abs(active(k, more) - active(k, grid)))
    np.testing.assert_allclose(FIELD.activity(inputs(), jnp.asarray(M)), expected, atol=1e-10)
    np.testing.assert_allclose(FIELD.offspring(inputs(), jnp.asarray(M)), offspring, atol=1e-9)


def test_overlap_by_triple_sums_of_what_is_shared_and_what_is_not():
    grid = np.meshgrid(COUNTS, COUNTS, COUNTS, indexing="ij")
    few = np.arange(9)  # of the shared numbers; more have a probability of 1e-5 at most, left out on both sides below
    got = np.asarray(FIELD.overlap(inputs(), jnp.asarray(M), jnp.asarray(Q)))
    for k in range(3):
        own = np.einsum("a,b,c->abc", *laws(IN_DEGREE[k] * (M - Q)))
        shared, total, rest = laws(IN_DEGREE[k] * Q), 0.0, 1.0
        for at in np.ndindex(few.size, few.size, few.size):
            weight = np.prod([law[c] for law, c in zip(shared, at, strict=True)])
            if weight > 1e-7:
                total += weight * np.sum(own * active(k, [x + c for x, c in zip(grid, at, strict=True)])) ** 2
                rest -= weight
        assert -1e-10 < got[k] - total < rest + 1e-10
        assert rest < 1e-4
