"""Rate networks and rings in batches: beside batched NumPy, dense products beside few Fourier components, diagrams.

Networks: sets of parameters (gains of one weight matrix) that step at once, in float32, by exponential Euler; the peer
is NumPy with its BLAS, the batch as rows of one matrix. Rings: 512 units with two Fourier components, by these, by the
whole matrix and by FFT. On a GPU 100,000 rings, beside the bytes that have to move: the rates, read and written
once a step.
"""

import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import jaxneuro as jn

from ._report import Row, compared, median, not_measured

ROUNDS = 5
DT, TAU = 0.5, 10.0
LAST = "last"


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def _interleaved(calls: list[Callable[[], Any]], rounds: int) -> list[list[float]]:
    for call in calls:
        _seconds(call)
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for own, call in zip(seconds, calls, strict=True):
            own.append(_seconds(call))
    return seconds


def _record(steps: int) -> dict[str, jn.record.Trace]:
    return {LAST: jn.record.Trace("rate", every=steps)}


def network_row(batch: int, n: int, steps: int, rounds: int) -> Row:
    """Seconds of `steps` steps of `batch` networks of `n` units."""
    rng = np.random.default_rng(0)
    weights = (rng.normal(size=(n, n)) / np.sqrt(n)).astype(np.float32)
    gains = np.linspace(0.5, 1.5, batch).astype(np.float32)
    start = rng.normal(size=n).astype(np.float32)

    @eqx.filter_jit
    def ours(m: Float[Array, "n n"], gain: Float[Array, "batch"], steps: int) -> Float[Array, "batch n"]:
        def one(g: Float[Array, ""]) -> Float[Array, "n"]:
            net = jn.RateNetwork(m, transfer=jn.transfer.Tanh(width=1.0 / g), tau=TAU, start=start)
            return jn.simulate(net, 0.0, steps * DT, dt=DT, record=_record(steps), throw=False)[LAST][-1]

        return jax.vmap(one)(gain)

    matrix, known = jnp.asarray(weights), jnp.asarray(gains)
    decay = np.float32(np.exp(-DT / TAU))

    def peer(steps: int) -> np.ndarray:
        v = np.tile(start, (batch, 1))
        drive = np.empty_like(v)
        for _ in range(steps):
            np.matmul(v, weights.T, out=drive)
            drive *= gains[:, None]
            np.tanh(drive, out=drive)
            v *= decay
            drive *= 1 - decay
            v += drive
        return v

    # Over a short time: the strong half of these networks is chaotic.
    away = float(np.max(np.abs(np.asarray(ours(matrix, known, 20)) - peer(20))))
    mine, theirs = _interleaved([lambda: ours(matrix, known, steps), lambda: peer(steps)], rounds)
    note = f"peer: NumPy with its BLAS; after 20 steps the rates agree to {away:.1g}"
    return compared(f"{batch} networks of {n:,} units, {steps:,} steps", "s", mine, theirs, note)


def ring_rows(batch: int, n: int, steps: int, rounds: int, counts: tuple[int, ...]) -> list[Row]:
    """Seconds of a batch of rings by components, whole matrix and FFT, and where FFT overtakes `counts` components."""
    gains = jnp.linspace(2.5, 4.0, batch)

    def runner(product: Any, components: int) -> Callable[[], Any]:
        @jax.jit
        def run(j1: Float[Array, "batch"]) -> Float[Array, "batch n"]:
            def one(gain: Float[Array, ""]) -> Float[Array, "n"]:
                j = jnp.concatenate([jnp.asarray([-2.0]), gain[None], jnp.zeros(components - 2)])
                ring = jn.Ring(n, j=j, i=1.0, product=product, start=1.0 + 0.1 * jnp.cos(jnp.linspace(0.0, 6.28, n)))
                return jn.simulate(ring, 0.0, steps * DT, dt=DT, record=_record(steps), throw=False)[LAST][-1]

            return jax.vmap(one)(j1)

        return lambda: run(gains)

    ways = [runner(jn.product.LowRank(), 2), runner(jn.product.Dense(), 2), runner(jn.product.FFT(), 2)]
    few, whole, spectral = _interleaved(ways, rounds)
    what = f"{batch} rings of {n} units, {steps:,} steps"
    rows = [
        compared(f"{what}: two components", "s", few, whole, "peer: the whole matrix"),
        compared(f"{what}: FFT", "s", spectral, whole, "peer: the whole matrix"),
    ]
    rows.append(one_ring(n, steps, rounds))
    crossover = None
    for components in counts:
        if components <= n // 2:
            low, fast = _interleaved(
                [runner(jn.product.LowRank(), components), runner(jn.product.FFT(), components)], rounds
            )
            rows.append(compared(f"{what}: {components} components", "s", low, fast, "peer: FFT"))
            if crossover is None and median(low) > median(fast):
                crossover = components
    rows[1]["note"] = f"peer: the whole matrix; FFT overtakes the components at {crossover or 'more than were tried'}"
    return rows


def one_ring(n: int, steps: int, rounds: int) -> Row:
    """Milliseconds of one ring, whose matrix stays in the cache."""

    def runner(product: Any) -> Callable[[], Any]:
        @jax.jit
        def run(start: Float[Array, "n"]) -> Float[Array, "n"]:
            ring = jn.Ring(n, j=[-2.0, 3.0], i=1.0, product=product, start=start)
            return jn.simulate(ring, 0.0, steps * DT, dt=DT, record=_record(steps), throw=False)[LAST][-1]

        start = 1.0 + 0.1 * jnp.cos(jnp.linspace(0.0, 6.28, n))
        return lambda: run(start)

    few, whole = _interleaved([runner(jn.product.LowRank()), runner(jn.product.Dense())], rounds)
    what = f"one ring of {n} units, {steps:,} steps: two components"
    return compared(what, "ms", [1e3 * s for s in few], [1e3 * s for s in whole], "peer: the whole matrix")


def diagram_rows(n: int, units: int, steps: int) -> list[Row]:
    """Seconds of the (J_0, J_1) diagram by theory and by simulation, after compilation, and how far they agree."""
    j0, j1 = (jnp.asarray(x.ravel()) for x in np.meshgrid(np.linspace(-10, 2, n), np.linspace(0, 10, n)))
    codes = np.asarray(jn.theory.ring_regime(j0=j0, j1=j1)).reshape(n, n)
    theory = _interleaved([lambda: jn.theory.ring_regime(j0=j0, j1=j1)], 3)[0]

    @jax.jit
    def simulated(a: Float[Array, "points"], b: Float[Array, "points"]) -> Array:
        def one(first: Float[Array, ""], second: Float[Array, ""]) -> Array:
            ring = jn.networks.ring(n=units, j0=first, j1=second)
            sol = jn.simulate(ring, 0.0, steps * 2.0, dt=2.0, record=_record(steps), throw=False)
            u = sol[LAST][-1]
            high, low = jnp.max(u), jnp.min(u)
            bounded = jnp.where(high - low > 0.2 * high, jn.theory.RingRegime.bump, jn.theory.RingRegime.homogeneous)
            return jnp.where((high < 1e3) & jnp.isfinite(high), bounded, jn.theory.RingRegime.divergent)

        return jax.vmap(one)(a, b)

    seconds = [_seconds(lambda: simulated(j0, j1))]
    agree = np.asarray(simulated(j0, j1)).reshape(n, n) == codes
    # A point off the lines has four neighbours of its own regime.
    edge = np.pad(codes, 1, mode="edge")
    around = (edge[:-2, 1:-1], edge[2:, 1:-1], edge[1:-1, :-2], edge[1:-1, 2:])
    off = np.all([codes == other for other in around], axis=0)
    note = f"{units} units, {steps} steps, compilation included"
    counted = f"{int(agree.sum()):,} of {agree.size:,}; off the lines {int(agree[off].sum()):,} of {int(off.sum()):,}"
    return [
        compared(f"(J0, J1) diagram, {n} x {n}, by theory", "s", theory, None),
        compared(f"(J0, J1) diagram, {n} x {n}, simulated", "s", seconds, None, note),
        compared("    its points as in theory", "%", [100.0 * float(agree.mean())], None, counted),
    ]


def gpu_row(batch: int, n: int, steps: int, rounds: int) -> Row:
    """Bytes moved a second by 100,000 rings, beside a copy of the same arrays."""
    what = f"{batch:,} rings of {n} units: bandwidth"
    if jax.default_backend() != "gpu":
        return not_measured(what, "GB/s", "no GPU")
    gains = jnp.linspace(2.5, 4.0, batch)

    @jax.jit
    def ours(j1: Float[Array, "batch"]) -> Array:
        def one(gain: Float[Array, ""]) -> Array:
            ring = jn.networks.ring(n=n, j1=gain)
            return jn.simulate(ring, 0.0, steps * DT, dt=DT, record=_record(steps), throw=False)[LAST][-1]

        return jax.vmap(one)(j1)

    @jax.jit
    def copies(x: Float[Array, "batch n"]) -> Array:
        return jax.lax.fori_loop(0, steps, lambda k, y: jax.lax.optimization_barrier(y * 1.0001), x)

    x = jnp.ones((batch, n))
    mine, theirs = _interleaved([lambda: ours(gains), lambda: copies(x)], rounds)
    moved = 2 * x.nbytes * steps / 1e9
    row = compared(what, "GB/s", [moved / s for s in mine], [moved / s for s in theirs])
    row["ratio"] = row["ours"] / row["peer"] if row["ours"] and row["peer"] else None
    row["note"] = "peer: reading and writing the same arrays; the ratio is ours to that"
    return row


def run(
    batch: int = 256, n: int = 1_000, steps: int = 1_000, ring: int = 512, diagram: int = 200, rounds: int = ROUNDS,
    counts: tuple[int, ...] = (4, 8, 16, 32, 64, 128),
) -> list[Row]:  # fmt: skip
    """`batch` networks of `n` units, `batch` rings of `ring` units, and the diagram."""
    rows = [network_row(batch, n, steps, rounds), *ring_rows(batch, ring, steps, rounds, counts)]
    rows += diagram_rows(diagram, 32, 3_000)
    return [*rows, gpu_row(100_000, ring, steps, rounds)]
