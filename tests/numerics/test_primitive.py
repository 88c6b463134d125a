"""A canary of JAX: an operation of our own is what it says under jit, vmap, jvp, grad and their combinations."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro._numerics._primitive import batch_first, batch_size, define, linear_in_last, one_by_one

RNG = np.random.default_rng(1)
B, N, M = 3, 4, 5


def _product(matrix, values):
    return matrix.astype(values.dtype) @ values


def _all_at_once(primitive, arguments, dims, parameters):
    matrices, values = batch_first(arguments, dims, batch_size(arguments, dims))
    return jnp.stack([primitive.bind(m, v, **parameters) for m, v in zip(matrices, values, strict=True)]), 0


def _made(batch):
    forward = define("canary_product", _product, batch=batch)
    back = define("canary_transposed", lambda matrix, values: _product(matrix.T, values), batch=batch)
    linear_in_last(forward, lambda cotangent, matrix: back.bind(matrix, cotangent))
    linear_in_last(back, lambda cotangent, matrix: forward.bind(matrix, cotangent))
    return forward.bind


BATCHES = [_made(one_by_one), _made(_all_at_once)]
INTS = RNG.integers(-3, 4, size=(B, N, M))
FLOATS = RNG.normal(size=(B, M))


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("ours", BATCHES, ids=["one by one", "at once"])
@pytest.mark.parametrize("axes", [a for a in itertools.product([None, 0, -1], repeat=2) if a != (None, None)], ids=str)
def test_every_mapped_axis(ours, axes):
    matrix, values = (
        jnp.asarray(x[0] if axis is None else np.moveaxis(x, 0, axis))
        for x, axis in zip((INTS, FLOATS.astype(jnp.result_type(float))), axes, strict=True)
    )
    expected = np.stack([INTS[0 if axes[0] is None else b] @ FLOATS[0 if axes[1] is None else b] for b in range(B)])
    tolerance = dict(rtol=1e-5, atol=1e-5) if values.dtype == jnp.float32 else dict(rtol=1e-12, atol=1e-12)
    for call in (jax.vmap(ours, axes), jax.jit(jax.vmap(ours, axes)), jax.vmap(jax.jit(ours), axes)):
        np.testing.assert_allclose(call(matrix, values), expected, **tolerance)


@pytest.mark.parametrize("ours", BATCHES, ids=["one by one", "at once"])
def test_both_modes_their_batches_and_a_second_derivative(ours):
    matrix, values, along = jnp.asarray(INTS[0]), jnp.asarray(FLOATS), jnp.asarray(FLOATS[::-1].copy())
    target = jnp.asarray(RNG.normal(size=N))
    np.testing.assert_allclose(jax.jvp(lambda v: ours(matrix, v), (values[0],), (along[0],))[1], INTS[0] @ FLOATS[-1])

    def square(v):
        return 0.5 * jnp.sum((ours(matrix, v) - target) ** 2)

    expected = np.stack([INTS[0].T @ (INTS[0] @ v - np.asarray(target)) for v in FLOATS])
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(square)))(values), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jax.hessian(square)(values[0]), INTS[0].T @ INTS[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jax.jacfwd(lambda v: ours(matrix, v))(values[0]), INTS[0])
    # Where nothing depends on it there is no derivative, and no error.
    assert not np.any(jax.grad(lambda x: jnp.sum(ours(matrix, values[0])) + 0 * x)(1.0))
