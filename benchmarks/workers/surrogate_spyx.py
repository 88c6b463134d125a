"""A recurrent network of 700-256-20 in Spyx, forward and backward. Runs in the peer's environment.

`RLIF` and `LI` between linear layers, run with the library's own `run`; the input layer is one product for the whole
run, which is faster than one a step.
"""

import json
import sys
import time
from importlib import metadata

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from spyx import axn, nn as snn


def say(values):
    print(json.dumps(values), flush=True)


def make(n_in, n, n_out):
    rngs = nnx.Rngs(0)
    first = nnx.Linear(n_in, n, use_bias=False, rngs=rngs, kernel_init=nnx.initializers.normal(0.25))
    hidden = snn.RLIF((n,), beta=0.95, activation=axn.superspike(10.0), rngs=rngs)
    hidden.recurrent_w = nnx.Param(0.05 * jax.random.normal(jax.random.key(1), (n, n)))
    rest = snn.Sequential(
        hidden, nnx.Linear(n, n_out, use_bias=False, rngs=rngs), snn.LI((n_out,), beta=0.95, rngs=rngs)
    )
    return nnx.split((first, rest))


def main():
    say({name: metadata.version(name) for name in ("spyx", "jax", "jaxlib", "flax")})
    made = None
    for line in sys.stdin:
        asked = json.loads(line)
        if made is None:
            rng = np.random.default_rng(0)
            spikes = jnp.asarray(rng.random((asked["steps"], asked["batch"], asked["n_in"])) < asked["share"])
            labels = jnp.asarray(rng.integers(0, asked["n_out"], asked["batch"]))
            definition, parameters = make(asked["n_in"], asked["n"], asked["n_out"])

            def forward(parameters, spikes):
                first, rest = nnx.merge(definition, parameters)
                return snn.run(rest, first(spikes.astype(jnp.float32)))[0]

            def loss(parameters, spikes, labels):
                logits = jnp.max(forward(parameters, spikes), axis=0)
                return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))

            made = {
                "forward": jax.jit(lambda p, s, y: forward(p, s)),
                "gradient": jax.jit(jax.value_and_grad(loss)),
            }
            for function in made.values():
                jax.block_until_ready(function(parameters, spikes, labels))
        start = time.perf_counter()
        jax.block_until_ready(made[asked["what"]](parameters, spikes, labels))
        say({"seconds": time.perf_counter() - start})


main()
