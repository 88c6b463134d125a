"""Hopfield's network: overlap with a stored pattern over the load, beside the theory of its capacity of 0.138 N.

Runs start on a pattern; the mean is over patterns and networks. The peer is `jn.theory.hopfield_recall`, for many steep
units; above capacity it has no such state.
"""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

from ._report import Row, compared

LOADS = (0.02, 0.05, 0.08, 0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18, 0.2)
STEPS, DT, TAU, GAIN = 250, 2.0, 10.0, 100.0
HELD = 0.9  # an overlap above it is recall: it jumps from 0.97 to about 0.35


def overlaps(n: int, load: float, seed: int, recalled: int) -> np.ndarray:
    """The overlaps with `recalled` patterns after a run from each of them."""
    patterns = jax.random.rademacher(jax.random.key(seed), (max(round(load * n), recalled), n), float)
    m = jn.networks.hopfield(patterns, gain=GAIN, tau=TAU).m
    return np.asarray(_run(m, patterns[:recalled]))


@jax.jit
def _run(m: jax.Array, starts: jax.Array) -> jax.Array:
    def one(start: jax.Array) -> jax.Array:
        net = jn.RateNetwork(m, tau=TAU, transfer=jn.transfer.Tanh(width=1.0 / GAIN), start=start)
        record = {"last": jn.record.Trace("rate", every=STEPS)}
        sol = jn.simulate(net, 0.0, STEPS * DT, dt=DT, record=record, throw=False)
        return jnp.mean(jnp.sign(sol["last"][-1]) * start)

    return jax.vmap(one)(starts)


def run(n: int = 2_000, loads: tuple[float, ...] = LOADS, networks: int = 4, recalled: int = 10) -> list[Row]:
    """One row a load, and the load at which half of the patterns are lost."""
    rows, held = [], []
    for load in loads:
        seen = np.concatenate([overlaps(n, load, seed, recalled) for seed in range(networks)])
        theory = float(jn.theory.hopfield_recall(load=load, throw=False).overlap)
        held.append(float(np.mean(seen > HELD)))
        spread = float(np.std(seen) / np.sqrt(seen.size))
        note = f"{held[-1]:.0%} of {seen.size} patterns held; standard error of the mean {spread:.2g}"
        peer = None if np.isnan(theory) else [theory]
        rows.append(compared(f"{n:,} units, load {load:g}: overlap", "1", [float(np.mean(seen))], peer, note))
    lost = np.interp(0.5, 1.0 - np.asarray(held), loads)
    capacity = float(jn.theory.hopfield_recall(load=0.1).capacity)
    rows.append(compared("load at which half of the patterns are lost", "1", [float(lost)], [capacity]))
    return rows
