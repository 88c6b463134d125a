"""Stores, whole or not at all, and interrupts."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray

import jaxneuro as jn

ROOT = Path(__file__).resolve().parents[2]
KEY = jax.random.key(0)
OVER = {"a": np.linspace(0.0, 1.0, 5), "b": [1, 2]}


def run(point, key):
    return {
        "y": 2.0 * point["a"],
        "v": jax.random.normal(key, (3,)),
        "high": point["a"] > 0.5,
        "code": jn.Result.successful,
    }


def test_a_store_holds_what_the_sweep_returns(tmp_path):
    grid = jn.sweep(run, over=OVER, seeds=2, key=KEY, store=tmp_path / "a.zarr", dims={"v": ["neuron"]})
    assert jn.open_sweep(tmp_path / "a.zarr").load().identical(grid)
    assert grid["code"].attrs["flag_meanings"].startswith("successful")
    with xarray.open_zarr(tmp_path / "a.zarr", consolidated=False) as read:  # any reader of zarr finds the same
        assert read[list(grid.data_vars)].load().equals(grid)
        assert read["done"].values.all()
    codecs = json.loads((tmp_path / "a.zarr" / "y" / "zarr.json").read_text())["codecs"]
    assert codecs[-1]["name"] == "crc32c"
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_a_store_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "a.zarr"
    first = jn.sweep(run, over=OVER, key=KEY, store=str(path))
    with pytest.raises(ValueError, match="exists: give another name, `resume=True` to go on with it, or"):
        jn.sweep(run, over=OVER, key=KEY, store=path)
    assert jn.open_sweep(path).load().identical(first)
    second = jn.sweep(run, over={"a": [5.0]}, key=KEY, store=path, overwrite=True)
    assert jn.open_sweep(path).load().identical(second)
    assert "b" not in second.sizes
    assert os.listdir(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_store_is_never_replaced(tmp_path, overwrite):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("all of it")
    (tmp_path / "file").write_text("text")
    for name in ("home", "file"):
        with pytest.raises(ValueError, match="exists and is no zarr store, which is never overwritten"):
            jn.sweep(run, over=OVER, key=KEY, store=tmp_path / name, overwrite=overwrite)
    assert (tmp_path / "home" / "thesis.tex").read_text() == "all of it"
    assert sorted(os.listdir(tmp_path)) == ["file", "home"]


@pytest.mark.parametrize("exists", [False, True], ids=["new", "older"])
def test_a_store_that_cannot_be_made_leaves_the_older_one(tmp_path, exists, monkeypatch):
    path = tmp_path / "a.zarr"
    if exists:
        before = jn.sweep(run, over=OVER, key=KEY, store=path)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("jaxneuro._sweep._store._make_array", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jn.sweep(run, over={"a": [1.0]}, key=KEY, store=path, overwrite=exists)
    assert os.listdir(tmp_path) == (["a.zarr"] if exists else [])
    if exists:
        assert jn.open_sweep(path).load().identical(before)


def test_an_older_store_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    before = jn.sweep(run, over=OVER, key=KEY, store=path)
    rename = os.rename

    def failing(source, target):
        if Path(source).name == "new":
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.warns(jn.results.SweepWarning, match=r"could not be written \(No space left on device\): 0 of 1 runs"):
        jn.sweep(run, over={"a": [1.0]}, key=KEY, store=path, overwrite=True)
    assert os.listdir(tmp_path) == ["a.zarr"]
    assert jn.open_sweep(path).load().identical(before)


LONG = """
import sys, time, jax, jax.numpy as jnp, numpy as np, jaxneuro as jn
from jaxneuro._sweep import _storing
_storing._SECONDS_A_CHUNK = 1e-9  # one run a chunk, however long it takes
def run(point, key):
    return {"y": jax.lax.fori_loop(0, 800_000, lambda i, y: jnp.sin(y) + point["a"], jnp.ones(100))[0]}
over = {"a": np.linspace(0.0, 1.0, 1_000)}
try:
    jn.sweep(run, over=over, key=jax.random.key(0), store="a.zarr", progress=True, execution=EXECUTION)
except KeyboardInterrupt as error:
    print(time.time(), error, flush=True)
    sys.exit(130)
"""


@pytest.mark.parametrize("execution", ["jn.Threads(2)", "jn.Vectorised(2)"])
def test_control_c_is_heard_while_runs_go_on(tmp_path, execution):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    # A shell that starts the tests in the background has them ignore the signal, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    code = LONG.replace("EXECUTION", execution)
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    try:
        seen = ""
        while " left" not in seen and process.poll() is None:
            seen += process.stderr.read(1)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        printed, rest = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, rest
    # On an idle machine some milliseconds; the sweep itself would take some thousand seconds.
    assert float(printed.split()[0]) - sent < 10.0
    assert "Traceback" not in rest
    done = int(re.search(r"interrupted; (\d+) of 1000 runs are stored in .*a.zarr, and `resume=True`", printed)[1])
    assert jn.open_sweep(tmp_path / "a.zarr").attrs["missing"] == 1_000 - done < 1_000
