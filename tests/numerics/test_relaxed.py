"""The exact step of a linear relaxation against its closed form in many digits, where nothing decays too."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._numerics import relaxed

mpmath.mp.dps = 40
DT = 0.025


def closed_form(x, gain, total, dt):
    """The value and its derivatives by x, gain and total."""
    if total == 0:
        return x + gain * dt, 1.0, dt, -gain * dt**2 / 2 - x * dt
    x, gain, total, dt = (mpmath.mpf(v) for v in (x, gain, total, dt))
    left, reach = mpmath.exp(-total * dt), -mpmath.expm1(-total * dt) / total
    by_total = (gain - total * x) * (left * dt - reach) / total - reach * x
    return tuple(float(v) for v in (x + reach * (gain - total * x), left, reach, by_total))


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize(("x", "gain"), [(0.3, 0.2), (-65.0, 3.0), (10.0, 0.0)])
def test_value_and_derivatives_from_no_decay_to_all_of_it(x, gain):
    totals = jnp.asarray([0.0, 1e-12, 1e-6, 1e-3, 0.1, 0.19, 0.21, 1.0, 4.9, 5.1, 20.0])
    given = [jnp.full_like(totals, v) for v in (x, gain)] + [totals, jnp.full_like(totals, DT)]
    value = jax.jit(relaxed)(*given)
    slopes = jax.jit(jax.grad(lambda *a: jnp.sum(relaxed(*a)), argnums=(0, 1, 2)))(*given)
    expected = np.array([closed_form(*(float(v[k]) for v in given)) for k in range(totals.size)]).T
    rtol = 5e-15 if totals.dtype == jnp.float64 else 1e-6  # some roundings
    for found, right in zip((value, *slopes), expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=rtol)


@pytest.mark.float32
@pytest.mark.bits
def test_a_neuron_without_leak_stays_finite():
    """Far below rest all gates close in float32, and nothing is left to decay."""

    def last(g):
        cell = jn.Population(jn.HodgkinHuxley(g_l=g), 1)
        return jn.simulate(
            cell, 0.0, 50.0, dt=0.02, key=jax.random.key(0), stimulus=-100.0, record={"v": jn.record.Trace("v")}
        )["v"][-1, 0]

    value, slope = jax.jit(jax.value_and_grad(last))(jnp.asarray(0.0))
    assert np.isfinite(value)
    assert np.isfinite(slope)
    assert value < -500.0
