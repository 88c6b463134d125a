"""The LIF neuron against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)


def run(population, duration, dt, **keywords):
    return jn.simulate(population, 0.0, duration, dt=dt, key=KEY, **keywords)


@pytest.mark.float32
def test_charging_curve_is_exact_for_every_step():
    lif = jn.LIF(v_rest=-70.0, v_th=1e3, v_reset=-70.0)
    rtol = 1e-12 if jax.config.jax_enable_x64 else 1e-5
    for dt in (0.1, 1.0, 12.5):
        sol = run(jn.Population(lif, 1), 100.0, dt, stimulus=15.0, record={"v": jn.record.Trace("v")})
        np.testing.assert_allclose(sol["v"][:, 0], -70.0 + 15.0 * -np.expm1(-sol.times["v"] / 20.0), rtol=rtol)


@pytest.mark.parametrize("t_ref", [0.0, 2.0, 5.0])
def test_interval_is_the_closed_form_to_one_step(t_ref):
    # ISI = t_ref + tau log((I - v_reset)/(I - v_th)), rounded up to whole steps.
    dt, current = 0.01, 30.0
    lif = jn.LIF(t_ref=t_ref)
    times = run(jn.Population(lif, 1), 500.0, dt, stimulus=current, record={"s": jn.record.Spikes()})["s"].times[0]
    expected = t_ref + np.ceil(20.0 * np.log((current - 10.0) / (current - 20.0)) / dt) * dt
    np.testing.assert_allclose(np.diff(times), expected, atol=1e-9)
    first = np.ceil(20.0 * np.log(current / (current - 20.0)) / dt) * dt
    np.testing.assert_allclose(times[0], first, atol=1e-9)


def free_membrane(solver, dt, sigma=4.0, n=4_000):
    """End potentials of `n` membranes without threshold after five time constants."""
    net = jn.Network({"E": jn.Population(jn.LIF(v_th=1e6), n)}, drives=[jn.WhiteNoiseDrive("E", mu=7.0, sigma=sigma)])
    trace = jn.record.Trace("E.v", start=100.0 - dt)
    return np.asarray(jn.simulate(net, 0.0, 100.0, dt=dt, key=KEY, solver=solver, record={"v": trace})["v"][-1])


@pytest.mark.parametrize("dt", [0.5, 5.0, 20.0])
def test_ou_moments_are_exact_for_every_step(dt):
    # Mean mu (1 - e^-t/tau), variance sigma^2/2 (1 - e^-2t/tau): errata of the tutorial, equation (3).
    v = free_membrane(jn.Exact(), dt)
    mean, variance = 7.0 * -np.expm1(-5.0), 8.0 * -np.expm1(-10.0)
    assert abs(v.mean() - mean) < 4 * np.sqrt(variance / v.size)
    assert abs(v.var() - variance) < 4 * variance * np.sqrt(2 / v.size)


def moments(solver, dt):
    """Mean and variance of the free membrane at t = 20 ms from the coefficients of one step alone."""
    lif = jn.LIF()
    c = lif.prepare(dt, solver).propagator
    mean, variance = 0.0, 0.0
    for _ in range(round(20.0 / dt)):
        mean = float(c.decay) * mean + float(c.gain) * 7.0
        variance = float(c.decay) ** 2 * variance + float(c.noise_gain) ** 2 * 16.0
    return np.array([mean, variance])


def test_order_of_the_steppers():
    exact = np.array([7.0 * -np.expm1(-1.0), 8.0 * -np.expm1(-2.0)])
    steps = np.array([0.5, 0.25, 0.125, 0.0625])
    np.testing.assert_allclose([moments(jn.Exact(), dt) for dt in steps], np.tile(exact, (4, 1)), rtol=1e-12)
    errors = np.array([np.abs(moments(jn.EulerMaruyama(), dt) - exact) for dt in steps])
    orders = np.log2(errors[:-1] / errors[1:])
    np.testing.assert_allclose(orders, 1.0, atol=0.03)  # Euler-Maruyama is of weak order one


def test_euler_maruyama_has_the_variance_that_its_step_implies():
    dt = 4.0
    v = free_membrane(jn.EulerMaruyama(), dt, n=40_000)
    variance = 8.0 / (1 - dt / 40.0) * (1 - (1 - dt / 20.0) ** 50)
    assert abs(v.var() - variance) < 4 * variance * np.sqrt(2 / v.size)
    assert variance - 8.0 > 8 * variance * np.sqrt(2 / v.size)  # and the test can tell it from the exact one


def test_exponential_euler_tends_to_the_conductance_solution():
    # A conductance switched on at 1 with reversal 0: V relaxes to v_rest/2 with tau/2, exactly.
    lif = jn.LIF(v_rest=-80.0, v_th=0.0, v_reset=-81.0)
    constants = lif.prepare(0.5, jn.Exact())
    state, one = lif.init(jnp.full(1, -80.0)), jnp.ones(1)
    from jaxneuro._formulas import Input

    for _ in range(40):
        state, _ = lif.step(constants, state, Input(conductance=one, conductance_times_reversal=0.0 * one))
    np.testing.assert_allclose(state.v, -40.0 - 40.0 * np.exp(-20.0 / 10.0), rtol=1e-12)


def test_poisson_sources_have_their_rate_and_fano_factor():
    net = jn.Network({"X": jn.Population(jn.Poisson(200.0), 200)})
    raster = jn.simulate(net, 0.0, 1_000.0, dt=0.5, key=KEY, record={"s": jn.record.Spikes("X")})["s"].raster()
    p, n = 0.1, raster.size
    assert abs(raster.mean() - p) < 4 * np.sqrt(p * (1 - p) / n)
    counts = raster.sum(axis=0)  # binomial: Fano factor 1 - rate dt
    assert abs(counts.var(ddof=1) / counts.mean() - 0.9) < 4 * 0.9 * np.sqrt(2 / 200)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (dict(tau_m=0.0), "`tau_m` has to be positive"),
        (dict(tau_m=np.nan), "`tau_m` has to be finite"),
        (dict(t_ref=-1.0), "`t_ref` must not be negative"),
        (dict(v_reset=20.0), "`v_reset` has to lie below `v_th`"),
        (dict(v_th=np.inf), "`v_th` has to be finite"),
        (dict(v_th="high"), "has to be a real number"),
        (dict(v_th=1j), "has to be a real number"),
    ],
    ids=str,
)
def test_errors(keywords, message):
    with pytest.raises(ValueError, match=message):
        jn.LIF(**keywords)


@pytest.mark.float32
def test_parameters_have_one_type():
    dtype = jnp.result_type(float)
    for value in (20, 20.0, np.float32(20), np.float64(20), jnp.float32(20), jnp.asarray(20.0)):
        leaf = jn.LIF(tau_m=value).tau_m
        assert leaf.dtype == dtype
        assert not leaf.weak_type
