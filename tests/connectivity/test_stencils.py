"""Kernels on a torus: around each spike, by transforms, by lists and by the matrix, one result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.connectivity import _convolution as convolution

FINE, COARSE = jn.Lattice(10, 14), jn.Lattice(5, 7, spacing=2.0)
CASES = {
    "even": (jn.GaussianKernel(2.0, 3.0), FINE, FINE),
    "to the edge": (jn.FlatKernel(5.0), FINE, FINE),
    "coarse to fine": (jn.GaussianKernel(1.5, 4.0), COARSE, FINE),
    "fine to coarse": (jn.FlatKernel(2.0), FINE, COARSE),
    "odd": (jn.FlatKernel(1.0), jn.Lattice(3, 3), jn.Lattice(3, 3)),
}


def sparse_spikes(n, share, steps=5):
    rng = np.random.default_rng(n)
    spikes = np.where(rng.random((steps, n)) < share, rng.normal(size=(steps, n)), 0.0)
    spikes[:, -1] = 1.0  # the last one too
    return jnp.asarray(spikes, jnp.result_type(float))


@pytest.mark.float32
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("case", list(CASES))
def test_arrivals_are_those_of_the_matrix(case, share):
    kernel, pre, post = CASES[case]
    weights, spikes = kernel.between(pre, post), sparse_spikes(pre.n, share)
    expected = np.asarray(spikes, float) @ np.asarray(weights.as_matrix(), float).T
    scale = np.abs(expected).max()
    tolerance = 1e-6 if jax.config.jax_enable_x64 else 3e-6
    lists = weights.as_lists()
    np.testing.assert_array_equal(lists.as_matrix(), weights.as_matrix())
    for own in (weights, lists):
        np.testing.assert_allclose(jax.jit(lambda s: own.arrivals(s))(spikes), expected, atol=tolerance * scale)


def test_both_ways_are_taken_and_a_batch_is_one_after_another(monkeypatch):
    kernel, pre, post = CASES["even"]
    weights = kernel.between(pre, post).prepared()
    asked = []
    monkeypatch.setattr(convolution, "add_stencils", lambda *a: asked.append(a[0].shape) or jnp.zeros((6, 10, 14)))
    batch = jnp.stack([sparse_spikes(pre.n, 0.01, 2), sparse_spikes(pre.n, 0.5, 2), sparse_spikes(pre.n, 0.0, 2)])
    jax.vmap(lambda s: weights.arrivals(s))(batch)
    assert asked == [(6, pre.n)]


def test_derivatives_are_those_of_the_matrix():
    _, pre, post = CASES["even"]
    spikes, weigh = sparse_spikes(pre.n, 0.02), jnp.asarray(np.random.default_rng(1).normal(size=(5, post.n)))

    def total(sigma, spikes):
        return jnp.sum(weigh * jn.GaussianKernel(sigma, 3.0).between(pre, post).arrivals(spikes))

    def by_matrix(sigma, spikes):
        return jnp.sum(weigh * (spikes @ jn.GaussianKernel(sigma, 3.0).between(pre, post).as_matrix().T))

    at = (jnp.asarray(2.0), spikes)
    for mode in (jax.grad, jax.jacfwd):
        for found, expected in zip(mode(total, (0, 1))(*at), mode(by_matrix, (0, 1))(*at), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-9)
