"""Lambert's W and the Wright omega function against 40-digit references."""

from functools import cache

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxneuro._numerics import lambert_w, wright_omega

mpmath.mp.dps = 40
EPS = {jnp.dtype("float64"): np.finfo(np.float64).eps, jnp.dtype("float32"): np.finfo(np.float32).eps}


def dtype():
    return jnp.result_type(float)


def reference_w(x):
    return mpmath.lambertw(mpmath.mpf(float(x))).real


def reference_omega(z):
    z = mpmath.mpf(float(z))
    if z < 100:
        return mpmath.lambertw(mpmath.exp(z)).real
    w = z - mpmath.log(z)
    for _ in range(8):
        w -= (w + mpmath.log(w) - z) / (1 + 1 / w)
    return w


def arguments_w():
    largest = 307 if dtype() == jnp.float64 else 37
    gaps = 10.0 ** np.linspace(-15 if dtype() == jnp.float64 else -6, -0.5, 60)
    pieces = [
        -0.36787944117144233 + gaps,
        [0.0],
        10.0 ** np.linspace(-largest, largest, 400),
        np.linspace(-0.36, 5, 300),
    ]
    return np.concatenate(pieces).astype(dtype())


@pytest.mark.float32
@pytest.mark.bits
def test_lambert_w_is_exact_to_rounding():
    x = arguments_w()
    got = np.asarray(lambert_w(x), dtype=np.float64)
    exact = [reference_w(v) for v in x]
    error = np.array([float(abs(g - e) / (abs(e) if e else 1)) for g, e in zip(got, exact, strict=True)])
    # 16 units: the condition number of W just outside the series about the branch point.
    assert error.max() < 16 * EPS[dtype()]


@pytest.mark.float32
@pytest.mark.bits
def test_wright_omega_is_exact_to_rounding():
    low, high = (-600, 200) if dtype() == jnp.float64 else (-80, 30)
    z = np.concatenate([np.linspace(low, -1, 150), np.linspace(-10, 40, 400), 10.0 ** np.linspace(1.7, high / 7, 100)])
    z = z.astype(dtype())
    got = np.asarray(wright_omega(z), dtype=np.float64)
    exact = [reference_omega(v) for v in z]
    error = np.array([float(abs(g - e) / e) for g, e in zip(got, exact, strict=True)])
    assert error.max() < 16 * EPS[dtype()]  # at z = -10 one rounding of z is ten of exp(z)


@pytest.mark.float32
@pytest.mark.bits
def test_ends_of_the_range():
    assert np.isnan(lambert_w(-0.5))
    assert np.isnan(lambert_w(jnp.nan))
    assert lambert_w(jnp.inf) == jnp.inf
    assert lambert_w(0.0) == 0.0
    assert wright_omega(jnp.inf) == jnp.inf
    assert wright_omega(-1e30) == 0.0
    largest = jnp.finfo(dtype()).max
    np.testing.assert_allclose(lambert_w(largest), float(reference_w(largest)), rtol=4 * EPS[dtype()])


@cache
def derivatives(x, order):
    """Derivatives of W at x, and of omega at log |x|, at 40 digits, by Cauchy's formula in mpmath."""
    z = mpmath.mpf(float(np.log(abs(x))))
    return (
        float(mpmath.diff(lambda t: mpmath.lambertw(t).real, mpmath.mpf(x), order)),
        float(mpmath.diff(lambda t: mpmath.lambertw(mpmath.exp(t)).real, z, order)),
    )


@pytest.mark.parametrize("mode", [jax.jacfwd, jax.jacrev], ids=["forward", "reverse"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_every_order(mode, order):
    f, g = lambert_w, wright_omega
    for _ in range(order):
        f, g = mode(f), mode(g)
    at = (-0.3, -1e-3, 0.5, 1.0, 7.0, 1e6)
    found = jax.jit(lambda x, z: (jax.vmap(f)(x), jax.vmap(g)(z)))(np.array([*at, 0.0]), np.log(np.abs(at)))
    by_w, by_omega = zip(*(derivatives(x, order) for x in at), strict=True)
    np.testing.assert_allclose(found[0][:-1], by_w, rtol=1e-11)
    np.testing.assert_allclose(found[0][-1], [1.0, -2.0, 9.0][order - 1], rtol=1e-14)  # (-n)^(n-1)
    np.testing.assert_allclose(found[1], by_omega, rtol=1e-11)


@pytest.mark.float32
@pytest.mark.bits
def test_slopes_are_finite_in_float32():
    x = jnp.asarray(10.0 ** np.linspace(-37, 37, 200), dtype=jnp.float32)
    z = jnp.asarray(np.linspace(-1e4, 1e4, 200), dtype=jnp.float32)
    assert np.all(np.isfinite(jax.vmap(jax.grad(lambert_w))(x)))
    assert np.all(np.isfinite(jax.vmap(jax.grad(wright_omega))(z)))
