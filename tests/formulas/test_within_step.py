"""A leaky membrane inside one step: its currents against quadrature, its crossings against a bracketed root."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize

from jaxneuro._formulas import DecayingCurrent, MembraneStep, current_in
from jaxneuro._formulas._within_step import _root

X64 = jnp.result_type(float) == jnp.float64
DT, TAU, TAU_M = 1.5, 3.0, 8.0
NOW = np.array([2.0, -1.0, 0.5])
# Weight and time of the one arrival of each neuron: within the step, at its very end, and none.
WEIGHT, ARRIVAL = np.array([1.2, 0.7, 0.0]), np.array([0.4, DT, 0.0])


def current(weights, arrivals, now):
    """The current of a step with these arrivals, (arrivals, n)."""
    w, u = np.atleast_2d(weights), DT - np.atleast_2d(arrivals)
    moments = np.stack([w.sum(0), (w * u).sum(0), (w * u**2).sum(0)], 1)
    return current_in(DecayingCurrent(jnp.asarray(now), jnp.asarray([TAU]), jnp.asarray(moments)), DT)


def course(k):
    """I of neuron k at `s` ms of the step."""
    return lambda s: NOW[k] * np.exp(-s / TAU) + (s >= ARRIVAL[k]) * WEIGHT[k] * np.exp(-(s - ARRIVAL[k]) / TAU)


def test_the_current_of_a_step_with_one_arrival():
    times, parts = (0.0, 0.3, 0.9, DT), ((0.0, DT), (0.2, 1.1), (0.7, 1.3))

    @jax.jit
    def found(one):
        kicks = [one.kick(jnp.full(3, begin), jnp.full(3, end), jnp.asarray([TAU_M])) for begin, end in parts]
        return [one.value(jnp.full(3, at)) for at in times], one.at_end(DT), kicks

    values, after, kicks = found(current(WEIGHT, ARRIVAL, NOW))
    expected = [course(k) for k in range(3)]
    np.testing.assert_allclose(values, [[i(at) for i in expected] for at in times], rtol=1e-6)
    np.testing.assert_allclose(after, [i(DT) for i in expected], rtol=1e-6)
    for kick, (begin, end) in zip(kicks, parts, strict=True):
        moved = [
            integrate.quad(lambda s, i=i: np.exp(-(end - s) / TAU_M) * i(s) / TAU_M, begin, end, points=[0.4])[0]
            for i in expected
        ]
        np.testing.assert_allclose(kick, moved, rtol=1e-6)


@pytest.mark.skipif(not X64, reason="an error of third order")
def test_two_arrivals_are_right_to_second_order():
    """As one at their mean time and its moments; of both signs without a mean time, as if all came at the end."""
    w, since = np.array([[1.0, -0.6], [1.0, 1.0]]), np.array([[0.09, 0.021], [0.01, 0.001]])

    @jax.jit
    def found(pair):
        still = jnp.zeros(2)
        path = MembraneStep(still, jnp.asarray([TAU_M]), (pair,), DT)
        return pair.at_end(DT), path.moved(still, still, jnp.full(2, DT)) + path.rest_of_kick()

    left, moved = found(current(w, DT - since, np.zeros(2)))
    response = TAU / (TAU - TAU_M) * (np.exp(-since / TAU) - np.exp(-since / TAU_M))
    third = np.sum(np.abs(w) * since**3, 0) / 6.0
    assert (np.abs(left - np.sum(w * np.exp(-since / TAU), 0)) < third / TAU**3).all()
    assert (np.abs(moved - np.sum(w * response, 0)) < third / TAU**2 / TAU_M * (1.0 + TAU / TAU_M) ** 2).all()


def test_a_potential_that_peaks_inside_the_step_crosses_on_its_way_up():
    """V' = (-V + I exp(-t/tau))/tau_m with tau of a tenth of the step: V is below the threshold at either end."""
    tau, dt, v_th, start, kick = 0.5, 5.0, 10.0, 9.0, 45.0

    def v(t):
        return start * np.exp(-t / TAU_M) + kick * tau / (tau - TAU_M) * (np.exp(-t / tau) - np.exp(-t / TAU_M))

    step = DecayingCurrent(jnp.asarray([kick, 0.1 * kick]), jnp.asarray([tau]), None)

    @jax.jit
    def crossing(step):
        path = MembraneStep(jnp.zeros(2), jnp.asarray([TAU_M]), (current_in(step, dt),), dt)
        return path.crossing(jnp.full(2, start), jnp.zeros(2), jnp.asarray([v_th]))

    found = crossing(step)
    assert v(dt) < v_th
    np.testing.assert_array_equal(found.reached, [True, False])
    np.testing.assert_allclose(
        found.at[0], optimize.brentq(lambda t: v(t) - v_th, 0.0, 1.0), rtol=1e-10 if X64 else 1e-5
    )


def test_where_newtons_step_leaves_the_bracket_it_is_halved():
    """From the middle of the bracket the slope of arctan leads far outside of it."""

    def steep(x):
        return jnp.arctan(50.0 * (x - 0.37)), 50.0 / (1.0 + (50.0 * (x - 0.37)) ** 2)

    found = _root(steep, jnp.asarray([0.2]), jnp.asarray([1.0]), jnp.asarray([True]))
    np.testing.assert_allclose(found, 0.37, rtol=1e-14 if X64 else 1e-6)
