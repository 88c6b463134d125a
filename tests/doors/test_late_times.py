"""Late times in float32: after an hour it holds no two neighbouring steps of 0.1 ms."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import Equation

import jaxneuro as jn
from jaxneuro._simulate._stimulus import check_late_times

HOUR, DT, STEPS = 3_600_000.0, 0.1, 10
END = HOUR + STEPS * DT
EXACT = (36_000_000 + 1 + np.arange(STEPS)) * DT
KEY = jax.random.key(0)


@pytest.fixture(autouse=True)
def in_float32():
    with jax.enable_x64(False):
        yield


def lif():
    return jn.Population(jn.LIF(tau_m=20.0, t_ref=0.0), 2)


def rates():
    return jn.RateNetwork(m=[[0.0, 0.5], [0.25, 0.0]], h=1.0, tau=10.0)


def binary():
    return jn.networks.binary(k=5, n_e=20, n_i=20, m0=0.2)


def test_what_a_run_records_has_exact_times_after_an_hour():
    record = {
        "v": jn.record.Trace("v"),
        "some": jn.record.Trace("v", every=2, start=HOUR + 0.3),
        "raster": jn.record.Raster("population"),
        "rate": jn.record.PopulationRate(width=0.2),
        "spikes": jn.record.Spikes("population"),
    }
    sol = jn.simulate(lif(), HOUR, END, dt=DT, key=KEY, record=record, stimulus=5_000.0)
    for name, wanted in {
        "v": EXACT,
        "some": EXACT[[3, 5, 7, 9]],
        "raster": EXACT,
        "rate": HOUR + 0.1 + 0.2 * np.arange(5),
    }.items():
        assert sol.times[name].dtype == np.float64
        np.testing.assert_allclose(sol.times[name], wanted, rtol=0, atol=1e-8)
    # 5 V onto 20 ms: 20 mV are crossed in each step.
    np.testing.assert_allclose(sol["spikes"].times[0], EXACT, rtol=0, atol=1e-8)
    assert sol.t1 == END


def test_the_other_drivers_have_exact_times_too():
    np.testing.assert_allclose(jn.simulate(rates(), HOUR, END, dt=DT).times["rate"], EXACT, rtol=0, atol=1e-8)
    run = dict(dt=DT, key=KEY, record={"states": jn.record.UnitStates()})
    sol = jn.simulate(binary(), HOUR, END, **run)
    activity = jn.record.PopulationActivity().time_axis(36_000_000, STEPS, DT)
    for times in (sol.times["states"], sol["states"]["E"].times, activity.times()):
        np.testing.assert_allclose(times, EXACT, rtol=0, atol=1e-8)


def test_a_batch_has_the_times_of_its_runs():
    run = jax.vmap(lambda mu: jn.simulate(rates(), HOUR, END, dt=DT, stimulus=mu))
    np.testing.assert_allclose(run(jnp.zeros(3)).times["rate"], EXACT, rtol=0, atol=1e-8)


class Forced(Equation):
    """dy/dt = f(t), of one variable."""

    uses_time: bool = True

    def initial(self):
        return jnp.zeros(1)

    def vector_field(self, t, y, args=None):
        return jax.jit(lambda t, y: jnp.sin(t) * jnp.ones(1) if self.uses_time else -y)(t, y)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    "late",
    [
        lambda t0: jn.simulate(lif(), t0, t0 + 1.0, dt=DT, key=KEY, stimulus=jnp.sin),
        lambda t0: jn.simulate(lif(), t0, t0 + 1.0, dt=DT, key=KEY, stimulus=jn.Clamp(kick=jnp.sin)),
        lambda t0: jn.simulate(rates(), t0, t0 + 1.0, dt=DT, stimulus=jnp.sin),
        lambda t0: jn.simulate(binary(), t0, t0 + 1.0, dt=DT, key=KEY, stimulus={"E": jnp.sin}),
        lambda t0: jn.simulate(jn.Ring(8, j=[0.0, 1.0], velocity=jnp.sin), t0, t0 + 1.0, dt=DT),
        lambda t0: jn.simulate(Forced(), t0, t0 + 1.0, dt=DT),
        lambda t0: jn.simulate(lif(), t0, t0 + 1.0, dt=DT, key=KEY, record={"t": jn.record.SpikeTimes("population")}),
        lambda t0: jn.statistics.bernoulli_trains(lambda t: 5.0 + jnp.sin(t), t0, t0 + 1.0, n=1, dt=DT, key=KEY),
    ],
    ids=["current", "clamp", "rates", "binary", "velocity", "right side", "spike times", "trains"],
)
def test_a_function_of_time_is_refused_where_its_time_would_collapse(late):
    with pytest.raises(
        ValueError, match=r"`.*at 360000[01]\.?\d* ms (that|float32) cannot tell .*jax_enable_x64"
    ) as caught:
        late(HOUR)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dt", [0.1, 0.025, 1.0])
def test_the_time_that_the_refusal_names_is_the_last(dt):
    with pytest.raises(ValueError, match=r"or let the run end before (\d+) ms\.") as caught:
        check_late_times("`stimulus`", 2**30, dt)
    last = round(float(re.findall(r"before (\d+) ms", str(caught.value))[0]) / dt)
    check_late_times("`stimulus`", last - 1, dt)
    told = np.unique((np.arange(last - 1_000, last) * dt).astype(np.float32))
    assert len(told) == 1_000
    with pytest.raises(ValueError, match="cannot tell"):
        check_late_times("`stimulus`", last + 1, dt)


@pytest.mark.usefixtures("as_users_run")
def test_events_are_refused_where_float32_does_not_hold_their_times():
    net = jn.Network({"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(jn.LIF(), 1)})
    with pytest.raises(ValueError, match="`t1` = 20000 ms is late for float32"):
        jn.simulate_events(net, 20_000.0, spikes={"in": ([1.0], [0])}, most=1)


def test_a_right_side_without_time_runs_at_any_time():
    sol = jn.simulate(Forced(uses_time=False), HOUR, END, dt=DT)
    np.testing.assert_allclose(sol.times["y"], EXACT, rtol=0, atol=1e-8)


def test_values_by_step_run_at_any_time():
    table = np.sin(EXACT - DT)[:, None]
    sol = jn.simulate(lif(), HOUR, END, dt=DT, key=KEY, stimulus=table, record={"v": jn.record.Trace("v")})
    v, expected = 0.0, []
    for current in table[:, 0]:
        v += -np.expm1(-DT / 20.0) * (current - v)
        expected.append(v)
    np.testing.assert_allclose(sol["v"][:, 0], expected, rtol=1e-4)
