"""Hodgkin-Huxley neurons beside LIF neurons in one network, with conductances and noise."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

import jaxneuro as jn

KEY = jax.random.key(0)
G, TAU, E, DELAY = 0.4, 4.0, 0.0, 2.0


def network():
    return jn.Network(
        {"source": jn.Population(jn.LIF(t_ref=100.0), 1), "squid": jn.Population(jn.HodgkinHuxley(), 2)},
        projections=[
            jn.Projection(
                "source", "squid", jn.ExponentialConductance(TAU, reversal=E), weight=np.array([G, 0.0]),
                connectivity=jn.AllToAll(), delay=DELAY,
            )
        ],
    )  # fmt: skip


def test_a_conductance_from_a_lif_neuron_against_scipy():
    record = {"spikes": jn.record.Spikes(), "v": jn.record.Trace("squid.v")}
    dt = 0.005
    sol = jn.simulate(network(), 0.0, 20.0, dt=dt, key=KEY, stimulus={"source": 60.0}, record=record)
    spike = sol["spikes"]["source"].times[0][0]
    arrives = spike + DELAY
    model = jn.HodgkinHuxley()
    start = model.initial()
    names = list(start.gates)
    field = eqx.filter_jit(model.vector_field)

    def slope(t, y):
        state = type(start)(jnp.asarray(y[:1]), {name: jnp.asarray(y[k + 1 : k + 2]) for k, name in enumerate(names)})
        g = G * np.exp(-(t - arrives) / TAU) if t >= arrives else 0.0
        out = field(0.0, state, g * (E - state.v))
        return np.concatenate([out.v, *(out.gates[name] for name in names)])

    y = np.concatenate([start.v, *(start.gates[name] for name in names)])
    before = solve_ivp(slope, (0.0, arrives), y, rtol=1e-8, atol=1e-9).y[:, -1]
    times = np.arange(arrives + 1.0, 20.0, 1.0)
    wanted = solve_ivp(slope, (arrives, 20.0), before, t_eval=times, rtol=1e-8, atol=1e-9).y[0]
    rows = np.round(times / dt).astype(int) - 1
    np.testing.assert_allclose(sol["v"][rows, 0], wanted, atol=0.05)
    # What is not connected rests.
    assert float(jnp.max(jnp.abs(sol["v"][:, 1] - sol["v"][0, 1]))) < 1e-3
    crossing = sol["spikes"]["squid"].times[0]
    assert crossing.size == 1
    assert crossing[0] % dt > 1e-6


def test_noise_has_the_variance_of_its_membrane():
    # All channels but the leak taken out, the membrane is linear: SD of V = sigma/sqrt(2 C g).
    cell = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.2, e=-60.0)}, v_th=0.0)
    net = jn.Network({"E": jn.Population(cell, 4_000)}, drives=[jn.WhiteNoiseDrive("E", mu=0.5, sigma=1.5)])
    for solver in (None, jn.CrankNicolson()):
        record = {"v": jn.record.Trace("E.v", every=400)}
        sol = jn.simulate(net, 0.0, 100.0, dt=0.25, key=KEY, record=record, solver=solver)
        v, n = np.asarray(sol["v"][-1]), 4_000
        sd = 1.5 / np.sqrt(2 * 0.2)
        assert abs(v.mean() - (-57.5)) < 4 * sd / np.sqrt(n)
        assert abs(v.var() / sd**2 - 1) < 4 * np.sqrt(2 / n)


def test_parameters_of_every_neuron():
    varied = {"bias": (10.0, 12.0), "c_m": (1.0, 1.2), "temperature": (6.3, 8.0), "v_th": (-20.0, 0.0)}

    def run(parameters, n):
        cells, record = jn.Population(jn.HodgkinHuxley(**parameters), n), {"v": jn.record.Trace("v")}
        return np.asarray(jn.simulate(cells, 0.0, 10.0, dt=0.05, key=KEY, record=record)["v"])

    alone = run({name: second for name, (_, second) in varied.items()}, 1)[:, 0]
    # Each number is of single precision here, so are the potentials, over 100 mV.
    np.testing.assert_allclose(run({k: np.array(v) for k, v in varied.items()}, 2)[:, 1], alone, atol=2e-2)
    for name, (first, second) in varied.items():
        model = jn.HodgkinHuxley(**{name: np.array([first, second])})
        assert model.prepare(0.05, model.default_solver()).threshold.shape == ((2,) if name == "v_th" else ())
