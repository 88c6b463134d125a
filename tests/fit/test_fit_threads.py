"""Fits and mean fields in several threads end: on a CPU they used to wait for each other for ever."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._numerics import _one_at_a_time

ROOT = Path(__file__).resolve().parents[2]
K = np.array([50.0, 100.0, 200.0, 400.0, 800.0, 300.0])
DATA = jn.laws.PSPTable(K, np.array([2.6, 2.2, 1.3, 1.1, 0.7, 1.2]), np.array([False, True] * 3))
NETWORK = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
RATES = jn.RateNetwork([[0.5, 0.0], [0.0, 0.5]], transfer=jn.transfer.Linear())

# So many matrices that their factorisation is dealt out to the pool, and an argument that is not there yet when it is
# called, so that it runs in the pool itself. Two of them without the lock wait for each other within ten calls or so.
BATCHED = """
import threading
import jax, jax.numpy as jnp, numpy as np
from jaxneuro._numerics import one_at_a_time

slow = jax.jit(lambda x: jnp.sin(x) + 0.1 * x)
solve = lambda x, s: s + jnp.linalg.solve(x + 1e-9 * s, x[..., :1]).sum()
factor = jax.jit(lambda x: jax.lax.fori_loop(0, 3, lambda i, s: solve(x, s), 0.0))
batch = jnp.asarray(np.random.default_rng(0).normal(size=(4096, 8, 8)))

def batched():
    return float(one_at_a_time(lambda: factor(slow(batch)))())
"""
FITS = """
import jaxneuro as jn
k = np.array([50.0, 100.0, 200.0, 400.0, 800.0, 300.0])
data = jn.laws.PSPTable(k, np.array([2.6, 2.2, 1.3, 1.1, 0.7, 1.2]), np.array([False, True] * 3))
net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)

def fit():
    return jn.fit(jn.laws.CurrentScaling(), data, bootstrap=8).params["j0"]

def mean_field():
    return float(jn.theory.mean_field(net).rate["E"])
"""
RUN = """
expected = [call() for call in calls]
found, begin = [], threading.Barrier(2 * len(calls))

def work(call):
    begin.wait()
    for _ in range(rounds):
        found.append((call, call()))

threads = [threading.Thread(target=work, args=(call,), daemon=True) for call in calls * 2]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 2 * rounds * len(calls) and all(value == expected[calls.index(call)] for call, value in found)
"""


def ends(code, timeout):
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=os.environ, timeout=timeout)


def test_factorisations_of_two_threads_do_not_wait_for_each_other_for_ever():
    ends(BATCHED + "calls, rounds = [batched], 40" + RUN, 60)


@pytest.mark.proof
def test_nor_do_fits_and_mean_fields_beside_them():
    ends(BATCHED + FITS + "calls, rounds = [fit, mean_field, batched], 5" + RUN, 300)


class Entered(Exception):
    """The lock was asked for."""


class Alarm:
    def __enter__(self):
        raise Entered

    def __exit__(self, *error):
        pass


FACTORING = {
    "fit": lambda: jn.fit(jn.laws.CurrentScaling(), DATA),
    "mean_field": lambda: jn.theory.mean_field(NETWORK),
    "linear_steady_state": lambda: jn.theory.linear_steady_state(RATES),
    "transient_amplification": lambda: jn.theory.transient_amplification(RATES, 10.0),
    "brunel_stability": lambda: jn.theory.brunel_stability(jn.networks.brunel()),
    "fixed_points": lambda: jn.analysis.fixed_points(jn.networks.ei_rate(), box=(0.0, 50.0)),
    "slow_points": lambda: jn.analysis.slow_points(RATES),
}


@pytest.mark.parametrize("call", FACTORING.values(), ids=list(FACTORING))
def test_what_factors_batches_of_matrices_takes_the_lock(call, monkeypatch):
    monkeypatch.setattr(_one_at_a_time, "_LOCK", Alarm())
    with pytest.raises(Entered):
        call()
