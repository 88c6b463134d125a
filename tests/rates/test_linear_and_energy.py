"""Memory networks, linear modes and energy against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf

import jaxneuro as jn

X64 = jnp.result_type(float) == jnp.float64


def tol(double, single):
    """A tolerance by precision."""
    return double if X64 else single


def decoder(features=3, n=20):
    return np.random.default_rng(3).normal(size=(features, n))


@pytest.mark.float32
def test_memory_holds_while_rates_move():
    d = decoder()
    null = 0.8 / np.sqrt(20) * np.random.default_rng(4).normal(size=(20, 20))
    net = jn.networks.memory(d, null=null, start=np.random.default_rng(5).normal(size=20))
    np.testing.assert_allclose(d @ np.asarray(net.m), d, atol=tol(1e-13, 1e-5))
    sol = jn.simulate(net, 0.0, 1_000.0, dt=0.1)
    rates = np.asarray(sol["rate"])
    held = rates @ d.T
    assert np.abs(held - held[0]).max() < tol(1e-10, 2e-3)
    assert np.abs(rates - rates[0]).max() > 0.5
    modes = jn.theory.linear_modes(net)
    assert int(np.sum(np.isinf(modes.time_constants))) == 3


def test_a_pulse_is_integrated():
    # After s_0 delta(t) the integrator jumps by e_1 . s_0 / tau (corrected); here a pulse of 1 ms of height s_0.
    m = np.full((2, 2), 0.5)
    net = jn.RateNetwork(m, transfer=jn.transfer.Linear(), tau=10.0)
    pulse = np.zeros((200, 2))
    pulse[:10] = [3.0, 1.0]
    stimulus = np.concatenate([pulse, np.zeros((1_800, 2))])
    sol = jn.simulate(net, 0.0, 200.0, dt=0.1, stimulus=stimulus, solver=jn.RungeKutta4())
    e = np.array([1.0, 1.0]) / np.sqrt(2)
    assert float(e @ np.asarray(sol["rate"][-1])) == pytest.approx(float(e @ [3.0, 1.0]) / 10.0, rel=1e-3)


def test_a_mistuned_eigenvalue_leaks():
    net = jn.RateNetwork([[0.9]], transfer=jn.transfer.Linear(), tau=10.0)
    assert float(jn.theory.linear_modes(net).time_constants[0]) == pytest.approx(100.0)


def test_a_leak_of_less_than_64_last_digits_is_none():
    digit = float(jnp.finfo(jnp.result_type(float)).eps)
    for leak, tau in ((64.0 * digit, 10.0 / (64.0 * digit)), (63.0 * digit, np.inf)):
        net = jn.RateNetwork([[1.0 - leak]], transfer=jn.transfer.Linear(), tau=10.0)
        assert float(jn.theory.linear_modes(net).time_constants[0]) == pytest.approx(tau)


@pytest.mark.float32
def test_linear_trajectories():
    m, h = 0.5 * np.random.default_rng(0).normal(size=(5, 5)), np.arange(5.0)
    start = np.ones(5)
    net = jn.RateNetwork(m, h=h, tau=7.0, transfer=jn.transfer.Linear(gain=0.8, threshold=0.2), start=start)
    whole, drive = 0.8 * m, 0.8 * (h - 0.2)
    rest = np.linalg.solve(np.eye(5) - whole, drive)
    wanted = [rest + expm((whole - np.eye(5)) * t / 7.0) @ (start - rest) for t in (0.0, 3.0, 40.0)]
    np.testing.assert_allclose(jn.theory.linear_trajectory(net, [0.0, 3.0, 40.0]), wanted, rtol=tol(1e-10, 1e-4))
    np.testing.assert_allclose(jn.theory.linear_steady_state(net), rest, rtol=tol(1e-12, 1e-5))
    modes = jn.theory.linear_modes(net)
    np.testing.assert_allclose(modes.duals @ modes.vectors, np.eye(5), atol=tol(1e-12, 1e-5))
    rebuilt = modes.vectors @ np.diag(modes.eigenvalues) @ modes.duals
    np.testing.assert_allclose(rebuilt, whole, atol=tol(1e-12, 1e-5))


def test_symmetric_modes_are_orthogonal_and_solve_the_equation():
    m = np.random.default_rng(0).normal(size=(4, 4))
    m = 0.2 * (m + m.T)
    h = np.arange(1.0, 5.0)
    values, vectors = np.linalg.eigh(m)
    c = (vectors.T @ h) / (1 - values) * (1 - np.exp(-30.0 * (1 - values) / 10.0))
    net = jn.RateNetwork(m, h=h, tau=10.0, transfer=jn.transfer.Linear())
    np.testing.assert_allclose(jn.theory.linear_trajectory(net, 30.0), vectors @ c, rtol=1e-10)


def test_balanced_amplification():
    # Murphy and Miller (2009): M = w [[1, -k], [1, -k]]; the difference mode feeds the sum mode.
    w, k = 30 / 7, 1.1
    m = w * np.array([[1.0, -k], [1.0, -k]])
    net = jn.RateNetwork(m, tau=10.0, transfer=jn.transfer.Linear())
    t = np.linspace(0.0, 50.0, 11)
    wanted = [np.linalg.norm(expm((m - np.eye(2)) * x / 10.0), 2) for x in t]
    np.testing.assert_allclose(jn.theory.transient_amplification(net, t), wanted, rtol=1e-10)
    assert max(wanted) > 2.5
    assert np.all(np.linalg.eigvals(m).real < 1)


def energies(m, transfer, seed, dt=0.5, tau=10.0):
    rng = np.random.default_rng(seed)
    n = m.shape[0]
    net = jn.RateNetwork(m, h=rng.normal(size=n), transfer=transfer, tau=tau, start=rng.normal(size=n))
    sol = jn.simulate(net, 0.0, 500.0, dt=dt)
    return np.asarray(jn.theory.energy(net, sol["rate"]))


@pytest.mark.float32
@pytest.mark.parametrize(
    "transfer",
    [jn.transfer.Sigmoid(), jn.transfer.Tanh(), jn.transfer.ThresholdLinear()],
    ids=lambda x: type(x).__name__,
)
def test_energy_falls_for_symmetric_weights(transfer):
    m = np.random.default_rng(1).normal(size=(12, 12))
    m = (m + m.T) / np.sqrt(12) * 0.35
    for seed in range(5):
        e = energies(m, transfer, seed)
        assert np.max(np.diff(e)) < tol(1e-12, 2e-6) * np.abs(e).max()
        assert e[0] - e[-1] > 0.01


def test_energy_rises_for_asymmetric_weights():
    m = 2.5 * np.array([[0.0, -1.0], [1.0, 0.0]]) + np.eye(2)
    e = energies(m, jn.transfer.Tanh(), 0)
    assert np.max(np.diff(e)) > 1e-3


def test_slope_of_the_energy():
    # dE/dt = -1/tau sum_i F'(x_i) (h + M s - x)_i^2 with x = h + M v.
    m = np.random.default_rng(1).normal(size=(6, 6))
    m = (m + m.T) * 0.2
    net = jn.RateNetwork(m, h=0.3, transfer=jn.transfer.Sigmoid(), tau=10.0)
    v = jnp.asarray(np.random.default_rng(2).normal(size=6))
    slope = jax.grad(lambda r: jn.theory.energy(net, r))(v) @ net.vector_field(0.0, v)
    x = 0.3 + m @ np.asarray(v)
    s = 1 / (1 + np.exp(-x))
    wanted = -np.sum(s * (1 - s) * (0.3 + m @ s - x) ** 2) / 10.0
    assert float(slope) == pytest.approx(wanted, rel=1e-10)


def test_hopfield_recalls_below_capacity_and_fails_above():
    n = 400
    rng = np.random.default_rng(0)

    def overlap(load):
        patterns = rng.choice([-1.0, 1.0], size=(int(load * n), n))
        noisy = patterns[0] * np.where(np.arange(n) < n // 10, -1.0, 1.0)
        sol = jn.simulate(jn.networks.hopfield(patterns, start=noisy), 0.0, 400.0, dt=2.0)
        return float(np.mean(np.sign(sol["rate"][-1]) * patterns[0]))

    assert overlap(0.05) > 0.99
    assert overlap(0.3) < 0.7


@pytest.mark.float32
def test_recall_in_theory():
    # The right-hand side is largest at capacity, 0.137905566 (Amit et al. give 0.138), where m is 0.967.
    def right(x):
        return erf(x) / x - 2 / np.sqrt(np.pi) * np.exp(-x * x)

    top = minimize_scalar(lambda x: -right(x), bounds=(1.0, 2.0), method="bounded", options={"xatol": 1e-12})
    seen = jn.theory.hopfield_recall(load=[0.01, 0.1, 0.137])
    assert float(seen.capacity) == pytest.approx(right(top.x) ** 2 / 2, rel=1e-6)
    assert float(seen.capacity) == pytest.approx(0.138, abs=2e-4)
    wanted = [erf(brentq(lambda x, a=a: right(x) - np.sqrt(2 * a), 1.5112, 20.0)) for a in (0.01, 0.1, 0.137)]
    np.testing.assert_allclose(seen.overlap, wanted, rtol=2e-5)
    slope = jax.grad(lambda a: jn.theory.hopfield_recall(load=a).overlap)(0.1)
    ends = [jn.theory.hopfield_recall(load=a).overlap for a in (0.099, 0.101)]
    assert float(slope) == pytest.approx(float(ends[1] - ends[0]) / 0.002, rel=1e-2)
    with pytest.raises(RuntimeError, match=r"`load` may not exceed 0\.1379"):
        jn.theory.hopfield_recall(load=0.2)
    with pytest.raises(ValueError, match="`load` has to be positive"):
        jn.theory.hopfield_recall(load=0.0)


def test_dales_law():
    dale = jn.bounds.Dale([1.0, -1.0, 1.0])
    weights = np.array([[1.0, -2.0, 0.5], [0.3, -0.1, 2.0]])
    np.testing.assert_allclose(dale.forward(dale.inverse(jnp.asarray(weights))), weights, rtol=1e-12)
    assert np.all(np.isnan(dale.inverse(jnp.asarray(-weights))))
    assert dale.allows(jnp.asarray(weights)).tolist() == [True, True, True]
    assert dale.allows(jnp.asarray(weights).at[0, 1].set(0.1)).tolist() == [True, False, True]
    with pytest.raises(ValueError, match="`signs` has to hold 1 or -1"):
        jn.bounds.Dale([1.0, 0.0])
