"""Rate models against closed forms, their limits, other solvers and their orders of convergence."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm

import jaxneuro as jn

RNG = np.random.default_rng(0)
M = 0.4 * RNG.normal(size=(4, 4))
H = RNG.normal(size=4)
START = RNG.normal(size=4)
KEY = jax.random.key(0)


def exact_linear(t, tau=10.0):
    """v(t) of tau dv/dt = -v + h + M v."""
    a = (M - np.eye(4)) / tau
    rest = np.linalg.solve(np.eye(4) - M, H)
    return rest + expm(a * t) @ (START - rest)


def error(solver, dt):
    net = jn.RateNetwork(M, h=H, transfer=jn.transfer.Linear(), start=START)
    sol = jn.simulate(net, 0.0, 20.0, dt=dt, solver=solver)
    return float(np.abs(np.asarray(sol["rate"][-1]) - exact_linear(20.0)).max())


@pytest.mark.parametrize(
    ("solver", "order"),
    [(jn.ExponentialEuler(), 1), (jn.EulerMaruyama(), 1), (jn.RungeKutta4(), 4)],
    ids=lambda x: type(x).__name__,
)
def test_order_of_the_solvers(solver, order):
    coarse, fine = error(solver, 2.0), error(solver, 1.0)
    assert np.log2(coarse / fine) == pytest.approx(order, abs=0.25)


def test_without_recurrence_exponential_euler_is_exact():
    net = jn.RateNetwork(w=[[1.0, 2.0], [0.5, 0.0]], u=[3.0, 1.0], h=0.5, tau=[5.0, 20.0], start=[1.0, 0.0])
    sol = jn.simulate(net, 0.0, 15.0, dt=5.0)
    target = np.array([5.5, 2.0])
    wanted = target + (np.array([1.0, 0.0]) - target) * np.exp(-15.0 / np.array([5.0, 20.0]))
    np.testing.assert_allclose(sol["rate"][-1], wanted, rtol=1e-13)


def test_two_time_constants_against_scipy():
    m = np.array([[0.3, -0.8], [0.9, 0.1]])
    net = jn.SynapticRateNetwork(m, h=1.0, tau_s=4.0, tau_r=9.0, transfer=jn.transfer.Tanh(), start=[0.2, -0.1])

    def slope(t, y):
        current, rate = y[:2], y[2:]
        return np.concatenate([(-current + 1.0 + m @ rate) / 4.0, (-rate + np.tanh(current)) / 9.0])

    start = np.array([0.2, -0.1])
    wanted = solve_ivp(slope, (0, 50), np.concatenate([start, np.tanh(start)]), rtol=1e-11, atol=1e-12).y[:, -1]
    sol = jn.simulate(net, 0.0, 50.0, dt=0.1, solver=jn.RungeKutta4())
    np.testing.assert_allclose(sol["current"][-1], wanted[:2], rtol=1e-7)
    np.testing.assert_allclose(sol["rate"][-1], wanted[2:], rtol=1e-7)


def test_limits_of_two_time_constants():
    # tau_s << tau_r: the network of rates; tau_r << tau_s: rates that follow at once.
    common = dict(h=1.0, transfer=jn.transfer.Sigmoid())
    m = [[0.5, -1.0], [1.0, 0.2]]
    run = dict(dt=0.01, solver=jn.RungeKutta4(), record={"rate": jn.record.Trace("rate", every=3_000)})
    rates = jn.simulate(jn.RateNetwork(m, tau=10.0, start=jax.nn.sigmoid(0.0), **common), 0.0, 30.0, **run)
    fast = jn.simulate(jn.SynapticRateNetwork(m, tau_s=0.05, tau_r=10.0, **common), 0.0, 30.0, **run)
    np.testing.assert_allclose(fast["rate"], rates["rate"], atol=3e-3)
    at_once = jn.simulate(jn.SynapticRateNetwork(m, tau_s=10.0, tau_r=None, **common), 0.0, 30.0, **run)
    quick = jn.simulate(jn.SynapticRateNetwork(m, tau_s=10.0, tau_r=0.05, **common), 0.0, 30.0, **run)
    np.testing.assert_allclose(quick["rate"], at_once["rate"], atol=3e-3)


def test_noise_has_its_variance():
    # 2,000 units without recurrence: SD sigma / sqrt(2), exactly on the grid.
    net = jn.RateNetwork(h=jnp.zeros(2_000), transfer=jn.transfer.Linear(), noise=2.0, tau=10.0)
    sol = jn.simulate(net, 0.0, 200.0, dt=1.0, key=KEY, record={"v": jn.record.Trace("rate", every=200)})
    variance = float(np.var(sol["v"][-1]))
    assert abs(variance / 2.0 - 1) < 4 * np.sqrt(2 / 2_000)


def test_a_run_cut_anywhere_equals_the_run_in_one():
    net = jn.RateNetwork(M, h=H, noise=0.3, start=START)
    stimulus = np.random.default_rng(1).normal(size=(100, 4))
    whole = jn.simulate(net, 0.0, 100.0, dt=1.0, key=KEY, stimulus=stimulus)
    first = jn.simulate(net, 0.0, 37.0, dt=1.0, key=KEY, stimulus=stimulus[:37])
    second = jn.simulate(net, 37.0, 100.0, dt=1.0, key=KEY, stimulus=stimulus[37:], state=first.state)
    joined = np.concatenate([first["rate"], second["rate"]])
    assert np.array_equal(joined, np.asarray(whole["rate"]))


@pytest.mark.parametrize("solver", [jn.ExponentialEuler(), jn.RungeKutta4()], ids=lambda x: type(x).__name__)
def test_a_stimulus_that_is_a_function(solver):
    # tau dv/dt = -v + sin(w t) from 0 has a closed solution.
    net, w = jn.RateNetwork(transfer=jn.transfer.Linear(), tau=10.0), 0.05
    sol = jn.simulate(net, 0.0, 100.0, dt=0.5, stimulus=lambda t: jnp.sin(w * t), solver=solver)
    t = np.asarray(sol.times["rate"])
    x = w * 10.0
    wanted = (np.sin(w * t) - x * np.cos(w * t) + x * np.exp(-t / 10.0)) / (1 + x * x)
    np.testing.assert_allclose(sol["rate"][:, 0], wanted, atol=2e-2 if solver == jn.ExponentialEuler() else 1e-8)


TRANSFERS = [
    jn.transfer.Linear(gain=1.5, threshold=0.3),
    jn.transfer.ThresholdLinear(gain=2.0, threshold=0.5),
    jn.transfer.PowerLaw(gain=0.7, exponent=2.3, threshold=-0.2),
    jn.transfer.Sigmoid(most=3.0, midpoint=0.4, width=0.7),
    jn.transfer.Tanh(most=2.0, width=0.6),
    jn.transfer.Softplus(gain=1.2, threshold=0.1, width=0.4),
]


@pytest.mark.parametrize("transfer", TRANSFERS, ids=lambda x: type(x).__name__)
def test_antiderivatives(transfer):
    for low, high in ((-3.0, -1.0), (-1.0, 0.9), (0.6, 20.0)):
        wanted = quad(
            lambda x: float(transfer(jnp.asarray(x))),
            low,
            high,
            epsabs=1e-12,
            epsrel=1e-12,
            points=(0.5,) if low < 0.5 < high else None,
        )[0]
        found = float(transfer.antiderivative(jnp.asarray(high)) - transfer.antiderivative(jnp.asarray(low)))
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-11)
    x = jnp.linspace(-50.0, 50.0, 101)
    slope = jax.vmap(jax.grad(lambda v: transfer.antiderivative(v)))(x)
    np.testing.assert_allclose(slope, transfer(x), rtol=1e-9, atol=1e-12)


@pytest.mark.float32
def test_transfers_are_finite_far_out_with_their_slopes():
    x = jnp.asarray([-1e4, -1.0, 0.0, 0.5, 1.0, 1e4], jnp.result_type(float))
    all_of_them = (*TRANSFERS, jn.transfer.LIFRate(sigma=5.0))
    found = jax.jit(lambda x: [(transfer(x), jax.vmap(jax.grad(transfer))(x)) for transfer in all_of_them])(x)
    assert np.isfinite(np.asarray(found)).all()


def test_a_rate_model_calibrated_to_the_neuron_has_the_fixed_point_of_mean_field():
    # One population whose input noise does not depend on its rate: h + tau K J nu, with K J in mV s.
    sigma, gain = 5.0, 0.1
    net = jn.RateNetwork([[gain]], h=15.0, transfer=jn.transfer.LIFRate(sigma=sigma), start=10.0)
    sol = jn.simulate(net, 0.0, 1_000.0, dt=1.0, record={"r": jn.record.Trace("rate", every=1_000)})
    nu = float(sol["r"][-1, 0])
    lif = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    assert nu == pytest.approx(float(jn.theory.lif_rate(15.0 + gain * nu, sigma, **lif)), rel=1e-9)


def test_diffrax_takes_the_model_as_it_is():
    net = jn.RateNetwork(M, h=H, transfer=jn.transfer.Linear(), start=START)
    sol = diffrax.diffeqsolve(
        diffrax.ODETerm(net.vector_field), diffrax.Dopri5(), 0.0, 20.0, 0.1, net.initial(),
        stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-9),
    )  # fmt: skip
    np.testing.assert_allclose(sol.ys[-1], exact_linear(20.0), rtol=1e-7)


@pytest.mark.parametrize("adjoint", [None, jn.adjoint.Checkpoint(), jn.adjoint.Forward()], ids=str)
def test_derivatives_of_a_run(adjoint):
    def end(x):
        net = jn.RateNetwork(M * x[0], h=x[1], tau=x[2], transfer=jn.transfer.Tanh(), start=START)
        sol = jn.simulate(net, 0.0, 30.0, dt=0.5, adjoint=adjoint, record={"r": jn.record.Trace("rate", every=60)})
        return sol["r"][-1]

    x, h = np.asarray([1.0, 0.3, 10.0]), 1e-5
    modes = [jax.jacfwd] if isinstance(adjoint, jn.adjoint.Forward) else [jax.jacfwd, jax.jacrev]
    forward, *reverse = jax.jit(lambda x: [mode(end)(x) for mode in modes])(x)
    ends = jax.jit(jax.vmap(end))(np.stack([x + s * h * row for row in np.eye(3) for s in (1.0, -1.0)]))
    columns = (ends[::2] - ends[1::2]) / (2 * h)
    np.testing.assert_allclose(forward, np.asarray(columns).T, rtol=1e-7, atol=1e-9)
    for other in reverse:
        np.testing.assert_allclose(other, forward, rtol=1e-10, atol=1e-13)


@pytest.mark.float32
@pytest.mark.bits
def test_vmap_is_the_loop_and_new_values_do_not_compile_again():
    from jaxneuro._simulate import _driver

    def end(gain):
        net = jn.networks.ring(n=32, j1=gain)
        return jn.simulate(net, 0.0, 100.0, dt=1.0, throw=False)["rate"][-1]

    gains = jnp.asarray([1.0, 3.0, 5.0])
    looped = jnp.stack([end(g) for g in gains])
    compiled = _driver._run._cached._cache_size()
    end(4.2), end(6), end(np.float32(7.0))
    assert _driver._run._cached._cache_size() == compiled
    np.testing.assert_allclose(jax.vmap(end)(gains), looped, rtol=1e-5, atol=1e-6)


@pytest.mark.float32
@pytest.mark.bits
def test_a_step_of_a_batch_is_that_of_a_run_within_the_roundings_of_its_sums():
    rng = np.random.default_rng(0)
    m, starts = jnp.asarray(rng.normal(size=(300, 300)), jnp.result_type(float)), rng.normal(size=(7, 300))
    starts = jnp.asarray(starts, m.dtype)

    def step(start):
        net = jn.RateNetwork(m, transfer=jn.transfer.Linear(), start=start)
        return jn.simulate(net, 0.0, 1.0, dt=1.0, throw=False)["rate"][-1]

    looped = jnp.stack([step(start) for start in starts])
    # Two sums of 300 products in two orders, of which a share dt/tau enters, and two roundings after.
    eps = float(jnp.finfo(m.dtype).eps)
    bound = eps * (300 * (1 - np.exp(-0.1)) * (jnp.abs(starts) @ jnp.abs(m).T) + 2 * jnp.abs(looped))
    assert bool(jnp.all(jnp.abs(jax.vmap(step)(starts) - looped) <= bound))

    # Where no sum is reordered the bits are the same.
    def pair(tau_i):
        return jn.simulate(jn.networks.ei_rate(tau_i=tau_i), 0.0, 50.0, dt=0.5, throw=False)["rate"]

    taus = jnp.asarray([20.0, 50.0, 70.0])
    assert np.array_equal(jax.vmap(pair)(taus), jnp.stack([pair(t) for t in taus]))


def speed(v, t):
    return v * jnp.sin(t)


def test_numbers_of_a_function_do_not_compile_again():
    from jaxneuro._simulate import _driver

    def end(v):
        moving = jax.tree_util.Partial(speed, v)
        ring = jn.networks.ring(n=16, velocity=moving)
        return jn.simulate(ring, 0.0, 20.0, dt=1.0, stimulus=moving)["rate"][-1]

    first = end(0.1)
    compiled = _driver._run._cached._cache_size()
    assert not np.array_equal(end(0.2), first)
    assert _driver._run._cached._cache_size() == compiled
    plain = jn.networks.ring(n=16, velocity=lambda t: 0.1 * jnp.sin(t))
    other = jn.simulate(plain, 0.0, 20.0, dt=1.0, stimulus=lambda t: 0.1 * jnp.sin(t))["rate"][-1]
    np.testing.assert_allclose(other, first, rtol=1e-12)


def test_a_run_that_grows_for_ever_says_so():
    net = jn.RateNetwork([[3.0]], h=1.0)
    with pytest.raises(RuntimeError, match="The rates became NaN or infinite"):
        jn.simulate(net, 0.0, 1e5, dt=10.0)
    sol = jn.simulate(net, 0.0, 1e5, dt=10.0, throw=False)
    assert sol.result == jn.Result.nonfinite_state
    assert 0 < int(sol.failed_step) <= 10_000


@pytest.mark.usefixtures("as_users_run")
def test_errors():
    wrong = [
        (lambda: jn.RateNetwork([[1.0, 2.0]]), "`m` has to be a square matrix"),
        (lambda: jn.RateNetwork([[np.nan]]), "`m` has to be finite"),
        (lambda: jn.RateNetwork([[1.0]], h=[1.0, 2.0]), "`h` has to be a number or"),
        (lambda: jn.RateNetwork([[1.0]], tau=0.0), "`tau` has to be positive|`tau` must be positive"),
        (lambda: jn.RateNetwork([[1.0]], w=[[1.0]]), "`w` and `u` belong together"),
        (lambda: jn.RateNetwork([[1.0]], w=[[1.0], [1.0]], u=[1.0]), "as many rows"),
        (lambda: jn.RateNetwork([[1.0]], transfer=jnp.tanh), "`transfer` has to be of `jn.transfer`"),
        (lambda: jn.RateNetwork([[1.0]], noise=-1.0), "`noise` must not be negative"),
        (lambda: jn.Ring(4, j=[1.0, 2.0, 3.0]), "`n` has to be more than twice the highest component"),
        (lambda: jn.Ring(4.0, j=[1.0]), "`n` has to be a positive number of units"),
        (lambda: jn.Ring(4, j=1.0), "`j` has to hold the coefficients"),
        (lambda: jn.Ring(8, j=[1.0], product="fft"), "`product` has to be"),
        (lambda: jn.Ring(8, j=[1.0], velocity=[1.0, 2.0]), "`velocity` has to be one number for each angle"),
        (lambda: jn.networks.ei_rate(tau_i=[1.0, 2.0]), "`tau_i` has to be one number"),
        (lambda: jn.networks.memory([[1.0, 1.0], [2.0, 2.0]]), "rows that depend on each other"),
        (lambda: jn.networks.hopfield([[0.5, 1.0]]), "`patterns` has to hold -1 and 1"),
        (lambda: jn.networks.hopfield([[-1.0, 1.0]], gain=0.0), "`gain` has to be positive"),
        (lambda: jn.networks.memory([[1.0, 1.0]], null=[[np.nan, 0.0], [0.0, 0.0]]), "`null` has to be finite"),
        (
            lambda: jn.RateNetwork(np.eye(2), transfer=jn.transfer.Tanh(width=np.ones(3))),
            "`transfer` has to hold numbers",
        ),
        (lambda: jn.RateNetwork(h=np.ones(0)), "`h` has to hold the input of one unit or more"),
        (lambda: jn.Ring(8, j=[1.0], velocity=lambda t: jnp.ones(3)), "`velocity` has to return one number"),
        (lambda: jn.networks.supralinear(drive=np.nan), "`drive` has to be finite"),
        (lambda: jn.theory.energy(jn.RateNetwork(M), [1.0, 2.0]), "`v` has to hold rates of the 4 units"),
        (lambda: jn.networks.ring(n="many"), "`n` has to be a positive number of units"),
        (lambda: jn.networks.ring(j0=[1.0, 2.0]), "`j0` has to be one number"),
        (lambda: jn.networks.ring(i0=np.nan), "`i0` has to be finite"),
    ]
    for call, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            call()
    net = jn.RateNetwork(M)
    runs = [
        (dict(record={"r": jn.record.Rate()}), "take a recorder of its variables .rate."),
        (dict(record={"r": jn.record.Trace("v")}), "the variables of 'population' are rate"),
        (dict(stimulus=[1.0, 2.0]), "`stimulus`"),
        (dict(solver="rk4"), "`solver` has to be"),
        (dict(wiring=1), "`wiring` is of a network of neurons"),
        (dict(state=1), "`state` has to be the `state` of a rate model's Solution"),
        (dict(adjoint=1), "`adjoint` has to be of"),
        (dict(key=0), "`key` has to be a key"),
    ]
    for arguments, sentence in runs:
        with pytest.raises(ValueError, match=sentence):
            jn.simulate(net, 0.0, 1.0, dt=0.1, **arguments)
    noisy = jn.RateNetwork(M, noise=1.0)
    with pytest.raises(ValueError, match="the model has noise"):
        jn.simulate(noisy, 0.0, 1.0, dt=0.1)
    with pytest.raises(ValueError, match=r"`RungeKutta4\(\)` has no noise"):
        jn.simulate(noisy, 0.0, 1.0, dt=0.1, key=KEY, solver=jn.RungeKutta4())
