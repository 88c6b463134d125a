"""Each synapse against the closed form of its postsynaptic potential."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn

TAU_M, V_REST = 20.0, -70.0


def psp(synapse, weight, dt, duration=60.0):
    """The potential after one spike that arrives at t = 1 dt; the source spikes in step 0 by a strong current."""
    source = jn.LIF(t_ref=1e5)
    target = jn.LIF(tau_m=TAU_M, v_rest=V_REST, v_th=1e6, v_reset=-100.0)
    net = jn.Network(
        {"S": jn.Population(source, 1), "T": jn.Population(target, 1)},
        [jn.Projection("S", "T", synapse, weight=weight, connectivity=jn.AllToAll(), delay=dt)],
    )
    trace = {"v": jn.record.Trace("T.v"), "s": jn.record.Spikes("S")}
    # Not a function, which would be compiled anew.
    strong = {"S": np.where(np.arange(round(duration / dt))[:, None] == 0, 1e7, 0.0)}
    sol = jn.simulate(net, 0.0, duration, dt=dt, key=jax.random.key(0), stimulus=strong, record=trace)
    np.testing.assert_allclose(sol["s"].times[0], [dt])
    since = np.asarray(sol.times["v"]) - 2 * dt  # emitted at dt, one step of delay
    return since[1:], np.asarray(sol["v"])[1:, 0]


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_delta_current(dt):
    t, v = psp(jn.DeltaCurrent(), 0.7, dt)
    np.testing.assert_allclose(v, V_REST + 0.7 * np.exp(-t / TAU_M), rtol=1e-12)


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("tau", [2.0, 19.999999, 20.0, 35.0])
def test_exponential_current_is_exact(dt, tau):
    t, v = psp(jn.ExponentialCurrent(tau), 0.7, dt)
    if tau == TAU_M:
        kernel = t / TAU_M * np.exp(-t / TAU_M)
    else:
        kernel = tau / (tau - TAU_M) * (np.exp(-t / tau) - np.exp(-t / TAU_M))
    # The closed form itself cancels near tau = tau_m.
    np.testing.assert_allclose(v, V_REST + 0.7 * kernel, atol=1e-7 if tau == 19.999999 else 1e-11, rtol=0)


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("tau", [2.0, 20.0, 21.0])
def test_alpha_current_is_exact(dt, tau):
    t, v = psp(jn.AlphaCurrent(tau), 0.7, dt)

    def slope(s, x):
        return (V_REST - x + 0.7 * s / tau * np.exp(1 - s / tau)) / TAU_M

    reference = solve_ivp(slope, (0, t[-1]), [V_REST], t_eval=t, rtol=1e-12, atol=1e-12).y[0]
    np.testing.assert_allclose(v, reference, rtol=0, atol=1e-8)  # what the reference interpolates to


@pytest.mark.parametrize(("rise", "decay"), [(0.5, 5.0), (4.0, 20.0)])
def test_rise_and_decay_is_exact(rise, decay):
    t, v = psp(jn.RiseDecayCurrent(tau_rise=rise, tau_decay=decay), 0.7, 1.0)
    peak = np.log(decay / rise) * rise * decay / (decay - rise)

    def course(s):
        return (np.exp(-s / decay) - np.exp(-s / rise)) / (np.exp(-peak / decay) - np.exp(-peak / rise))

    assert course(peak) == pytest.approx(1.0)
    assert course(0.99 * peak) < 1 > course(1.01 * peak)
    reference = solve_ivp(
        lambda s, x: (V_REST - x + 0.7 * course(s)) / TAU_M, (0, t[-1]), [V_REST], t_eval=t, rtol=1e-12, atol=1e-12
    ).y[0]
    np.testing.assert_allclose(v, reference, rtol=0, atol=1e-8)


def exact_psp(rise, decay, t):
    """The potential t ms after a spike of weight 1: residues at three rates, moved apart by 1e-30 where they meet."""
    with mp.workdps(110):
        rise, decay, tau = mp.mpf(rise) + mp.mpf(10) ** -30, mp.mpf(decay), mp.mpf(TAU_M) - mp.mpf(10) ** -30
        at_peak = mp.log(decay / rise) * rise * decay / (decay - rise)
        scale = 1 / (mp.exp(-at_peak / decay) - mp.exp(-at_peak / rise))
        parts = [sign * s / (s - tau) * (mp.exp(-t / s) - mp.exp(-t / tau)) for sign, s in ((1, decay), (-1, rise))]
        return scale * sum(parts)


def after_a_spike(rise, decay):
    """Of the package: the potential 14 ms after a spike of weight 0.7 [mV], in steps of 1 ms."""
    synapse = jn.RiseDecayCurrent(tau_rise=rise, tau_decay=decay)
    target = jn.Population(jn.LIF(tau_m=TAU_M, v_th=1e6), 1)
    heard = jn.Projection("S", "T", synapse, weight=1.0, connectivity=jn.Weights([[0.7]]), delay=1.0)
    net = jn.Network({"S": jn.Population(jn.SpikeSource(), 1), "T": target}, [heard])
    spikes = {"S": np.arange(16)[:, None] == 0}
    key, record = jax.random.key(0), {"v": jn.record.Trace("T.v")}
    return jn.simulate(net, 0.0, 16.0, dt=1.0, key=key, stimulus=spikes, record=record)["v"][-1, 0]


@pytest.mark.float32
@pytest.mark.parametrize("decay", [5.0, TAU_M], ids=["each other", "the membrane too"])
def test_time_constants_that_meet(decay):
    """Value and derivatives of the alpha function, from either side, through equality and at it."""
    given = np.asarray([decay * (1 - d) for d in (0.1, 1e-3, 2e-6, 2e-7, 0.0)], jnp.result_type(float))
    single = given.dtype == np.float32
    value = jax.jit(jax.value_and_grad(after_a_spike, argnums=(0, 1)))
    for rise in given:
        v, slopes = value(rise, decay)
        exact = [exact_psp(float(rise), decay, 14)]
        for of_rise, of_decay in ((1, 0), (0, 1)):
            with mp.workdps(110):
                h = mp.mpf(10) ** -15
                ends = [exact_psp(float(rise) + s * h * of_rise, decay + s * h * of_decay, 14) for s in (1, -1)]
                exact.append((ends[0] - ends[1]) / (2 * h))
        exact = 0.7 * np.asarray([float(x) for x in exact])
        np.testing.assert_allclose(v, exact[0], rtol=2e-5 if single else 1e-11)
        np.testing.assert_allclose(slopes, exact[1:], rtol=5e-4 if single else 1e-8, atol=5e-6 if single else 1e-10)


def test_rise_and_decay_at_its_limits():
    _, v = psp(jn.RiseDecayConductance(tau_rise=5.0, tau_decay=5.0, reversal=0.0), 0.8, 0.5)
    np.testing.assert_allclose(v, psp(jn.AlphaConductance(5.0, reversal=0.0), 0.8, 0.5)[1], rtol=1e-13)
    for rise, decay, sentence in ((5.1, 5.0, "above `tau_decay`"), (0.0, 5.0, "`tau_rise` has to be positive")):
        with pytest.raises(ValueError, match=sentence):
            jn.RiseDecayCurrent(tau_rise=rise, tau_decay=decay)


FILTERED = [jn.ExponentialConductance(5.0, reversal=0.0), jn.AlphaConductance(5.0, reversal=0.0)]


@pytest.mark.parametrize("synapse", FILTERED, ids=["exponential", "alpha"])
def test_filtered_conductance_converges_at_second_order(synapse):
    def course(s):
        exponential = isinstance(synapse, jn.ExponentialConductance)
        return 0.8 * (np.exp(-s / 5.0) if exponential else s / 5.0 * np.exp(1 - s / 5.0))

    errors = []
    for dt in (0.4, 0.2, 0.1, 0.05):
        t, v = psp(synapse, 0.8, dt, duration=30.0)
        reference = solve_ivp(
            lambda s, x: (V_REST - x - course(s) * x) / TAU_M, (0, t[-1]), [V_REST], t_eval=t, rtol=1e-12, atol=1e-12
        ).y[0]
        errors.append(np.abs(v - reference).max())
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2.0, atol=0.1)


@pytest.mark.parametrize("weight", [0.001, 0.3])
def test_instantaneous_conductance_jumps(weight):
    t, v = psp(jn.DeltaConductance(0.0), weight, 0.1)
    np.testing.assert_allclose(v, V_REST * (1 + np.expm1(-weight) * np.exp(-t / TAU_M)), rtol=1e-12)
    t, v = psp(jn.DeltaConductance(0.0, jump=jn.FirstOrderJump()), weight, 0.1)
    np.testing.assert_allclose(v, V_REST * (1 - weight * np.exp(-t / TAU_M)), rtol=1e-12)


def test_jumps_of_one_step_combine_in_one_exponent():
    # c_E excitatory and c_I inhibitory conductances as rectangular pulses of vanishing width.
    from jaxneuro._formulas import Input

    a_e, a_i, c_e, c_i, e_e, e_i, v = 0.02, 0.3, 5.0, 2.0, 0.0, -75.0, -60.0
    one = jnp.ones(1)
    inputs = Input()
    for a, c, reversal in ((a_e, c_e, e_e), (a_i, c_i, e_i)):
        synapse = jn.DeltaConductance(reversal)
        inputs = inputs + synapse.step(None, None, c * one, jnp.asarray(a), None).inputs

    def pulse(s, x):
        return -a_e * c_e * (x - e_e) - a_i * c_i * (x - e_i)

    reference = solve_ivp(pulse, (0, 1), [v], rtol=1e-12, atol=1e-12).y[0, -1]
    np.testing.assert_allclose(inputs.apply_jumps(v * one), reference, rtol=1e-10)
    # And the derivative of a step without any spike is finite.
    quiet = jax.grad(
        lambda a: jn.DeltaConductance(0.0).step(None, None, 0.0 * one, a, None).inputs.apply_jumps(v * one)[0]
    )
    assert float(quiet(jnp.asarray(0.1))) == 0.0


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: jn.ExponentialCurrent(0.0), "`tau` has to be positive"),
        (lambda: jn.AlphaConductance(np.nan, reversal=0.0), "`tau` has to be finite"),
        (lambda: jn.DeltaConductance(np.inf), "`reversal` has to be finite"),
    ],
    ids=["tau", "nan", "reversal"],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
