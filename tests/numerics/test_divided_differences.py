"""Divided differences of the exponential against many digits, values and derivatives, also where arguments meet."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from jaxneuro._numerics import decayed, decayed_behind, log_ratio_over_difference

# The least difference of two floats, none at all, and what is between small and large.
POINTS = [
    (x, x * (1 + d)) for x in (1e-5, 0.02, 0.9, 1.1, 40.0) for d in (0.0, 1e-9, 1e-4, 0.1, -0.3, 4.0)
] + [(0.01, 300.0), (300.0, 0.02)]  # fmt: skip


def exact_decayed(x, y):
    return mp.exp(-x) if x == y else (mp.exp(-x) - mp.exp(-y)) / (y - x)


def exact_behind(x, y, z):
    """By its definition; nodes that meet are moved apart by less than a float sees."""
    apart = mp.mpf(10) ** -25
    x, y, z = x + apart, y + 3 * apart, z - 2 * apart
    return (exact_decayed(x, z) - exact_decayed(y, z)) / (y - x)


def exact_ratio(a, b):
    return 1 / a if a == b else mp.log(a / b) / (a - b)


def slope(f, at, k):
    """The derivative by the k-th argument: a central difference in 100 digits."""
    h = mp.mpf(10) ** -20
    above, below = ([v + sign * h * (i == k) for i, v in enumerate(at)] for sign in (1, -1))
    return (f(*above) - f(*below)) / (2 * h)


@mp.workdps(100)
def check(function, exact, points):
    dtype = jnp.result_type(float)
    rtol = 1e-12 if dtype == jnp.float64 else 2e-5
    columns = [jnp.asarray(np.array(c), dtype) for c in zip(*points, strict=True)]
    known = [[mp.mpf(float(c[i])) for c in columns] for i in range(len(points))]
    scale = np.array([float(exact(*at)) for at in known])
    np.testing.assert_allclose(jax.jit(function)(*columns), scale, rtol=rtol, atol=1e-37)
    arguments = tuple(range(len(columns)))
    slopes = jax.jit(jax.grad(lambda *a: jnp.sum(function(*a)), argnums=arguments))(*columns)
    for k in arguments:
        expected = np.array([float(slope(exact, at, k)) for at in known])
        np.testing.assert_allclose(slopes[k], expected, rtol=20 * rtol, atol=1e-37)


@pytest.mark.float32
@pytest.mark.bits
def test_of_two():
    check(decayed, exact_decayed, POINTS)


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("third", [0.0, 0.02, 1.1])
def test_of_three(third):
    check(decayed_behind, exact_behind, [(x, y, third) for x, y in POINTS])


@pytest.mark.float32
@pytest.mark.bits
def test_ratio_of_time_constants():
    check(log_ratio_over_difference, exact_ratio, POINTS)
