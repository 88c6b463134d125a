"""What an experimenter does to a model beside a current: conductances, voltage clamps, kicks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
V = {"v": jn.record.Trace("v")}


def passive(**numbers):
    """A membrane that only leaks: g = 0.5 mS/cm2 to -60 mV, 1 uF/cm2."""
    return jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.5, e=-60.0)}, **numbers)


@pytest.mark.parametrize("alone", [True, False], ids=["equation", "population"])
def test_a_clamp_of_a_passive_membrane_in_closed_form(alone):
    kicks = np.zeros((100, 1))
    kicks[29], kicks[49] = 3.0, -2.0
    clamp = jn.Clamp(current=2.0, conductance=1.5, reversal=-20.0, kick=kicks)
    model = passive() if alone else jn.Population(passive(), 1)
    solver = jn.RungeKutta4() if alone else jn.ExponentialEuler()
    v = jn.simulate(model, 0.0, 10.0, dt=0.1, key=KEY, stimulus=clamp, solver=solver, record=V)["v"][:, 0]
    t, settled = 0.1 * np.arange(1, 101), (0.5 * -60.0 + 1.5 * -20.0 + 2.0) / 2.0
    expected = settled + (-60.0 - settled) * np.exp(-2.0 * t)
    for step in (29, 49):
        expected[step:] += kicks[step, 0] * np.exp(-2.0 * (t[step:] - t[step]))
    # A step of Runge and Kutta misses (g dt/C)^5/120 of 32 mV, and forgets with 1/(2 per ms): below 5e-4 mV in all.
    np.testing.assert_allclose(v, expected, atol=5e-4)


def test_a_kick_moves_the_potential_by_itself():
    @jax.jit
    def run(kick):
        clamp = jn.Clamp(kick=jnp.zeros((60, 1)).at[40].set(kick))
        return jn.simulate(jn.HodgkinHuxley(), 0.0, 0.6, dt=0.01, stimulus=clamp, record=V)["v"][:, 0]

    quiet, moved = run(0.0), run(7.0)
    np.testing.assert_array_equal(quiet[:40], moved[:40])
    assert float(moved[40] - quiet[40]) == pytest.approx(7.0, rel=1e-6)


def test_a_voltage_clamp_by_a_function_of_time():
    clamp = jn.Clamp(conductance=1e4, reversal=lambda t: -70.0 + 10.0 * t)
    v = jn.simulate(passive(), 0.0, 2.0, dt=1e-4, stimulus=clamp, record={"v": jn.record.Trace("v", every=5_000)})["v"]
    # The command less the lag of C dE/dt and the current of the leak, over the clamp's conductance.
    command = -70.0 + 10.0 * np.array([0.5, 1.0, 1.5, 2.0])
    expected = command - (10.0 + 0.5 * (command + 60.0)) / 1e4
    np.testing.assert_allclose(v[:, 0], expected, atol=1e-5)


def test_the_potential_of_a_coupled_neuron_is_that_of_its_equations():
    """Against another method: the equations written down here, in steps twenty times as short."""
    true = jn.HodgkinHuxley()
    n, dt, every = 80, 0.025, 4
    t = dt * np.arange(n)
    current, recorded = 1.0 + 2.0 * np.sin(0.5 * t), -62.0 + 4.0 * np.cos(0.03 * np.arange(1, n // every + 1))
    data = jn.recordings.VoltageTrace(recorded, current, dt=dt, every=every)
    found = np.asarray(jn.recordings.TracedNeuron(true, coupling=2.0).potential(data))

    def alpha_beta(v):
        u = v + 65.0
        return {
            "m": (0.1 * (25.0 - u) / np.expm1((25.0 - u) / 10.0), 4.0 * np.exp(-u / 18.0)),
            "h": (0.07 * np.exp(-u / 20.0), 1.0 / (np.exp((30.0 - u) / 10.0) + 1.0)),
            "n": (0.01 * (10.0 - u) / np.expm1((10.0 - u) / 10.0), 0.125 * np.exp(-u / 80.0)),
        }

    rest = float(true.resting_potential())
    v, gates = rest, {name: a / (a + b) for name, (a, b) in alpha_beta(rest).items()}
    samples, fine = np.concatenate([[rest], recorded]), 20
    expected = []
    for k in range(n):
        for _ in range(fine):
            # The current and the recording are held over a step of the run.
            left, share = divmod(k, every)
            pull = samples[left] + (share + 0.5) / every * (samples[left + 1] - samples[left])
            for name, (a, b) in alpha_beta(v).items():
                gates[name] += dt / fine * (a * (1.0 - gates[name]) - b * gates[name])
            sodium = 120.0 * gates["m"] ** 3 * gates["h"] * (v - 50.0)
            potassium, leak = 36.0 * gates["n"] ** 4 * (v + 77.0), 0.3 * (v + 54.4)
            v += dt / fine * (current[k] - sodium - potassium - leak + 2.0 * (pull - v))
        if (k + 1) % every == 0:
            expected.append(v)
    np.testing.assert_allclose(found, expected, atol=0.05)


REFUSED = [
    (jn.Clamp(conductance=1.0, reversal=0.0), "has a `conductance`, which RateNetwork does not understand"),
    (jn.Clamp(kick=1.0), "has a `kick`, which RateNetwork does not understand: it understands current"),
]


@pytest.mark.parametrize(("clamp", "message"), REFUSED)
def test_what_a_model_does_not_understand_is_refused(clamp, message):
    with pytest.raises(ValueError, match=message):
        jn.simulate(jn.RateNetwork([[0.0]]), 0.0, 1.0, dt=0.1, stimulus=clamp)


def test_a_current_in_a_clamp_is_the_current():
    net = jn.RateNetwork([[0.3]])
    plain, clamped = (jn.simulate(net, 0.0, 5.0, dt=0.5, stimulus=s)["rate"] for s in (2.0, jn.Clamp(current=2.0)))
    np.testing.assert_array_equal(plain, clamped)


def test_a_binary_unit_has_no_membrane_to_clamp():
    net = jn.BinaryNetwork({"E": jn.Population(jn.Binary(), 3)})
    with pytest.raises(ValueError, match="`stimulus` of 'E' is a `Clamp`, of neurons with a membrane"):
        jn.simulate(net, 0.0, 1.0, dt=1.0, key=KEY, stimulus={"E": jn.Clamp(current=1.0)})
