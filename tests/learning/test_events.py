"""Exact spike times and their exact derivatives: closed form, differences, and a fine clock."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import recurrent_neurons, spiking_network

import jaxneuro as jn

N_IN, N, T1 = 5, 6, 40.0
RNG = np.random.default_rng(4)
WHEN, WHO = np.sort(RNG.uniform(0.5, 25.0, 14)), RNG.integers(0, N_IN, 14)
START = recurrent_neurons(RNG, N_IN, N) | {
    "t_ref": jnp.asarray(RNG.integers(0, 100, N) / 100.0),
    "when": jnp.asarray(WHEN),
}


def times(p, most=60):
    return jn.simulate_events(spiking_network(p), T1, spikes={"in": (p["when"], WHO)}, most=most)


def test_one_neuron_in_closed_form():
    """tau_m = 2 tau_s: V = w (x - x^2) with x = exp(-t/tau_m), a quadratic equation."""

    def first(w, tau_s):
        lif = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0)
        net = jn.Network(
            {"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(lif, 1)},
            [
                jn.Projection(
                    "in", "out", jn.ExponentialCurrent(tau_s), connectivity=jn.Weights(w[None, None]), delay=1.0
                )
            ],
        )
        return jn.simulate_events(net, 60.0, spikes={"in": ([2.0], [0])}, most=3).of("out", 2)[0]

    def quadratic(w):
        return 3.0 - 20.0 * jnp.log(0.5 * (1.0 + jnp.sqrt(1.0 - 4.0 / w)))

    for w in (4.5, 6.0, 30.0):
        found, slope = jax.jvp(lambda w: first(w, 10.0), (jnp.asarray(w),), (jnp.asarray(1.0),))
        value, expected = jax.jvp(quadratic, (jnp.asarray(w),), (jnp.asarray(1.0),))
        np.testing.assert_allclose(found[0], value, rtol=1e-12)
        np.testing.assert_allclose(slope[0], expected, rtol=1e-10)
    assert np.isinf(first(jnp.asarray(3.9), 10.0)).all()  # the highest potential is w / 4
    # Equal time constants: V = w s exp(-s), s = t/tau, is 1 where s = 1/2.
    same = first(jnp.asarray(2.0 * np.exp(0.5)), 20.0)
    np.testing.assert_allclose(same[0], 3.0 + 20.0 * 0.5, rtol=1e-9)


def test_gradients_equal_differences_and_forward_equals_reverse():
    def value(p):
        events = times(p)
        found = jnp.where(jnp.isfinite(events.times), events.times * jnp.cos(jnp.arange(60.0)), 0.0)
        return jnp.sum(found), (events.times, events.overflow)

    backward = jax.jit(jax.value_and_grad(value, has_aux=True))
    (_, (at, overflow)), gradient = backward(START)
    assert 10 < np.isfinite(at).sum() < 60
    assert not bool(overflow)
    start = {k: np.asarray(v) for k, v in START.items()}
    direction = {k: RNG.normal(size=v.shape) for k, v in start.items()}
    along = {k: np.sum(gradient[k] * direction[k]) for k in start}
    forward = jax.jit(lambda p, d: jax.jvp(lambda q: value(q)[0], (p,), (d,))[1])
    np.testing.assert_allclose(forward(START, direction), sum(along.values()), rtol=1e-9)
    for name in start:
        h = 1e-6
        up, down = (backward(start | {name: start[name] + s * h * direction[name]})[0][0] for s in (1, -1))
        np.testing.assert_allclose(along[name], (up - down) / (2 * h), rtol=1e-6, atol=1e-6, err_msg=name)
        assert np.any(np.asarray(gradient[name]) != 0)


@pytest.mark.float32
def test_a_fine_clock_finds_the_same_spikes():
    dt, end = 0.01, 20.0
    table = np.zeros((round(end / dt), N_IN), bool)
    # A spike of a step is at its end.
    early = end > WHEN
    table[np.round(WHEN[early] / dt).astype(int) - 1, WHO[early]] = True
    sol = jn.simulate(
        spiking_network(START), 0.0, end, dt=dt, key=jax.random.key(0), stimulus={"in": table},
        record={"s": jn.record.Spikes("hidden")},
    )  # fmt: skip
    rounded = START | {"when": jnp.asarray(np.round(WHEN / dt) * dt)}
    found = times(rounded).of("hidden", 12)
    for clock, exact in zip(sol["s"].times, np.asarray(found), strict=True):
        exact = exact[exact < end - 2 * dt]
        assert len(exact) > 0 or len(clock) == 0
        np.testing.assert_allclose(np.asarray(clock)[: len(exact)], exact, atol=0.06)


def test_too_many_spikes_are_said_and_wrong_networks_refused(as_users_run):
    assert bool(times(START, most=4).overflow)
    lif, exponential = jn.LIF(t_ref=0.0), jn.ExponentialCurrent(5.0)
    population = {"E": jn.Population(lif, 2)}
    weights = jn.Weights(np.ones((2, 2)))
    cases = [
        (jn.Network({"E": jn.Population(jn.LIF(reset=jn.reset.Soft()), 2)}), "a hard reset"),
        (jn.Network(population, drives=[jn.WhiteNoiseDrive("E", mu=1.0, sigma=1.0)]), "no train of spikes"),
        (
            jn.Network(population, [jn.Projection("E", "E", jn.DeltaCurrent(), connectivity=weights, delay=1.0)]),
            "given weights and an `ExponentialCurrent`",
        ),
        (
            jn.Network(
                population,
                [
                    jn.Projection("E", "E", s, connectivity=weights, delay=1.0)
                    for s in (exponential, jn.ExponentialCurrent(6.0))
                ],
            ),
            "one tau",
        ),
        (jn.Network({"E": jn.Population(jn.LIF(t_ref=0.0, v_rest=30.0), 2)}), "above rest"),
    ]
    for net, message in cases:
        with pytest.raises(ValueError, match=message):
            jn.simulate_events(net, 5.0, spikes={}, most=4)
    with pytest.raises(ValueError, match="`most` has to be"):
        times(START, most=0)
    with pytest.raises(ValueError, match="has no spikes"):
        times(START).of("in")
    with pytest.raises(ValueError, match="an index outside"):
        jn.simulate_events(spiking_network(START), 5.0, spikes={"in": ([1.0], [9])}, most=4)
    two = {"in": ([2.0, 8.0], [0, 1])}
    for arguments, message in (
        (dict(spikes={**two, "inn": two["in"]}), "names 'inn', which is no `SpikeSource`"),
        (dict(spikes={**two, "hidden": two["in"]}), "names 'hidden', which is no `SpikeSource`"),
        (dict(spikes={"in": ([-2.0], [0])}), "must not be negative"),
        (dict(spikes={"in": [2.0]}), r"has to be \(times, indices\)"),
        (dict(spikes={"in": ([2.0, 8.0], [0])}), r"has to be \(times, indices\) of one length"),
        (dict(spikes=two, stimulus={"in": 1.0}), "names 'in', which is no population of neurons"),
        (dict(spikes=two, stimulus={"hidden": np.nan}), "has to be finite"),
        (dict(spikes=two, stimulus={"hidden": [1.0, 2.0]}), r"a number or \(6,\)"),
        (dict(spikes=two, stimulus=1.0), "has to be a dict"),
    ):
        with pytest.raises(ValueError, match=message):
            jn.simulate_events(spiking_network(START), 5.0, most=4, **arguments)
    with pytest.raises(ValueError, match="has to be a Network"):
        jn.simulate_events(lif, 5.0, spikes={}, most=4)
    elsewhere = jn.Network({"E": jn.Population(lif, 2, initial=jn.initial.UniformPotential(0.0, 10.0))})
    with pytest.raises(ValueError, match="start at rest"):
        jn.simulate_events(elsewhere, 5.0, spikes={}, most=4)


def test_a_spike_that_is_not_held_is_said_though_the_neuron_falls_silent():
    """Two early spikes of which one is held, and inhibition afterwards."""
    lif = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0)
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), 2), "out": jn.Population(lif, 1)},
        [jn.Projection("in", "out", jn.ExponentialCurrent(5.0), connectivity=jn.Weights([[30.0, -400.0]]), delay=1.0)],
    )
    sources = {"in": ([2.0, 8.0, 60.0], [0, 1, 1])}
    every = jn.simulate_events(net, 100.0, spikes=sources, most=10)
    n = int(np.isfinite(every.times).sum())
    assert 2 < n < 10
    assert not bool(every.overflow)
    for most in range(1, n + 1):
        fewer = jn.simulate_events(net, 100.0, spikes=sources, most=most)
        assert bool(fewer.overflow) == (most < n)
        np.testing.assert_array_equal(fewer.times, every.times[:most])


def test_spikes_after_the_last_that_is_held_are_said_where_nothing_arrives():
    """A constant current alone, with a spike every tau_m log(i/(i - v_th)) = 13.86 ms: the third comes at 41.6 ms."""
    neuron = jn.Network({"E": jn.Population(jn.LIF(tau_m=20.0, v_th=10.0, v_reset=0.0, t_ref=0.0), 1)})
    run = jn.simulate_events(neuron, 50.0, stimulus={"E": 20.0}, most=2)
    np.testing.assert_allclose(run.times, 20.0 * np.log(2.0) * np.array([1.0, 2.0]), rtol=1e-6)
    assert bool(run.overflow)


def test_what_only_a_transformation_knows_is_checked_when_it_runs():
    def first(p):
        lif = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0)
        net = jn.Network(
            {"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(lif, 1)},
            [
                jn.Projection(pre, "out", jn.ExponentialCurrent(tau), connectivity=jn.Weights(p["w"]), delay=1.0)
                for pre, tau in (("in", p["tau"]), ("out", p["tau_rec"]))
            ],
        )
        return jn.simulate_events(net, 60.0, spikes={"in": ([2.0], [0])}, most=3).of("out")[0, 0]

    given = {"w": jnp.full((1, 1), 8.0), "tau": jnp.asarray(10.0), "tau_rec": jnp.asarray(10.0)}
    value, slopes = jax.jit(jax.value_and_grad(first))(given)
    # Without the recurrence, which acts after the first spike alone: V = 8 (x - x^2) is 1, x = exp(-t/20).
    np.testing.assert_allclose(value, 3.0 - 20.0 * np.log(0.5 * (1.0 + np.sqrt(0.5))), rtol=1e-6)
    assert np.isfinite(slopes["tau"])
    with pytest.raises(RuntimeError, match="one tau"):
        jax.block_until_ready(jax.jit(first)(given | {"tau_rec": jnp.asarray(5.0)}))
    with pytest.raises(RuntimeError, match="is not finite"):
        jax.block_until_ready(jax.jit(first)(given | {"w": jnp.full((1, 1), jnp.nan)}))
