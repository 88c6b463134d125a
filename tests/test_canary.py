"""A silent miscompilation of one jaxlib release: jit has to equal eager."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("shape", [(7, 5, 3), (64, 32, 16), (3, 33, 17)])
def test_jit_of_vmapped_product_equals_eager(shape):
    # jaxlib 0.10.2 on the CPU gives one wrong row here; the pins in pyproject.toml leave it out.
    batch, rows, columns = shape
    rng = np.random.default_rng(0)
    matrix = jnp.asarray(rng.normal(size=(rows, columns)), dtype=jnp.result_type(float))
    vectors = jnp.asarray(rng.normal(size=(batch, columns)), dtype=jnp.result_type(float))

    def energy(m, v):
        return jax.vmap(lambda row: jnp.sum(jnp.square(m @ row)))(v)

    with jax.disable_jit():
        eager = energy(matrix, vectors)
    rtol = 1e-12 if eager.dtype == jnp.float64 else 1e-5  # sums of a few hundred products, reordered
    np.testing.assert_allclose(jax.jit(energy)(matrix, vectors), eager, rtol=rtol)
