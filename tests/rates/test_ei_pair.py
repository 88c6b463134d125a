"""The E/I pair against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import Equation
from scipy.integrate import solve_ivp

import jaxneuro as jn

A = jn.analysis
M = np.array([[1.25, -1.0], [1.0, 0.0]])
X64 = jnp.result_type(float) == jnp.float64


def tol(double, single):
    """A tolerance by precision."""
    return double if X64 else single


def jacobian(tau_i, tau_e=10.0):
    """The corrected one: its lower left entry is M_IE/tau_I."""
    return np.array([[(1.25 - 1) / tau_e, -1.0 / tau_e], [1.0 / tau_i, -1.0 / tau_i]])


@pytest.mark.parametrize(("tau_i", "label"), [(30.0, "stable focus"), (50.0, "unstable focus"), (2.0, "stable node")])
def test_fixed_point_and_its_kind(tau_i, label):
    found = A.fixed_points(jn.networks.ei_rate(tau_i=tau_i), box=(0.0, 60.0))
    assert len(found) == 1
    np.testing.assert_allclose(found.y[0], np.linalg.solve(np.eye(2) - M, [10.0, -10.0]), rtol=1e-12)
    np.testing.assert_allclose(found.y[0], [80 / 3, 50 / 3], rtol=1e-12)
    values = np.linalg.eigvals(jacobian(tau_i))
    np.testing.assert_allclose(np.sort_complex(found.eigenvalues[0]), np.sort_complex(values), rtol=1e-10)
    assert found.labels == (label,)
    assert found.stable[0] == label.startswith("stable")


@pytest.mark.float32
def test_hopf():
    # Trace (M_EE - 1)/tau_E - 1/tau_I = 0 at tau_I = 40 ms; omega^2 is the determinant.
    found = A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(20.0, 90.0))
    assert float(found.value) == pytest.approx(40.0, rel=tol(1e-12, 1e-5))
    omega = np.sqrt(np.linalg.det(jacobian(40.0)))
    assert float(found.frequency) == pytest.approx(1000 * omega / (2 * np.pi), rel=tol(1e-10, 1e-5))
    assert float(found.frequency) == pytest.approx(6.8916, abs=5e-5)
    with pytest.raises(RuntimeError, match="No Hopf bifurcation between 10 and 30"):
        A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(10.0, 30.0))
    # Ends at which all eigenvalues are real, as those of a node, are no obstacle.
    wide = A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(1.0, 2_000.0))
    assert float(wide.value) == pytest.approx(40.0, rel=tol(1e-12, 1e-5))
    # A node that becomes unstable by a real eigenvalue has no Hopf bifurcation.
    with pytest.raises(RuntimeError, match=r"No Hopf bifurcation between 0\.5 and 1\.5"):
        A.hopf(Grows(jnp.asarray(1.0)), where=lambda m: m.a, bracket=(0.5, 1.5))
    nothing = A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(10.0, 30.0), throw=False)
    assert np.isnan(nothing.value)
    assert nothing.result == jn.results.Result.no_hopf


def test_a_pair_that_turns_real_is_no_hopf_point():
    """Eigenvalues -1 +- sqrt(a) beside 1/2: below 0 the leading pair decays, above the largest is real and grows."""
    with pytest.raises(RuntimeError, match="a pair of eigenvalues turns real"):
        A.hopf(TurnsReal(jnp.asarray(0.5)), where=lambda m: m.a, bracket=(-1.0, 1.3))


def test_the_cause_of_no_hopf_point_is_said():
    with pytest.raises(RuntimeError, match=r"grows by -.* of the same sign; choose `bracket`"):
        A.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(10.0, 30.0))
    with pytest.raises(RuntimeError, match=r"no fixed point was found at 0\.5 and 1\.5; give `near`"):
        A.hopf(Nowhere(jnp.asarray(1.0)), where=lambda m: m.a, bracket=(0.5, 1.5))


class TurnsReal(Equation):
    """A linear equation of three variables, with the eigenvalues 1/2 and -1 +- sqrt(a)."""

    a: jax.Array

    def initial(self):
        return jnp.zeros(3)

    def vector_field(self, t, y, args=None):
        return jnp.stack([0.5 * y[0], y[2] - y[1], self.a * y[1] - y[2]])


class Nowhere(TurnsReal):
    """dx/dt = a + x^2, which stands still nowhere."""

    def vector_field(self, t, y, args=None):
        return self.a + y * y


class Grows(Equation):
    """dx/dt = (a - 1) x, dy/dt = -y: a real eigenvalue passes 0 at a = 1."""

    a: jax.Array

    def initial(self):
        return jnp.zeros(2)

    def vector_field(self, t, y, args=None):
        return y * jnp.stack([self.a - 1.0, -jnp.ones_like(self.a)])


def test_derivatives_of_the_hopf_point():
    # omega^2 = ((1 - M_EE)(1 - M_II) - M_EI M_IE)/(tau_E tau_I), tau_I = tau_E (1 - M_II)/(M_EE - 1).
    def of(x):
        pair = jn.networks.ei_rate(m_ei=x[0], m_ee=x[1])
        found = A.hopf(pair, where=lambda m: m.tau_i, bracket=(20.0, 90.0), throw=False)
        return jnp.stack([found.value, found.frequency])

    x, h = np.array([-1.0, 1.25]), 1e-5
    every = jax.jit(lambda x: (of(x), jax.jacfwd(of)(x), jax.jacrev(of)(x)))
    (_, frequency), forward, backward = every(x)
    np.testing.assert_allclose(backward, forward, rtol=1e-9, atol=1e-12)
    columns = [(every(x + step)[0] - every(x - step)[0]) / (2 * h) for step in h * np.eye(2)]
    np.testing.assert_allclose(forward, np.stack(columns, 1), rtol=1e-6, atol=1e-7)
    assert float(forward[1, 0]) == pytest.approx(-float(frequency) / (2 * 0.75), rel=1e-9)


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
    # Linear growth would go on for ever; the rectification of both drives bounds the cycle.
    drives = np.asarray(jax.vmap(jn.networks.ei_rate(tau_i=50.0).drive)(jnp.asarray(rates)))
    assert (drives.min(axis=0) < -5.0).all()

    # Period and amplitude of the cycle by scipy, with events at its crossings.
    def slope(t, v):
        e, i = 1.25 * v[0] - v[1] + 10.0, v[0] - 10.0
        return [(max(e, 0.0) - v[0]) / 10.0, (max(i, 0.0) - v[1]) / 50.0]

    def crossing(t, v):
        return v[0] - 80 / 3

    crossing.direction = 1  # type: ignore[attr-defined]
    other = solve_ivp(slope, (0, 4_000), (20.0, 10.0), rtol=1e-9, atol=1e-9, events=crossing, max_step=1.0)
    surface = A.poincare_section(
        jn.networks.ei_rate(tau_i=50.0), 0.0, 4_000.0, dt=0.1, surface=lambda y: y["rate"][0] - 80 / 3
    )
    assert np.diff(surface.times)[-5:].mean() == pytest.approx(np.diff(other.t_events[0])[-5:].mean(), rel=1e-5)
    late = other.t > 3_000
    np.testing.assert_allclose(rates.max(axis=0), other.y[:, late].max(axis=1), rtol=1e-3)
    np.testing.assert_allclose(rates.min(axis=0), other.y[:, late].min(axis=1), atol=0.02)
    cycles = np.abs(rates[:, 0] - 80 / 3).reshape(2, -1).max(axis=1)
    assert cycles[0] == pytest.approx(cycles[1], rel=1e-3)


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


@pytest.mark.float32
def test_supralinear_sums_become_sublinear():
    rates = [float(A.fixed_point(jn.networks.supralinear(drive=d))[0]) for d in (1.0, 2.0, 20.0, 40.0)]
    # The gain sets the units alone.
    other = A.fixed_point(jn.networks.supralinear(drive=20.0 * 0.04 / 0.3, gain=0.3))[0]
    assert float(other) == pytest.approx(rates[2] * 0.04 / 0.3, rel=tol(1e-9, 1e-4))
    assert rates[1] > 2 * rates[0]
    assert rates[3] < 2 * rates[2]
