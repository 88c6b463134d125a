"""What `jn.sweep` refuses, before any run starts, and what it says of a run that fails."""

import sys
import threading

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
OVER = {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0]}


def simple(point, key):
    return {"y": point["a"]}


ARGUMENTS = {
    "run": (dict(run=3), "`run` has to be a function"),
    "no axes": (dict(over={}), "`over` has to be a dict of at least one"),
    "axes as list": (dict(over=[1, 2]), "or a list of these; got 1"),
    "axis name": (dict(over={1: [1.0]}), "name of an axis has to be a string; got 1"),
    "empty axis": (dict(over={"a": []}), "`over['a']` has to be a 1-D array of numbers; it is empty"),
    "scalar axis": (dict(over={"a": 3.0}), "`over['a']` has to be a 1-D array of numbers; got shape ()"),
    "matrix axis": (dict(over={"a": np.ones((2, 2))}), "got shape (2, 2)"),
    "text axis": (dict(over={"a": ["x"]}), "`over['a']` has to be a real number or an array of them; got ['x']"),
    "bool axis": (dict(over={"a": [True, False]}), "has to be a real number or an array of them; got [True, False]"),
    "ragged axis": (dict(over={"a": [[1], [1, 2]]}), "is ragged: its rows are not as long as each other"),
    "complex axis": (dict(over={"a": [1j]}), "has to be a real number or an array of them; got [1j]"),
    "nan": (dict(over={"a": [1.0, np.nan]}), "that are finite; got nan"),
    "huge": (dict(over={"a": [2**63]}), "can hold; got values up to"),
    "twice": (dict(over={"a": [1.0, 2.0, 1.0]}), "each once; 1 comes twice. Use `seeds`"),
    "seed axis": (dict(over={"seed": [1.0]}, seeds=2), "names an axis 'seed'"),
    "no seeds": (dict(seeds=0), "`seeds` has to be a whole number of at least 1, or None"),
    "seeds": (dict(seeds=1.5), "`seeds` has to be a whole number"),
    "bool seeds": (dict(seeds=True), "`seeds` has to be a whole number"),
    "key": (dict(key=0), "`key` has to be a key made by `jax.random.key(seed)`"),
    "resume": (dict(resume=True), "`resume` is about a `store`, and none is given"),
    "repair": (dict(repair=True), "`repair` is about a `store`"),
    "resume, overwrite": (dict(resume=True, overwrite=True, store="a.zarr"), "give one of the two"),
    "repair what": (dict(repair=True, store="a.zarr"), "give `resume=True` too"),
    "throw": (dict(throw="no"), "`throw` has to be True or False"),
    "execution": (
        dict(execution="threads"),
        "`execution` has to be `Threads()`, `Vectorised(chunk)`, `Devices(n)` or `Dask(client)`",
    ),
    "large chunk": (dict(execution=jn.Vectorised(7)), "`chunk` is 7, more than the 6 runs of the sweep"),
    "progress": (dict(progress=1), "`progress` has to be True, False or None"),
    "overwrite": (dict(overwrite="yes"), "`overwrite` has to be True or False"),
    "overwrite what": (dict(overwrite=True), "`overwrite` is about a `store`, and none is given"),
    "dims": (dict(dims=["n"]), "`dims` has to be a dict"),
    "dims of nothing": (dict(dims={"z": ("n",)}), "`dims` names 'z', which `run` does not return; it returns y"),
    "number of dims": (dict(dims={"y": ("n",)}), "`dims['y']` has to be a tuple of 0 different names"),
    "store": (dict(store=3), "`store` has to be the path of a folder"),
    "store far away": (dict(store="s3://bucket/a.zarr"), "`store` has to be a path on this machine"),
    "store nowhere": (dict(store="nowhere/a.zarr"), "does not exist"),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(("changed", "sentence"), ARGUMENTS.values(), ids=list(ARGUMENTS))
def test_an_argument_that_does_not_fit_is_refused(changed, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"run": simple, "over": OVER, "key": KEY, **changed}
    with pytest.raises(ValueError, match=r"^(?s:.*)$") as caught:
        jn.sweep(given.pop("run"), **given)
    assert sentence in str(caught.value)
    assert not any(tmp_path.iterdir())


RETURNED = {
    "nothing": (lambda p: None, "`run` has to return a dict of at least one"),
    "array": (lambda p: p["a"], "`run` has to return a dict"),
    "empty": (lambda p: {}, "`run` has to return a dict of at least one"),
    "name": (lambda p: {3: p["a"]}, "`run` has to name what it returns with strings; got 3"),
    "nested": (lambda p: {"rate": {"E": p["a"]}}, "`run` returned 'rate' as dict; it has to be a number"),
    "text": (lambda p: {"y": "high"}, "`run` returned 'y' as str"),
    "complex": (lambda p: {"y": jax.lax.complex(p["a"], p["a"])}, "it has to be bool, integer or float"),
    "key": (lambda p: {"y": KEY}, "it has to be bool, integer or float"),
    "axis": (lambda p: {"a": p["a"]}, "`run` returned 'a', which is the name of an axis"),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(("returned", "sentence"), RETURNED.values(), ids=list(RETURNED))
def test_what_run_returns_is_checked(returned, sentence):
    with pytest.raises(ValueError, match=r"^(?s:.*)$") as caught:
        jn.sweep(lambda point, key: returned(point), over=OVER, key=KEY)
    assert sentence in str(caught.value)


DIMS = {
    "axis": ({"u": ("a",)}, "'a' is already the name of an axis or a variable"),
    "variable": ({"u": ("v",)}, "'v' is already the name"),
    "lengths": ({"u": ("n",), "v": ("n", "m")}, "'n' has length 2 in one variable and 3 in another"),
    "twice": ({"v": ("n", "n")}, "a tuple of 2 different names"),
    "string": ({"u": "n"}, "`dims['u']` has to be a tuple of 1 different names"),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(("dims", "sentence"), DIMS.values(), ids=list(DIMS))
def test_names_of_dimensions_are_checked(dims, sentence):
    with pytest.raises(ValueError, match=r"^(?s:.*)$") as caught:
        jn.sweep(lambda point, key: {"u": jnp.ones(2), "v": jnp.ones((3, 2))}, over=OVER, key=KEY, dims=dims)
    assert sentence in str(caught.value)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"], ids=str)
def test_numbers_of_threads_and_runs_are_checked(value):
    with pytest.raises(ValueError, match="`n` has to be a whole number of at least 1"):
        jn.Threads(value)
    with pytest.raises(ValueError, match="`chunk` has to be a whole number of at least 1"):
        jn.Vectorised(value)


@pytest.mark.usefixtures("as_users_run")
def test_a_sweep_inside_jit_is_refused():
    with pytest.raises(ValueError, match="outside jit, vmap and grad"):
        jax.jit(lambda key: jn.sweep(simple, over=OVER, key=key)["y"])(KEY)
    with pytest.raises(ValueError, match="outside jit, vmap and grad"):
        jax.jit(lambda a: jn.sweep(simple, over={"a": a}, key=KEY)["y"])(jnp.ones(2))


@pytest.mark.parametrize("missing", ["xarray", "zarr"])
def test_a_missing_library_is_named_before_the_work(missing, tmp_path, monkeypatch):
    called = []
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install .*\[sweep\]'"):
        jn.sweep(lambda point, key: called.append(1), over=OVER, key=KEY, store=tmp_path / "a.zarr")
    assert not called


@pytest.mark.parametrize("execution", [jn.Threads(1), jn.Threads(2), jn.Vectorised(1)], ids=str)
def test_a_run_that_raises_is_named(execution):
    """As at a = 2 and b = 2 alone, with a chunk of one."""

    def run(point, key):
        return {"y": eqx.error_if(point["a"], (point["a"] == 2.0) & (point["b"] == 2.0), "This cannot be.")}

    with pytest.raises(RuntimeError, match=r"^`run` failed at a = 2, b = 2: This cannot be\.$"):
        jn.sweep(run, over=OVER, key=KEY, execution=execution, throw=True)


@pytest.mark.parametrize("execution", [jn.Threads(2), jn.Vectorised(4)], ids=str)
def test_a_run_that_raises_is_kept_with_its_sentence(execution):
    def run(point, key):
        y = eqx.error_if(point["a"], (point["a"] == 2.0) & (point["b"] == 2.0), "This cannot be.")
        return {"y": y, "n": 3, "result": jn.Result.successful}

    with pytest.warns(jn.results.SweepWarning, match=r"1 of 6 runs raised; the first, a = 2, b = 2: This cannot be\."):
        grid = jn.sweep(run, over=OVER, key=KEY, execution=execution)
    expected = np.asarray([[1.0, 1.0], [2.0, np.nan], [3.0, 3.0]])
    np.testing.assert_array_equal(grid["y"], expected)
    np.testing.assert_array_equal(grid["n"], np.where(np.isnan(expected), 0, 3))
    assert grid.attrs["errors"] == ["a = 2, b = 2: This cannot be."]
    names = dict(zip(grid["result"].flag_values, grid["result"].flag_meanings.split(), strict=True))
    assert names[int(grid["result"].sel(a=2.0, b=2.0))] == "run_raised"
    assert int((grid["result"] != 0).sum()) == 1


def test_where_every_run_raises_the_sweep_does():
    def run(point, key):
        return {"y": eqx.error_if(point["a"], point["a"] > 0.0, "Never.")}

    with pytest.raises(RuntimeError, match=r"^`run` failed at every point; the first: a = 1, b = 1: Never\.$"):
        jn.sweep(run, over=OVER, key=KEY)


def test_a_nonfinite_run_does_not_end_the_sweep():
    def run(point, key):
        return {"y": jnp.log(point["a"] - 2.0)}

    grid = jn.sweep(run, over=OVER, key=KEY)
    np.testing.assert_array_equal(np.isfinite(grid["y"].isel(b=0)), [False, False, True])


def test_an_error_while_tracing_is_the_users_own():
    with pytest.raises(KeyError, match="`run` asks its point for 'c'; the axes are a, b"):
        jn.sweep(lambda point, key: {"y": point["c"]}, over=OVER, key=KEY)
    with pytest.raises(ValueError, match=r"Python cannot read a number of its point"):
        jn.sweep(lambda point, key: {"y": 1.0 if point["a"] > 2.0 else 0.0}, over=OVER, key=KEY)
    with pytest.raises(ValueError, match=r"`run` has to take two arguments, a point and a key; it takes \(point\)"):
        jn.sweep(lambda point: {"y": point["a"]}, over=OVER, key=KEY)


def test_a_network_without_wiring_says_where_to_draw_it():
    def run(point, key):
        net = jn.networks.brunel(g=point["a"], n_e=8, n_i=2, c_e=2, c_i=1)
        return {"rate": jn.simulate(net, 0.0, 1.0, dt=0.1, key=key)["rate"]["E"]}

    with pytest.raises(ValueError, match="draw the wiring outside jit"):
        jn.sweep(run, over=OVER, key=KEY)


def test_progress_counts_the_runs(capsys):
    jn.sweep(simple, over=OVER, key=KEY, progress=True)
    shown = capsys.readouterr().err
    assert shown.startswith("\rsweep: 0 of 6 runs")
    assert shown.endswith("\n")
    assert "sweep: 6 of 6 runs" in shown
    jn.sweep(simple, over=OVER, key=KEY)
    assert capsys.readouterr().err == ""


def test_no_thread_is_left():
    jn.sweep(simple, over=OVER, key=KEY, execution=jn.Threads(4))
    for thread in threading.enumerate():
        if thread.name == "jaxneuro sweep":
            thread.join(timeout=10.0)
            assert not thread.is_alive()
