"""A batch of Brunel's networks over one wiring on a GPU, beside the bare matrix product; on a CPU, 16 runs by threads.

A block of 15 steps of a batch of B is delivered as one product, (15 B, n_pre) @ (n_pre, n_post), for E and for I. The
peer is that product alone, with the same shapes and types and as many blocks, timed in the same rounds: no delivery
through dense matrices is faster. The networks differ in g and in their noise. One network alone stands beside real
time. Rows that need a GPU say so on a CPU, where the rows of `sweep` follow.
"""

import time
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Num, PRNGKeyArray

import jaxneuro as jn

from . import sweep
from ._report import Row, compared, not_measured

BATCHES = (1, 16, 64, 256, 1_024)
DTYPES = (jnp.bfloat16, jnp.int8)
BLOCK = 15
ROUNDS = 5
# Blocks of spikes that the bare product takes in turn, so that it cannot be taken out of its loop.
VARIETY = 4


class Batch:
    """The compiled batch over one wiring with delivery by `dtype`."""

    def __init__(self, dtype: Any, duration: float, **sizes: Any):
        self.duration, self.sizes = duration, sizes
        net = jn.networks.brunel(**sizes)
        self.wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.Product(dtype))
        recorders = {"rate": jn.record.Rate(), "cv": jn.record.CV()}

        def one(wiring: jn.Wiring, g: Float[Array, ""], key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
            net = jn.networks.brunel(g=g, **sizes)
            sol = jn.simulate(net, 0.0, duration, dt=0.1, key=key, wiring=wiring, record=recorders, throw=False)
            return {"rate": jnp.mean(sol["rate"]["E"]), "cv": jnp.nanmean(sol["cv"]["E"])}

        # The wiring is an argument without a batch axis: neither compiled into the program nor copied.
        self.program = eqx.filter_jit(eqx.filter_vmap(one, in_axes=(None, 0, 0)))

    def seconds(self, batch: int, seed: int) -> float:
        """Wall time of `batch` networks."""
        values, keys = jnp.linspace(4.5, 6.5, batch), jax.random.split(jax.random.key(seed), batch)
        start = time.perf_counter()
        jax.block_until_ready(self.program(self.wiring, values, keys))
        return time.perf_counter() - start


@jax.jit
def _products(spikes: Num[Array, "variety rows n_pre"], matrix: Num[Array, "n_pre n_post"], blocks: int) -> Array:
    wide = jnp.float32 if jnp.issubdtype(matrix.dtype, jnp.floating) else jnp.int32

    def block(k: Any, _: Array) -> Array:
        return lax.dot(spikes[k % VARIETY], matrix, preferred_element_type=wide)

    return lax.fori_loop(0, blocks, block, jnp.zeros((spikes.shape[1], matrix.shape[1]), wide))


class Bare:
    """Nothing but the products of such a batch."""

    def __init__(self, batched: Batch, batch: int):
        self.blocks = round(batched.duration / (BLOCK * 0.1))
        self.matrices = [leaf for leaf in jax.tree.leaves(batched.wiring) if leaf.ndim == 2]
        # At 0.5% of the steps, 50 Hz; the time of a dense product does not depend on it.
        self.spikes = [
            jax.random.bernoulli(jax.random.key(k), 0.005, (VARIETY, BLOCK * batch, m.shape[0])).astype(m.dtype)
            for k, m in enumerate(self.matrices)
        ]

    def seconds(self) -> float:
        """Wall time of all blocks."""
        start = time.perf_counter()
        pairs = zip(self.spikes, self.matrices, strict=True)
        jax.block_until_ready([_products(spikes, matrix, self.blocks) for spikes, matrix in pairs])
        return time.perf_counter() - start


def name_of(dtype: Any) -> str:
    return jnp.dtype(dtype).name


def title(batch: int, dtype: Any) -> str:
    return f"batch of {batch}, {name_of(dtype)}: a network and biological second"


def batch_row(batched: Batch, batch: int, dtype: Any, rounds: int) -> Row:
    """Milliseconds of wall time for one network and biological second, beside those of the bare product."""
    bare = Bare(batched, batch)
    batched.seconds(batch, 0)
    bare.seconds()
    # From seconds of the whole batch to milliseconds of one network-second.
    scale = 1e6 / (batch * batched.duration)
    ours, peer = [], []
    for seed in range(1, rounds + 1):
        ours.append(scale * batched.seconds(batch, seed))
        peer.append(scale * bare.seconds())
    row = compared(title(batch, dtype), "ms", ours, peer)
    assert row["ratio"] is not None
    row["note"] = f"peer: the bare product, {row['ratio']:.1%} of ours; {1000 / min(ours):.4g} network-seconds a second"
    return row


def single_row(duration: float, rounds: int, **sizes: Any) -> Row:
    """One network with the default delivery beside real time."""
    net = jn.networks.brunel(**sizes)
    wiring = jn.wire(net, key=jax.random.key(0))
    seconds = []
    for seed in range(rounds + 1):
        start = time.perf_counter()
        sol = jn.simulate(net, 0.0, duration, dt=0.1, key=jax.random.key(seed), wiring=wiring)
        jax.block_until_ready(sol["rate"])
        seconds.append((time.perf_counter() - start) / duration * 1000.0)
    return compared(
        "one network, 1 s of biological time", "s", seconds[1:], [1.0], "peer: real time; after compilation"
    )


def run(duration: float = 300.0, rounds: int = ROUNDS, batches: tuple[int, ...] = BATCHES) -> list[Row]:
    """`duration` ms a run, a multiple of 1.5."""
    rows = [single_row(1_000.0, rounds)]
    if jax.default_backend() == "cpu":
        rows += [not_measured(title(batch, dtype), "ms", "no GPU") for dtype in DTYPES for batch in batches]
        return rows + sweep.run()
    for dtype in DTYPES:
        batched = Batch(dtype, duration)
        rows += [batch_row(batched, batch, dtype, rounds) for batch in batches]
    return rows
