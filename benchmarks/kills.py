"""Sweeps killed at random moments and resumed: how many were tried, and what was lost.

A child process runs a sweep with a store and is killed by SIGKILL, again and again, until a child gets to its end; what
the store holds then has to be, bit by bit, what an unbroken sweep returns. Half of the kills come at a random time,
half at a random place in a write: before or after the data of a chunk, or before it is marked as done. Axes are of
length 1 and of prime length.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from ._report import Row

KILLS = 20
# Seconds that a child gets: the start of Python and of jax, and some of the runs.
_LONGEST = 2.0
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
    return rows


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
