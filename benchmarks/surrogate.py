"""Forward and backward through 700-256(recurrent)-20 spiking neurons, beside snnTorch, Spyx and a plain scan.

T = 100 steps, a batch of 128, two percent of the inputs are spikes; loss: cross-entropy of the highest potential.
"""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

from ._report import Row, compared, not_measured
from ._worker import worker_or_none

N_IN, N, N_OUT, STEPS, BATCH, SHARE = 700, 256, 20, 100, 128, 0.02
TAU, WIDTH, ROUNDS = 20.0, 0.1, 15
SURROGATE = jn.surrogate.SuperSpike(WIDTH)
DECAY = float(np.exp(-1.0 / TAU))


def parameters() -> dict[str, jax.Array]:
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = {"w_in": ((N, N_IN), 0.25), "w_rec": ((N, N), 0.05), "w_out": ((N_OUT, N), 0.1)}
    return {name: sd * jax.random.normal(k, shape) for k, (name, (shape, sd)) in zip(keys, shapes.items(), strict=True)}


def network(p: dict[str, jax.Array]) -> jn.Network:
    delta = jn.DeltaCurrent()
    return jn.Network(
        {
            "in": jn.Population(jn.SpikeSource(), N_IN),
            "hidden": jn.Population(jn.LIF(tau_m=TAU, v_th=1.0, v_reset=0.0, t_ref=0.0), N),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=TAU), N_OUT),
        },
        [
            jn.Projection("in", "hidden", delta, connectivity=jn.Weights(p["w_in"]), delay=1.0),
            jn.Projection("hidden", "hidden", delta, connectivity=jn.Weights(p["w_rec"]), delay=1.0),
            jn.Projection("hidden", "out", delta, connectivity=jn.Weights(p["w_out"]), delay=1.0),
        ],
    )


def loss(p: dict[str, jax.Array], spikes: Any, labels: jax.Array, adjoint: Any = None) -> jax.Array:
    net, record, key = network(p), {"v": jn.record.Trace("out.v")}, jax.random.key(0)
    n_steps = (spikes.words if isinstance(spikes, jn.statistics.SpikeTrains) else spikes).shape[1]

    def potentials(trial: Any) -> jax.Array:
        sol = jn.simulate(
            net, 0.0, float(n_steps), dt=1.0, key=key, stimulus={"in": trial}, record=record,
            surrogate=SURROGATE, adjoint=adjoint, throw=False,
        )  # fmt: skip
        return sol["v"]

    return jn.learning.cross_entropy(jn.learning.max_potential(jax.vmap(potentials)(spikes)), labels)


@jax.custom_jvp
def _spike(x: jax.Array) -> jax.Array:
    return (x >= 0).astype(x.dtype)


@_spike.defjvp
def _spike_jvp(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    return _spike(primals[0]), SURROGATE.derivative(primals[0]) * tangents[0]


def plain_loss(p: dict[str, jax.Array], spikes: jax.Array, labels: jax.Array) -> jax.Array:
    """The same as a scan over steps of the whole batch, the input layer one product for all of them."""
    heard = jnp.swapaxes(spikes, 0, 1).astype(jnp.float32)
    heard = jnp.concatenate([jnp.zeros_like(heard[:1]), heard[:-1]]) @ p["w_in"].T

    def step(carry: tuple, row: jax.Array) -> tuple[tuple, jax.Array]:
        v, fired, out = carry
        out = out * DECAY + fired @ p["w_out"].T
        v = v * DECAY + row + fired @ p["w_rec"].T
        fired = _spike(v - 1.0)
        return (jnp.where(fired > 0, 0.0, v), fired, out), out

    batch = spikes.shape[0]
    start = (jnp.zeros((batch, N)), jnp.zeros((batch, N)), jnp.zeros((batch, N_OUT)))
    out = jax.lax.scan(step, start, heard)[1]
    return jn.learning.cross_entropy(jnp.max(out, axis=0), labels)


def data(batch: int = BATCH, steps: int = STEPS) -> tuple[jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(1))
    return jax.random.bernoulli(keys[0], SHARE, (batch, steps, N_IN)), jax.random.randint(keys[1], (batch,), 0, N_OUT)


def _timed(function: Any, *arguments: Any) -> float:
    start = time.perf_counter()
    jax.block_until_ready(function(*arguments))
    return time.perf_counter() - start


def speed() -> list[Row]:
    direct, p, given = jn.adjoint.Direct(), parameters(), data()
    ours = {
        "forward": jax.jit(lambda p, s, y: loss(p, s, y, direct)),
        "gradient": jax.jit(jax.value_and_grad(lambda p, s, y: loss(p, s, y, direct))),
        "checkpointed": jax.jit(jax.value_and_grad(loss)),
    }
    plain = {"forward": jax.jit(plain_loss), "gradient": jax.jit(jax.value_and_grad(plain_loss))}
    peers = {name: worker_or_none("surrogate", name) for name in ("snntorch", "spyx")}
    size = dict(n_in=N_IN, n=N, n_out=N_OUT, steps=STEPS, batch=BATCH, share=SHARE)
    found: dict[tuple[str, str], list[float]] = {}
    for turn in range(ROUNDS + 2):
        for what, function in ours.items():
            found.setdefault(("ours", what), []).append(_timed(function, p, *given))
        for what, function in plain.items():
            found.setdefault(("plain", what), []).append(_timed(function, p, *given))
            for name, peer in peers.items():
                if peer is not None:
                    found.setdefault((name, what), []).append(peer.ask(what=what, **size)["seconds"])
        if turn == 1:  # the first two compile and warm
            found = {}
    for peer in peers.values():
        if peer is not None:
            peer.close()
    rows = []
    for what, text in (("forward", "forward"), ("gradient", "forward and backward")):
        for peer in ("plain", "snntorch", "spyx"):
            mine, theirs = found["ours", what], found.get((peer, what))
            rows.append(compared(f"{text}, beside {peer}", "s", mine, theirs))
    note = "memory O(sqrt(T)); peer: keeping everything"
    rows.append(
        compared(
            "forward and backward, checkpointed", "s", found["ours", "checkpointed"], found["ours", "gradient"], note
        )
    )
    return rows


def agreement() -> Row:
    p, given = parameters(), data()
    mine, peer = (jax.jit(jax.grad(f))(p, *given) for f in (loss, plain_loss))
    differences = [float(jnp.max(jnp.abs(mine[k] - peer[k])) / jnp.max(jnp.abs(peer[k]))) for k in p]
    return compared(
        "largest difference from the plain scan's gradient", "1", [max(differences)], None, "float32, relative"
    )


def memory(steps: int) -> Row:
    """What the compiled gradient holds, its arguments among it, the spikes given as bits."""
    words = jax.ShapeDtypeStruct((BATCH, steps, -(-N_IN // 32)), jnp.uint32)
    trains = jn.statistics.SpikeTrains(words, jax.ShapeDtypeStruct((BATCH,), jnp.int32), N_IN, 1.0)  # type: ignore
    lowered = jax.jit(jax.grad(loss)).lower(parameters(), trains, jax.ShapeDtypeStruct((BATCH,), jnp.int32))
    analysis: Any = lowered.compile().memory_analysis()
    given, inside = analysis.argument_size_in_bytes / 1e6, analysis.temp_size_in_bytes / 1e6
    note = f"checkpointed: temporaries {inside:.0f} MB, arguments {given:.0f} MB, the spikes as bits"
    return compared(f"memory of a gradient, T = {steps:,}, batch {BATCH}", "MB", [inside + given], None, note)


def run() -> list[Row]:
    missing = "needs an H200"
    gpu = [
        not_measured("forward on one H200", "s", missing),
        not_measured("forward and backward on one H200", "s", missing),
    ]
    return [*speed(), agreement(), memory(STEPS), memory(10_000), *gpu]
