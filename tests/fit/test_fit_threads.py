"""Fits and mean fields in several threads end: on a CPU they used to wait for each other for ever."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The programs are compiled before, and the threads start together: what is tested is that they run side by side.
CODE = """
import threading
import jax, jax.numpy as jnp, numpy as np, jaxneuro as jn
from jaxneuro._numerics import one_at_a_time

slow = jax.jit(lambda x: jax.lax.fori_loop(0, 200, lambda i, y: jnp.sin(y) + 0.1 * x, x))
solve = lambda x, s: s + jnp.linalg.solve(x + 1e-9 * s, x[..., :1]).sum()
factor = jax.jit(lambda x: jax.lax.fori_loop(0, 20, lambda i, s: solve(x, s), 0.0))
batch = jnp.asarray(np.random.default_rng(0).normal(size=(512, 8, 8)))
k = np.array([50.0, 100.0, 200.0, 400.0, 800.0, 300.0])
data = jn.laws.PSPTable(k, np.array([2.6, 2.2, 1.3, 1.1, 0.7, 1.2]), np.array([False, True] * 3))
net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)

def fit():
    return jn.fit(jn.laws.CurrentScaling(), data, bootstrap=8).params["j0"]

def mean_field():
    return float(jn.theory.mean_field(net).rate["E"])

def batched():
    # Its argument is not there yet when it is called, so that it runs in the pool.
    return float(one_at_a_time(lambda: factor(slow(batch)))())

calls = [fit, mean_field, batched]
expected = [call() for call in calls]
found, begin = [], threading.Barrier(2 * len(calls))

def work(call):
    begin.wait()
    for _ in range(5):
        found.append((call, call()))

threads = [threading.Thread(target=work, args=(call,), daemon=True) for call in calls * 2]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 30 and all(value == expected[calls.index(call)] for call, value in found)
"""


def test_threads_do_not_wait_for_each_other_for_ever():
    subprocess.run([sys.executable, "-c", CODE], check=True, cwd=ROOT, env=os.environ, timeout=300)
