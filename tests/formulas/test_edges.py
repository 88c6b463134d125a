"""Formulas of theory at the edges: numbers that mean nothing, lengths that do not fit, values that do not exist."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

LIF = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}
KRAMERS = {"tau": 20.0, "v_th": 20.0, "t_ref": 2.0}
OU = {"mu": 15.0, "sigma": 5.0, "tau": 20.0, "v_0": 0.0}
CABLE = {"length": 1_000.0, "diameter": 2.0, "g_l": 0.1, "r_a": 100.0}
INPUT = {"c_i": 250, "j": 0.1, "g": 3.0, "tau_m": 20.0, "t": 100.0}
ESCAPE = {"tau": 1.0, "t_ref": 0.0, "low": -2.0, "middle": -0.5, "high": 2.0}
DIFFUSION = {"convention": jn.theory.Ito(), "v_th": 20.0, "v_reset": 10.0, "n": 20}
CONDUCTANCE = {"k": 400, "g": 12.0, "eta": 1.8, "gamma": 0.25}
THREE, TWO = np.ones(3), np.full(2, 15.0)

DO_NOT_FIT = [
    lambda: jn.theory.lif_rate(THREE, TWO, **LIF),
    lambda: jn.theory.lif_log_rate(15.0, TWO, **(LIF | {"tau": THREE})),
    lambda: jn.theory.lif_cv(THREE, TWO, **LIF),
    lambda: jn.theory.lif_density(THREE, TWO, 5.0, **LIF),
    lambda: jn.theory.lif_response(THREE, TWO, 5.0, **LIF),
    lambda: jn.theory.kramers_rate(THREE, TWO, **KRAMERS),
    lambda: jn.theory.ou_moments(THREE, **(OU | {"mu": TWO})),
    lambda: jn.theory.poisson_input(THREE, rate=TWO, **INPUT),
    lambda: jn.theory.ring_bump(j0=-THREE, j1=TWO),
    lambda: jn.theory.ring_tuning(j0=-THREE, j1=TWO, i0=1.0, i1=0.1),
    lambda: jn.theory.ring_growth(j0=-THREE, j1=TWO, tau=10.0),
    lambda: jn.theory.ring_regime(j0=-THREE, j1=TWO),
    lambda: jn.theory.ring_tracking(j0=-THREE, j1=TWO, i1=0.1, velocity=0.001),
    lambda: jn.theory.fi_curve(jn.LIF(tau_m=20.0 * THREE), TWO),
    lambda: jn.theory.PassiveCable(**CABLE).step_response(THREE, TWO, current=1.0),
]


def pull(v):
    return -v / 20.0


def steady(v):
    return 1.0 + 0.0 * v


@pytest.mark.parametrize("call", DO_NOT_FIT)
def test_lengths_that_do_not_fit(call, as_users_run):
    with pytest.raises(ValueError, match=r"The lengths do not fit: .*`\w+` \([23],\)"):
        call()


# A value that only a transformation knows, and that a check refuses where it is known.
MEANS_NOTHING = [
    ("ou_moments t", lambda x: jn.theory.ou_moments(x, **OU).variance, -10.0),
    ("ou_moments sigma", lambda x: jn.theory.ou_moments(10.0, **(OU | {"sigma": x})).variance, -5.0),
    ("ou_moments tau", lambda x: jn.theory.ou_moments(10.0, **(OU | {"tau": x})).mean, -20.0),
    ("ou_moments lag", lambda x: jn.theory.ou_moments(10.0, lag=x, **OU).autocovariance, -1.0),
    ("poisson_input rate", lambda x: jn.theory.poisson_input(1_000, rate=x, **INPUT).variance, -20.0),
    ("poisson_input t", lambda x: jn.theory.poisson_input(1_000, rate=20.0, **(INPUT | {"t": x})).mean, -1.0),
    ("lif_rate sigma", lambda x: jn.theory.lif_rate(15.0, x, **LIF), -5.0),
    ("lif_log_rate tau", lambda x: jn.theory.lif_log_rate(15.0, 5.0, **(LIF | {"tau": x})), -5.0),
    ("lif_cv t_ref", lambda x: jn.theory.lif_cv(15.0, 5.0, **(LIF | {"t_ref": x})), -5.0),
    ("lif_density mu", lambda x: jn.theory.lif_density(15.0, x, 5.0, **LIF), np.nan),
    ("lif_response sigma", lambda x: jn.theory.lif_response(0.0, 15.0, x, **LIF).mu.real, -5.0),
    ("lif_rate_filtered tau", lambda x: jn.theory.lif_rate_filtered(15.0, 5.0, tau_s=1.0, **(LIF | {"tau": x})), -20.0),
    ("escape_rate sigma", lambda x: jn.theory.escape_rate(lambda v: v * v - 1.0, x, **ESCAPE), -0.5),
    ("diffusion_rate t_ref", lambda x: jn.theory.diffusion_rate(pull, steady, t_ref=x, **DIFFUSION), -2.0),
    ("conductance_rate a", lambda x: jn.theory.conductance_rate(10.0, a=x, **CONDUCTANCE), -0.01),
    ("hopfield_recall", lambda x: jn.theory.hopfield_recall(load=x, throw=False).overlap, 0.5),
    ("kramers_rate mu", lambda x: jn.theory.kramers_rate(x, 5.0, **KRAMERS), 25.0),
    ("fi_curve", lambda x: jn.theory.fi_curve(jn.LIF(), x), np.nan),
    ("fi_curve QIF", lambda x: jn.theory.fi_curve(jn.neurons.qif(), x), np.nan),
    ("ring_bump", lambda x: jn.theory.ring_bump(j0=-2.0, j1=x, throw=False).peak, 1.5),
    ("ring_tuning", lambda x: jn.theory.ring_tuning(j0=x, j1=1.0, i0=1.0, i1=0.1, throw=False).u0, 3.0),
    ("ring_growth", lambda x: jn.theory.ring_growth(j0=0.5, j1=1.0, tau=x)[0], -10.0),
    (
        "ring_tracking",
        lambda x: jn.theory.ring_tracking(j0=-2.0, j1=1.0, i1=0.1, velocity=0.001, tau=x, throw=False).lag,
        -10.0,
    ),
    ("cable", lambda x: jn.theory.PassiveCable(**CABLE).step_response(0.0, x, current=1.0, n_terms=4), -1.0),
]


@pytest.mark.parametrize(("function", "value"), [c[1:] for c in MEANS_NOTHING], ids=[c[0] for c in MEANS_NOTHING])
def test_no_value_has_no_derivative(function, value):
    found, slope = jax.jit(jax.value_and_grad(function))(value)
    assert np.isnan(found)
    assert np.isnan(slope)


def test_neighbours_of_what_means_nothing_keep_their_derivatives():
    def total(mu):
        rates = jn.theory.lif_rate(mu, jnp.asarray([5.0, -1.0]), **LIF)
        return rates[0]

    alone = jax.grad(lambda m: jn.theory.lif_rate(m, 5.0, **LIF))(15.0)
    slopes = jax.jit(jax.grad(total))(jnp.asarray([15.0, 15.0]))
    np.testing.assert_allclose(slopes[0], alone, rtol=1e-6)


@pytest.mark.float32
@pytest.mark.parametrize("mu", [-1e17, -1e20, -1e30])
def test_far_below_the_threshold_nothing_fires(mu):
    for function, value in ((jn.theory.lif_rate, 0.0), (jn.theory.lif_cv, 1.0)):
        found, slope = jax.value_and_grad(lambda m, f=function: f(m, 5.0, **LIF))(mu)
        np.testing.assert_allclose(found, value, atol=1e-6)
        assert slope == 0.0
    found, slope = jax.value_and_grad(lambda m: jn.theory.lif_log_rate(m, 5.0, **LIF))(mu)
    assert found < -1e30
    assert np.isfinite(slope)
    # The free membrane: a normal law of standard deviation sigma/sqrt(2).
    np.testing.assert_allclose(jn.theory.lif_density(mu, mu, 5.0, **LIF), 1 / (5.0 * np.sqrt(np.pi)), rtol=1e-5)
    assert jn.theory.lif_density(15.0, mu, 5.0, **LIF) == 0.0


def test_an_integrator_has_no_steady_state():
    linear = jn.transfer.Linear()
    for m in ([[1.0]], [[0.5, 0.5], [0.5, 0.5]], [[0.3, 0.7], [0.1, 0.9]]):
        net = jn.RateNetwork(m, h=1.0, transfer=linear)
        assert np.isnan(jn.theory.linear_steady_state(net)).all()
    leaky = jn.RateNetwork([[1.0 - 1e-5]], h=1.0, transfer=linear)
    np.testing.assert_allclose(jn.theory.linear_steady_state(leaky), 1e5, rtol=2e-2)


def test_the_current_of_an_f_i_curve_is_finite(as_users_run):
    with pytest.raises(ValueError, match="`current` has to be finite"):
        jn.theory.fi_curve(jn.LIF(), np.nan)


def test_a_healthy_solve_has_no_nan_to_debug(as_users_run):
    with jax.debug_nans(True):
        assert float(jn.theory.mean_field(jn.Network({"E": jn.Population(jn.LIF())})).rate["E"]) == 0.0


def test_a_refusal_under_jit_is_a_sentence_too():
    with pytest.raises(ValueError, match=r"`force` has to be positive at `low`.* it is \[-6.0, 0.375, 6.0\]"):
        jax.jit(lambda x: jn.theory.escape_rate(lambda v: v**3 - v, x, **ESCAPE))(0.5)
