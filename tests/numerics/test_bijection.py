"""Bijections: there and back, increasing, inside the range, differentiable."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro._numerics import Interval, Positive, Unbounded

CASES = [Unbounded(), Positive(), Interval(0.0, 1.0), Interval(-3.0, 7.5)]


@pytest.mark.parametrize("bijection", CASES, ids=str)
def test_there_and_back(bijection):
    z = jnp.linspace(-5.0, 5.0, 41)
    values = bijection.forward(z)
    np.testing.assert_allclose(bijection.inverse(values), z, atol=1e-12)  # rounding near the ends of the interval
    assert np.all(np.diff(values) > 0)
    slope = jax.vmap(jax.grad(bijection.forward))(z)
    numeric = (bijection.forward(z + 1e-6) - bijection.forward(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, numeric, rtol=1e-6)


def test_ends_have_to_be_in_order():
    with pytest.raises(ValueError, match="`lower` has to be below `upper`"):
        Interval(1.0, 1.0)
