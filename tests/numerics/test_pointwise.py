"""Derivatives of functions that mix no places equal those that JAX takes, and keep less."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro._numerics import bounded_exp, pointwise

N = 5
X = {"v": jnp.linspace(-1.0, 2.0, N), "m": jnp.linspace(0.1, 0.9, N), "h": jnp.linspace(0.8, 0.2, N)}
SCALE = jnp.asarray(1.3)


def several(x, scale, unused):
    rate = bounded_exp(scale * x["v"])
    return {"m": x["m"] * jnp.exp(-rate) + rate, "h": x["h"] / (1.0 + rate), "n": jnp.sin(x["v"])}


def loss(function):
    def of(x, scale, unused):
        made = function(x, scale, unused)
        return jnp.sum(made["m"] ** 2 + 3.0 * made["h"] * made["n"])

    return of


OURS, THEIRS = loss(lambda *args: pointwise(several, *args)), loss(several)
ARGS = (X, SCALE, jnp.ones(N))


def transformed(f, args):
    """Derivatives in both modes and of second order, in a batch, and by one argument beside a known one."""
    return (
        f(*args),
        jax.grad(f, argnums=(0, 1, 2))(*args),
        jax.jacfwd(f, argnums=(0, 1))(*args),
        jax.hessian(f, argnums=(0, 1))(*args),
        jax.grad(lambda s: f(X, s, 1.0))(args[1]),
        jax.vmap(jax.grad(lambda s: f(X, s, 1.0)))(jnp.linspace(0.5, 1.5, 3)),
    )


def test_reverse_and_forward_mode_and_their_compositions():
    ours, theirs = jax.jit(lambda args: (transformed(OURS, args), transformed(THEIRS, args)))(ARGS)
    for k, (own, right) in enumerate(zip(ours, theirs, strict=True)):
        rtol = 1e-12 if k == 3 else 1e-13
        jax.tree_util.tree_map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-13), own, right)
    by_scale = jax.grad(lambda s: OURS(X, s, 1.0))(SCALE)  # without jit
    np.testing.assert_allclose(by_scale, ours[4], rtol=1e-13)


def test_reverse_mode_keeps_one_array_a_dependence():
    def kept(function):
        _, back = jax.vjp(lambda x: function(x, SCALE, 1.0), X)
        return len([leaf for leaf in jax.tree_util.tree_leaves(back) if leaf.shape == (N,)])

    # m of v and m, h of v and h, n of v.
    assert kept(lambda *args: pointwise(several, *args)) == 5 < kept(several)


def test_an_exponential_is_bounded_in_value_and_derivative():
    x = jnp.asarray([-1e4, -3.0, 0.0, 59.0, 1e4], jnp.float32)
    value, slope = jax.vmap(jax.value_and_grad(bounded_exp))(x)
    np.testing.assert_allclose(value[1:4], np.exp(x[1:4]), rtol=2e-6)
    np.testing.assert_array_equal(slope[:4], value[:4])
    assert float(value[0]) < 1e-29
    assert float(slope[4]) == 0.0
    assert float(value[4]) == float(bounded_exp(jnp.asarray(60.0, jnp.float32)))
