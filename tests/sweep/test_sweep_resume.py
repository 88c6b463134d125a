"""Going on with a store: the same Dataset bit by bit, nothing computed twice, and what is refused."""

import json
import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._sweep import _storing
from jaxneuro._sweep._store import Store
from jaxneuro._sweep._tiles import Tiles, tile_of

KEY = jax.random.key(4)
OVER = {"a": np.linspace(0.0, 1.0, 7), "b": [1, 2]}
EXECUTIONS = {"threads": jn.Threads(1), "batches": jn.Vectorised(4)}


def run(point, key):
    return {
        "y": jax.random.normal(key) + point["a"],
        "n": point["b"] * 2,
        "high": point["a"] > 0.5,
        "v": jax.numpy.ones(3),
    }


@pytest.fixture
def small_chunks(monkeypatch):
    """One run a chunk, however quick it is."""
    monkeypatch.setattr(_storing, "_SECONDS_A_CHUNK", 1e-9)


@pytest.fixture
def stopped(monkeypatch):
    """Makes the sweep end after so many chunks, as a kill would, before or after the last is marked as done."""

    def after(n, *, marked=True):
        write, count = Store.write, [0]

        def counted(self, results, tile):
            if count[0] == n:
                if not marked:
                    write(self, results, tile)
                    self.path.joinpath("done", "c", *map(str, tile)).unlink()
                raise SystemExit
            count[0] += 1
            write(self, results, tile)

        monkeypatch.setattr(Store, "write", counted)
        return lambda: monkeypatch.setattr(Store, "write", write)

    return after


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("marked", [True, False], ids=["between chunks", "before it is marked"])
@pytest.mark.parametrize("execution", EXECUTIONS.values(), ids=list(EXECUTIONS))
def test_a_sweep_goes_on_where_it_was_stopped(execution, marked, stopped, tmp_path, monkeypatch):
    given = dict(over=OVER, seeds=2, key=KEY, execution=execution)
    whole = jn.sweep(run, **given, store=tmp_path / "whole.zarr")
    again = stopped(9, marked=marked)
    with pytest.raises(SystemExit):
        jn.sweep(run, **given, store=tmp_path / "cut.zarr")
    again()
    partial = jn.open_sweep(tmp_path / "cut.zarr")
    assert partial.attrs["missing"] == 28 - 9
    np.testing.assert_array_equal(np.isnan(partial["n"].values.ravel()[:9]), False)
    assert int(np.isnan(partial["n"]).sum()) == 19
    written = []
    write = Store.write
    monkeypatch.setattr(Store, "write", lambda self, results, tile: (written.append(tile), write(self, results, tile)))
    resumed = jn.sweep(run, **given, store=tmp_path / "cut.zarr", resume=True)
    assert len(written) == 19  # what was stored is not stored again
    assert resumed.identical(whole)
    assert jn.open_sweep(tmp_path / "cut.zarr").load().identical(whole)
    monkeypatch.setattr("jaxneuro._sweep._program.Lowered.executable", None)  # a finished sweep compiles nothing
    assert jn.sweep(run, **given, store=tmp_path / "cut.zarr", resume=True).identical(whole)
    assert len(written) == 19


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store of a finished sweep, and what it returned."""
    path = tmp_path_factory.mktemp("finished") / "a.zarr"
    return path, jn.sweep(run, over=OVER, key=KEY, store=path)


FACTORS = [jnp.ones(()), 2.0 * jnp.ones(())]


def scaled(factor):
    return lambda point, key: {**run(point, key), "y": point["a"] * factor}


OTHERS = {
    "axis": (
        dict(run=lambda p, key: {"y": p["c"]}, over={"c": [1.0]}),
        "is the axis 'c', which the store does not have",
    ),
    "values": (dict(over={**OVER, "b": [1, 3]}), "what differs is the values of 'b'"),
    "key": (dict(key=jax.random.key(5)), "what differs is `key`: there it was [0, 4], here it is [0, 5]"),
    "execution": (dict(execution=jn.Vectorised(2)), "`execution`: there it had runs one by one, here batches of 2"),
    "program": (dict(run=lambda p, key: {**run(p, key), "y": p["a"]}), "what differs is what `run` computes"),
    "variable": (dict(run=lambda p, key: {"z": 1.0}), "what differs is the variable 'z'"),
}


@pytest.mark.parametrize(("changed", "sentence"), OTHERS.values(), ids=list(OTHERS))
def test_a_store_of_another_sweep_is_refused_by_name(changed, sentence, finished):
    given = {"run": run, "over": OVER, "key": KEY, **changed}
    with pytest.raises(ValueError, match=r"is that of another sweep") as caught:
        jn.sweep(given.pop("run"), **given, store=finished[0], resume=True)
    assert sentence in str(caught.value)


def test_another_array_in_the_closure_is_refused_by_name(tmp_path):
    jn.sweep(scaled(FACTORS[0]), over=OVER, key=KEY, store=tmp_path / "a.zarr")
    with pytest.raises(ValueError, match="what differs is an array that `run` closes over, such as a wiring"):
        jn.sweep(scaled(FACTORS[1]), over=OVER, key=KEY, store=tmp_path / "a.zarr", resume=True)


def test_a_damaged_chunk_is_named_and_repaired(tmp_path):
    path = tmp_path / "a.zarr"
    whole = jn.sweep(run, over=OVER, key=KEY, store=path)
    file = next(file for file in (path / "y" / "c").rglob("*") if file.is_file())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    for damaged in (bytes(data), bytes(data[:3]), None):
        file.unlink() if damaged is None else file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"the chunk of 'y' that begins at a = 0, b = 1 is damaged: `repair=True`"):
            jn.sweep(run, over=OVER, key=KEY, store=path, resume=True)
        assert jn.sweep(run, over=OVER, key=KEY, store=path, resume=True, repair=True).identical(whole)
        assert jn.open_sweep(path).load().identical(whole)


def test_there_is_one_writer(finished):
    path, whole = finished
    store = Store(path)
    for again in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(ValueError, match="is being written by another sweep: wait for it"):
            jn.sweep(run, over=OVER, key=KEY, store=path, **again)
    assert jn.open_sweep(path).load().identical(whole)  # a reader waits for nobody
    store.close()


def test_what_cannot_be_gone_on_with_is_named(finished, tmp_path):
    path = tmp_path / "a.zarr"
    path.mkdir()
    (path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    with pytest.raises(ValueError, match="is not that of a sweep that can go on"):
        jn.sweep(run, over=OVER, key=KEY, store=path, resume=True)
    (path / "zarr.json").write_text("{")
    with pytest.raises(ValueError, match="cannot be read"):
        jn.sweep(run, over=OVER, key=KEY, store=path, resume=True)
    noted = json.loads((finished[0] / "zarr.json").read_text())
    noted["attributes"]["jaxneuro_sweep"] = 2
    (path / "zarr.json").write_text(json.dumps(noted))
    with pytest.raises(ValueError, match="is of format 2, and this version of jaxneuro reads format 1"):
        jn.open_sweep(path)
    with pytest.raises(ValueError, match="there is no store of a sweep"):
        jn.open_sweep(tmp_path / "nowhere.zarr")
    with pytest.raises(ValueError, match="returned 'a/b', which cannot be the name of a variable in a `store`"):
        jn.sweep(lambda p, k: {"a/b": 1.0}, over=OVER, key=KEY, store=tmp_path / "b.zarr")
    assert os.listdir(tmp_path) == ["a.zarr"]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("how", ["full", "vanished"])
def test_a_store_that_fails_leaves_the_result_whole(how, finished, tmp_path, monkeypatch):
    from jaxneuro._sweep import _store

    durable, count = _store.make_durable, [0]

    def failing(file):
        count[0] += 1
        if count[0] == 20 and how == "full":
            raise OSError(28, "No space left on device")
        if count[0] == 20:
            (tmp_path / "a.zarr" / "zarr.json").unlink()
        durable(file)

    monkeypatch.setattr(_store, "make_durable", failing)
    said = "No space left on device" if how == "full" else "the store has vanished"
    with pytest.warns(jn.results.SweepWarning, match=rf"could not be written \({said}\): [34] of 14 runs are stored"):
        grid = jn.sweep(run, over=OVER, key=KEY, store=tmp_path / "a.zarr")
    assert grid.identical(finished[1])


def test_tiles_cover_every_run_once():
    for shape in ((7,), (1, 5), (3, 4, 2), (11, 1, 13)):
        for n in (1, 2, 5, 30, 1000):
            tiles = Tiles(shape, tile_of(shape, n))
            runs = [tiles.runs(tile) for tile in tiles]
            assert np.array_equal(np.sort(np.concatenate(runs)), np.arange(np.prod(shape)))
            assert max(map(len, runs)) <= n
            assert all(tiles.of(own) == {tile} for tile, own in zip(tiles, runs, strict=True))
