"""What a program does otherwise for a GPU gives the same, and has no loop whose length only the run tells."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import jaxneuro as jn
from jaxneuro._numerics import PoissonTable, _poisson, scan_steps
from jaxneuro.statistics import IntervalMoments

RNG = np.random.default_rng(5)


def loops(function, *arguments, platform="cuda"):
    """How many loops a program has that is lowered for a platform."""
    return jax.jit(function).trace(*arguments).lower(lowering_platforms=(platform,)).as_text().count("stablehlo.while")


def decay(scan, rate, rows):
    """A carry that is mapped and one that is not, constants from outside, and what each turn emits."""

    def step(carry, row):
        x, k = carry
        x = x * jnp.exp(-rate) + row
        return (x, k + 1), {"x": x, "k": k}

    return scan(step, (jnp.zeros_like(rows[0]), jnp.zeros((), jnp.int32)), rows)


def test_steps_are_a_scan_in_every_transformation():
    rates, rows = jnp.asarray(RNG.random(3)), jnp.asarray(RNG.normal(size=(7, 4)))
    ours, scan = (lambda r, x: decay(scan_steps, r, x)), (lambda r, x: decay(lax.scan, r, x))

    def total(function):
        return lambda r: jnp.sum(jnp.sin(jax.checkpoint(function)(r, rows)[1]["x"]))

    def everything(function):
        batch = jax.vmap(function, (0, None))
        both = jax.vmap(lambda x: jax.vmap(function, (0, None))(rates, x))(jnp.stack([rows, 2 * rows]))
        moved = jax.jvp(lambda r: function(r, rows)[0][0], (rates[0],), (jnp.ones_like(rates[0]),))
        gradients = jax.vmap(jax.grad(total(function)))(rates), jax.grad(lambda r: jnp.sum(batch(r, rows)[0][0]))(rates)
        return function(rates[0], rows), batch(rates, rows), both, moved, gradients

    found, expected = jax.jit(lambda: everything(ours))(), jax.jit(lambda: everything(scan))()
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(*map(jax.tree.leaves, (found, expected)), strict=True):
        assert (a.shape, a.dtype, a.weak_type) == (b.shape, b.dtype, b.weak_type)
        np.testing.assert_allclose(a, b, rtol=1e-12 if a.dtype == np.float64 else 1e-5)
    # What is not mapped is not copied.
    assert jax.eval_shape(jax.vmap(ours, (0, None), ((0, None), {"x": 0, "k": None})), rates, rows)[1]["k"].shape == (
        7,
    )


def test_turns_are_written_out_for_a_gpu_alone():
    rates, rows = jnp.asarray(RNG.random(3)), jnp.asarray(RNG.normal(size=(15, 4)))
    batch = jax.vmap(lambda r: decay(scan_steps, r, rows))
    assert loops(batch, rates) == 0
    assert loops(batch, rates, platform="cpu") == 1
    assert loops(batch, rates, platform="tpu") == 1


@pytest.mark.parametrize("mean", [0.0, 0.3, 24.9, np.linspace(0.1, 20.0, 40)], ids=["0", "0.3", "24.9", "own"])
def test_counts_drawn_with_all_comparisons_are_equal(mean):
    table, key = PoissonTable(jnp.asarray(mean), few=True), jax.random.key(4)
    given = (jax.random.key_data(key), table.thresholds, table.n_draws, table.n_thresholds)
    at_once = jax.jit(lambda *x: _poisson._count_at_once(*x, n=40, few=True))(*given)
    np.testing.assert_array_equal(table.count(key, 40), at_once)


def test_counts_of_large_means_and_of_batches_are_equal():
    table, keys = PoissonTable(jnp.asarray(60.0)), jax.random.split(jax.random.key(4), (2, 3))
    found = jax.jit(jax.vmap(jax.vmap(lambda key: table.count(key, 20))))(keys)
    given = {"n_draws": table.n_draws, "n_thresholds": table.n_thresholds, "n": 20, "few": False}
    one = partial(_poisson._count_at_once, thresholds=table.thresholds, **given)
    np.testing.assert_array_equal(found, jax.vmap(jax.vmap(one))(jax.random.key_data(keys)))


def test_intervals_taken_in_step_by_step_are_those_by_rank():
    spikes = jnp.asarray(RNG.random((12, 30)) < 0.3)
    word = jnp.sum(spikes.astype(jnp.uint32) << jnp.arange(12, dtype=jnp.uint32)[:, None], axis=0, dtype=jnp.uint32)
    start = IntervalMoments.start(30)
    before = start.update(jnp.arange(3, dtype=jnp.int32), spikes[:3])
    by_rank = jax.jit(lambda m, w: m._by_rank(jnp.int32(3), w, 12))(before, word)
    by_step = jax.jit(lambda m, w: m._by_step(jnp.int32(3), w, 12))(before, word)
    for a, b in zip(*map(jax.tree.leaves, (by_rank, by_step)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_block_for_a_gpu_has_no_loop_inside():
    """The loop over blocks is left, and two outside it that make the table of counts."""

    def net(g):
        return jn.networks.brunel(g=g, n_e=40, n_i=10, c_e=4, c_i=2)

    wiring = jn.wire(net(5.0), key=jax.random.key(0), delivery=jn.delivery.Product())

    def run(g, key, wiring):
        sol = jn.simulate(
            net(g), 0.0, 6.0, dt=0.1, key=key, wiring=wiring, throw=False,
            record={"rate": jn.record.Rate(), "cv": jn.record.CV()},
        )  # fmt: skip
        return sol["rate"], sol["cv"]

    given = jnp.linspace(4.0, 5.0, 2), jax.random.split(jax.random.key(1), 2), wiring
    assert loops(jax.vmap(run, (0, 0, None)), *given) == 3
