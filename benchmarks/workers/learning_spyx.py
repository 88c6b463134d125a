"""Trains a recurrent network on given trials with Spyx. Runs in the peer's environment."""

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


def make(n_in, n, n_out, decay, slope, seed):
    rngs = nnx.Rngs(seed)
    first = nnx.Linear(n_in, n, use_bias=False, rngs=rngs, kernel_init=nnx.initializers.normal(0.6))
    hidden = snn.RLIF((n,), beta=decay, activation=axn.superspike(slope), rngs=rngs)
    hidden.recurrent_w = nnx.Param(0.05 * jax.random.normal(jax.random.key(seed), (n, n)))
    last = nnx.Linear(n, n_out, use_bias=False, rngs=rngs, kernel_init=nnx.initializers.normal(0.2))
    return nnx.split((first, snn.Sequential(hidden, last, snn.LI((n_out,), beta=decay, rngs=rngs))))


def main():
    say({name: metadata.version(name) for name in ("spyx", "jax", "jaxlib", "flax")})
    for line in sys.stdin:
        asked = json.loads(line)
        with np.load(asked["file"]) as file:
            data = {name: file[name] for name in file.files}
        n_in, n_out = data["spikes"].shape[2], int(data["labels"].max()) + 1
        definition, p = make(n_in, asked["hidden"], n_out, asked["decay"], asked["slope"], asked["seed"])

        def logits(p, spikes):
            first, rest = nnx.merge(definition, p)
            rows = jnp.swapaxes(spikes, 0, 1).astype(jnp.float32)
            return jnp.max(snn.run(rest, first(rows))[0], axis=0)

        def loss(p, spikes, labels):
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits(p, spikes), labels))

        adam = optax.adam(asked["rate"])

        @jax.jit
        def advance(p, state, spikes, labels):
            updates, state = adam.update(jax.grad(loss)(p, spikes, labels), state, p)
            return optax.apply_updates(p, updates), state

        state, start = adam.init(p), time.perf_counter()
        for step in range(asked["steps"]):
            chosen = np.random.default_rng([asked["seed"], step]).integers(0, len(data["labels"]), asked["batch"])
            p, state = advance(p, state, data["spikes"][chosen], data["labels"][chosen])
        jax.block_until_ready(p)
        seconds = time.perf_counter() - start
        found = np.asarray(jax.jit(logits)(p, data["test_spikes"])).argmax(1)
        say({"accuracy": float(np.mean(found == data["test_labels"])), "seconds": seconds})


main()
