"""10,000 Hodgkin-Huxley neurons for 100 ms at 0.025 ms: ours, a plain scan, Jaxley, Brian2; gradients and memory.

Everyone steps squid axons under currents from 0 to 20 uA/cm2 in float32 and counts spikes; all take turns. The plain
scan is what one writes by hand: Rush-Larsen gates and exponential Euler, unrolled by four, with no guard against
overflow. The gradient is of a loss on the potentials of every millisecond with respect to the three conductances of
every neuron.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

import jaxneuro as jn

from ._report import Row, compared, median, not_measured
from ._worker import Worker, worker_or_none
from .peers import PEERS

ROUNDS = 7
N, DURATION, DT = 10_000, 100.0, 0.025
THREADS = 2
OURS = (
    "import jax, jaxneuro as jn; sol = jn.simulate(jn.Population(jn.HodgkinHuxley(), 10_000), 0.0, 100.0, dt=0.025, "
    "key=jax.random.key(0), stimulus=10.0); print(float(sol['rate'].mean()))"
)
JAXLEY = (
    "import jax, jax.numpy as jnp, jaxley as jx; from jaxley.channels import HH; c = jx.Compartment(); c.insert(HH()); "
    "c.record('v'); f = jax.jit(jax.vmap(lambda i: jx.integrate(c, data_stimuli=c.data_stimulate(jnp.full(4000, i)), "
    "delta_t=0.025))); print(float(f(jnp.full(10_000, 6.3e-3)).mean()))"
)


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


Conductances = tuple[Float[Array, "n"] | float, Float[Array, "n"] | float, Float[Array, "n"] | float]
SQUID: Conductances = (120.0, 36.0, 0.3)


def _plain_step(dt: float) -> Callable[[tuple, Conductances, Array], tuple]:
    """The step that one writes by hand: v, m, h, n and the number of spikes."""

    def linoid(x: Array) -> Array:
        near = jnp.abs(x) < 1e-3
        safe = jnp.where(near, 1.0, x)
        return jnp.where(near, 1.0 - x / 2.0, safe / (jnp.exp(safe) - 1.0))

    def gate(x: Array, alpha: Array, beta: Array) -> Array:
        total = alpha + beta
        return alpha / total + (x - alpha / total) * jnp.exp(-dt * total)

    def step(carry: tuple, g: Conductances, current: Array) -> tuple:
        v, m, h, k, spikes = carry
        m = gate(m, linoid((25.0 - v) / 10.0), 4.0 * jnp.exp(-v / 18.0))
        h = gate(h, 0.07 * jnp.exp(-v / 20.0), 1.0 / (jnp.exp((30.0 - v) / 10.0) + 1.0))
        k = gate(k, 0.1 * linoid((10.0 - v) / 10.0), 0.125 * jnp.exp(-v / 80.0))
        g_na, g_k = g[0] * m * m * m * h, g[1] * k * k * k * k
        total = g_na + g_k + g[2]
        end = (g_na * 115.0 - g_k * 12.0 + g[2] * 10.6 + current) / total
        new = end + (v - end) * jnp.exp(-dt * total)
        return new, m, h, k, spikes + ((new >= 50.0) & (v < 50.0)).astype(jnp.int32)

    return step


def _plain_start(n: int) -> tuple:
    zero = jnp.zeros(n)
    return zero, zero + 0.0529, zero + 0.5961, zero + 0.3177, jnp.zeros(n, jnp.int32)


def plain(n: int, steps: int, dt: float) -> Callable[[], Array]:
    """The hand-written loop, compiled: spikes of each neuron."""
    step = _plain_step(dt)

    @jax.jit
    def run(current: Float[Array, "n"]) -> Array:
        one = lambda c, _: (step(c, SQUID, current), None)  # noqa: E731
        return lax.scan(one, _plain_start(n), None, length=steps, unroll=4)[0][4]

    current = jnp.linspace(0.0, 20.0, n)
    return lambda: run(current)


def plain_loss(n: int, duration: float, dt: float) -> Callable[[Conductances], Float[Array, ""]]:
    """The loss of the gradient by hand: a checkpoint every millisecond, and each step computed again."""
    step, current, every = _plain_step(dt), jnp.linspace(0.0, 20.0, n), round(1.0 / dt)

    def loss(g: Conductances) -> Float[Array, ""]:
        one = jax.checkpoint(lambda c, _: (step(c, g, current), None), prevent_cse=False)

        @jax.checkpoint
        def millisecond(carry: tuple, _: None) -> tuple[tuple, Array]:
            carry = lax.scan(one, carry, None, length=every)[0]
            return carry, jnp.mean(jnp.square(carry[0] - 65.0))

        return jnp.mean(lax.scan(millisecond, _plain_start(n), None, length=round(duration))[1])

    return loss


def ours(n: int, duration: float, dt: float) -> tuple[Callable[[], Array], float]:
    """The same by `simulate`, compiled, and the seconds of that."""
    current = jnp.linspace(0.0, 20.0, n)

    def rates(i: Float[Array, "n"]) -> Array:
        cells = jn.Population(jn.HodgkinHuxley(), n)
        return jn.simulate(cells, 0.0, duration, dt=dt, key=jax.random.key(0), stimulus=i, throw=False)["rate"]

    start = time.perf_counter()
    run = jax.jit(rates).lower(current).compile()
    return lambda: run(current), time.perf_counter() - start


def _peers(n: int, duration: float, dt: float) -> tuple[dict[str, Worker | None], dict[str, Any]]:
    workers = {name: worker_or_none("hodgkin_huxley", name) for name in ("jaxley", "brian2")}
    built = {}
    for name, worker in workers.items():
        if worker is not None:
            more = {"threads": THREADS} if name == "brian2" else {}
            built[name] = worker.ask(task="build", n=n, duration=duration, dt=dt, **more)
    return workers, built


def speed_rows(n: int, duration: float, dt: float, rounds: int) -> list[Row]:
    """Seconds of a run, interleaved, and those of getting ready."""
    run, compiling = ours(n, duration, dt)
    loop = plain(n, round(duration / dt), dt)
    workers, built = _peers(n, duration, dt)
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", "plain", *built)}
    rates = {"ours": float(jnp.mean(run())), "plain": float(jnp.mean(loop())) * 1000.0 / duration}
    for _ in range(rounds):
        for name, worker in workers.items():
            if worker is not None:
                answer = worker.ask(task="run")
                seconds[name].append(answer["simulate"])
                rates[name] = answer["rate"]
        seconds["plain"].append(_timed(loop))
        seconds["ours"].append(_timed(run))
    for worker in workers.values():
        if worker is not None:
            worker.close()
    what = f"{n:,} neurons, {duration:g} ms, dt {dt:g} ms"
    note = ", ".join(f"{name} {rate:.2f} Hz" for name, rate in rates.items())
    rows = [compared(f"{what}; peer: a plain scan unrolled by four", "s", seconds["ours"], seconds["plain"], note)]
    for name in workers:
        rows.append(compared(f"{what}; peer: {name}", "s", seconds["ours"], seconds.get(name)))
    ready = [float(sum(parts.values())) for name, parts in built.items() if name == "jaxley"]
    rows.append(compared("building and compiling; peer: jaxley", "s", [compiling], ready or None))
    return rows


def first_row(rounds: int) -> Row:
    """Seconds from a fresh interpreter to the first result, imports and compilation included."""
    commands = {"ours": [sys.executable, "-c", OURS]}
    if PEERS["jaxley"].present:
        commands["jaxley"] = [str(PEERS["jaxley"].python), "-c", JAXLEY]
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    return compared("import to first result; peer: jaxley", "s", seconds["ours"], seconds.get("jaxley"))


def gradient_rows(n: int, duration: float, dt: float, rounds: int) -> list[Row]:
    """Passes of a gradient in all conductances, and how its memory grows with the duration."""
    current = jnp.linspace(0.0, 20.0, n)
    start = tuple(jnp.full(n, g) for g in (120.0, 36.0, 0.3))

    def loss(g: tuple[Array, Array, Array], t: float, adjoint: Any) -> Float[Array, ""]:
        cells = jn.Population(jn.HodgkinHuxley(g_na=g[0], g_k=g[1], g_l=g[2]), n)
        sol = jn.simulate(
            cells, 0.0, t, dt=dt, key=jax.random.key(0), stimulus=current, throw=False, adjoint=adjoint,
            record={"v": jn.record.Trace("v", every=round(1.0 / dt))},
        )  # fmt: skip
        return jnp.mean(jnp.square(sol["v"]))

    def compiled(t: float, backward: bool) -> Any:
        adjoint = jn.adjoint.Checkpoint() if backward else jn.adjoint.Direct()
        function = jax.grad(loss) if backward else loss
        return jax.jit(lambda g: function(g, t, adjoint)).lower(start).compile()

    by_hand = plain_loss(n, duration, dt)
    runs = {
        "forward": compiled(duration, False),
        "backward": compiled(duration, True),
        "plain forward": jax.jit(by_hand).lower(start).compile(),
        "plain backward": jax.jit(jax.grad(by_hand)).lower(start).compile(),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            seconds[name].append(_timed(lambda run=run: run(start)))
    passes = median(seconds["backward"]) / median(seconds["forward"])
    theirs = median(seconds["plain backward"]) / median(seconds["plain forward"])
    lowest = min(seconds["backward"]) / min(seconds["forward"])
    what = "gradient in 3 conductances a neuron, in forward passes; peer: a plain scan with checkpoints, in its own"
    row = compared(what, "passes", [passes], [theirs], f"minimum over minimum {lowest:.2f}")
    what = "the same gradient; peer: a plain scan with checkpoints"
    in_seconds = compared(what, "s", seconds["backward"], seconds["plain backward"])
    short, long = (compiled(t, True).memory_analysis().temp_size_in_bytes / 1e6 for t in (duration / 4, duration))
    grown = float(np.log(long / short) / np.log(4.0))
    memory = compared(f"memory of that gradient, {duration:g} ms", "MB", [long], None, f"as T^{grown:.2f}")
    return [row, in_seconds, memory]


def gpu_row(n: int, duration: float, dt: float, rounds: int) -> Row:
    """A million neurons beside as many elementwise operations on the same arrays."""
    what = f"{n:,} neurons, {duration:g} ms; peer: the bare arithmetic"
    if jax.default_backend() != "gpu":
        return not_measured(what, "s", "not measured on a GPU")
    run, _ = ours(n, duration, dt)
    loop = plain(n, round(duration / dt), dt)
    _timed(run)
    _timed(loop)
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(_timed(run))
        theirs.append(_timed(loop))
    return compared(what, "s", mine, theirs)


def run(n: int = N, duration: float = DURATION, dt: float = DT, rounds: int = ROUNDS) -> list[Row]:
    """All rows; `n` neurons for `duration` [ms] in steps of `dt` [ms]."""
    rows = speed_rows(n, duration, dt, rounds)
    rows.append(first_row(min(rounds, 3)))
    rows += gradient_rows(n, duration, dt, rounds)
    rows.append(gpu_row(1_000_000, duration, dt, rounds))
    return rows
