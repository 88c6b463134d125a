"""Products of spikes and weights row by row: against the dense product, in both modes and under vmap."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.connectivity import spike_product

RNG = np.random.default_rng(2)
N_PRE, N_POST, ROWS = 160, 110, 24
MATRIX = jnp.asarray(RNG.normal(size=(N_PRE, N_POST)))


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
def test_the_product_its_derivatives_and_batches(share):
    spikes = jnp.asarray(RNG.random((3, ROWS, N_PRE)) < share)
    tangent = jnp.asarray(RNG.normal(size=(3, ROWS, N_PRE)))
    target = jnp.asarray(RNG.normal(size=(3, ROWS, N_POST)))

    def soft(theta):
        """1 or 0 with a derivative."""
        return spikes.astype(theta.dtype) + (theta - jax.lax.stop_gradient(theta)) * tangent

    def ours(matrix, theta):
        return jax.vmap(lambda s, f: spike_product(s, f, matrix))(spikes, soft(theta))

    def dense(matrix, theta):
        return soft(theta) @ matrix

    at = (MATRIX, jnp.asarray(0.3))
    moved = (jnp.asarray(RNG.normal(size=MATRIX.shape)), jnp.asarray(1.0))

    def everything(function, at):
        value, along = jax.jvp(function, at, moved)
        gradients = jax.grad(lambda *p: jnp.sum(function(*p) * target), (0, 1))(*at)
        return value, along, gradients

    found = jax.jit(lambda at: everything(ours, at))(at)
    expected = jax.jit(lambda at: everything(dense, at))(at)
    tolerance = dict(rtol=1e-10, atol=1e-10) if MATRIX.dtype == jnp.float64 else dict(rtol=1e-4, atol=1e-3)
    for a, b in zip(*map(jax.tree_util.tree_leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)
    # A gradient for every trial, and a matrix for every trial.
    each = jax.vmap(jax.grad(lambda m, s, t: jnp.sum(spike_product(s, None, m) * t)), (None, 0, 0))
    np.testing.assert_allclose(
        each(MATRIX, spikes, target), jnp.einsum("btj,bti->bji", spikes.astype(MATRIX.dtype), target), **tolerance
    )
    many = jnp.stack([MATRIX, -MATRIX, 2 * MATRIX])
    own = jax.vmap(lambda m, s: spike_product(s, None, m))(many, spikes)
    np.testing.assert_allclose(own, jnp.einsum("btj,bji->bti", spikes.astype(MATRIX.dtype), many), **tolerance)


def test_a_second_derivative():
    spikes = jnp.asarray(RNG.random((ROWS, N_PRE)) < 0.05)
    direction = jnp.asarray(RNG.normal(size=MATRIX.shape))

    def square(m):
        return 0.5 * jnp.sum(spike_product(spikes, None, m) ** 2)

    product = jax.jvp(jax.grad(square), (MATRIX,), (direction,))[1]
    counts = spikes.astype(MATRIX.dtype)
    np.testing.assert_allclose(product, counts.T @ counts @ direction, rtol=1e-9, atol=1e-9)
