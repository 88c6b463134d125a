"""Brunel's network with rows of bits (`NativeBits`) beside rows of bytes (`Rows`): one run, and a sweep of 16.

Both deliver the same counts, so that spikes are equal; a compiled run of one second with rates and CVs is timed without
its wiring. The sweep takes 16 values of g over one wiring in as many threads as there are cores, for 250 ms each.
"""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import jaxneuro as jn

from ._report import Row, compared

ROUNDS = 5
WAYS = {"bits": jn.delivery.NativeBits(), "rows": jn.delivery.Rows()}
VALUES = np.linspace(4.5, 6.5, 16)


def _network(g: Array | float) -> jn.Network:
    return jn.networks.brunel(g=g, nu_ext_over_nu_thr=2.0)


def _one(wiring: jn.Wiring) -> Callable[[], Array]:
    record = {"rate": jn.record.Rate(), "cv": jn.record.CV()}

    @jax.jit
    def run(key: Array) -> tuple[Array, Array]:
        sol = jn.simulate(_network(5.0), 0.0, 1_000.0, dt=0.1, key=key, record=record, wiring=wiring, throw=False)
        return sol["rate"]["E"], jnp.nanmean(sol["cv"]["E"])

    return lambda: jax.block_until_ready(run(jax.random.key(1)))[0]


def _many(wiring: jn.Wiring) -> Callable[[], np.ndarray]:
    def run(point: dict[str, Array], key: Array) -> dict[str, Array]:
        net = _network(point["g"])
        sol = jn.simulate(net, 0.0, 250.0, dt=0.1, key=key, wiring=wiring, throw=False)
        return {"rate": jnp.mean(sol["rate"]["E"])}

    key = jax.random.key(1)
    return lambda: jn.sweep(run, over={"g": VALUES}, key=key, execution=jn.Threads(), progress=False)["rate"].values


def run() -> list[Row]:
    """Seconds of both ways, in turn; `ratio` is the time of bytes over that of bits."""
    wirings, wired = {}, {}
    jn.wire(jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2), key=jax.random.key(0))  # what any first wiring takes
    for name, delivery in WAYS.items():
        start = time.perf_counter()
        wiring = jax.block_until_ready(jn.wire(_network(5.0), key=jax.random.key(0), delivery=delivery))
        wirings[name], wired[name] = wiring, time.perf_counter() - start
    rows = [compared("wiring", "s", [wired["bits"]], [wired["rows"]])]
    sizes = {name: sum(leaf.nbytes for leaf in jax.tree.leaves(w)) / 1e6 for name, w in wirings.items()}
    rows.append(compared("memory of the wiring", "MB", [sizes["bits"]], [sizes["rows"]]))
    for what, make in (("one run of 1 s", _one), ("sweep of 16 runs of 250 ms", _many)):
        calls = {name: make(w) for name, w in wirings.items()}
        found = {name: np.asarray(call()) for name, call in calls.items()}  # and compiled
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - start)
        note = "equal rates" if np.array_equal(found["bits"], found["rows"]) else "RATES DIFFER"
        rows.append(compared(f"{what}; peer: rows of bytes", "s", seconds["bits"], seconds["rows"], note))
    return rows
