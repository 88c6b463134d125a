"""Steps that are a small part of a time constant, in float32 too: its last digit is more than what they add."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._formulas import Input

KEY = jax.random.key(0)


def intervals(model, current, duration, dt):
    sol = jn.simulate(
        jn.Population(model, 1), 0.0, duration, dt=dt, key=KEY, stimulus=current, record={"s": jn.record.Spikes()}
    )
    return np.diff(np.asarray(sol["s"].times[0]))


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("dt", [0.1, 0.01, 0.001])
def test_interval_of_a_leaky_neuron_just_above_threshold(dt):
    """t_ref + tau log((mu - v_reset)/(mu - v_th)), 140.175 ms, where the last steps are 5e-7 mV."""
    found = intervals(jn.LIF(), 20.01, 310.0, dt)
    assert found == pytest.approx([2.0 + 20.0 * np.log(10.01 / 0.01)], abs=dt + 0.03)


@pytest.mark.float32
@pytest.mark.bits
def test_interval_of_a_slow_neuron():
    found = intervals(jn.LIF(tau_m=1_000.0), 21.0, 5_500.0, 0.02)
    assert found == pytest.approx([2.0 + 1_000.0 * np.log(11.0)], abs=0.05)


@pytest.mark.float32
@pytest.mark.bits
def test_a_read_out_and_an_integrate_and_fire_neuron_move_alike():
    """A leaky curve: the interval of the closed form; and the potential without threshold, at 1e-5 of tau a step."""
    leaky = jn.IntegrateAndFire(jn.LinearCurve(), tau_m=20.0, v_peak=20.0, v_reset=10.0, t_ref=2.0)
    found = intervals(leaky, 20.01, 310.0, 0.005)
    assert found == pytest.approx([2.0 + 20.0 * np.log(10.01 / 0.01)], abs=0.035)
    slow = jn.Population(jn.LeakyIntegrator(tau_m=2_000.0, v_rest=-65.0), 1)
    v = jn.simulate(slow, 0.0, 1_000.0, dt=0.01, key=KEY, stimulus=0.1, record={"v": jn.record.Trace("v", every=100)})
    exact = -65.0 + 0.1 * -np.expm1(-np.asarray(v.times["v"], float) / 2_000.0)
    np.testing.assert_allclose(v["v"][:, 0], exact, rtol=0, atol=2 * np.spacing(np.float32(65.0)))


RATIOS = [1e-2, 1e-3, 1e-4, pytest.param(1e-5, marks=pytest.mark.slow), pytest.param(1e-6, marks=pytest.mark.proof)]
# The account of rounding is kept below 0.05 ms, of channels below 0.005.
DT = 0.004  # ms


class Clamped(jn.channels.AbstractChannel):
    """A gate that relaxes to 0.8 with `tau` at every potential, and conducts nothing."""

    g: jax.Array
    e: jax.Array
    tau: jax.Array

    def __init__(self, tau):
        self.g, self.e, self.tau = jnp.asarray(0.0), jnp.asarray(-65.0), jnp.asarray(tau)

    def kinetics(self, v):
        return {"x": jn.channels.relaxation(0.8 + 0.0 * v, self.tau + 0.0 * v)}

    def open(self, v, gates):
        return gates["x"]


def gate_after(tau, steps, solver):
    cell = jn.ConductanceNeuron({"c": Clamped(tau), "l": jn.channels.Leak(g=0.1, e=-65.0)}, v_th=0.0)
    start = eqx.tree_at(lambda s: s.gates, cell.init(jnp.full(1, -65.0)), {"x_c": jnp.zeros(1)})
    constants = cell.prepare(DT, solver)
    run = jax.jit(lambda s: jax.lax.fori_loop(0, steps, lambda _, now: cell.step(constants, now, Input())[0], s))
    return run(cell.started(start, DT)).gates["x_c"] / 0.8


@pytest.mark.float32
def test_how_far_a_slow_gate_stops_short():
    """docs/sharp-bits.md: without account of rounding, where a step is less than half the last digit, 6e-8 of 0.8."""
    tau, dt = 1_000.0, 0.01
    cell = jn.ConductanceNeuron({"c": Clamped(tau), "l": jn.channels.Leak(g=0.1, e=-65.0)}, v_th=0.0)
    start = eqx.tree_at(lambda s: s.gates, cell.init(jnp.full(1, -65.0)), {"x_c": jnp.full(1, 0.792)})
    constants = cell.prepare(dt, jn.ExponentialEuler())
    run = jax.jit(lambda s: jax.lax.fori_loop(0, 150_000, lambda _, now: cell.step(constants, now, Input())[0], s))
    short = 1.0 - run(cell.started(start, dt)).gates["x_c"] / 0.8
    exact = 0.01 * np.exp(-1.5)
    np.testing.assert_allclose(short, exact, rtol=0, atol=4e-8 * tau / dt if short.dtype == jnp.float32 else 1e-9)


def rate_after(tau, steps, solver):
    net = jn.RateNetwork(np.zeros((1, 1)), h=0.7, tau=tau)
    record = {"v": jn.record.Trace("rate", every=steps)}
    return jn.simulate(net, 0.0, steps * DT, dt=DT, solver=solver, record=record)["v"][-1] / 0.7


def crossing_after(tau, steps, solver):
    cell = jn.Population(jn.LIF(tau_m=tau, v_th=20.0), 1)
    sol = jn.simulate(
        cell, 0.0, steps * DT, dt=DT, key=KEY, stimulus=15.0, record={"v": jn.record.Trace("v", every=steps)},
        spike_times=jn.InsideSteps(),
    )  # fmt: skip
    return sol["v"][-1] / 15.0


def resources_after(tau, steps, solver):
    synapse = jn.ShortTermPlasticity(jn.ExponentialCurrent(5.0), u_0=0.5, tau_rec=tau)
    one = jnp.arange(steps + 1, dtype=jnp.int32)[:, None] == 0
    return 1.0 - 2.0 * jax.jit(lambda m: synapse.release(m, one, DT)[0])(synapse.presynaptic(1)).missing


RELAXATIONS = [
    pytest.param(gate_after, jn.ExponentialEuler(), id="gate"),
    pytest.param(gate_after, jn.RungeKutta4(), id="gate by Runge-Kutta"),
    pytest.param(rate_after, None, id="rate"),
    pytest.param(rate_after, jn.RungeKutta4(), id="rate by Runge-Kutta"),
    pytest.param(crossing_after, None, id="spikes inside steps"),
    pytest.param(resources_after, None, id="resources"),
]


@pytest.mark.float32
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("after", "solver"), RELAXATIONS)
def test_a_relaxation_in_steps_of_any_part_of_its_time_constant(after, solver, ratio):
    """x' = (x_inf - x)/tau from 0 on, over 3 time constants, where the last steps are a fifth of `ratio`."""
    found = after(DT / ratio, round(3 / ratio), solver)
    np.testing.assert_allclose(found, -np.expm1(-3.0), rtol=0, atol=5e-6)


@pytest.mark.float32
@pytest.mark.bits
def test_slow_adaptation():
    """tau_w dw/dt = a (V - v_w) - w, at a potential that stands: a step is 2e-7 of what is left."""
    cell = jn.IntegrateAndFire(
        jn.LinearCurve(), tau_m=20.0, v_peak=200.0, v_reset=-100.0, a=1.0, tau_w=50_000.0, v_w=-10.0
    )
    constants = cell.prepare(0.01, cell.default_solver())

    def step(state, _):
        return eqx.tree_at(lambda s: s.v, cell.step(constants, state, Input())[0], jnp.zeros(1)), None

    start = eqx.tree_at(lambda s: s.w, cell.started(cell.init(jnp.zeros(1)), 0.01), jnp.zeros(1))
    last = jax.jit(lambda s: jax.lax.scan(step, s, None, length=100_000)[0])(start)
    np.testing.assert_allclose(last.w, -10.0 * np.expm1(-1_000.0 / 50_000.0), rtol=1e-5)
