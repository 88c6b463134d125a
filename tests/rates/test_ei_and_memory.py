"""The E/I pair, memory networks, energy and linear modes against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import jaxneuro as jn

A = jn.analysis
M = np.array([[1.25, -1.0], [1.0, 0.0]])


def jacobian(tau_i, tau_e=10.0):
    """The corrected one: its lower left entry is M_IE/tau_I."""
    return np.array([[(1.25 - 1) / tau_e, -1.0 / tau_e], [1.0 / tau_i, -1.0 / tau_i]])


@pytest.mark.parametrize(("tau_i", "label"), [(30.0, "stable focus"), (50.0, "unstable focus"), (5.0, "stable node")])
def test_fixed_point_and_its_kind(tau_i, label):
    found = A.fixed_points(jn.networks.ei_rate(tau_i=tau_i), box=(0.0, 60.0))
    assert len(found) == 1
    np.testing.assert_allclose(found.y[0], np.linalg.solve(np.eye(2) - M, [10.0, -10.0]), rtol=1e-12)
    np.testing.assert_allclose(found.y[0], [80 / 3, 50 / 3], rtol=1e-12)
    values = np.linalg.eigvals(jacobian(tau_i))
    np.testing.assert_allclose(np.sort_complex(found.eigenvalues[0]), np.sort_complex(values), rtol=1e-10)
    assert found.labels == (label,)
    assert found.stable[0] == label.startswith("stable")


def test_hopf():
    # Trace (M_EE - 1)/tau_E - 1/tau_I = 0 at tau_I = 40 ms; omega^2 is the determinant.
    found = A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(20.0, 90.0))
    assert float(found.value) == pytest.approx(40.0, rel=1e-12)
    omega = np.sqrt(np.linalg.det(jacobian(40.0)))
    assert float(found.frequency) == pytest.approx(1000 * omega / (2 * np.pi), rel=1e-10)
    assert float(found.frequency) == pytest.approx(6.8916, abs=5e-5)
    with pytest.raises(RuntimeError, match="No Hopf bifurcation between 10 and 30"):
        A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(10.0, 30.0))
    nothing = A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(10.0, 30.0), throw=False)
    assert np.isnan(nothing.value)


def test_derivatives_of_the_hopf_point():
    # omega^2 = ((1 - M_EE)(1 - M_II) - M_EI M_IE)/(tau_E tau_I), tau_I = tau_E (1 - M_II)/(M_EE - 1).
    def of(x):
        pair = jn.networks.ei_rate(m_ei=x[0], m_ee=x[1])
        found = A.hopf(pair, where=lambda m: m.tau_i, bracket=(20.0, 90.0), throw=False)
        return jnp.stack([found.value, found.frequency])

    x, h = jnp.asarray([-1.0, 1.25]), 1e-5
    forward = jax.jacfwd(of)(x)
    np.testing.assert_allclose(jax.jacrev(of)(x), forward, rtol=1e-9, atol=1e-12)
    columns = [(of(x.at[i].add(h)) - of(x.at[i].add(-h))) / (2 * h) for i in range(2)]
    np.testing.assert_allclose(forward, np.stack(columns, 1), rtol=1e-6, atol=1e-7)
    frequency = float(of(x)[1])
    assert float(forward[1, 0]) == pytest.approx(-frequency / (2 * 0.75), rel=1e-9)


def test_oscillation_beyond_the_hopf_point():
    # Just beyond, the frequency is that of the eigenvalues; the rectification sets the amplitude.
    pair = jn.networks.ei_rate(tau_i=40.5, start=(27.0, 16.7))
    sol = jn.simulate(pair, 0.0, 6_000.0, dt=0.1, solver=jn.RungeKutta4())
    v = np.asarray(sol["rate"])[-30_000:, 0] - 80 / 3
    t = np.asarray(sol.times["rate"])[-30_000:]
    up = t[:-1][(v[:-1] < 0) & (v[1:] >= 0)]
    assert 1000 / np.mean(np.diff(up)) == pytest.approx(6.8916, rel=0.01)
    wide = jn.simulate(jn.networks.ei_rate(tau_i=50.0), 0.0, 4_000.0, dt=0.1, solver=jn.RungeKutta4())
    rates = np.asarray(wide["rate"])[-10_000:]
    assert rates[:, 1].min() < 1e-3
    assert rates[:, 0].max() > 40.0


def test_several_fixed_points_of_a_bistable_pair():
    # Two units that inhibit each other: v_i = [10 - 2 v_j]_+ has (10, 0), (0, 10) and the saddle (10/3, 10/3).
    net = jn.RateNetwork([[0.0, -2.0], [-2.0, 0.0]], h=10.0)
    found = A.fixed_points(net, box=(0.0, 12.0))
    assert found.labels == ("stable node", "stable node", "saddle")
    np.testing.assert_allclose(found.y, [[0.0, 10.0], [10.0, 0.0], [10 / 3, 10 / 3]], atol=1e-9)
    assert found.starts.sum() > 100
    assert "3 fixed points" in str(found)


def test_fixed_point_is_differentiable():
    def of(x):
        return A.fixed_point(jn.networks.ei_rate(m_ee=x[0], gamma_i=x[1]))

    x = jnp.asarray([1.25, 10.0])

    def exact(x):
        m = jnp.asarray(M).at[0, 0].set(x[0])
        return jnp.linalg.solve(jnp.eye(2) - m, jnp.stack([10.0, -x[1]]))

    np.testing.assert_allclose(of(x), exact(x), rtol=1e-12)
    np.testing.assert_allclose(jax.jacfwd(of)(x), jax.jacfwd(exact)(x), rtol=1e-10)
    np.testing.assert_allclose(jax.jacrev(of)(x), jax.jacfwd(exact)(x), rtol=1e-10)
    np.testing.assert_allclose(jax.vmap(of)(jnp.stack([x, 1.1 * x])), jnp.stack([exact(x), exact(1.1 * x)]), rtol=1e-10)


def test_lyapunov_exponents():
    stable = A.lyapunov(jn.networks.ei_rate(tau_i=30.0), 2_000.0, dt=0.5, transient=1_000.0)
    real = 1000 * np.linalg.eigvals(jacobian(30.0)).real
    np.testing.assert_allclose(np.mean(stable.exponents), np.mean(real), rtol=1e-6)
    # On a limit cycle one exponent is 0, and the sum is the mean divergence.
    cycle = A.lyapunov(jn.networks.ei_rate(tau_i=50.0), 20_000.0, dt=0.1, transient=5_000.0)
    assert abs(float(cycle.exponents[0])) < 0.3
    assert float(cycle.exponents[1]) < -1.0


def test_lyapunov_exponents_of_a_known_chaotic_flow():
    lorenz = Lorenz()
    found = A.lyapunov(lorenz, 200_000.0, dt=10.0, transient=20_000.0)
    # Sprott (2003), table 4.1, per unit of time, which is 1 s here: 0.9056, 0, -14.5723; the sum is exact.
    assert float(found.exponents[0]) == pytest.approx(0.9056, abs=0.02)
    assert float(found.exponents[1]) == pytest.approx(0.0, abs=0.01)
    assert float(found.exponents.sum()) == pytest.approx(-(10 + 1 + 8 / 3), rel=1e-4)


class Lorenz(jn.AbstractODE):
    """Lorenz's equations, one unit of time a second: a model of a user's own."""

    def size(self):
        return 3

    def initial(self):
        return jnp.asarray([1.0, 1.0, 20.0])

    def prepared(self):
        return self

    def observe(self, y):
        return {"y": y}

    def vector_field(self, t, y, args=None):
        a, b, c = y
        return jnp.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c]) / 1000.0


def test_a_model_of_the_users_own():
    sol = jn.simulate(Lorenz(), 0.0, 1_000.0, dt=5.0)
    assert sol["y"].shape == (200, 3)
    found = A.fixed_points(Lorenz(), box=(-30.0, 30.0))
    q = np.sqrt(8 / 3 * 27)
    wanted = {(0.0, 0.0, 0.0), (q, q, 27.0), (-q, -q, 27.0)}
    assert len(found) == 3
    for y in found.y:
        assert min(np.abs(y - np.array(w)).max() for w in wanted) < 1e-7


def decoder(features=3, n=20):
    return np.random.default_rng(3).normal(size=(features, n))


def test_memory_holds_while_rates_move():
    d = decoder()
    null = 0.8 / np.sqrt(20) * np.random.default_rng(4).normal(size=(20, 20))
    net = jn.networks.memory(d, null=null, start=np.random.default_rng(5).normal(size=20))
    np.testing.assert_allclose(d @ net.m, d, atol=1e-13)
    sol = jn.simulate(net, 0.0, 1_000.0, dt=0.1)
    rates = np.asarray(sol["rate"])
    held = rates @ d.T
    assert np.abs(held - held[0]).max() < 1e-10
    assert np.abs(rates - rates[0]).max() > 0.5
    modes = jn.theory.linear_modes(net)
    assert int(np.sum(np.isinf(modes.time_constants))) == 3


def test_a_pulse_is_integrated():
    # After s_0 delta(t) the integrator jumps by e_1 . s_0 / tau (corrected); here a pulse of 1 ms of height s_0.
    m = np.full((2, 2), 0.5)
    net = jn.RateNetwork(m, transfer=jn.transfer.Linear(), tau=10.0)
    pulse = np.zeros((200, 2))
    pulse[:10] = [3.0, 1.0]
    sol = jn.simulate(net, 0.0, 200.0, dt=0.1, stimulus=np.concatenate([pulse, np.zeros((1_800, 2))]))
    e = np.array([1.0, 1.0]) / np.sqrt(2)
    assert float(e @ np.asarray(sol["rate"][-1])) == pytest.approx(float(e @ [3.0, 1.0]) / 10.0, rel=1e-3)


def test_a_mistuned_eigenvalue_leaks():
    net = jn.RateNetwork([[0.9]], transfer=jn.transfer.Linear(), tau=10.0)
    assert float(jn.theory.linear_modes(net).time_constants[0]) == pytest.approx(100.0)


def test_linear_trajectories():
    m, h = 0.5 * np.random.default_rng(0).normal(size=(5, 5)), np.arange(5.0)
    start = np.ones(5)
    net = jn.RateNetwork(m, h=h, tau=7.0, transfer=jn.transfer.Linear(gain=0.8, threshold=0.2), start=start)
    whole, drive = 0.8 * m, 0.8 * (h - 0.2)
    rest = np.linalg.solve(np.eye(5) - whole, drive)
    wanted = [rest + expm((whole - np.eye(5)) * t / 7.0) @ (start - rest) for t in (0.0, 3.0, 40.0)]
    np.testing.assert_allclose(jn.theory.linear_trajectory(net, [0.0, 3.0, 40.0]), wanted, rtol=1e-10)
    np.testing.assert_allclose(jn.theory.linear_steady_state(net), rest, rtol=1e-12)
    modes = jn.theory.linear_modes(net)
    np.testing.assert_allclose(modes.duals @ modes.vectors, np.eye(5), atol=1e-12)
    rebuilt = modes.vectors @ np.diag(modes.eigenvalues) @ modes.duals
    np.testing.assert_allclose(rebuilt, whole, atol=1e-12)


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
    assert max(wanted) > 3
    assert np.all(np.linalg.eigvals(m).real < 1)


def energies(m, transfer, seed, dt=0.5, tau=10.0):
    rng = np.random.default_rng(seed)
    n = m.shape[0]
    net = jn.RateNetwork(m, h=rng.normal(size=n), transfer=transfer, tau=tau, start=rng.normal(size=n))
    sol = jn.simulate(net, 0.0, 500.0, dt=dt)
    return np.asarray(jn.theory.energy(net, sol["rate"]))


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
        assert np.max(np.diff(e)) < 1e-12 * np.abs(e).max()
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


def test_continuation_finds_the_hopf_point():
    branch = A.continuation(jn.networks.ei_rate(), where=lambda m: m.tau_i, over=(20.0, 60.0))
    assert branch.complete
    assert [found.kind for found in branch.bifurcations] == ["Hopf"]
    assert branch.bifurcations[0].value == pytest.approx(40.0, rel=1e-9)
    assert branch.bifurcations[0].frequency == pytest.approx(6.8916, abs=1e-4)
    assert np.array_equal(branch.stable, branch.value < 40.0)


def test_continuation_goes_around_folds():
    # v = sigmoid(h + 8 v) folds where F' = 1/8: s (1 - s) = 1/8, h = log(s/(1 - s)) - 8 s.
    net = jn.RateNetwork([[8.0]], h=-7.0, transfer=jn.transfer.Sigmoid())
    branch = A.continuation(net, where=lambda m: m.h, over=(-7.0, -1.0))
    s = 0.5 * (1 + np.array([-1, 1]) * np.sqrt(0.5))
    folds = np.log(s / (1 - s)) - 8 * s
    assert [found.kind for found in branch.bifurcations] == ["fold", "fold"]
    np.testing.assert_allclose([found.value for found in branch.bifurcations], folds, rtol=1e-8)
    np.testing.assert_allclose([found.y[0] for found in branch.bifurcations], s, rtol=1e-5)
    assert branch.complete
    middle = (branch.y[:, 0] > s[0]) & (branch.y[:, 0] < s[1])
    assert np.array_equal(branch.stable, ~middle)
    # In the window there are three.
    net = jn.RateNetwork([[8.0]], h=-4.0, transfer=jn.transfer.Sigmoid())
    assert len(A.fixed_points(net)) == 3
    assert "fold at" in str(branch)


def test_continuation_sees_a_pitchfork():
    # Two units that inhibit each other smoothly: the symmetric state loses stability at a branch point.
    def net(w):
        return jn.RateNetwork([[0.0, -w], [-w, 0.0]], transfer=jn.transfer.Tanh())

    holder = Mutual(jnp.asarray(0.5))
    branch = A.continuation(holder, where=lambda m: m.w, over=(0.5, 1.5))
    assert [found.kind for found in branch.bifurcations] == ["branch point"]
    assert branch.bifurcations[0].value == pytest.approx(1.0, rel=1e-9)
    assert len(A.fixed_points(net(1.5), box=(-1.0, 1.0))) == 3


class Mutual(jn.AbstractODE):
    """Two units with mutual inhibition w: 10 ms dv/dt = -v + tanh(-w v_other)."""

    w: jax.Array

    def size(self):
        return 2

    def initial(self):
        return jnp.zeros(2)

    def prepared(self):
        return self

    def observe(self, y):
        return {"rate": y}

    def vector_field(self, t, y, args=None):
        return (-y + jnp.tanh(-self.w * y[::-1])) / 10.0


def test_inhibition_stabilisation_and_the_paradox():
    pair = jn.networks.ei_rate(tau_i=30.0)
    seen = A.inhibition_stabilisation(pair)
    assert bool(seen.stabilised)
    more = A.fixed_point(jn.networks.ei_rate(tau_i=30.0, gamma_i=10.0 - 1e-3))
    less = A.fixed_point(jn.networks.ei_rate(tau_i=30.0, gamma_i=10.0 + 1e-3))
    assert float(seen.paradox) == pytest.approx(float((more - less)[1]) / 2e-3, rel=1e-8)
    assert float(seen.paradox) < 0
    weak = A.inhibition_stabilisation(jn.networks.ei_rate(m_ee=0.5, tau_i=30.0, gamma_e=-30.0))
    assert not bool(weak.stabilised)
    assert float(weak.paradox) > 0
    # The supralinear network is stabilised by inhibition only where it is driven strongly.
    low, high = (A.inhibition_stabilisation(jn.networks.supralinear(drive=d)) for d in (1.0, 40.0))
    assert float(low.feedback) < 1 < float(high.feedback)
    assert bool(high.stabilised)


def test_supralinear_sums_become_sublinear():
    rates = [float(A.fixed_point(jn.networks.supralinear(drive=d))[0]) for d in (1.0, 2.0, 20.0, 40.0)]
    assert rates[1] > 2 * rates[0]
    assert rates[3] < 2 * rates[2]


def test_dales_law():
    dale = jn.Dale([1.0, -1.0, 1.0])
    weights = np.array([[1.0, -2.0, 0.5], [0.3, -0.1, 2.0]])
    np.testing.assert_allclose(dale.forward(dale.inverse(jnp.asarray(weights))), weights, rtol=1e-12)
    assert np.all(np.isnan(dale.inverse(jnp.asarray(-weights))))
    assert dale.allows(jnp.asarray(weights)).tolist() == [True, True, True]
    assert dale.allows(jnp.asarray(weights).at[0, 1].set(0.1)).tolist() == [True, False, True]
    with pytest.raises(ValueError, match="`signs` has to hold 1 or -1"):
        jn.Dale([1.0, 0.0])


def test_slow_points_and_sections():
    # v = sigmoid(h + 8 v): just beyond the fold the ghost of two fixed points remains.
    s = 0.5 * (1 - np.sqrt(0.5))
    fold = np.log(s / (1 - s)) - 8 * s
    net = jn.RateNetwork([[8.0]], h=fold + 0.05, transfer=jn.transfer.Sigmoid())
    found = A.slow_points(net)
    assert len(found) == 2
    assert found.speed[0] < 1e-12 < found.speed[1]
    assert found.y[1, 0] == pytest.approx(s, abs=0.02)
    pair = jn.networks.ei_rate(tau_i=40.0, start=(27.0, 16.7))
    crossings = A.poincare_section(pair, 0.0, 2_000.0, dt=0.5, surface=lambda y: y["rate"][0] - 80 / 3)
    np.testing.assert_allclose(np.diff(crossings.times), 1000 / 6.891644, rtol=1e-4)
    np.testing.assert_allclose(crossings.values["rate"][:, 0], 80 / 3, rtol=1e-9)


def test_bump_decoding_and_diffusion():
    theta = np.asarray(jn.Ring(40, j=[0.0]).angles())
    seen = A.decode(np.stack([1.0 + 0.5 * np.cos(theta - a) for a in (-3.0, 0.4)]))
    np.testing.assert_allclose(seen.angle, [-3.0, 0.4], rtol=1e-12)
    np.testing.assert_allclose(seen.strength, 0.25, rtol=1e-12)
    # A walk with steps of known variance and drift, wrapped onto the circle.
    rng = np.random.default_rng(0)
    walk = np.cumsum(0.02 + 0.2 * rng.normal(size=(400, 300)), axis=1)
    found = A.bump_diffusion(np.angle(np.exp(1j * walk)), every=10.0)
    assert float(found.coefficient) == pytest.approx(0.2**2 / 2 / 0.01, rel=0.03)
    assert float(found.drift) == pytest.approx(0.02 / 0.01, rel=0.05)


def test_a_bump_diffuses_faster_in_a_smaller_ring():
    # Noise that is independent between units averages over them: D ~ 1/N.
    found = []
    for n in (32, 128):
        ring = jn.networks.ring(n=n, j1=4.0, noise=0.05)

        def run(key, ring=ring):
            return jn.simulate(
                ring, 0.0, 1_000.0, dt=1.0, key=key, record={"u": jn.record.Trace("rate", every=100)}, throw=False
            )["u"]

        rates = jax.jit(jax.vmap(run))(jax.random.split(jax.random.key(0), 200))
        found.append(float(A.bump_diffusion(A.decode(rates).angle[:, 2:], every=100.0).coefficient))
    assert found[0] / found[1] == pytest.approx(4.0, rel=0.35)


def test_contrast_invariance_and_the_simulated_tuning_curve():
    shapes = [jn.theory.ring_tuning(j0=-5.0, j1=1.5, i0=c, i1=0.6 * c) for c in (0.5, 1.0, 7.0)]
    np.testing.assert_allclose([float(s.half_width) for s in shapes], float(shapes[0].half_width), rtol=1e-12)
    np.testing.assert_allclose(
        [float(s.u1) for s in shapes],
        [0.5 * float(shapes[1].u1), float(shapes[1].u1), 7 * float(shapes[1].u1)],
        rtol=1e-12,
    )
    ring = jn.networks.ring(n=256, j0=-5.0, j1=1.5, i0=1.0, i1=0.6)
    sol = jn.simulate(ring, 0.0, 500.0, dt=1.0, record={"u": jn.record.Trace("rate", every=500)})
    np.testing.assert_allclose(sol["u"][-1], shapes[1].rate(ring.angles()), atol=2e-4)
    # Where all units are active it is the linear state, and at I_1 to 0 the bump of uniform input.
    linear = jn.theory.ring_tuning(j0=-1.0, j1=1.0, i0=2.0, i1=0.3)
    np.testing.assert_allclose([linear.u0, linear.u1, linear.half_width], [1.0, 0.6, np.pi], rtol=1e-12)
    faint = jn.theory.ring_tuning(j0=-2.0, j1=3.0, i0=1.0, i1=1e-9)
    bump = jn.theory.ring_bump(j0=-2.0, j1=3.0)
    np.testing.assert_allclose([faint.half_width, faint.u1], [bump.half_width, bump.amplitude], rtol=1e-6)
    slope = jax.grad(lambda x: jn.theory.ring_tuning(j0=x, j1=1.5, i0=1.0, i1=0.6).u1)(-5.0)
    ends = [float(jn.theory.ring_tuning(j0=x, j1=1.5, i0=1.0, i1=0.6).u1) for x in (-5.0 - 1e-5, -5.0 + 1e-5)]
    assert float(slope) == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-6)
