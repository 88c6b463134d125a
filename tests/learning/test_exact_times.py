"""Spike times inside the steps of the clock: closed forms, and runs from event to event."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import recurrent_neurons, spiking_network

import jaxneuro as jn

KEY, N_IN, N, T1, DT = jax.random.key(0), 5, 6, 40.0, 0.05
RNG = np.random.default_rng(4)
# Given spikes come at the ends of steps.
WHEN, WHO = np.round(np.sort(RNG.uniform(0.5, 25.0, 14)) / DT) * DT, RNG.integers(0, N_IN, 14)
TABLE = np.zeros((round(T1 / DT), N_IN), bool)
TABLE[np.round(WHEN / DT).astype(int) - 1, WHO] = True
START = recurrent_neurons(RNG, N_IN, N) | {
    "t_ref": jnp.asarray(RNG.uniform(0.0, 2.0, N)),
}


def clock(p):
    return jn.simulate(
        spiking_network(p), 0.0, T1, dt=DT, key=KEY, stimulus={"in": TABLE}, spike_times=jn.InsideSteps(), throw=False,
        record={"times": jn.record.SpikeTimes("hidden", 10), "spikes": jn.record.Spikes("hidden")},
    )  # fmt: skip


def test_the_clock_equals_a_run_from_event_to_event_with_its_derivatives():
    def events(p):
        run = jn.simulate_events(spiking_network(p), T1, spikes={"in": (jnp.asarray(WHEN), WHO)}, most=40)
        return run.of("hidden", 10)

    def value(found):
        return jnp.sum(jnp.where(jnp.isfinite(found), found * jnp.cos(jnp.arange(10.0)), 0.0))

    def on_the_clock(p):
        sol = clock(p)
        return value(sol["times"]), (sol["times"], sol["spikes"], sol.counts["times"])

    def by_events(p):
        found = events(p)
        return value(found), found

    (_, (found, spikes, counts)), gradient = jax.jit(jax.value_and_grad(on_the_clock, has_aux=True))(START)
    (_, expected), exact = jax.jit(jax.value_and_grad(by_events, has_aux=True))(START)
    assert np.isfinite(expected).sum() > 15
    np.testing.assert_allclose(found, expected, atol=1e-9)
    for name in START:
        np.testing.assert_allclose(gradient[name], exact[name], rtol=1e-8, atol=1e-8, err_msg=name)
        assert np.any(np.asarray(gradient[name]) != 0)
    for own, kept, n in zip(spikes.times, np.asarray(found), np.asarray(counts), strict=True):
        assert len(own) == n
        np.testing.assert_allclose(own, kept[np.isfinite(kept)], atol=DT / 65_535)


@pytest.mark.float32
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_a_constant_current_gives_the_interval_in_closed_form(dt):
    """T = t_ref + tau_m log((I - v_reset)/(I - v_th)), whatever the step."""

    def third(i, t_ref):
        lif = jn.LIF(tau_m=20.0, v_th=10.0, v_reset=2.0, t_ref=t_ref)
        sol = jn.simulate(
            jn.Population(lif, 1), 0.0, 60.0, dt=dt, key=KEY, stimulus=i, spike_times=jn.InsideSteps(),
            record={"t": jn.record.SpikeTimes("population", 3)}, throw=False,
        )  # fmt: skip
        return sol["t"][0, 2]

    def closed(i, t_ref):
        return 20.0 * (jnp.log(i / (i - 10.0)) + 2.0 * jnp.log((i - 2.0) / (i - 10.0))) + 2.0 * t_ref

    at = (jnp.asarray(25.0), jnp.asarray(2.25))
    rtol = 1e-11 if jnp.zeros(0).dtype == jnp.float64 else 2e-5
    both = jax.jit(jax.vmap(jax.value_and_grad(third, (0, 1)), (0, None)))(jnp.stack([at[0], at[0] + 1.0]), at[1])
    for k in range(2):
        value, slopes = jax.value_and_grad(closed, (0, 1))(at[0] + k, at[1])
        np.testing.assert_allclose(both[0][k], value, rtol=rtol)
        np.testing.assert_allclose([s[k] for s in both[1]], slopes, rtol=100 * rtol)
    forward = jax.jit(lambda i: jax.jvp(lambda i: third(i, at[1]), (i,), (jnp.ones_like(i),))[1])(at[0])
    np.testing.assert_allclose(forward, both[1][0][0], rtol=rtol)


def test_a_read_out_hears_a_spike_when_it_comes():
    """One neuron under constant current, and V of a read-out at the grid in closed form."""
    tau_m, tau_s, tau_out, w = 20.0, 5.0, 15.0, 3.0
    net = jn.Network(
        {
            "E": jn.Population(jn.LIF(tau_m=tau_m, v_th=10.0, v_reset=0.0, t_ref=2.0), 1),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=tau_out), 1),
        },
        [jn.Projection("E", "out", jn.ExponentialCurrent(tau_s), weight=w, connectivity=jn.AllToAll(), delay=1.0)],
    )
    sol = jn.simulate(
        net, 0.0, 50.0, dt=0.5, key=KEY, stimulus={"E": 25.0}, spike_times=jn.InsideSteps(),
        record={"v": jn.record.Trace("out.v"), "t": jn.record.SpikeTimes("E", 5)},
    )  # fmt: skip
    arrivals = np.asarray(sol["t"][0])
    arrivals = arrivals[np.isfinite(arrivals)] + 1.0
    since = np.maximum(np.asarray(sol.times["v"])[:, None] - arrivals, 0.0)
    kernel = np.exp(-since / tau_out) - np.exp(-since / tau_s)
    assert len(arrivals) == 4
    np.testing.assert_allclose(sol["v"][:, 0], (w * tau_s / (tau_out - tau_s) * kernel).sum(1), atol=1e-11)


def test_drawn_wiring_equals_the_same_weights_given_and_runs_go_on():
    def net(connectivity):
        lif = jn.LIF(tau_m=10.0, v_th=10.0, v_reset=0.0, t_ref=1.0)
        synapse = jn.ExponentialCurrent(4.0)
        return jn.Network(
            {"E": jn.Population(lif, 30, initial=jn.initial.UniformPotential(0.0, 9.0))},
            [jn.Projection("E", "E", synapse, weight=-0.2, connectivity=connectivity, delay=1.5)],
            [jn.PoissonDrive("E", synapse, weight=1.0, n_sources=100, rate=40.0)],
        )

    record = {"t": jn.record.SpikeTimes("E", 8)}
    run = dict(dt=0.1, key=KEY, spike_times=jn.InsideSteps(), record=record)
    drawn = jn.simulate(net(jn.AllToAll()), 0.0, 40.0, **run)
    given = net(jn.Weights(np.ones((30, 30)) - np.eye(30)))
    first = jn.simulate(given, 0.0, 20.0, **run)
    second = jn.simulate(given, 20.0, 40.0, state=first.state, **run)
    assert int(drawn.counts["t"].sum()) > 30
    both = np.sort(np.concatenate([first["t"], second["t"]], 1))[:, :8]
    np.testing.assert_allclose(drawn["t"], both, atol=1e-9)


@pytest.mark.parametrize(
    ("tau_m", "stimulus"), [(20.0, 100.0), (0.02, 1.0)], ids=["above the threshold", "on it at the end of the step"]
)
def test_two_spikes_in_a_step_fail_the_run(as_users_run, tau_m, stimulus):
    """50 time constants after its reset a potential is where it goes to, to all digits."""
    lif = jn.LIF(tau_m=tau_m, v_th=1.0, v_reset=0.0, t_ref=0.0)
    cell = jn.Population(lif, 1, initial=jn.initial.UniformPotential(1.5, 2.0))
    with pytest.raises(RuntimeError, match="twice in one step"):
        jn.simulate(cell, 0.0, 5.0, dt=1.0, key=KEY, stimulus=stimulus, spike_times=jn.InsideSteps())


def test_what_has_no_crossing_in_closed_form_is_refused(as_users_run):
    exponential, one = jn.ExponentialCurrent(5.0), jn.Weights(np.ones((2, 2)))

    def net(model=None, synapse=exponential, delay=1.0, drives=()):
        projection = jn.Projection("E", "E", synapse, connectivity=one, delay=delay)
        return jn.Network({"E": jn.Population(model or jn.LIF(), 2)}, [projection], drives)

    cases = [
        (net(jn.LIF(reset=jn.reset.Soft())), "has a soft reset"),
        (net(jn.HodgkinHuxley()), "is of HodgkinHuxley"),
        (net(synapse=jn.DeltaCurrent()), r"`projections\[0\]` has to be of an `ExponentialCurrent`"),
        (net(delay=1.03), r"`projections\[0\].delay` has to be one number"),
        (net(delay=jn.TrainableDelay(1.5, low=1.0, high=2.0)), r"`projections\[0\].delay` has to be one number"),
        (net(drives=[jn.WhiteNoiseDrive("E", mu=1.0, sigma=1.0)]), r"`drives\[0\]` has to be a PoissonDrive"),
    ]
    for wrong, message in cases:
        with pytest.raises(ValueError, match=message):
            jn.simulate(wrong, 0.0, 5.0, dt=0.1, key=KEY, spike_times=jn.InsideSteps())
    right = net()
    for more, message in [
        ({"surrogate": jn.surrogate.Triangular()}, "takes no `surrogate`"),
        ({"solver": jn.EulerMaruyama()}, "`solver` has to be"),
        ({"spike_times": jn.EulerMaruyama()}, "`spike_times` has to be"),
    ]:
        with pytest.raises(ValueError, match=message):
            jn.simulate(right, 0.0, 5.0, dt=0.1, key=KEY, **({"spike_times": jn.InsideSteps()} | more))
    with pytest.raises(ValueError, match="of a network of neurons"):
        jn.simulate(jn.networks.ring(n=8), 0.0, 5.0, dt=0.1, spike_times=jn.InsideSteps())
    with pytest.raises(ValueError, match="`n_spikes` has to be"):
        jn.record.SpikeTimes("E", 0)
