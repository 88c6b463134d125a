"""`jn.sweep`: exact small functions in every way of running them, and what is compiled."""

import os
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

ROOT = Path(__file__).resolve().parents[2]
KEY = jax.random.key(3)
X, Y = np.linspace(0.5, 2.0, 5), np.array([1, 2, 3])
EXECUTIONS = {
    "default": None,
    "one thread": jn.Threads(1),
    "three threads": jn.Threads(3),
    "more threads than runs": jn.Threads(99),
    "one chunk": jn.Vectorised(30),
    "filled chunk": jn.Vectorised(7),
    "chunks of one": jn.Vectorised(1),
}
executions = pytest.mark.parametrize("execution", EXECUTIONS.values(), ids=list(EXECUTIONS))


def exact(point, key):
    x, y = point["x"], point["y"]
    power = x * x * y.astype(x.dtype)
    return {
        "power": power,
        "many": power + jnp.arange(4, dtype=x.dtype),
        "above": x > 1.0,
        "bits": jax.random.bits(key, (), jnp.uint32),
        "code": jn.Result.where(y == 2, jn.Result.nonfinite_state, jn.Result.successful),
        "constant": 1.5,
        "half": x.astype(jnp.bfloat16),
    }


@pytest.mark.float32
@pytest.mark.bits
@executions
def test_every_way_of_running_gives_the_closed_form(execution):
    grid = jn.sweep(
        exact, over={"x": X, "y": Y}, seeds=2, key=KEY, dims={"many": ("neuron",)}, execution=execution, progress=False
    )
    x = X.astype(jnp.result_type(float))
    expected = (x**2)[:, None, None] * Y.astype(x.dtype)[None, :, None] * np.ones(2, x.dtype)
    assert grid["power"].dims == ("x", "y", "seed")
    assert grid["many"].dims == ("x", "y", "seed", "neuron")
    # Three roundings at most, and products of short numbers: exact.
    np.testing.assert_array_equal(grid["power"], expected)
    np.testing.assert_array_equal(grid["many"], expected[..., None] + np.arange(4, dtype=x.dtype))
    np.testing.assert_array_equal(grid["above"], np.broadcast_to((x > 1.0)[:, None, None], (5, 3, 2)))
    np.testing.assert_array_equal(grid["code"], np.broadcast_to(np.where(Y == 2, 1, 0)[:, None], (5, 3, 2)))
    assert grid["code"].attrs["flag_meanings"].split()[1] == "nonfinite_state"
    assert np.all(grid["constant"] == 1.5)
    assert grid["half"].dtype == np.float32
    assert grid["power"].dtype == jnp.result_type(float)
    assert grid["above"].dtype == bool


@executions
def test_a_seed_has_one_key_at_every_point(execution):
    grid = jn.sweep(exact, over={"x": X, "y": Y}, seeds=2, key=KEY, execution=execution)
    own = [int(jax.random.bits(jax.random.fold_in(KEY, i), (), jnp.uint32)) for i in range(2)]
    assert np.all(grid["bits"].isel(seed=0) == own[0])
    assert np.all(grid["bits"].isel(seed=1) == own[1])
    without = jn.sweep(exact, over={"x": X[:2], "y": Y[:1]}, key=KEY)
    assert without["bits"].dims == ("x", "y")
    assert np.all(without["bits"] == own[0])


def test_the_result_is_labelled():
    grid = jn.sweep(exact, over={"x": X, "y": range(1, 4)}, seeds=2, key=KEY)
    np.testing.assert_array_equal(grid["x"], X.astype(jnp.result_type(float)))
    assert grid["y"].dtype == jnp.result_type(int)
    assert grid["many"].dims[-1] == "many_dim0"
    assert float(grid["power"].sel(y=3, seed=1).isel(x=0)) == 0.75
    assert grid.attrs["jax"] == jax.__version__
    assert grid.attrs["key"] == np.asarray(jax.random.key_data(KEY)).tolist()


def test_points_are_strongly_typed_scalars():
    seen = {}

    def run(point, key):
        seen.update({name: (x.shape, x.dtype, x.weak_type) for name, x in point.items()})
        return {"y": point["x"]}

    jn.sweep(run, over={"x": [1.0, 2.0], "n": [1, 2]}, key=KEY)
    assert seen == {"x": ((), jnp.result_type(float), False), "n": ((), jnp.result_type(int), False)}


SIZES = {"n_e": 80, "n_i": 20, "c_e": 16, "c_i": 4, "j": 0.5}


def network_run(wiring):
    record = {"rate": jn.record.Rate(), "cv": jn.record.CV()}

    def run(point, key):
        net = jn.networks.brunel(g=point["g"], **SIZES)
        sol = jn.simulate(net, 0.0, 60.0, dt=0.1, key=key, wiring=wiring, record=record, throw=False)
        return {"rate": sol["rate"]["E"], "cv": sol["cv"]["E"], "v": sol.state.neurons["E"].v, "result": sol.result}

    return run


@pytest.mark.float32
@pytest.mark.bits
def test_runs_of_a_network_do_not_depend_on_the_way():
    """Bitwise, also side by side: noise is a function of the key alone, and sums of spikes are exact."""
    wiring = jn.wire(jn.networks.brunel(**SIZES), key=jax.random.key(0))
    run, over = network_run(wiring), {"g": np.linspace(3.0, 7.0, 5)}
    first = jn.sweep(run, over=over, seeds=2, key=KEY, execution=jn.Threads(1))
    assert np.all(first["result"] == 0)
    assert float(first["rate"].mean()) > 5.0
    for execution in (jn.Threads(4), jn.Vectorised(3)):
        assert jn.sweep(run, over=over, seeds=2, key=KEY, execution=execution).equals(first)


def test_one_compilation_serves_all_runs_and_later_sweeps(compilations):
    def run(point, key):
        return {"y": jnp.tanh(point["a"]) * 1.25 + jax.random.normal(key)}

    for n, execution in enumerate((jn.Threads(3), jn.Vectorised(4))):
        jn.sweep(run, over={"a": np.linspace(0, 1, 10)}, key=KEY, execution=execution)
        assert compilations() == 1, n
        jn.sweep(run, over={"a": np.linspace(2, 3, 7)}, seeds=3, key=jax.random.key(9), execution=execution)
        assert compilations() == 0, n


def test_a_new_closure_is_seen_and_compiles_nothing(compilations):
    """What `run` closes over is read at every sweep, and is an argument of the program."""
    matrix = jnp.arange(10_000.0).reshape(100, 100)

    def run(point, key):
        return {"y": (matrix @ jnp.ones(100, matrix.dtype))[-1] * point["a"]}

    over = {"a": [1.0, 2.0]}
    first = jn.sweep(run, over=over, key=KEY)
    assert compilations() == 1
    matrix = 2.0 * matrix
    second = jn.sweep(run, over=over, key=KEY)
    jitted = jn.sweep(jax.jit(run), over=over, key=KEY)
    filtered = jn.sweep(eqx.filter_jit(run), over=over, key=KEY)
    assert compilations() == 0
    np.testing.assert_array_equal(second["y"], 2 * first["y"])
    assert jitted.equals(second)
    assert filtered.equals(second)


def test_a_new_number_in_a_closure_is_seen():
    def run(point, key):
        return {"y": point["a"] * factor}

    factor = 2.0
    first = jn.sweep(run, over={"a": [1.0]}, key=KEY)
    factor = 3.0
    assert float(jn.sweep(run, over={"a": [1.0]}, key=KEY)["y"][0]) == 3.0 != float(first["y"][0])


def test_a_callback_is_the_one_of_this_sweep():
    """The text of a program does not hold its callbacks, so such a program is not kept."""

    def made(factor):
        def run(point, key):
            shape = jax.ShapeDtypeStruct((), point["a"].dtype)
            return {"y": jax.pure_callback(lambda a: factor * np.asarray(a), shape, point["a"])}

        return run

    for factor in (2.0, 3.0):
        assert float(jn.sweep(made(factor), over={"a": [1.0]}, key=KEY)["y"][0]) == factor


HOISTED = """
import jax, jax.numpy as jnp, numpy as np, jaxneuro as jn
jax.config.update("jax_use_simplified_jaxpr_constants", True)
for factor in (1.0, 2.0):
    matrix = jnp.asarray(np.arange(10_000.0).reshape(100, 100)) * factor
    grid = jn.sweep(lambda point, key: {"y": jnp.sum(matrix * point["a"])}, over={"a": [1.0]}, key=jax.random.key(0))
    assert float(grid["y"][0]) == float(jnp.sum(matrix)), factor
"""


def test_constants_that_jax_itself_makes_arguments_are_those_of_this_sweep():
    """Newer versions of JAX hand closed-over arrays over by themselves; a kept program would hold the old ones."""
    subprocess.run([sys.executable, "-c", HOISTED], check=True, cwd=ROOT, env={**os.environ, "JAX_PLATFORMS": "cpu"})


def test_arrays_compiled_in_by_a_jitted_function_are_refused(monkeypatch):
    monkeypatch.setattr("jaxneuro._sweep._program._LONGEST_TEXT", 100_000)
    matrix = jnp.asarray(np.random.default_rng(0).random((200, 200)))
    inner = jax.jit(lambda a: jnp.sum(matrix) * a.astype(matrix.dtype))
    with pytest.raises(ValueError, match="jitted function that closes over arrays of about"):
        jn.sweep(lambda point, key: {"y": inner(point["a"])}, over={"a": [1.0]}, key=KEY)
