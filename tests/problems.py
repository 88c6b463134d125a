"""Networks and equations that tests of several rooms share."""

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn


class Equation(jn.extend.AbstractODE):
    """A differential equation of one array "y": a test gives it `initial` and `vector_field`."""

    def size(self):
        return self.initial().shape[0]

    def prepared(self):
        return self

    def observe(self, y):
        return {"y": y}


def recurrent_neurons(rng: np.random.Generator, n_in: int, n: int) -> dict:
    """Numbers of `spiking_network` under which some neurons spike and some do not."""
    return {
        "w_in": jnp.asarray(rng.normal(1.5, 1.5, (n, n_in))),
        "w_rec": jnp.asarray(rng.normal(0.1, 0.8, (n, n))),
        "tau_m": jnp.asarray(rng.uniform(8.0, 20.0, n)),
        "tau_s": jnp.asarray(5.0),
        "v_th": jnp.asarray(rng.uniform(0.8, 1.2, n)),
        "v_reset": jnp.asarray(-0.1),
    }


def spiking_network(p: dict) -> jn.Network:
    """Given spikes, "in", and the recurrent neurons "hidden", with given weights and exponential currents."""
    lif = jn.LIF(tau_m=p["tau_m"], v_th=p["v_th"], v_reset=p["v_reset"], t_ref=p["t_ref"])
    synapse = jn.ExponentialCurrent(p["tau_s"])
    n, n_in = p["w_in"].shape
    return jn.Network(
        {"in": jn.Population(jn.SpikeSource(), n_in), "hidden": jn.Population(lif, n)},
        [
            jn.Projection("in", "hidden", synapse, connectivity=jn.Weights(p["w_in"]), delay=1.0),
            jn.Projection("hidden", "hidden", synapse, connectivity=jn.Weights(p["w_rec"]), delay=1.5),
        ],
    )


def asked_at(n: int, formula):
    """The formula of conductances, asked at n places however many numbers there are: a file compiles it once."""

    def call(nu_x, *, noise=None, **numbers):
        asked = np.broadcast_arrays(nu_x, *numbers.values())
        nu_x, *filled = (np.resize(each, n) for each in asked)
        found = formula(nu_x, **dict(zip(numbers, filled, strict=True)), noise=noise)
        return found[: asked[0].size].reshape(asked[0].shape)

    return call
