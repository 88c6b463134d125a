"""A model built outside a user's `jax.jit` keeps its known numbers inside it: checks do not trace them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
SPIKING = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
BINARY = jn.networks.binary(k=20, n_e=100, n_i=100)
LAW = jn.laws.ConductanceScaling()
V = jnp.asarray(-50.0)
SIGNS = jnp.asarray([[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])


def run_spiking(x):
    run = {"dt": 0.1, "key": KEY, "record": {"rate": jn.record.Rate()}}
    return jn.simulate(SPIKING, 0.0, 5.0, **run)["rate"]["E"] + x


def run_binary(x):
    run = {"dt": 1.0, "key": KEY, "record": {"m": jn.record.MeanActivity()}}
    return jn.simulate(BINARY, 0.0, 5.0, **run)["m"]["E"] + x


CALLS = {
    "simulate, wired on the way": run_spiking,
    "simulate binary, wired on the way": run_binary,
    "mean field": lambda x: jn.theory.mean_field(SPIKING).rate["E"] + x,
    "mean field of binary units": lambda x: jn.theory.mean_field(BINARY).rate["E"] + x,
    "stability": lambda x: jn.theory.brunel_stability(SPIKING).growth + x,
    "law": lambda x: LAW(100.0) + x,
    "neuron": lambda x: jn.LIF(v_th=V, v_reset=V - 10.0).v_th + x,
    "interval": lambda x: jn.initial.UniformPotential(V - 1.0, V).low + x,
    "poisson trains": lambda x: jn.statistics.bernoulli_trains(jnp.asarray(5.0), 0.0, 5.0, dt=0.1, n=3, key=KEY).n + x,
    "memory": lambda x: jn.networks.memory(SIGNS).tau + x,
    "hopfield": lambda x: jn.networks.hopfield(SIGNS).tau + x,
    "kramers": lambda x: jn.theory.kramers_rate(V, 4.0, tau=20.0, v_th=V + 10.0, t_ref=2.0) + x,
}


# These take long to compile: in every run of the tests they are traced, where a check of a traced number would raise.
DEAR = ("mean field", "mean field of binary units", "stability")
CASES = [pytest.param(c, id=k, marks=[pytest.mark.proof] if k in DEAR else []) for k, c in CALLS.items()]


@pytest.mark.parametrize("call", CASES)
def test_known_numbers_stay_known(call):
    np.testing.assert_allclose(jax.jit(call)(1.0), call(1.0), rtol=1e-6)


@pytest.mark.parametrize("name", DEAR)
def test_known_numbers_are_not_traced(name):
    assert jax.eval_shape(CALLS[name], 1.0).shape == ()
