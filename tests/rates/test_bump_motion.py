"""Bumps that move: theory against simulation, limits and independent linear algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import fsolve

import jaxneuro as jn

T = jn.theory
# j0, j1, i1, velocity [rad/ms]: all units active; a narrow answer; bumps in weak and strong stimuli; one too fast.
FOLLOWED = [
    (-1.0, 1.0, 0.3, 0.05),
    (-5.0, 1.5, 0.6, 0.01),
    (-2.0, 4.0, 0.1, 0.002),
    (-2.0, 4.0, 0.1, 0.006),
    (-2.0, 3.0, 2.0, -0.1),
]
TOO_FAST = (-2.0, 4.0, 0.1, 0.0067)


def cue(theta, i1, velocity, t):
    return i1 * jnp.cos(theta - velocity * t)


def last(steps):
    return jn.record.Trace("rate", every=steps)


def test_a_moving_stimulus_is_followed_as_theory_says():
    @jax.jit
    @jax.vmap
    def follow(j0, j1, i1, velocity):
        ring = jn.networks.ring(n=256, j0=j0, j1=j1)
        stimulus = jax.tree_util.Partial(cue, ring.angles(), i1, velocity)
        run = dict(dt=2.0, stimulus=stimulus, record={"u": last(1_500)}, solver=jn.RungeKutta4(), throw=False)
        return jn.simulate(ring, 0.0, 6_000.0, **run)["u"]

    cases = np.array([*FOLLOWED, TOO_FAST])
    u = np.asarray(follow(*jnp.asarray(cases.T)))
    seen = jn.analysis.decode(u)
    behind = np.angle(np.exp(1j * (cases[:, 3:] * [3_000.0, 6_000.0] - np.asarray(seen.angle))))
    j0, j1, i1, v = cases[:-1].T
    theory = T.ring_tracking(j0=j0, j1=j1, i1=i1, velocity=v)
    np.testing.assert_allclose(behind[:-1, 1], theory.lag, atol=2e-3)
    np.testing.assert_allclose(u[:-1, 1].mean(axis=1), theory.mean, rtol=5e-3)
    np.testing.assert_allclose(seen.strength[:-1, 1], theory.modulation / theory.mean, rtol=1e-2)
    most = float(theory.most_velocity[2])
    assert FOLLOWED[3][3] < most < TOO_FAST[3]
    u1 = float(T.ring_bump(j0=-2.0, j1=4.0).amplitude)
    assert most == pytest.approx(0.1 / (10.0 * np.sqrt(u1**2 - 0.1**2)), rel=1e-12)
    slips = np.abs(behind[:, 1] - behind[:, 0])
    assert slips[-1] > 0.1 > 10 * slips[:-1].max()


def test_tracking_by_another_method():
    # The Fourier components 0 and 1 of the travelling wave, by quadrature and a root finder.
    x = np.linspace(-np.pi, np.pi, 20_001)[:-1]
    for j0, j1, i1, v in FOLLOWED:
        w = 10.0 * v

        def rest(y, j0=j0, j1=j1, i1=i1, w=w):
            even, z = y[0], y[1] + 1j * y[2]
            g = np.maximum(1.0 + j0 * even + np.real((i1 + j1 * z) * np.exp(1j * x)), 0.0)
            first = np.mean(g * np.exp(-1j * x)) / (1 - 1j * w) - z
            return [np.mean(g) - even, first.real, first.imag]

        seen = T.ring_tracking(j0=j0, j1=j1, i1=i1, velocity=v)
        a1, lag = float(seen.modulation), float(seen.lag)
        wanted = fsolve(rest, [float(seen.mean), a1 * np.cos(lag), a1 * np.sin(lag)], xtol=1e-13)
        np.testing.assert_allclose([float(seen.mean), a1 * np.cos(lag), a1 * np.sin(lag)], wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.float32
def test_limits_of_tracking():
    still = T.ring_tracking(j0=-5.0, j1=1.5, i1=0.6, velocity=0.0)
    tuned = T.ring_tuning(j0=-5.0, j1=1.5, i0=1.0, i1=0.6)
    np.testing.assert_allclose([still.lag, still.half_width], [0.0, tuned.half_width], rtol=2e-5)
    # All active: lag arctan(tau v / (1 - J_1/2)).
    linear = T.ring_tracking(j0=-1.0, j1=1.0, i1=0.3, velocity=0.05)
    np.testing.assert_allclose(
        [linear.lag, linear.half_width, linear.mean, linear.modulation, linear.most_velocity],
        [np.pi / 4, np.pi, 0.5, 0.15 / np.sqrt(0.5), np.inf],
        rtol=1e-6,
    )
    # A weak stimulus pulls as sin of the distance.
    u1 = float(T.ring_bump(j0=-2.0, j1=4.0).amplitude)
    weak = T.ring_tracking(j0=-2.0, j1=4.0, i1=1e-3, velocity=4e-5)
    np.testing.assert_allclose(weak.lag, np.arcsin(4e-4 * u1 / 1e-3), rtol=3e-3)
    with pytest.raises(RuntimeError, match=r"left behind: `velocity` may not exceed 0\.006379\d rad/ms"):
        T.ring_tracking(j0=-2.0, j1=4.0, i1=0.1, velocity=[0.001, -0.01])
    with pytest.raises(RuntimeError, match="rates grow for ever"):
        T.ring_tracking(j0=-2.0, j1=10.0, i1=0.1, velocity=0.001)
    seen = jax.vmap(lambda v: T.ring_tracking(j0=-2.0, j1=4.0, i1=0.1, velocity=v))(jnp.asarray([0.001, 0.01]))
    assert np.isnan(seen.lag).tolist() == [False, True]
    with pytest.raises(ValueError, match="`i1` has to be positive"):
        T.ring_tracking(j0=-2.0, j1=4.0, i1=0.0, velocity=0.001)


def test_derivatives_of_tracking():
    @jax.jit
    def of(x):
        j0, j1, i0, i1, v, tau = x
        seen = T.ring_tracking(j0=j0, j1=j1, i0=i0, i1=i1, velocity=v, tau=tau)
        return jnp.stack([seen.lag, seen.mean, seen.modulation, seen.half_width])

    slopes, back = jax.jit(jax.jacfwd(of)), jax.jit(jax.jacrev(of))
    # A narrow answer, and one of all units.
    for at in ((-5.0, 1.5, 1.2, 0.6, 0.01, 9.0), (-1.0, 1.0, 1.2, 0.3, 0.02, 9.0)):
        x = jnp.asarray(at)
        h = 1e-6 * jnp.abs(x)
        forward = slopes(x)
        columns = [(of(x.at[k].add(h[k])) - of(x.at[k].add(-h[k]))) / (2 * h[k]) for k in range(6)]
        np.testing.assert_allclose(forward, np.stack(columns, 1), rtol=2e-6, atol=1e-8)
        np.testing.assert_allclose(back(x), forward, rtol=1e-10, atol=1e-12)


@pytest.fixture(scope="module")
def resting():
    ring = jn.networks.ring(n=128, j1=3.0, noise=0.03)
    quiet = jn.networks.ring(n=128, j1=3.0)
    return ring, jn.simulate(quiet, 0.0, 3_000.0, dt=1.0, record={"u": last(3_000)})["u"][-1]


def test_motion_in_closed_form(resting):
    ring, bump = resting
    theta = np.asarray(ring.angles())
    seen = T.bump_motion(ring, bump, stimulus=0.01 * jnp.cos(ring.angles() - 0.7))
    u1 = float(T.ring_bump(j0=-2.0, j1=3.0).amplitude)
    np.testing.assert_allclose(seen.angle, theta)
    # 128 units: sums for integrals over a bump with an edge, within 0.3% of the largest drift.
    np.testing.assert_allclose(seen.drift, 1000 * 0.01 / (10 * u1) * np.sin(0.7 - theta), atol=4e-3)
    np.testing.assert_allclose(seen.diffusion, 1000 * (3.0 * 0.03 / u1) ** 2 / (4 * 128 * 10), rtol=1e-3)
    # The left null vector of the linearised ring, by singular values.
    w, x = np.asarray(ring.as_matrix()), np.asarray(ring.drive(bump))
    active = (x > 0).astype(float)
    left = np.linalg.svd((active[:, None] * w - np.eye(128)).T)[2][-1]
    step = 2 * np.pi / 128
    slope = (np.roll(bump, -1) - np.roll(bump, 1)) / (2 * step)
    force = active * 0.01 * np.cos(theta - 0.7)
    centre = int(np.argmin(np.abs(theta - float(jn.analysis.decode(bump).angle))))
    wanted = -1000 * (left @ force) / (10.0 * (left @ slope))
    np.testing.assert_allclose(float(seen.drift[centre]), wanted, rtol=0.02)


def test_derivatives_of_motion(resting):
    ring, bump = resting
    uneven = jnp.cos(2 * ring.angles())

    @jax.jit
    def of(x):
        own = jn.Ring(128, j=jnp.stack([-2.0 * x[0], 3.0 * x[0]]), i=1.0, tau=10.0 * x[1], noise=0.03 * x[2])
        seen = T.bump_motion(own, bump, stimulus=0.01 * x[2] * uneven)
        return jnp.stack([seen.drift[3], seen.diffusion[3]])

    x, h = jnp.ones(3), 1e-6
    forward = jax.jacfwd(of)(x)
    columns = [(of(x.at[k].add(h)) - of(x.at[k].add(-h))) / (2 * h) for k in range(3)]
    np.testing.assert_allclose(forward, np.stack(columns, 1), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(jax.jacrev(of)(x), forward, rtol=1e-10, atol=1e-13)
    # Noise and heterogeneity enter as they should: D as their square, the drift in proportion.
    np.testing.assert_allclose(forward[:, 2], of(x) * jnp.asarray([1.0, 2.0]), rtol=1e-9)


def test_drift_under_heterogeneity_is_that_of_a_run(resting):
    ring, bump = resting
    theta = ring.angles()
    epsilon = 0.01 * (jnp.cos(2 * theta + 1.0) + 0.5 * jnp.sin(3 * theta))
    extra = 0.02 / 128 * jnp.outer(jnp.cos(theta - 2.0), 1.0 + jnp.cos(2 * theta))
    theory = T.bump_motion(ring, bump, stimulus=epsilon, weights=extra)
    shifts = np.arange(0, 128, 8)

    @jax.jit
    @jax.vmap
    def run(start):
        net = jn.RateNetwork(ring.as_matrix() + extra, h=1.0 + epsilon, tau=10.0, start=start)
        return jn.simulate(net, 0.0, 100.0, dt=0.5, record={"u": jn.record.Trace("rate", every=40)}, throw=False)["u"]

    starts = jnp.stack([jnp.roll(bump, int(k)) for k in shifts])
    angle = np.unwrap(np.asarray(jn.analysis.decode(run(starts)).angle), axis=1)
    speed = (angle[:, -1] - angle[:, 1]) / 0.06
    here = np.interp(angle[:, 3], np.asarray(theory.angle), np.asarray(theory.drift), period=2 * np.pi)
    assert np.abs(here).max() > 0.05
    # First order in a heterogeneity of about 1%.
    np.testing.assert_allclose(speed, here, atol=0.04 * np.abs(here).max())


@pytest.mark.parametrize("n", [pytest.param(32, marks=pytest.mark.slow), pytest.param(128, marks=pytest.mark.proof)])
def test_diffusion_is_that_of_runs(n):
    # Euler-Maruyama steps, whose noise in a slow mode is exact; 400 runs of 9 moves each, z of a variance.
    ring = jn.networks.ring(n=n, j1=3.0, noise=0.03)
    quiet = jn.networks.ring(n=n, j1=3.0)
    bump = jn.simulate(quiet, 0.0, 3_000.0, dt=1.0, record={"u": last(3_000)})["u"][-1]

    def run(key):
        record = {"u": jn.record.Trace("rate", every=100)}
        return jn.simulate(ring, 0.0, 1_100.0, dt=1.0, key=key, solver=jn.EulerMaruyama(), record=record, throw=False)[
            "u"
        ]

    rates = jax.jit(jax.vmap(run))(jax.random.split(jax.random.key(0), 400))
    found = jn.analysis.bump_diffusion(jn.analysis.decode(rates).angle[:, 1:], every=100.0)
    wanted = float(T.bump_motion(ring, bump).diffusion.mean())
    z = (float(found.coefficient) / wanted - 1.0) * np.sqrt(400 * 9 / 2)
    print(f"D at n = {n}: {float(found.coefficient):.5f}, theory {wanted:.5f} rad^2/s, z = {z:.2f}")
    assert abs(z) < 4


@pytest.mark.usefixtures("as_users_run")
def test_errors_of_motion(resting):
    ring, bump = resting
    wrong = [
        (lambda: T.bump_motion(1, bump), "`ring` has to be a Ring of one angle"),
        (lambda: T.bump_motion(ring, bump[:5]), r"`bump` has to be \(128,\)"),
        (lambda: T.bump_motion(ring, bump, stimulus=1.0), r"`stimulus` has to be \(128,\)"),
        (lambda: T.bump_motion(ring, bump, weights=[[1.0]]), r"`weights` has to be \(128, 128\)"),
        (lambda: T.bump_motion(ring, 1.1 * bump), "`bump` has to stand still"),
        (lambda: T.bump_motion(ring, jnp.full(128, np.nan)), "`bump` has to be finite"),
        (lambda: T.bump_motion(jn.networks.ring(n=128, j1=1.0), jnp.full(128, 1 / 3)), "it is flat"),
        (lambda: T.bump_motion(jn.networks.ring(n=128, i1=0.1), bump), "`ring` has to have uniform input"),
        (lambda: T.bump_motion(jn.networks.ring(n=128, velocity=0.1), bump), "without velocity"),
    ]
    for call, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            call()
