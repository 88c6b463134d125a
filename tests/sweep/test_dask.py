"""Sweeps on two workers of a cluster: the numbers of one process, whoever dies on the way."""

import contextlib
import os
import queue
import signal
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from distributed import Client, LocalCluster

import jaxneuro as jn
from jaxneuro._sweep import _dask, _storing

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:ResourceWarning")
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def client():
    options = dict(n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1", silence_logs=50)
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    monkeypatch.setattr(_storing, "_SECONDS_A_CHUNK", 1e-9)


def make(marks=None, at=None):
    """A run that leaves a mark where it is at work; the worker that comes to the value `at` first is killed."""
    offset = jnp.arange(5.0)

    def look(b):
        if float(b) == at:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(os.path.join(str(marks), "killed"), os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros((), np.float32)

    def run(point, key):
        x = jnp.sin(jax.random.normal(key, (5,)) * point["a"] + offset) / point["b"]
        if at is not None:
            x = x + jax.pure_callback(look, jax.ShapeDtypeStruct((), np.float32), point["b"]).astype(x.dtype)
        return {"x": x, "n": jnp.sum(x > 0)}

    return run


OVER = {"a": np.linspace(0.5, 2.0, 3), "b": np.asarray([1.0, 2.0])}
SWEEP = dict(over=OVER, seeds=3, key=KEY, progress=False)


def test_workers_give_the_bits_of_threads_and_of_batches(client, tmp_path):
    here = jn.sweep(make(), execution=jn.Threads(2), **SWEEP)
    there = jn.sweep(make(), execution=jn.Dask(client), store=tmp_path / "x.zarr", **SWEEP)
    assert here.equals(there)
    assert jn.open_sweep(tmp_path / "x.zarr").load().equals(here)
    batches = jn.sweep(make(), execution=jn.Dask(client, chunk=5), **SWEEP)
    assert batches.equals(jn.sweep(make(), execution=jn.Vectorised(5), **SWEEP))
    # Each of the workers has traced the sweep once, whatever the number of its tasks.
    assert set(client.run(lambda: len(__import__("jaxneuro")._sweep._dask._HELD)).values()) <= {1, 2}
    again = jn.sweep(make(), execution=jn.Threads(1), store=tmp_path / "x.zarr", resume=True, **SWEEP)
    assert again.equals(here)


def test_a_worker_that_is_killed_loses_nothing(client, tmp_path):
    (tmp_path / "killed").write_text("")
    whole = jn.sweep(make(tmp_path, 2.0), execution=jn.Threads(1), **SWEEP)
    (tmp_path / "killed").unlink()
    found = jn.sweep(make(tmp_path, 2.0), execution=jn.Dask(client), store=tmp_path / "x.zarr", **SWEEP)
    assert (tmp_path / "killed").exists()
    assert found.equals(whole)
    assert jn.open_sweep(tmp_path / "x.zarr").load().equals(whole)


def test_a_run_that_raises_is_kept_with_its_sentence(client):
    def run(point, key):
        def look(b):
            if b == 2.0:
                raise ValueError("two is too much")
            return np.float32(b)

        return {"y": jax.pure_callback(look, jax.ShapeDtypeStruct((), np.float32), point["b"])}

    with pytest.warns(jn.results.SweepWarning, match="2 of 4 runs raised"):
        grid = jn.sweep(run, over={"b": [1.0, 2.0]}, seeds=2, key=KEY, execution=jn.Dask(client))
    assert "two is too much" in grid.attrs["errors"][0]
    assert np.isnan(grid["y"].sel(b=2.0)).all()


def test_other_versions_are_refused(client, monkeypatch):
    ours = _dask.versions()
    monkeypatch.setattr(_dask, "versions", lambda: {**ours, "jaxneuro": "99.0"})
    with pytest.raises(ValueError, match=r"the worker .* has jaxneuro .*, the sweep 99.0: install the same"):
        _dask.check_versions("tcp://x", ours)
    with pytest.raises(ValueError, match="has jax None, the sweep"):
        _dask.check_versions("tcp://x", {**ours, "jaxneuro": "99.0", "jax": None})


def test_what_cannot_be_sent_is_named(client):
    lock = threading.Lock()
    with pytest.raises(ValueError, match=r"`run` cannot be sent to a worker, what it closes over"):
        jn.sweep(lambda p, k: {"x": p["a"], "y": lock and 0}, over={"a": [1.0]}, key=KEY, execution=jn.Dask(client))


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`client` has to be a `distributed.Client`"):
        jn.Dask(3)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"`Dask` needs distributed: pip install -e .*\[cluster\]"):
        jn.Dask(3)


def test_a_scheduler_that_is_gone_is_one_sentence():
    options = dict(n_workers=1, threads_per_worker=1, dashboard_address=":0", processes=False, silence_logs=50)
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        execution = jn.Dask(client)
        client.close()
        with pytest.raises(ValueError, match="`client` is closed: its scheduler cannot be reached"):
            jn.sweep(make(), execution=execution, **SWEEP)
        with pytest.raises(RuntimeError, match="The scheduler of the cluster is gone, or all workers"):
            execution._next(queue.SimpleQueue())
