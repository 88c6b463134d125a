"""What a sweep adds to the runs themselves: beside a hand-written vmap, without its store, beside two plain processes.

Ratios of medians of interleaved rounds. Storing is of chunks of 1 s. Dask with two workers and two processes that share
the points are timed with their start and compilation. Devices are forced ones of this CPU, each in a process.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._report import Row, compared, median

ROUNDS = 3
POINTS = 64
# Of the runs on two workers and on two processes, each of about so many turns of the loop.
LONG = 400_000
_CHILD = """
import sys, time
import benchmarks.sweep_ways as ways
print(ways.{call})
"""


def _make(turns: int) -> Callable:
    """A run of so many turns of a small loop."""
    import jax
    import jax.numpy as jnp

    def run(point: Any, key: Any) -> dict:
        x = jax.random.normal(key, (100,))
        return {"mean": jnp.mean(jax.lax.fori_loop(0, turns, lambda i, x: jnp.sin(x) + point["a"], x))}

    return run


def _sweep(turns: int, points: int = POINTS, **more: Any) -> Any:
    import jax
    import numpy as np

    import jaxneuro as jn

    over = {"a": np.linspace(0.0, 1.0, points)}
    return jn.sweep(_make(turns), over=over, key=jax.random.key(0), progress=False, **more)


def _seconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _ratio(what: str, ours: list[float], peer: list[float], note: str) -> Row:
    """Both in seconds, and how many times the peer's ours are: the median of the rounds."""
    share = median([a / b for a, b in zip(ours, peer, strict=True)])
    return compared(what, "s", ours, peer, f"{share:.3f} times the peer; {note}")


def beside_vmap(turns: int = 16_000) -> Row:
    """`Vectorised` at its automatic batch, beside `jax.vmap` in batches of the same size."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    import jaxneuro as jn
    from jaxneuro._sweep._grid import make_grid
    from jaxneuro._sweep._program import Programs

    values, key = np.linspace(0.0, 1.0, 4 * POINTS), jax.random.key(0)
    run = _make(turns)
    programs = Programs(run, make_grid({"a": values}, None), key)
    settled: Any = jn.Vectorised().settle(programs, None)
    own = jax.random.fold_in(key, 0)
    mapped = jax.jit(jax.vmap(lambda a: run({"a": a}, own)["mean"]))
    column = jnp.asarray(values)

    def by_hand() -> None:
        for i in range(0, len(values), settled.chunk):
            np.asarray(mapped(column[i : i + settled.chunk]))

    def ours() -> None:
        _sweep(turns, 4 * POINTS, execution=settled)

    by_hand()
    ours()
    took = [(_seconds(ours), _seconds(by_hand)) for _ in range(ROUNDS)]
    note = f"batches of {settled.chunk}; at most 1.10"
    return _ratio("Vectorised, beside vmap by hand", [a for a, _ in took], [b for _, b in took], note)


def storing(turns: int = 160_000) -> list[Row]:
    """With a store and without, and the resume of the finished store beside the lowering that it needs."""
    import jax

    import jaxneuro as jn

    threads = jn.Threads(1)

    def lower() -> None:
        jax.jit(lambda a, key: _make(turns)({"a": a}, key)).lower(0.0, jax.random.key(0))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.zarr"
        more: dict[str, Any] = {"execution": threads, "store": path}
        _sweep(turns, **more)
        ours, peer = [], []
        for _ in range(ROUNDS):
            ours.append(_seconds(lambda: _sweep(turns, overwrite=True, **more)))
            peer.append(_seconds(lambda: _sweep(turns, execution=threads)))
        resumed = [_seconds(lambda: _sweep(turns, resume=True, **more)) for _ in range(ROUNDS)]
        lowering = [_seconds(lower) for _ in range(ROUNDS)]
    rows = [_ratio("storing, beside not storing", ours, peer, "at most 1.05")]
    note = "peer: one lowering; at most 1 s beyond it"
    return [*rows, compared("resume of the finished store", "s", resumed, lowering, note)]


def recompilations(turns: int = 2_000) -> Row:
    """Programs that are compiled after the first chunk of a sweep of many chunks."""
    import logging

    import jax

    import jaxneuro as jn
    from jaxneuro._sweep import _storing

    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("jax").addHandler(handler)
    before = _storing._SECONDS_A_CHUNK
    try:
        _storing._SECONDS_A_CHUNK = 1e-9
        with jax.log_compiles(), tempfile.TemporaryDirectory() as folder:
            _sweep(turns + 1, execution=jn.Threads(1), store=Path(folder) / "x.zarr")
    finally:
        _storing._SECONDS_A_CHUNK = before
        logging.getLogger("jax").removeHandler(handler)
    n = sum(text.startswith("Finished XLA compilation of jit(call)") for text in found)
    return Row(what=f"programs compiled in {POINTS} chunks", ours=n, peer=None, ratio=None, unit="")


def part(turns: int, place: int) -> float:
    """Every second point, beginning with `place`, in a loop of one plain process."""
    import jax
    import numpy as np

    call = jax.jit(lambda a, key: _make(turns)({"a": a}, key)["mean"])
    own = jax.random.fold_in(jax.random.key(0), 0)
    return sum(float(call(a, own)) for a in np.linspace(0.0, 1.0, POINTS)[place::2])


def beside_processes(turns: int = LONG) -> Row:
    """Dask with two workers of one thread, beside two processes that share the points."""
    from distributed import Client, LocalCluster

    import jaxneuro as jn

    def plain() -> None:
        children = [_child(f"part({turns}, {place})") for place in (0, 1)]
        for child in children:
            child.communicate()

    def by_dask() -> None:
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
            Client(cluster) as client,
        ):
            begin = time.perf_counter()
            _sweep(turns, execution=jn.Dask(client))
            inner.append(time.perf_counter() - begin)

    inner: list[float] = []
    for _ in range(2):
        by_dask()
    plain_seconds = [_seconds(plain) for _ in range(2)]
    note = "without the start of the cluster, with that of the processes; at most 1.15"
    return _ratio("Dask, two workers, beside two processes", inner, plain_seconds, note)


def on_devices(n: int, turns: int = 20_000) -> float:
    """Seconds of a sweep over `n` forced devices of the CPU, compiled before."""
    import jaxneuro as jn

    execution = jn.Devices(n, chunk=POINTS // 8)
    _sweep(turns, execution=execution)
    return median([_seconds(lambda: _sweep(turns, execution=execution)) for _ in range(3)])


def _child(call: str, devices: int = 1) -> subprocess.Popen:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", _CHILD.format(call=call)]
    return subprocess.Popen(command, env={**environment, "XLA_FLAGS": flags}, stdout=subprocess.PIPE, text=True)


def run() -> list[Row]:
    """All of them."""
    rows = [beside_vmap(), *storing(), recompilations(), beside_processes()]
    first = None
    for n in (1, 2, 4, 8):
        seconds = float(json.loads(_child(f"on_devices({n})", n).communicate()[0]))
        first = seconds if first is None else first
        rows.append(compared(f"{POINTS} runs on {n} forced devices of the CPU", "s", [seconds], [first]))
    return rows
