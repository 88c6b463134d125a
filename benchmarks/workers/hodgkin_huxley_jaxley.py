"""Squid axons in Jaxley, and its times. Runs in the peer's environment, knows nothing of jaxneuro."""

import json
import os
import sys
import time

# Jaxley speaks on standard output, which carries the answers here.
answers = os.dup(1)
os.dup2(2, 1)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import jaxley as jx  # noqa: E402
import numpy as np  # noqa: E402
from jaxley.channels import HH  # noqa: E402

# A compartment of Jaxley's size has 62.8 um2: nA from uA/cm2.
AREA_CM2 = 2 * np.pi * 1.0 * 10.0 * 1e-8


def say(values):
    os.write(answers, (json.dumps(values) + "\n").encode())


def build(n, duration, dt):
    """One cell, mapped over currents from 0 to 20 uA/cm2: seconds for the cell and for the compilation."""
    start = time.perf_counter()
    cell = jx.Compartment()
    cell.insert(HH())
    cell.record("v")
    cell.set("v", -65.0)
    cell.init_states()
    built = time.perf_counter()

    def spikes(density):
        current = jnp.full(round(duration / dt), density * AREA_CM2 * 1e3)
        v = jx.integrate(cell, data_stimuli=cell.data_stimulate(current), delta_t=dt)[0]
        return jnp.sum((v[1:] > -15.0) & (v[:-1] <= -15.0))

    currents = jnp.linspace(0.0, 20.0, n)
    ready["run"] = jax.jit(jax.vmap(spikes)).lower(currents).compile()
    ready["currents"], ready["duration"] = currents, duration
    return {"build": built - start, "compile": time.perf_counter() - built}


def run():
    """One run: seconds, and the mean rate [Hz]."""
    start = time.perf_counter()
    counts = jax.block_until_ready(ready["run"](ready["currents"]))
    seconds = time.perf_counter() - start
    return {"simulate": seconds, "rate": float(jnp.mean(counts)) * 1000.0 / ready["duration"]}


ready = {}
say({"jaxley": jx.__version__, "jax": jax.__version__})
for line in sys.stdin:
    request = json.loads(line)
    say({"build": build, "run": run}[request.pop("task")](**request))
