"""Sweeps killed at random moments and resumed: how many were tried, and what was lost.

A child process runs a sweep with a store and is killed by SIGKILL, again and again, until a child gets to its end; what
the store holds then has to be, bit by bit, what an unbroken sweep returns. Half of the kills come at a random time,
half at a random place in a write: before or after the data of a chunk, or before it is marked as done. Axes are of
length 1 and of prime length. At last the workers of a Dask cluster are killed at random times, and the sweep goes on.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from ._report import Row

KILLS = 20
# Seconds that a child gets: the start of Python and of jax, and some of the runs.
_LONGEST = 2.0
# Seconds between two kills of workers, each of which starts Python and jax again.
_BETWEEN_WORKERS = (6.0, 14.0)
CHILD = """
import os, signal, sys
import jax, jax.numpy as jnp, numpy as np, jaxneuro as jn
from jaxneuro._sweep import _storing, _store
path, place, chunk = sys.argv[1], sys.argv[2], int(sys.argv[3])
_storing._SECONDS_A_CHUNK = 1e-9
count = [0]
def stop_at(name, function):
    def wrapped(*arguments, **keywords):
        if name == place and count[0] == chunk:
            os.kill(os.getpid(), signal.SIGKILL)
        count[0] += name == place
        return function(*arguments, **keywords)
    return wrapped
class Marked:
    def __init__(self, array, name):
        self.array, self.name = array, name
    def __getattr__(self, name):
        return getattr(self.array, name)
    def __getitem__(self, region):
        return self.array[region]
    def __setitem__(self, region, values):
        stop_at("mark" if self.name == "done" else "data", self.array.__setitem__)(region, values)
array = _store.Store._array
_store.Store._array = lambda self, name: Marked(array(self, name), name)
_store.make_durable = stop_at("durable", _store.make_durable)
def run(point, key):
    x = jax.lax.fori_loop(0, 20_000, lambda i, x: jnp.sin(x) + point["a"], jax.random.normal(key, (50,)))
    return {"x": x, "mean": jnp.mean(x), "high": x[0] > 0.5, "n": point["b"]}
over = [{"a": np.linspace(0.0, 1.0, 13), "b": [3]}]
execution = jn.Vectorised(5) if sys.argv[4] == "batches" else jn.Threads(2)
print("begins", flush=True)
grid = jn.sweep(run, over=over, seeds=3, key=jax.random.key(0), execution=execution, store=path, resume=True)
assert grid.identical(jn.open_sweep(path).load())
"""
_PLACES = ("data", "durable", "mark")


def run() -> list[Row]:
    """Counts kills, and what was lost by them."""
    rng = random.Random(0)
    rows = []
    for execution in ("threads", "batches"):
        with tempfile.TemporaryDirectory() as folder:
            killed, wrong, twice = _kill_again_and_again(Path(folder), execution, rng)
        lost = {"Datasets that differ from the unbroken one": wrong, "chunks that were done and were not kept": twice}
        for what, n in lost.items():
            rows.append(Row(what=f"{execution}, {killed} kills: {what}", ours=n, peer=None, ratio=None, unit=""))
    with tempfile.TemporaryDirectory() as folder:
        killed, wrong = _kill_workers(Path(folder), rng)
    what = f"Dask, {killed} kills of workers: Datasets that differ from the unbroken one"
    return [*rows, Row(what=what, ours=wrong, peer=None, ratio=None, unit="")]


def _kill_workers(folder: Path, rng: random.Random) -> tuple[int, int]:
    """Numbers of kills of workers of a cluster at random times of a sweep, and of Datasets that differ."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from distributed import Client, LocalCluster

    import jaxneuro as jn

    def run(point: Any, key: Any) -> dict:
        x = jax.lax.fori_loop(0, 1_000_000, lambda i, x: jnp.sin(x) + point["a"], jax.random.normal(key, (50,)))
        return {"x": x, "mean": jnp.mean(x)}

    more: dict[str, Any] = {"over": {"a": np.linspace(0.0, 1.0, 13), "b": [3]}, "seeds": 5, "key": jax.random.key(0)}
    whole = jn.sweep(run, execution=jn.Threads(2), progress=False, **more)
    killed = wrong = round_ = 0
    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        while killed < KILLS // 4:
            path, round_ = folder / f"{round_}.zarr", round_ + 1
            killer = _Killer(client, rng)
            found = None
            while found is None:
                try:  # where both workers are gone at once the sweep ends, and goes on from its store
                    found = jn.sweep(
                        run, execution=jn.Dask(client), store=path, resume=path.exists(), progress=False, **more
                    )
                except RuntimeError as error:
                    print(f"goes on: {error}", file=sys.stderr)
            killed += killer.stop()
            wrong += not (found.equals(whole) and jn.open_sweep(path).load().equals(whole))
    return killed, wrong


class _Killer:
    """Kills one of two workers at random times, in a thread of its own, until it is stopped."""

    def __init__(self, client: Any, rng: random.Random):
        self.client, self.rng, self.killed = client, rng, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        while not self.ended.wait(self.rng.uniform(*_BETWEEN_WORKERS)):
            pids = list(self.client.run(os.getpid).values())
            if pids and not self.ended.is_set():
                os.kill(self.rng.choice(pids), signal.SIGKILL)
                self.killed += 1

    def stop(self) -> int:
        """How many were killed."""
        self.ended.set()
        self.thread.join()
        return self.killed


def _kill_again_and_again(folder: Path, execution: str, rng: random.Random) -> tuple[int, int, int]:
    """Numbers of kills, of Datasets that differ and of chunks that were lost."""
    import jaxneuro as jn

    _child(folder / "whole.zarr", execution).communicate()
    whole = jn.open_sweep(folder / "whole.zarr").load()
    killed = wrong = lost = round_ = 0
    while killed < KILLS // 2:
        path, round_ = folder / f"{round_}.zarr", round_ + 1
        done: set[str] = set()
        while True:
            place = rng.choice([*_PLACES, "", "", ""])
            child = _child(path, execution, place, rng.randrange(12))
            assert child.stdout is not None
            child.stdout.readline()
            if not place:
                try:
                    child.wait(rng.uniform(0.0, _LONGEST))
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
            child.wait()
            now = {str(file.relative_to(path)) for file in (path / "done" / "c").rglob("*") if file.is_file()}
            lost, done = lost + len(done - now), now
            if child.returncode == 0:
                break
            killed += child.returncode == -signal.SIGKILL
        wrong += not jn.open_sweep(path).load().identical(whole)
    return killed, wrong, lost


def _child(path: Path, execution: str, place: str = "", chunk: int = 0) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", CHILD, str(path), place, str(chunk), execution]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
