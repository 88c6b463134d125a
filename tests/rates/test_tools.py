"""Fixed points, bifurcations, exponents, sections and bumps: the tools, on models whose answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import Equation

import jaxneuro as jn

A = jn.analysis
M = np.array([[1.25, -1.0], [1.0, 0.0]])
X64 = jnp.result_type(float) == jnp.float64


def tol(double, single):
    """A tolerance by precision."""
    return double if X64 else single


@pytest.mark.float32
def test_several_fixed_points_of_a_bistable_pair():
    # Two units that inhibit each other: v_i = [10 - 2 v_j]_+ has (10, 0), (0, 10) and the saddle (10/3, 10/3).
    net = jn.RateNetwork([[0.0, -2.0], [-2.0, 0.0]], h=10.0)
    found = A.fixed_points(net, box=(0.0, 12.0))
    assert found.labels == ("stable node", "stable node", "saddle")
    np.testing.assert_allclose(found.y, [[0.0, 10.0], [10.0, 0.0], [10 / 3, 10 / 3]], atol=tol(1e-9, 1e-5))
    assert found.starts.sum() > 100
    assert "3 fixed points" in str(found)


def test_fixed_point_is_differentiable():
    def of(x):
        return A.fixed_point(jn.networks.ei_rate(m_ee=x[0], gamma_i=x[1]))

    x = jnp.asarray([1.25, 10.0])

    def exact(x):
        m = jnp.asarray(M).at[0, 0].set(x[0])
        return jnp.linalg.solve(jnp.eye(2) - m, jnp.stack([10.0, -x[1]]))

    @jax.jit
    def both_modes(x):
        return jax.jacfwd(of)(x), jax.jacrev(of)(x), jax.jacfwd(exact)(x), jax.vmap(of)(jnp.stack([x, 1.1 * x]))

    forward, backward, right, batch = both_modes(x)
    np.testing.assert_allclose(of(x), exact(x), rtol=1e-12)
    np.testing.assert_allclose(forward, right, rtol=1e-10)
    np.testing.assert_allclose(backward, right, rtol=1e-10)
    np.testing.assert_allclose(batch, jnp.stack([exact(x), exact(1.1 * x)]), rtol=1e-10)
    # A new value is no new program, of any tool that stands on the root.
    from jaxneuro.analysis._fixed_points import reached_root

    compiled = reached_root._cached._cache_size()
    of(1.05 * x)
    A.inhibition_stabilisation(jn.networks.ei_rate(m_ee=1.3))
    assert reached_root._cached._cache_size() == compiled


def jacobian(tau_i, tau_e=10.0):
    """Of the E/I pair: its lower left entry is M_IE/tau_I (corrected)."""
    return np.array([[(1.25 - 1) / tau_e, -1.0 / tau_e], [1.0 / tau_i, -1.0 / tau_i]])


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


class Lorenz(Equation):
    """Lorenz's equations, one unit of time a second: a model of a user's own."""

    def initial(self):
        return jnp.asarray([1.0, 1.0, 20.0])

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


def test_continuation_finds_the_hopf_point():
    branch = A.continuation(jn.networks.ei_rate(), where=lambda m: m.tau_i, over=(20.0, 60.0))
    assert branch.complete
    assert [found.kind for found in branch.bifurcations] == ["Hopf"]
    assert branch.bifurcations[0].value == pytest.approx(40.0, rel=1e-9)
    assert branch.bifurcations[0].frequency == pytest.approx(6.8916, abs=1e-4)
    assert np.array_equal(branch.stable, branch.value < 40.0)


@pytest.mark.float32
def test_continuation_goes_around_folds():
    # v = sigmoid(h + 8 v) folds where F' = 1/8: s (1 - s) = 1/8, h = log(s/(1 - s)) - 8 s.
    net = jn.RateNetwork([[8.0]], h=-7.0, transfer=jn.transfer.Sigmoid())
    branch = A.continuation(net, where=lambda m: m.h, over=(-7.0, -1.0))
    s = 0.5 * (1 + np.array([-1, 1]) * np.sqrt(0.5))
    folds = np.log(s / (1 - s)) - 8 * s
    assert [found.kind for found in branch.bifurcations] == ["fold", "fold"]
    np.testing.assert_allclose([found.value for found in branch.bifurcations], folds, rtol=tol(1e-8, 1e-5))
    np.testing.assert_allclose([found.y[0] for found in branch.bifurcations], s, rtol=tol(1e-5, 1e-2))
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


class Mutual(Equation):
    """Two units with mutual inhibition w: 10 ms dv/dt = -v + tanh(-w v_other)."""

    w: jax.Array

    def initial(self):
        return jnp.zeros(2)

    def observe(self, y):
        return {"rate": y}

    def vector_field(self, t, y, args=None):
        return (-y + jnp.tanh(-self.w * y[::-1])) / 10.0


@pytest.mark.float32
def test_nullclines_and_the_jacobian_of_the_pair():
    pair = jn.networks.ei_rate(tau_i=50.0)
    np.testing.assert_allclose(A.jacobian(pair, [80 / 3, 50 / 3]), jacobian(50.0), rtol=tol(1e-12, 1e-6))
    np.testing.assert_allclose(A.jacobian(pair, [1.0, 40.0]), np.diag([-0.1, -0.02]), rtol=tol(1e-12, 1e-6))
    lines = A.nullclines(pair, box=((0.0, 0.0), (60.0, 40.0)), n=121)
    (second,) = lines.second
    np.testing.assert_allclose(second[:, 1], np.maximum(second[:, 0] - 10.0, 0.0), atol=tol(1e-9, 1e-4))
    assert second[:, 0].min() == pytest.approx(0.0, abs=1e-4)
    first = np.concatenate(lines.first)
    # v_E = [1.25 v_E - v_I + 10]_+: v_I = 10 + v_E/4, and v_E = 0 where v_I is above 10.
    away = np.minimum(np.abs(first[:, 1] - 10.0 - 0.25 * first[:, 0]), first[:, 0] + 1e3 * (first[:, 1] < 10.0 - 1e-4))
    assert away.max() < 0.05
    assert first[:, 0].max() == pytest.approx(60.0)
    with pytest.raises(ValueError, match="has to have two variables"):
        A.nullclines(jn.RateNetwork([[0.0]]), box=(0.0, 1.0))
    with pytest.raises(ValueError, match=r"`y` has to be \(2,\)"):
        A.jacobian(pair, [1.0])


@pytest.mark.usefixtures("as_users_run")
def test_what_has_no_fixed_vector_field_or_has_noise_is_refused():
    moving = jn.networks.ring(n=8, velocity=lambda t: t)
    for tool in (A.fixed_points, A.fixed_point, A.slow_points):
        with pytest.raises(ValueError, match="a velocity that depends on time"):
            tool(moving)
    with pytest.raises(ValueError, match="`model` has to be without noise"):
        A.lyapunov(jn.networks.ei_rate(noise=1.0), 100.0, dt=1.0)
    with pytest.raises(RuntimeError, match="The run became NaN or infinite"):
        A.lyapunov(jn.RateNetwork([[30.0]], h=1.0, transfer=jn.transfer.Linear()), 10_000.0, dt=1.0)
    pair, nan = jn.networks.ei_rate(), float("nan")
    wrong = [
        (lambda: A.fixed_points(pair, stimulus=nan), "`stimulus` has to be finite"),
        (lambda: A.fixed_points(pair, starts=[[nan, 1.0]]), "`starts` has to be finite"),
        (lambda: A.fixed_points(pair, tolerance=-1.0), "`tolerance` has to be a positive number"),
        (lambda: A.fixed_points(pair, box=([0.0] * 3, [1.0] * 3)), r"`box` has to be \(low, high\), numbers or \(2,\)"),
        (lambda: A.fixed_point(pair, [nan, 1.0]), "`near` has to be finite"),
        (lambda: A.inhibition_stabilisation(pair, near=[1.0]), r"`near` has to be \(2,\)"),
        (lambda: A.hopf(pair, where=lambda m: m.tau_i, bracket=(1.0, 2.0), near=[1.0]), r"`near` has to be \(2,\)"),
        (lambda: A.decode([nan, 1.0]), "`u` has to be finite"),
        (lambda: A.bump_diffusion([[nan, 1.0]], every=1.0), "`angle` has to be finite"),
    ]
    for call, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            call()


@pytest.mark.float32
def test_slow_points_and_sections():
    # v = sigmoid(h + 8 v): just beyond the fold the ghost of two fixed points remains.
    s = 0.5 * (1 - np.sqrt(0.5))
    fold = np.log(s / (1 - s)) - 8 * s
    net = jn.RateNetwork([[8.0]], h=fold + 0.05, transfer=jn.transfer.Sigmoid())
    found = A.slow_points(net)
    assert len(found) == 2
    assert found.speed[0] < tol(1e-12, 1e-6) < found.speed[1]
    assert found.y[1, 0] == pytest.approx(s, abs=0.02)
    pair = jn.networks.ei_rate(tau_i=40.0, start=(27.0, 16.7))
    crossings = A.poincare_section(pair, 0.0, 2_000.0, dt=0.5, surface=lambda y: y["rate"][0] - 80 / 3)
    np.testing.assert_allclose(np.diff(crossings.times), 1000 / 6.891644, rtol=1e-4)
    np.testing.assert_allclose(crossings.values["rate"][:, 0], 80 / 3, rtol=tol(1e-9, 1e-6))


def test_bump_decoding_and_diffusion():
    theta = np.asarray(jn.Ring(40, j=[0.0]).angles())
    seen = A.decode(np.stack([1.0 + 0.5 * np.cos(theta - a) for a in (-3.0, 0.4)]))
    np.testing.assert_allclose(seen.angle, [-3.0, 0.4], rtol=1e-12)
    np.testing.assert_allclose(seen.strength, 0.25, rtol=1e-12)
    # Both angles of a sheet, and rates of 0.
    sheet = jn.Ring(12, j=[[0.0]]).angles()
    rates = (2.0 + jnp.cos(sheet[..., 0] - 0.5)) * (1.0 + jnp.cos(sheet[..., 1] + 2.0))
    seen = A.decode(jnp.stack([rates.ravel(), jnp.zeros(144)]), n_angles=2)
    np.testing.assert_allclose(seen.angle[0], [0.5, -2.0], rtol=1e-12)
    np.testing.assert_allclose(seen.strength, [[0.25, 0.5], [0.0, 0.0]], rtol=1e-12)
    for wrong, sentence in (
        ((rates.ravel()[:143], 2), "a square number"),
        ((rates.ravel(), 3), "`n_angles` has to be"),
    ):
        with pytest.raises(ValueError, match=sentence):
            A.decode(wrong[0], n_angles=wrong[1])
    # A walk with steps of known variance and drift, wrapped onto the circle.
    rng = np.random.default_rng(0)
    walk = np.cumsum(0.02 + 0.2 * rng.normal(size=(400, 300)), axis=1)
    found = A.bump_diffusion(np.angle(np.exp(1j * walk)), every=10.0)
    assert float(found.coefficient) == pytest.approx(0.2**2 / 2 / 0.01, rel=0.03)
    assert float(found.drift) == pytest.approx(0.02 / 0.01, rel=0.05)


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
    both = jax.jit(jax.value_and_grad(lambda x: jn.theory.ring_tuning(j0=x, j1=1.5, i0=1.0, i1=0.6).u1))
    difference = float(both(-5.0 + 1e-5)[0] - both(-5.0 - 1e-5)[0]) / 2e-5
    assert float(both(-5.0)[1]) == pytest.approx(difference, rel=1e-6)
