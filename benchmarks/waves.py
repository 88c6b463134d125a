"""The sheet of Keane and Gong (2015), side 150: ours, a plain scan with Fourier transforms, and the same in NumPy.

All step the same equations in float32, 0.05 ms each, from potentials spread over the same interval: conductances of two
exponentials, leaky potentials that move exactly over a step, kernels by transforms of the sheet. The plain scan and the
loop are what one writes by hand; ours adds the kernel around each spike where few spike. Memory is that of the process.
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
from jaxtyping import Array

import jaxneuro as jn

from ._report import Row, compared

SIDE, DT, ROUNDS = 150, 0.05, 5
STEPS, NUMPY_STEPS = 2_000, 200
REST, V_TH, T_REF, TAU = -70.0, -55.0, 5.0, 20.0
MEMORY = (
    "import jax, jaxneuro as jn; from benchmarks._memory import resident; net = jn.networks.keane_gong(side=%d); "
    "jn.simulate(net, 0.0, 20.0, dt=0.05, key=jax.random.key(0), throw=False)['rate']['E'].block_until_ready(); "
    "print(resident('VmHWM'))"
)
RISE, DECAYS, REVERSALS, TONIC = 0.5, (2.0, 7.0), (0.0, -80.0), (0.3, 0.04)


def _kernels(side: int) -> list[np.ndarray]:
    """Transforms of both kernels, per unit of leak."""
    x = np.minimum(np.arange(side), side - np.arange(side))
    square = (x[:, None] ** 2 + x[None] ** 2).astype(float)
    near = (square > 0) & (square <= 15.0**2)
    weights = [0.23 / 0.05 * np.exp(-square / 12.0), np.full_like(square, 0.30 / 0.05)]
    return [np.fft.rfft2(np.where(near, w, 0.0)).astype(np.complex64) for w in weights]


def _step(xp: Any, kernels: Any, side: int) -> Callable[[tuple], tuple]:
    """One step; state: potentials and refractory times of E and I, rising and decaying conductances by source."""
    down = [(np.exp(-DT / RISE), np.exp(-DT / decay), 1.0 / (decay - RISE)) for decay in DECAYS]

    def arrivals(spikes: tuple) -> list:
        on_sheet = xp.zeros((side, side), np.float32)
        wide = on_sheet.at[::2, ::2].set(spikes[1]) if xp is jnp else _laid(on_sheet, spikes[1])
        sheets = (spikes[0], wide)
        return [
            xp.fft.irfft2(xp.fft.rfft2(s) * k, (side, side)).astype(np.float32)
            for s, k in zip(sheets, kernels, strict=True)
        ]

    def step(state: tuple) -> tuple:
        v, wait, rise, decay = state
        g = [scale * (d - r) for (_, _, scale), r, d in zip(down, rise, decay, strict=True)]
        new_v, new_wait, spikes = [], [], []
        for i, part in enumerate((slice(None), slice(None, None, 2))):
            total = 1.0 + TONIC[0] + TONIC[1] + g[0][part, part] + g[1][part, part]
            pull = REST + (TONIC[0] + g[0][part, part]) * REVERSALS[0] + (TONIC[1] + g[1][part, part]) * REVERSALS[1]
            end = pull / total
            moved = end + (v[i] - end) * xp.exp(-DT / TAU * total)
            free = wait[i] <= 0
            fires = free & (moved >= V_TH)
            new_v.append(xp.where(free & ~fires, moved, REST).astype(np.float32))
            new_wait.append(xp.where(fires, round(T_REF / DT), wait[i] - 1))
            spikes.append(fires.astype(np.float32))
        came = arrivals((spikes[0], spikes[1]))
        rise = [r * a + c for r, (a, _, _), c in zip(rise, down, came, strict=True)]
        decay = [d * b + c for d, (_, b, _), c in zip(decay, down, came, strict=True)]
        return (new_v, new_wait, [r.astype(np.float32) for r in rise], [d.astype(np.float32) for d in decay]), spikes

    return step


def _laid(sheet: np.ndarray, values: np.ndarray) -> np.ndarray:
    sheet[::2, ::2] = values
    return sheet


def _start(xp: Any, side: int) -> tuple:
    rng, half = np.random.default_rng(0), side // 2
    v = [xp.asarray(rng.uniform(REST, V_TH, (n, n)).astype(np.float32)) for n in (side, half)]
    wait = [xp.zeros((n, n), np.int32) for n in (side, half)]
    nothing = [xp.zeros((side, side), np.float32) for _ in range(2)]
    return v, wait, nothing, nothing


def plain(side: int, steps: int) -> Callable[[], Array]:
    """The scan, compiled: spikes of E a neuron."""
    step = _step(jnp, [jnp.asarray(k) for k in _kernels(side)], side)

    @jax.jit
    def run(state: tuple) -> Array:
        def one(carry: tuple, _: None) -> tuple:
            state, spikes = step(carry[0])
            return (state, carry[1] + spikes[0]), None

        return lax.scan(one, (state, jnp.zeros((side, side))), None, length=steps)[0][1]

    state = _start(jnp, side)
    return lambda: run(state)


def by_numpy(side: int, steps: int) -> np.ndarray:
    """The same in a NumPy loop."""
    step, state, total = _step(np, _kernels(side), side), _start(np, side), np.zeros((side, side))
    for _ in range(steps):
        state, spikes = step(state)
        total += spikes[0]
    return total


def ours(side: int, steps: int) -> Callable[[], Array]:
    """The network, compiled."""
    net = jn.networks.keane_gong(side=side)

    @jax.jit
    def run(key: Array) -> Array:
        sol = jn.simulate(net, 0.0, steps * DT, dt=DT, key=key, throw=False)
        return sol["rate"]["E"] * (steps * DT / 1_000.0)

    key = jax.random.key(0)
    return lambda: run(key)


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def _memory(side: int) -> float:
    """The highest memory [MB] of a fresh process that runs a sheet."""
    command = [sys.executable, "-W", "ignore", "-c", MEMORY % side]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def run() -> list[Row]:
    """Seconds of 100 ms, interleaved; those of NumPy from a tenth of the steps."""
    cases = {"ours": ours(SIDE, STEPS), "plain": plain(SIDE, STEPS)}
    rates = {name: 10.0 * float(jnp.mean(call())) for name, call in cases.items()}
    seconds: dict[str, list[float]] = {name: [] for name in (*cases, "numpy")}
    for _ in range(ROUNDS):
        for name, call in cases.items():
            seconds[name].append(_seconds(call))
        seconds["numpy"].append(_seconds(lambda: by_numpy(SIDE, NUMPY_STEPS)) * STEPS / NUMPY_STEPS)
    note = ", ".join(f"{name} {rate:.1f} Hz" for name, rate in rates.items())
    what = f"sheet of side {SIDE}, {STEPS * DT:g} ms"
    memory = {side: _memory(side) for side in (30, 300)}
    return [
        compared(f"{what}; peer: a plain scan with Fourier transforms", "s", seconds["ours"], seconds["plain"], note),
        compared(f"{what}; peer: NumPy", "s", seconds["ours"], seconds["numpy"]),
        compared("memory of a process that runs side 300, compilers included", "MB", [memory[300]], None),
        compared("of it beyond one that runs side 30", "MB", [max(memory[300] - memory[30], 0.0)], None),
    ]
