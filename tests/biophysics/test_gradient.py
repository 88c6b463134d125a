"""Gradients of neurons with channels are the same however they are taken, and checkpoints keep less."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

N, DT = 3, 0.05
CURRENT = jnp.asarray([0.0, 5.0, 12.0])


def loss(g, adjoint, t1=21.05, every=7):
    """Of 421 steps: 26 blocks of 16, and 5 steps over."""
    cells = jn.Population(jn.HodgkinHuxley(g_na=g[0], g_k=g[1], g_l=g[2]), N)
    sol = jn.simulate(
        cells, 0.0, t1, dt=DT, key=jax.random.key(0), stimulus=CURRENT, adjoint=adjoint, throw=False,
        record={"v": jn.record.Trace("v", every=every)},
    )  # fmt: skip
    return jnp.mean(jnp.square(sol["v"]))


G = tuple(jnp.full(N, g) for g in (120.0, 36.0, 0.3))


@pytest.mark.parametrize("segments", [None, pytest.param(3, marks=pytest.mark.proof)])
def test_checkpoints_forward_mode_and_differences_agree(segments):
    def reverse(adjoint):
        return np.stack(jax.jit(jax.grad(lambda g: loss(g, adjoint)))(G))

    checkpoints = reverse(jn.adjoint.Checkpoint(segments))
    assert np.all(np.abs(checkpoints) > 1e-6)
    if segments is not None:
        np.testing.assert_allclose(checkpoints, reverse(jn.adjoint.Direct()), rtol=1e-9)
    along = np.full((3, N), np.array([[0.3], [-0.2], [0.01]]))
    run = jax.jit(lambda g: jax.jvp(lambda x: loss(x, jn.adjoint.Forward()), (g,), (tuple(along),)))
    expected = np.sum(checkpoints * along)
    np.testing.assert_allclose(run(G)[1], expected, rtol=1e-9)
    up, down = (run(tuple(np.stack(G) + s * 1e-5 * along))[0] for s in (1.0, -1.0))
    np.testing.assert_allclose((up - down) / 2e-5, expected, rtol=1e-5)


@pytest.mark.proof
def test_memory_of_checkpoints_grows_less_than_the_run():
    def megabytes(t1, adjoint):
        compiled = jax.jit(jax.grad(lambda g: loss(g, adjoint, t1, every=8_000))).lower(G).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    short, long = (megabytes(t, jn.adjoint.Checkpoint()) for t in (400.0, 6_400.0))
    # 16 times as long a run: 4 times the memory by the square root, and some for what does not grow evenly.
    assert long < 6 * short
    assert long < megabytes(6_400.0, jn.adjoint.Direct()) / 10
