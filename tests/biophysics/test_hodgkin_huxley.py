"""The squid axon against its published numbers, SciPy, mpmath, and the orders of its steps."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn
from jaxneuro._numerics import growth, linoid, linoid_from

KEY = jax.random.key(0)
SQUID = jn.HodgkinHuxley()
# A step of 10 uA/cm2 from rest; LSODA and DOP853 agree on them to 1e-6 ms.
SPIKES = [1.843147, 16.750618, 31.401101, 46.040325, 60.678716, 75.317046, 89.955371]


def run(model, t1, dt, stimulus, n=1, **keywords):
    return jn.simulate(jn.Population(model, n), 0.0, t1, dt=dt, key=KEY, stimulus=stimulus, **keywords)


def test_spikes_and_peaks_of_a_step_of_ten():
    record = {"spikes": jn.record.Spikes(), "v": jn.record.Trace("v")}
    sol = run(SQUID, 100.0, 0.005, 10.0, solver=jn.RungeKutta4(), record=record)
    np.testing.assert_allclose(sol["spikes"].times[0], SPIKES, rtol=0, atol=1e-4)
    u = np.asarray(sol["v"][:, 0]) + 65.0
    peaks = u[1:-1][(u[1:-1] > u[:-2]) & (u[1:-1] >= u[2:]) & (u[1:-1] > 50.0)]
    np.testing.assert_allclose(peaks[:2], [105.268, 95.852], atol=2e-3)
    np.testing.assert_allclose(peaks[-1], 95.432, atol=2e-3)
    assert float(SQUID.resting_potential()) + 65.0 == pytest.approx(0.000278, abs=5e-7)


def test_converged_steps_of_second_order_meet_the_same_spikes():
    for solver in (jn.ExponentialEuler(), jn.CrankNicolson()):
        fine, coarse = (
            np.asarray(run(SQUID, 60.0, dt, 10.0, solver=solver, record={"s": jn.record.Spikes()})["s"].times[0])
            for dt in (0.005, 0.01)
        )
        np.testing.assert_allclose((4 * fine - coarse) / 3, SPIKES[:4], rtol=0, atol=1e-4)


@pytest.mark.float32
def test_frequencies():
    sol = run(
        SQUID, 400.0, 0.01, [7.0, 10.0, 20.0, 50.0], n=4, solver=jn.RungeKutta4(),
        record={"spikes": jn.record.Spikes(start=150.0)},
    )  # fmt: skip
    found = [1000.0 / np.mean(np.diff(times)) for times in sol["spikes"].times]
    np.testing.assert_allclose(found, [58.307, 68.314, 86.465, 117.033], atol=1e-3)


def test_against_scipy_with_its_own_equations():
    def slope(t, y):
        v, m, h, n = y
        x, w = 0.1 * v - 2.5, 0.1 * v - 1.0
        alpha_m, beta_m = x / (1 - np.exp(-x)), 4 * np.exp(-v / 18)
        alpha_h, beta_h = 0.07 * np.exp(-v / 20), 1 / (np.exp(3 - 0.1 * v) + 1)
        alpha_n, beta_n = 0.1 * w / (1 - np.exp(-w)), 0.125 * np.exp(-v / 80)
        current = 120 * m**3 * h * (v - 115) + 36 * n**4 * (v + 12) + 0.3 * (v - 10.6)
        speed = 3 ** ((18.5 - 6.3) / 10)
        return [
            8 * np.sin(t) + 6 - current,
            speed * (alpha_m * (1 - m) - beta_m * m),
            speed * (alpha_h * (1 - h) - beta_h * h),
            speed * (alpha_n * (1 - n) - beta_n * n),
        ]

    model = jn.HodgkinHuxley(v_shift=0.0, temperature=18.5)
    start = model.initial()
    y = [float(x[0]) for x in (start.v, start.gates["m_na"], start.gates["h_na"], start.gates["n_k"])]
    wanted = solve_ivp(slope, (0, 20), y, rtol=1e-10, atol=1e-12, t_eval=[5, 10, 15, 20]).y[0]
    sol = jn.simulate(model, 0.0, 20.0, dt=0.01, stimulus=lambda t: 8 * jnp.sin(t) + 6)
    np.testing.assert_allclose(sol["v"][499::500, 0], wanted, atol=1e-5)
    # The same neuron in absolute potentials.
    absolute = jn.HodgkinHuxley(temperature=18.5)
    sol = run(absolute, 20.0, 0.0025, lambda t: 8 * jnp.sin(t) + 6, record={"v": jn.record.Trace("v", every=2_000)})
    np.testing.assert_allclose(sol["v"][:, 0] + 65.0, wanted, atol=5e-3)


def test_the_temperature_is_read_back_and_has_a_derivative():
    warm = jn.HodgkinHuxley(temperature=18.5)
    assert float(warm.temperature) == 18.5
    np.testing.assert_allclose(warm.phi, 3.0 ** (12.2 / 10.0), rtol=1e-14)
    assert float(jn.HodgkinHuxley().phi) == 1.0

    def potential(celsius):
        sol = jn.simulate(jn.HodgkinHuxley(temperature=celsius), 0.0, 3.0, dt=0.05, stimulus=10.0)
        return sol["v"][-1, 0]

    value_and_slope = jax.jit(lambda t: jax.jvp(potential, (t,), (jnp.ones(()),)))
    ends = [float(value_and_slope(jnp.asarray(18.5 + h))[0]) for h in (-1e-4, 1e-4)]
    slope = float(value_and_slope(jnp.asarray(18.5))[1])
    assert abs(slope) > 0.1
    assert slope == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-6)


@pytest.mark.proof
def test_a_temperature_is_fitted():
    current = np.where(np.arange(200) < 100, 10.0, 0.0)
    empty = jn.recordings.VoltageTrace(np.zeros(200), current, dt=0.05)
    made = jn.recordings.TracedNeuron(jn.HodgkinHuxley(temperature=12.0)).potential(empty)
    data = jn.recordings.VoltageTrace(made, current, dt=0.05)
    model = jn.recordings.TracedNeuron(jn.HodgkinHuxley(temperature=10.0))
    result = jn.fit(model, data, free=["neuron.temperature"], starts=1)
    assert float(result.params["neuron.temperature"]) == pytest.approx(12.0, abs=1e-4)


@pytest.mark.parametrize(
    ("solver", "order"),
    [(jn.ExponentialEuler(), 2), (jn.CrankNicolson(), 2), (jn.EulerMaruyama(), 1), (jn.RungeKutta4(), 4)],
    ids=lambda x: type(x).__name__,
)
def test_order_of_the_steps(solver, order):
    def v(dt):
        record = {"v": jn.record.Trace("v", every=round(6.0 / dt))}
        return float(run(SQUID, 6.0, dt, lambda t: 10.0 * jnp.sin(t) ** 2, solver=solver, record=record)["v"][0, 0])

    steps = (0.04, 0.02, 0.01) if order > 1 else (0.004, 0.002, 0.001)
    if order == 4:  # the stimulus of a step is that of its middle: constant inputs only

        def v(dt):
            record = {"v": jn.record.Trace("v", every=round(6.0 / dt))}
            return float(run(SQUID, 6.0, dt, 10.0, solver=solver, record=record)["v"][0, 0])

    a, b, c = (v(dt) for dt in steps)
    assert np.log2(abs((a - b) / (b - c))) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_removable_singularity_is_exact_in_value_and_slope(dtype):
    x = np.concatenate([[0.0], np.geomspace(1e-12, 80.0, 60), -np.geomspace(1e-12, 80.0, 60), [0.999, 1.001]])
    x = x.astype(dtype)
    with mpmath.workdps(40):
        exact = [mpmath.mpf(1) if t == 0 else mpmath.mpf(float(t)) / mpmath.expm1(float(t)) for t in x]
        slope = [
            mpmath.mpf(-0.5)
            if t == 0
            else 1 / mpmath.expm1(float(t)) - float(t) * mpmath.exp(float(t)) / mpmath.expm1(float(t)) ** 2
            for t in x
        ]
    tolerance = 8 * float(np.finfo(dtype).eps)
    argument = jnp.asarray(x)
    assert argument.dtype == dtype
    kept = np.abs(x) < 40
    value, tangent = jax.jvp(linoid, (argument,), (jnp.ones_like(argument),))
    np.testing.assert_allclose(np.asarray(value)[kept], np.array(exact, float)[kept], rtol=tolerance, atol=1e-30)
    np.testing.assert_allclose(np.asarray(tangent)[kept], np.array(slope, float)[kept], rtol=40 * tolerance)
    assert np.isfinite(np.asarray(value)).all()
    assert np.isfinite(np.asarray(tangent)).all()
    by_powers = linoid_from(argument, jnp.exp(argument / 8) ** 8)
    np.testing.assert_allclose(np.asarray(by_powers)[kept], np.array(exact, float)[kept], rtol=8 * tolerance)


def test_opening_rates_have_their_second_and_third_derivatives():
    x = np.array([-20.0, -5.0, -1.01, -0.99, -0.3, 0.3, 0.99, 1.01, 5.0, 20.0])
    with mpmath.workdps(40):
        second, third = (
            np.array([mpmath.diff(lambda t: t / mpmath.expm1(t), float(t), k) for t in x], float) for k in (2, 3)
        )

    def by_powers(t):
        return linoid_from(t, jnp.exp(t / 8) ** 8)

    tolerance = 1e-12  # rounding: of order 1e-15 here, of terms of order 1
    for f in (linoid, by_powers):
        bent = jax.grad(jax.grad(f))
        np.testing.assert_allclose(jax.vmap(bent)(jnp.asarray(x)), second, rtol=1e-6, atol=tolerance)
        np.testing.assert_allclose(jax.vmap(jax.grad(bent))(jnp.asarray(x)), third, rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize(
    "slope", [jax.jvp, pytest.param(jax.value_and_grad, marks=pytest.mark.proof)], ids=["forward", "reverse"]
)
def test_curvature_of_a_run_is_that_of_differences(slope):
    def last(g_k):
        return run(jn.HodgkinHuxley(g_k=g_k), 2.0, 0.02, 10.0, record={"v": jn.record.Trace("v")})["v"][-1, 0]

    reverse, h = jax.grad(last), 1e-3
    if slope is jax.jvp:
        both = jax.jit(lambda g: jax.jvp(reverse, (g,), (jnp.ones(()),)))
    else:
        both = jax.jit(jax.value_and_grad(reverse))
    differences = (both(36.0 + h)[0] - both(36.0 - h)[0]) / (2 * h)
    # The error of central differences is of order h^2, 1e-6.
    assert float(both(36.0)[1]) == pytest.approx(float(differences), rel=1e-4)


def test_short_exponential_of_float32_keeps_its_word():
    s = jnp.asarray(np.geomspace(1e-6, 100.0, 2_000), jnp.float32)
    left = 1.0 / (1.0 + np.asarray(growth(s), float))
    exact = np.exp(-np.asarray(s, float))
    assert np.abs(left - exact).max() < 2e-5
    small = np.asarray(s) < 2.0
    bound = np.asarray(s, float)[small] ** 7 / 2e7 + 5e-7
    assert (np.abs(left / exact - 1)[small] < bound).all()
    np.testing.assert_allclose(np.asarray(growth(s))[small], np.expm1(np.asarray(s, float))[small], rtol=1e-5)


def test_equal_means_equal():
    currents = [5.0, 15.0]
    record = {"spikes": jn.record.Spikes(), "rate": jn.record.Rate(), "v": jn.record.Trace("v")}
    shifted = run(jn.HodgkinHuxley(v_shift=0.0), 28.8, 0.02, currents, n=2, record=record)
    absolute = run(SQUID, 28.8, 0.02, currents, n=2, record=record)
    np.testing.assert_allclose(shifted["v"], absolute["v"] + 65.0, atol=1e-7)
    np.testing.assert_allclose(shifted["spikes"].times[1], absolute["spikes"].times[1], atol=1e-6)
    # A run cut in two is the run in one, to the bit.
    half = run(SQUID, 14.4, 0.02, currents, n=2, record=record)
    rest = jn.simulate(
        jn.Population(SQUID, 2), half.t1, 28.8, dt=0.02, key=KEY, stimulus=currents, state=half.state, record=record
    )
    np.testing.assert_array_equal(rest["v"][-1], absolute["v"][-1])
    # Channels given one by one are the same neuron.
    parts = jn.ConductanceNeuron({"na": jn.channels.Sodium(), "k": jn.channels.Potassium(), "l": jn.channels.Leak()})
    np.testing.assert_allclose(run(parts, 28.8, 0.02, currents, n=2, record=record)["v"], absolute["v"], atol=1e-9)


def random_traces(n, key):
    keys = jax.random.split(key, 4)
    scale = [jnp.asarray(120.0), jnp.asarray(36.0), jnp.asarray(0.3)]
    g = [s * jax.random.uniform(k, (n,), minval=0.2, maxval=3.0) for s, k in zip(scale, keys[:3], strict=True)]
    current = jax.random.uniform(keys[3], (n,), minval=-200.0, maxval=200.0)
    return tuple(x.astype(jnp.float32) for x in (*g, current))


@jax.jit
def potentials_and_gradient(g_na, g_k, g_l, current):
    def loss(*parameters):
        model = jn.HodgkinHuxley(g_na=parameters[0], g_k=parameters[1], g_l=parameters[2])
        sol = jn.simulate(
            jn.Population(model, current.size), 0.0, 20.0, dt=0.025, key=KEY, stimulus=parameters[3],
            record={"v": jn.record.Trace("v", every=40)}, adjoint=jn.adjoint.Checkpoint(), throw=False,
        )  # fmt: skip
        return jnp.sum(sol["v"]), sol["v"]

    return jax.value_and_grad(loss, argnums=(0, 1, 2, 3), has_aux=True)(g_na, g_k, g_l, current)


def all_finite_in_float32(n):
    with jax.enable_x64(False):
        (_, v), gradient = potentials_and_gradient(*random_traces(n, jax.random.key(1)))
        assert v.dtype == jnp.float32
        assert bool(jnp.all(jnp.isfinite(v)))
        assert all(bool(jnp.all(jnp.isfinite(x))) for x in gradient)


def test_a_thousand_random_traces_are_finite_in_float32():
    all_finite_in_float32(1_000)


@pytest.mark.proof
def test_a_hundred_thousand_random_traces_are_finite_in_float32():
    all_finite_in_float32(100_000)


def test_gradients_against_differences():
    def v(theta):
        model = jn.HodgkinHuxley(g_na=theta[0], g_k=theta[1], g_l=theta[2], e_l=theta[3])
        sol = run(model, 6.4, 0.04, 10.0, record={"v": jn.record.Trace("v", every=40)}, throw=False)
        return sol["v"][:, 0]

    theta = np.array([120.0, 36.0, 0.3, -54.4])
    forward, backward = jax.jit(lambda x: (jax.jacfwd(v)(x), jax.jacrev(v)(x)))(theta)
    np.testing.assert_allclose(forward, backward, rtol=1e-8, atol=1e-9)
    steps = np.array([1e-3, 1e-3, 1e-5, 1e-4])
    up, down = (jax.jit(jax.vmap(v))(np.stack([theta + np.diag(steps), theta - np.diag(steps)]).reshape(8, 4))).reshape(
        2, 4, -1
    )
    np.testing.assert_allclose(forward, ((up - down) / (2 * steps[:, None])).T, rtol=1e-4, atol=1e-5)
    both = jax.jit(jax.value_and_grad(lambda g: jn.HodgkinHuxley(g_l=g).resting_potential()))
    assert float(both(0.3)[1]) == pytest.approx(float(both(0.301)[0] - both(0.299)[0]) / 0.002, rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jn.HodgkinHuxley(g_na=-1.0), "`g_na` must not be negative"),
        (lambda: jn.HodgkinHuxley(c_m=0.0), "`c_m` has to be positive"),
        (lambda: jn.HodgkinHuxley(temperature=np.nan), "`temperature` has to lie between"),
        (lambda: jn.HodgkinHuxley(temperature=1e5), "`temperature` has to lie between"),
        (lambda: jn.HodgkinHuxley(temperature=None), "`temperature` has to be a real number"),
        (lambda: jn.ConductanceNeuron({}), "`channels` has to be a dict"),
        (lambda: jn.ConductanceNeuron({"n_a": jn.channels.Leak()}), "without dot or underscore"),
        (lambda: jn.ConductanceNeuron({"na": 3.0}), "has to be of `jn.channels`"),
        (lambda: run(SQUID, 1.0, 0.1, 0.0, record={"x": jn.record.Trace("m_k")}), "v, h_na, m_na, n_k"),
        (lambda: run(jn.LIF(), 1.0, 0.1, 0.0, solver=jn.RungeKutta4()), "`solver` of LIF"),
    ],
)
def test_errors(call, message, as_users_run):
    with pytest.raises(ValueError, match=message):
        call()


class SlowSodium(jn.channels.AbstractChannel):
    """A channel whose time constant is a plain number."""

    g: jax.Array
    e: jax.Array
    tau: float = 5.0

    def kinetics(self, v):
        return {"p": jn.channels.relaxation(1.0 / (1.0 + jnp.exp(-(v + 48.0) / 5.0)), self.tau + 0.0 * v)}

    def open(self, v, gates):
        return gates["p"]


def test_a_channel_of_plain_numbers_runs():
    sodium = SlowSodium(*jn.channels.checked_pair(0.01, 50.0))
    cell = jn.ConductanceNeuron({"nap": sodium, "l": jn.channels.Leak(g=0.1, e=-65.0)})
    v = float(cell.resting_potential())
    # At rest 0.01 p (V - 50) + 0.1 (V + 65) = 0.
    assert 0.01 / (1.0 + np.exp(-(v + 48.0) / 5.0)) * (v - 50.0) + 0.1 * (v + 65.0) == pytest.approx(0.0, abs=1e-9)
    assert cell.membrane["nap"].tau.dtype == cell.c_m.dtype
