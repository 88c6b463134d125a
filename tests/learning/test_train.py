"""The training loop: its steps, checkpoints, early stop, and what it reports."""

import subprocess
import sys
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)


def loss(w, batch, key):
    return jnp.mean((batch @ w - 1.0) ** 2) + 0.0 * jax.random.normal(key)


def batches(step):
    return jnp.asarray(np.random.default_rng(step).normal(2.0, 1.0, (8, 3)))


def test_steps_are_those_of_plain_gradient_descent():
    trained = jn.train(jnp.zeros(3), loss, batches, steps=25, optimiser=optax.sgd(0.01), key=KEY)
    w = np.zeros(3)
    for step in range(25):
        x = np.asarray(batches(step))
        w = w - 0.01 * 2 * x.T @ (x @ w - 1.0) / 8
    np.testing.assert_allclose(trained.params, w, rtol=1e-10)
    assert trained.loss.shape == trained.gradient_norm.shape == (25,)
    np.testing.assert_array_equal(trained.best, trained.params)


@jax.numpy_dtype_promotion("standard")  # optax's schedules multiply integers and floats
@pytest.mark.float32
@pytest.mark.bits
def test_a_killed_run_goes_on_bitwise(tmp_path):
    common = dict(optimiser=optax.adam(optax.cosine_decay_schedule(0.1, 30)), key=KEY, every=5)
    whole = jn.train(jnp.zeros(3), loss, batches, steps=30, validate=lambda w: jnp.sum(w**2), **common)
    file = tmp_path / "run.npz"

    def killed(step):
        if step == 17:
            raise KeyboardInterrupt
        return batches(step)

    common |= dict(checkpoint=file, validate=lambda w: jnp.sum(w**2))
    with pytest.raises(KeyboardInterrupt):
        jn.train(jnp.zeros(3), loss, killed, steps=30, **common)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.npz"]
    rest = jn.train(jnp.zeros(3), loss, batches, steps=30, **common)
    for name in ("params", "best", "loss", "gradient_norm"):
        np.testing.assert_array_equal(getattr(rest, name), getattr(whole, name))
    assert rest.validation == whole.validation
    with pytest.raises(ValueError, match="holds another training"):
        jn.train(jnp.zeros(2), loss, batches, steps=30, **common)
    file.write_text("nothing")
    with pytest.raises(ValueError, match="is no checkpoint"):
        jn.train(jnp.zeros(3), loss, batches, steps=30, **common)


@pytest.mark.float32
def test_a_file_that_is_no_checkpoint_of_this_training_is_refused(tmp_path, as_users_run):
    file = tmp_path / "run.npz"
    common = dict(optimiser=optax.sgd(0.01), checkpoint=file)
    np.savez(file, np.ones(300))
    for wrong in (b"", b"text", file.read_bytes()[:500]):
        file.write_bytes(wrong)
        with pytest.raises(ValueError, match="is no checkpoint"):
            jn.train(jnp.zeros(3), loss, batches, steps=2, key=KEY, **common)
    with file.open("wb") as opened:
        np.save(opened, np.ones(3))
    with pytest.raises(ValueError, match="is no checkpoint"):
        jn.train(jnp.zeros(3), loss, batches, steps=2, key=KEY, **common)
    file.unlink()
    jn.train(jnp.zeros(3), loss, batches, steps=2, key=KEY, **common)
    with pytest.raises(ValueError, match="with another `key`"):
        jn.train(jnp.zeros(3), loss, batches, steps=4, key=jax.random.key(1), **common)
    with pytest.raises(ValueError, match="with another `loss` or `optimiser`"):
        jn.train(jnp.zeros(3), lambda w, b, k: 2.0 * loss(w, b, k), batches, steps=4, key=KEY, **common)
    with pytest.raises(ValueError, match="with another `loss` or `optimiser`"):
        jn.train(jnp.zeros(3), loss, batches, steps=4, key=KEY, optimiser=optax.sgd(0.02), checkpoint=file)
    with pytest.raises(ValueError, match="with another `loss` or `optimiser`"):  # where nothing is left to do
        jn.train(jnp.zeros(3), lambda w, b, k: 2.0 * loss(w, b, k), batches, steps=2, key=KEY, **common)
    with pytest.raises(ValueError, match=r"`steps` is 1, and `checkpoint` .* is already at step 2"):
        jn.train(jnp.zeros(3), loss, batches, steps=1, key=KEY, **common)
    whole = dict(np.load(file))
    np.savez(file, **whole | {"history loss": whole["history loss"][:1]})
    with pytest.raises(ValueError, match=r"is damaged: its history is not as long as its 2 steps"):
        jn.train(jnp.zeros(3), loss, batches, steps=4, key=KEY, **common)
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        jn.train(
            jnp.zeros(3),
            loss,
            batches,
            steps=1,
            key=KEY,
            optimiser=optax.sgd(0.1),
            checkpoint=tmp_path / "no" / "run.npz",
        )


def test_batches_come_from_a_function_or_an_iterable(tmp_path, as_users_run):
    common = dict(optimiser=optax.sgd(0.01), key=KEY)
    wanted = jn.train(jnp.zeros(3), loss, batches, steps=4, **common)
    given = [batches(step) for step in range(4)]
    for each in (given, iter(given), (batch for batch in given)):
        np.testing.assert_array_equal(jn.train(jnp.zeros(3), loss, each, steps=4, **common).loss, wanted.loss)
    file = tmp_path / "run.npz"
    jn.train(jnp.zeros(3), loss, given, steps=2, checkpoint=file, **common)
    rest = jn.train(jnp.zeros(3), loss, given, steps=4, checkpoint=file, **common)  # the first two are passed over
    np.testing.assert_array_equal(rest.loss, wanted.loss)
    with pytest.raises(ValueError, match="`batches` ended before step 4 of 5"):
        jn.train(jnp.zeros(3), loss, given, steps=5, **common)
    for wrong in (3, "abc", {"a": 1}):
        with pytest.raises(ValueError, match="`batches` has to be a function of the step or an iterable"):
            jn.train(jnp.zeros(3), loss, wrong, steps=1, **common)


def test_where_selects_and_patience_stops():
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), 3), "out": jn.Population(jn.LeakyIntegrator(), 1)},
        [jn.Projection("in", "out", jn.DeltaCurrent(), connectivity=jn.Weights(np.ones((1, 3))), delay=1.0)],
    )

    def error(net, batch, key):
        return jnp.sum((net.projections[0].connectivity.matrix - 3.0) ** 2) + net.populations["out"].model.tau_m - 20.0

    trained = jn.train(
        net, error, lambda step: None, steps=500, optimiser=optax.sgd(0.2), key=KEY, every=10, patience=40,
        where=lambda n: [n.projections[0].connectivity.matrix],
        validate=lambda n: jnp.round(error(n, None, KEY), 3),
    )  # fmt: skip
    assert trained.stopped_early
    assert trained.loss.size < 200
    np.testing.assert_allclose(trained.params.projections[0].connectivity.matrix, 3.0, rtol=1e-6)
    assert float(trained.params.populations["out"].model.tau_m) == 20.0
    assert "stopped early" in str(trained)
    assert eqx.tree_equal(trained.best.populations, net.populations)


CASES: dict = {
    "dead units": lambda w, b, k: (jnp.sum(w**2), {"hidden": jnp.asarray([0.0, 0.0, 3.0])}),
    "exploding units": lambda w, b, k: (jnp.sum(w**2), {"hidden": jnp.asarray([3.0, 900.0])}),
    "vanished gradient": lambda w, b, k: jnp.sum(w["a"] ** 2) + 0.0 * jnp.sum(w["b"]),
    "exploding gradient": lambda w, b, k: jnp.sum(w**2) * jnp.where(b == 7, 1e6, 1.0),
    "loss stopped moving": lambda w, b, k: 1.0 + 1e-9 * jnp.sum(w) + 0.0 * b,
}


@pytest.mark.parametrize("kind", CASES)
def test_what_goes_wrong_is_said(kind):
    check_finding(kind, CASES[kind])


def test_a_loss_below_zero_that_stands_still_is_said_too():
    check_finding("loss stopped moving", lambda w, b, k: -3.0 + 1e-9 * jnp.sum(w) + 0.0 * b)


def check_finding(kind, loss):
    w = {"a": jnp.ones(2), "b": jnp.ones(2)} if kind == "vanished gradient" else jnp.ones(2)
    with pytest.warns(jn.results.TrainingWarning) as caught:
        trained = jn.train(w, loss, lambda s: jnp.asarray(float(s)), steps=60, optimiser=optax.sgd(1e-7), key=KEY)
    assert any(str(w.message).startswith(kind) for w in caught)
    text = next(f.text for f in trained.findings if f.kind == kind)
    assert "Try" in text or "Check" in text
    assert kind in str(trained)


@pytest.mark.parametrize("peak", [1.0, 1e6])
def test_a_gradient_that_wakes_is_no_explosion_and_hides_none(peak):
    heights = np.asarray([0.0] * 5 + [1.0] * 10 + [peak] + [1.0] * 9, np.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        jn.train(
            jnp.ones(2, jnp.float32), lambda w, b, k: b * jnp.sum(w), lambda s: jnp.asarray(heights[s]), steps=25,
            optimiser=optax.sgd(1e-9), key=KEY,
        )  # fmt: skip
    assert [str(w.message).split(":")[0] for w in caught] == ["exploding gradient"] * int(peak > 1.0)


def test_what_is_not_finite_raises_and_wrong_arguments_too(as_users_run):
    sgd = optax.sgd(0.1)
    with pytest.raises(RuntimeError, match="At step 3 the loss is nan"):
        jn.train(
            jnp.ones(2), lambda w, b, k: jnp.sum(w) / jnp.where(b == 3, jnp.nan, 1.0), lambda s: jnp.asarray(float(s)),
            steps=9, optimiser=sgd, key=KEY,
        )  # fmt: skip
    with pytest.raises(ValueError, match="`patience` needs `validate`"):
        jn.train(jnp.ones(2), loss, batches, steps=9, optimiser=sgd, key=KEY, patience=3)
    with pytest.raises(ValueError, match="`steps` has to be a positive"):
        jn.train(jnp.ones(2), loss, batches, steps=0, optimiser=sgd, key=KEY)
    with pytest.raises(ValueError, match="`optimiser` has to be of optax"):
        jn.train(jnp.ones(2), loss, batches, steps=3, optimiser="adam", key=KEY)
    with pytest.raises(RuntimeError, match="the rates of 'E' are not finite"):
        jn.train(
            jnp.ones(2), lambda w, b, k: (jnp.sum(w), {"E": jnp.full(3, jnp.nan)}), lambda s: None, steps=2,
            optimiser=sgd, key=KEY,
        )  # fmt: skip
    with pytest.raises(RuntimeError, match="`validate` returned NaN"):
        jn.train(jnp.ones(3), loss, batches, steps=2, optimiser=sgd, key=KEY, validate=lambda w: jnp.nan)
    with pytest.raises(ValueError, match="no float array"):
        jn.train({}, loss, batches, steps=3, optimiser=sgd, key=KEY)


@pytest.mark.parametrize(
    "given",
    [None, "x", 1, (1.0, 2.0), (1.0, 2.0, 3.0), (1.0, {"E": jnp.zeros(())}), jnp.ones(3), jnp.asarray(1j)],
    ids=str,
)
def test_a_loss_is_one_float(given, as_users_run):
    """Of a training, of its validation, and of an audit."""
    common = dict(steps=1, optimiser=optax.sgd(0.1), key=KEY)
    with pytest.raises(ValueError, match=r"^`loss` has to return one float.*; got "):
        jn.train(jnp.ones(2), lambda w, b, k: given, lambda s: None, **common)
    with pytest.raises(ValueError, match=r"^`validate` has to return one float; got "):
        jn.train(jnp.ones(2), lambda w, b, k: jnp.sum(w), lambda s: None, validate=lambda w: given, **common)


def test_arrays_of_numpy_are_trained_and_what_where_names_is_float(as_users_run):
    common = dict(steps=1, optimiser=optax.sgd(0.1), key=KEY)
    start = {"a": np.ones(2), "b": jnp.asarray(1.0), "n": jnp.asarray(3)}
    moved = jn.train(start, lambda p, b, k: jnp.sum(p["a"]) + p["b"], lambda s: None, **common).params
    np.testing.assert_allclose([*moved["a"], moved["b"], moved["n"]], [0.9, 0.9, 0.9, 3.0], rtol=1e-6)
    with pytest.raises(ValueError, match=r"`where` has to name float arrays of `params`; got "):
        jn.train(start, lambda p, b, k: 0.0, lambda s: None, where=lambda p: p["n"], **common)


def test_a_number_that_python_typed_has_one_program_with_its_checkpoint(tmp_path, as_users_run):
    """`jnp.asarray(1.0)` is weakly typed, and what a file gives back is not: another loss had been taken on."""
    common = dict(optimiser=optax.sgd(0.1), key=KEY, checkpoint=tmp_path / "run.npz")
    jn.train({"a": jnp.asarray(1.0)}, lambda p, b, k: p["a"] ** 2, lambda s: None, steps=2, **common)
    with pytest.raises(ValueError, match="with another `loss` or `optimiser`"):
        jn.train({"a": jnp.asarray(1.0)}, lambda p, b, k: p["a"] ** 4, lambda s: None, steps=4, **common)


@pytest.mark.slow
def test_a_batch_on_two_devices_gives_the_same_run():
    code = """
import jax, jax.numpy as jnp, numpy as np, optax, jaxneuro as jn
from jax.sharding import Mesh, NamedSharding, PartitionSpec
assert len(jax.devices()) == 2
loss = lambda w, b, k: jnp.mean((b @ w - 1.0) ** 2)
batches = lambda s: jnp.asarray(np.random.default_rng(s).normal(2.0, 1.0, (8, 3)), jnp.float32)
where = NamedSharding(Mesh(np.array(jax.devices()), ("batch",)), PartitionSpec("batch"))
common = dict(steps=20, optimiser=optax.adam(0.01), key=jax.random.key(0))
one = jn.train(jnp.zeros(3), loss, batches, **common)
two = jn.train(jnp.zeros(3), loss, batches, sharding=where, **common)
np.testing.assert_allclose(two.params, one.params, rtol=1e-5)
"""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    import os

    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env={**os.environ, **flags})
