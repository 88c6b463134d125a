"""A second of the conductance networks of figure 13 of Sanzeni, Histed and Brunel (2022), beside Brunel's network.

At K = 1,000 there are 20,000 neurons that the clock moves, 20,000 Poisson sources beside them, 45 million synapses with
delays of their own and steps of 0.05 ms; Brunel's network has 12,500 neurons, 15.6 million synapses, one delay and
steps of 0.1 ms. Both record rates and CVs, as users' runs do; a compiled run is timed, the two in turn, without its
wiring.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import Array

import jaxneuro as jn
from fitting.figures._fig13 import A, K, Size, network

from ._report import Row, compared

DURATION, ROUNDS = 200.0, 5
SIZE = Size(k=(K,), n_per_k=10, nu_x=(20.0,), end=DURATION, start=0.0, dt=0.05)


def _compiled(net: jn.Network, dt: float) -> tuple[Callable[[], dict[str, Array]], float]:
    """The run, and seconds of the wiring."""
    start = time.perf_counter()
    wiring = jax.block_until_ready(jn.wire(net, key=jax.random.key(0)))
    wired = time.perf_counter() - start
    record: dict[str, Any] = {"rate": jn.record.Rate(), "cv": jn.record.CV()}

    @jax.jit
    def run(key: Array) -> dict[str, Array]:
        sol = jn.simulate(net, 0.0, DURATION, dt=dt, key=key, record=record, wiring=wiring, throw=False)
        return {name: sol["rate"][name] for name in ("E", "I") if name in sol["rate"]}

    return lambda: jax.block_until_ready(run(jax.random.key(1))), wired


def run() -> list[Row]:
    """Seconds a second of biology: `ratio` is Brunel's time over that of the figure's network."""
    cases = {
        "figure": _compiled(network(K, A, SIZE.nu_x[0], SIZE), SIZE.dt),
        "Brunel": _compiled(jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0), 0.1),
    }
    rates = {name: call() for name, (call, _) in cases.items()}
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (call, _) in cases.items():
            start = time.perf_counter()
            call()
            seconds[name].append((time.perf_counter() - start) * 1_000.0 / DURATION)
    told = "; ".join(f"{name} E {float(rate['E'].mean()):.1f} Hz" for name, rate in rates.items())
    return [
        compared("a second at K = 1,000; peer: Brunel's network", "s", seconds["figure"], seconds["Brunel"], told),
        compared("wiring; peer: Brunel's network", "s", [cases["figure"][1]], [cases["Brunel"][1]]),
    ]
