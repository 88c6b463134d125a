"""Drives and stimuli against closed forms: several targets, coarse steps, functions of time in a run that is cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(3)


@pytest.mark.parametrize(
    "drive",
    [
        jn.WhiteNoiseDrive(("A", "B"), mu=np.arange(7.0), sigma=2.0),
        jn.OUCurrentDrive(("A", "B"), mean=np.arange(7.0), sigma=2.0, tau=1.0),
        jn.PoissonDrive(("A", "B"), jn.DeltaCurrent(), weight=1.0, n_sources=100, rate=np.arange(2.0, 9.0)),
    ],
    ids=lambda drive: type(drive).__name__,
)
def test_every_neuron_of_two_targets_has_an_input_of_its_own(drive):
    # tau is a fifth of a step: potentials of two steps are independent, and so are those of two neurons.
    cell, steps = jn.LIF(tau_m=1.0, v_th=1e6), 2_000
    net = jn.Network({"A": jn.Population(cell, 3), "B": jn.Population(cell, 4)}, drives=[drive])
    record = {name: jn.record.Trace(f"{name}.v") for name in ("A", "B")}
    sol = jn.simulate(net, 0.0, 5.0 * steps, dt=5.0, key=KEY, record=record)
    v = np.concatenate([sol["A"], sol["B"]], axis=1)[10:]
    correlation = np.corrcoef(v.T) - np.eye(7)
    assert np.abs(correlation).max() * np.sqrt(len(v)) < 4.5  # of 21 pairs
    if isinstance(drive, jn.PoissonDrive):
        mean, variance = 0.5 * np.arange(2.0, 9.0), 0.5 * np.arange(2.0, 9.0)  # counts of a step of 5 ms
    else:
        mean, variance = np.arange(7.0), np.full(7, 2.0)  # sigma^2/2; of the OU current, held for the step, sigma^2
        variance = variance if isinstance(drive, jn.WhiteNoiseDrive) else np.full(7, 4.0)
    scatter = np.sqrt(variance / len(v))
    assert np.all(np.abs(v.mean(axis=0) - mean) < 4.0 * scatter + 0.01 * mean)
    # The variance of a sample scatters by var sqrt(2/n), of counts by a little more; the rest of a step is e^-5.
    assert np.all(np.abs(v.var(axis=0) / variance - 1.0) < 4.0 * np.sqrt(3.0 / len(v)) + 0.02)


def test_white_noise_with_a_conductance_has_the_variance_of_its_time_constant():
    # tau dV/dt = -(1 + g) V + sigma sqrt(tau) xi: the variance is sigma^2/2/(1 + g) at every dt.
    g, sigma, n, steps = 3.0, 4.0, 200, 200
    net = jn.Network({"E": jn.Population(jn.LIF(v_th=1e6), n)}, drives=[jn.WhiteNoiseDrive("E", mu=0.0, sigma=sigma)])
    sol = jn.simulate(
        net, 0.0, 10.0 * steps, dt=10.0, key=KEY, stimulus={"E": jn.Clamp(conductance=g, reversal=0.0)},
        record={"v": jn.record.Trace("E.v", start=50.0)},
    )  # fmt: skip
    v = np.asarray(sol["v"])
    exact, left = sigma**2 / 2.0 / (1.0 + g), np.exp(-(1.0 + g) * 10.0 / 20.0)
    scatter = np.sqrt(2.0 / v.size * (1.0 + left**2) / (1.0 - left**2))  # of the variance of correlated samples
    assert abs(v.var() / exact - 1.0) < 4.0 * scatter


def test_a_conductance_moves_an_integrate_and_fire_neuron_as_in_closed_form_at_a_coarse_dt():
    # tau dV/dt = -(V - V_r) + g (E - V) + I, V(0) = V_r: the step is exact for a line.
    g, reversal, current, rest, tau, dt = 2.0, 10.0, 3.0, -60.0, 20.0, 10.0
    cell = jn.IntegrateAndFire(jn.LinearCurve(v_rest=rest), tau_m=tau, v_peak=1e6, v_reset=rest)
    clamp = jn.Clamp(current=current, conductance=g, reversal=reversal)
    sol = jn.simulate(
        jn.Population(cell, 1), 0.0, 50.0, dt=dt, key=KEY, stimulus=clamp, record={"v": jn.record.Trace("v")}
    )
    end = (rest + current + g * reversal) / (1.0 + g)
    exact = end + (rest - end) * np.exp(-(1.0 + g) * sol.times["v"] / tau)
    np.testing.assert_allclose(sol["v"][:, 0], exact, rtol=1e-12)


MODELS = {
    "neurons": jn.Population(jn.LIF(tau_m=5.0, v_th=1e6), 2),
    "rates": jn.RateNetwork(m=np.zeros((2, 2)), h=0.0, tau=5.0, transfer=jn.transfer.Linear()),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_a_function_of_time_goes_on_where_a_run_was_cut(name):
    dt, cut = 0.5, 7.5
    model, variable = MODELS[name], {"neurons": "v", "rates": "rate"}[name]
    run = dict(dt=dt, key=KEY, stimulus=lambda t: 30.0 + 10.0 * jnp.sin(t), record={"x": jn.record.Trace(variable)})
    whole = jn.simulate(model, 0.0, 15.0, **run)
    first = jn.simulate(model, 0.0, cut, **run)
    second = jn.simulate(model, cut, 15.0, state=first.state, **run)
    np.testing.assert_array_equal(np.concatenate([first["x"], second["x"]]), whole["x"])
    x, by_hand = 0.0, []
    for k in range(30):  # at the start of each step
        x += -np.expm1(-dt / 5.0) * (30.0 + 10.0 * np.sin(k * dt) - x)
        by_hand.append(x)
    np.testing.assert_allclose(whole["x"][:, 0], by_hand, rtol=1e-12)


def test_a_field_that_is_a_function_of_time_goes_on_where_a_binary_run_was_cut():
    net = jn.networks.binary(k=4, n_e=32, n_i=32, tau_e=10.0, tau_i=10.0)
    wiring = jn.wire(net, key=KEY)
    run = dict(
        dt=10.0, key=KEY, wiring=wiring, update=jn.update.Parallel(), stimulus={"E": lambda t: 3.0 * jnp.sin(t)},
        record={"s": jn.record.UnitStates()},
    )  # fmt: skip
    whole = jn.simulate(net, 0.0, 80.0, **run)
    first = jn.simulate(net, 0.0, 40.0, **run)
    second = jn.simulate(net, 40.0, 80.0, state=first.state, **run)
    for name in ("E", "I"):
        parts = [np.asarray(sol["s"][name].as_array()) for sol in (first, second)]
        np.testing.assert_array_equal(np.concatenate(parts), whole["s"][name].as_array())
    assert whole["s"]["E"].as_array().mean() > 0.02
