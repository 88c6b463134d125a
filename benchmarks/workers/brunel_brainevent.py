"""Brunel's network as a loop over steps with brainevent's event-driven product. Runs in the peer's environment.

Each source's targets are a row of a `CSR` matrix with one weight, and `BinaryArray(spikes) @ csr` adds the rows of the
sources that spiked, as in the library's documentation. The drive is one uniform number and an inverse distribution
function, much faster than `jax.random.poisson`, so that delivery is what is timed. Delays of their own for each synapse
are left out: the matrices know one delay.
"""

import json
import math
import sys
import time
from importlib import metadata

import brainevent
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

N_E, N_I, N = 10_000, 2_500, 12_500
DELAY, REFRACTORY, STEP, TAU = 15, 20, 0.1, 20.0


def say(values):
    print(json.dumps(values), flush=True)


def matrix(first, n_pre, k, weight, rng):
    """In-degree k with repetition and without autapses; `first` is the first source among all neurons."""
    post = np.repeat(np.arange(N), k)
    inside = (post >= first) & (post < first + n_pre)
    pre = rng.integers(0, n_pre - inside)
    pre += inside & (pre >= post - first)
    order = np.argsort(pre, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=n_pre))])
    indices, indptr = jnp.asarray(post[order], jnp.int32), jnp.asarray(indptr, jnp.int32)
    return brainevent.CSR((weight, indices, indptr), shape=(n_pre, N))


@jax.jit
def simulate(from_e, from_i, key, n_steps):
    """Number of spikes of every neuron."""
    mean = 2.0  # spikes a step and neuron from outside
    cdf = np.cumsum([math.exp(-mean) * mean**k / math.factorial(k) for k in range(16)]).astype(np.float32)
    decay = math.exp(-STEP / TAU)

    def step(k, carry):
        v, left, past, total = carry
        arrived = past[k % DELAY]
        recurrent = brainevent.BinaryArray(arrived[:N_E]) @ from_e + brainevent.BinaryArray(arrived[N_E:]) @ from_i
        u = jax.random.uniform(jax.random.fold_in(key, k), (N,))
        drive = 0.1 * sum((u > c).astype(jnp.float32) for c in cdf)
        v = jnp.where(left > 0, 10.0, v * decay + recurrent + drive)
        spikes = v >= 20.0
        v = jnp.where(spikes, 10.0, v)
        left = jnp.where(spikes, REFRACTORY, jnp.maximum(left - 1, 0))
        return (v, left, past.at[k % DELAY].set(spikes), total + spikes)

    start = (jnp.zeros(N), jnp.zeros(N, jnp.int32), jnp.zeros((DELAY, N), bool), jnp.zeros(N, jnp.int32))
    return lax.fori_loop(0, n_steps, step, start)[3]


def build(duration, seed=1):
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    made["matrices"] = (matrix(0, N_E, 1_000, 0.1, rng), matrix(N_E, N_I, 250, -0.5, rng))
    made["steps"] = round(duration / STEP)
    jax.block_until_ready(made["matrices"])
    wired = time.perf_counter()
    simulate(*made["matrices"], jax.random.key(0), 1).block_until_ready()
    return {"build": wired - start, "compile": time.perf_counter() - wired}


def highest_memory():
    """The highest resident set of this process [MB]."""
    with open("/proc/self/status") as status:
        return next(float(line.split()[1]) / 1e3 for line in status if line.startswith("VmHWM"))


def run(seed=1):
    start = time.perf_counter()
    counts = simulate(*made["matrices"], jax.random.key(seed), made["steps"]).block_until_ready()
    seconds = time.perf_counter() - start
    rate = float(counts.mean()) / (made["steps"] * STEP) * 1000
    return {"simulate": seconds, "rate": rate, "memory": highest_memory()}


made = {}
say({name: metadata.version(name) for name in ("brainevent", "jax")})
for line in sys.stdin:
    request = json.loads(line)
    say({"build": build, "run": run}[request.pop("task")](**request))
