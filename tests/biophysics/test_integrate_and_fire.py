"""Integrate-and-fire neurons against quadrature, closed forms and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

import jaxneuro as jn

KEY = jax.random.key(0)


def intervals(model, current, dt, t1=400.0):
    sol = jn.simulate(
        jn.Population(model, len(current)), 0.0, t1, dt=dt, key=KEY, stimulus=current,
        record={"spikes": jn.record.Spikes()},
    )  # fmt: skip
    return [np.diff(times) for times in sol["spikes"].times]


def test_fi_curves_against_quadrature_and_closed_form():
    currents = np.array([0.0, 12.9, 13.01, 14.0, 20.0, 60.0])
    found = jn.theory.fi_curve(jn.neurons.eif(v_reset=-60.0), currents)
    assert (np.asarray(found[:2]) == 0).all()
    for current, rate in zip(currents[2:], found[2:], strict=True):

        def speed(v, i=current):
            return 20.0 / (-(v + 65) + 2 * np.exp((v + 50) / 2) + i)

        period = quad(speed, -60.0, -20.0, points=[-50.0], limit=500, epsabs=1e-11, epsrel=1e-11)[0]
        assert float(rate) == pytest.approx(1000 / period, rel=1e-7)
    # The quadratic curve has an arctangent.
    model = jn.neurons.qif(v_rest=-65.0, v_c=-50.0, k=0.05, v_peak=100.0, v_reset=-60.0)
    excess = 5.0 - 0.05 * 7.5**2
    scale = np.sqrt(0.05 / excess)
    period = 20.0 / np.sqrt(0.05 * excess) * (np.arctan(157.5 * scale) - np.arctan(-2.5 * scale))
    assert float(jn.theory.fi_curve(model, 5.0)) == pytest.approx(1000 / period, rel=1e-9)
    lif = jn.LIF()
    np.testing.assert_allclose(jn.theory.fi_curve(lif, [20.0, 30.0]), [0.0, 1000 / (2 + 20 * np.log(2.0))])
    slope = jax.grad(lambda i: jn.theory.fi_curve(jn.neurons.eif(), i))(20.0)
    ends = jn.theory.fi_curve(jn.neurons.eif(), [19.999, 20.001])
    assert float(slope) == pytest.approx(float(ends[1] - ends[0]) / 0.002, rel=1e-6)


def test_simulated_fi_curve_is_that_of_theory():
    for model, currents in ((jn.neurons.eif(), [14.0, 20.0, 60.0]), (jn.neurons.qif(), [5.0, 10.0])):
        wanted = 1000.0 / np.asarray(jn.theory.fi_curve(model, currents))
        found = np.array([x.mean() for x in intervals(model, currents, 0.02)])
        # A spike is at the end of its step: half a step late on average, and never early.
        assert (found - wanted > -0.005).all()
        assert (found - wanted < 0.03).all()


@pytest.mark.float32
def test_adaptive_exponential_against_scipy():
    tau_m, tau_w, a, b = 281 / 30, 144.0, 4 / 30, 80.5 / 30

    def slope(t, y):
        v, w = y
        return [(-(v + 70.6) + 2 * np.exp((v + 50.4) / 2) - w + 25.0) / tau_m, (a * (v + 70.6) - w) / tau_w]

    def peak(t, y):
        return y[0] + 30.0  # from here to the peak it takes less than a microsecond

    peak.terminal = True
    t, y, times = 0.0, [float(jn.neurons.adex().resting_potential()), a * 0.0], []
    while t < 200.0:
        run = solve_ivp(slope, (t, 200.0), y, events=peak, rtol=1e-9, atol=1e-9, method="LSODA")
        t = run.t[-1]
        if run.t_events[0].size:
            times.append(t)
            y = [-70.6, run.y[1, -1] + b]
    sol = jn.simulate(
        jn.Population(jn.neurons.adex(), 1), 0.0, 200.0, dt=0.005, key=KEY, stimulus=25.0,
        record={"spikes": jn.record.Spikes()},
    )  # fmt: skip
    np.testing.assert_allclose(sol["spikes"].times[0], times, atol=0.04)


def test_izhikevich_rests_where_its_parabola_says_and_adapts():
    model = jn.neurons.izhikevich()
    assert float(model.resting_potential()) == pytest.approx(-70.0, abs=1e-6)
    (gaps,) = intervals(model, [10.0], 0.05)
    assert gaps[0] < 0.5 * gaps[1]
    assert gaps[-1] == pytest.approx(44.8, abs=1.0)


def test_errors(as_users_run):
    with pytest.raises(ValueError, match="`curve` has to be"):
        jn.IntegrateAndFire(3.0)
    with pytest.raises(ValueError, match="`v_reset` has to lie below `v_peak`"):
        jn.neurons.eif(v_peak=-70.0)
    with pytest.raises(ValueError, match="adapts"):
        jn.theory.fi_curve(jn.neurons.adex(), 3.0)
    with pytest.raises(ValueError, match="`solver` of `IntegrateAndFire`"):
        jn.simulate(jn.Population(jn.neurons.eif(), 1), 0.0, 1.0, dt=0.1, key=KEY, solver=jn.Exact())
    with pytest.raises(ValueError, match="`model` has to be a LIF"):
        jn.theory.fi_curve(jn.HodgkinHuxley(), jnp.ones(2))
