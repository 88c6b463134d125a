"""Lambert's W and its logarithmic form, the Wright omega function, on the principal real branch."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ._leaf import as_leaf

# 1/e as a sum of two floats, so that x + 1/e keeps its digits beside the branch point.
_INVERSE_E = {
    jnp.dtype("float64"): (0.36787944117144233, -1.2428753672788363e-17),
    jnp.dtype("float32"): (0.3678794503211975, -9.149755188170102e-09),
}
# Coefficients of W0 in p = sqrt(2 (e x + 1)) about the branch point (Corless et al. 1996, equation 4.22).
_BRANCH_SERIES = (
    -1.0,
    1.0,
    -1.0 / 3.0,
    11.0 / 72.0,
    -43.0 / 540.0,
    769.0 / 17280.0,
    -221.0 / 8505.0,
    680863.0 / 43545600.0,
    -1963.0 / 204120.0,
    226287557.0 / 37623398400.0,
)
_BRANCH_WIDTH = 0.06  # below this p the truncated series is exact to rounding
_STEPS = 3  # of fourth order, from first guesses good to a few per cent


def lambert_w(x: ArrayLike) -> Float[Array, "..."]:
    """Solves w exp(w) = x for the principal real branch W0.

    **Arguments:** `x` of any shape, at least -1/e; NaN below.

    **Returns:** `w` of the same shape, -1 or above, accurate to rounding up to the largest float.

    Derivatives: forward and reverse, every order; the slope is infinite at x = -1/e.

    ```python
    >>> import jaxneuro._numerics as numerics
    >>> print(f"{numerics.lambert_w(1.0):.6f}")
    0.567143

    ```

    Source: Corless, Gonnet, Hare, Jeffrey and Knuth (1996), doi:10.1007/BF02124750; the iteration is that of
    Fritsch, Shafer and Crowley (1973), doi:10.1145/361952.361970.
    """
    return _lambert_w(as_leaf(x))


def wright_omega(z: ArrayLike) -> Float[Array, "..."]:
    """Solves w + log(w) = z, so that w = W0(exp(z)) without the overflow of exp(z).

    **Arguments:** `z` of any shape, every real number.

    **Returns:** `w` of the same shape, positive.

    Derivatives: forward and reverse, every order.

    ```python
    >>> import jaxneuro._numerics as numerics
    >>> print(f"{numerics.wright_omega(1.0):.6f} {numerics.wright_omega(1e6):.4f}")
    1.000000 999986.1845

    ```

    Source: Corless and Jeffrey (2002), doi:10.1007/3-540-45470-5_10.
    """
    return _wright_omega(as_leaf(z))


def _refine(w: Array, residual: Array) -> Array:
    """One step of Fritsch, Shafer and Crowley, where `residual` is log(x / w) - w."""
    one = 1.0 + w
    ratio = residual / one  # divided early, so that nothing overflows where w is large
    q = 2.0 * (one + 2.0 / 3.0 * residual)
    return w * (1.0 + ratio * (q - ratio) / (q - 2.0 * ratio))


@jax.custom_jvp
def _wright_omega(z: Array) -> Array:
    tiny = z < 0.5 * jnp.log(jnp.finfo(z.dtype).eps) - 2.0  # there exp(z) (1 - exp(z)) is exact to rounding
    safe = jnp.where(tiny, 0.0, z)
    large = jnp.maximum(safe, 2.0)
    log_large = jnp.log(large)
    middle = 1.0 + (safe - 1.0) / 2.0 + (safe - 1.0) ** 2 / 16.0
    small = jnp.exp(jnp.minimum(safe, -1.0))
    w = jnp.where(safe > 3.0, large - log_large + log_large / large, middle)
    w = jnp.where(safe < -1.0, small * (1.0 - small), w)
    for _ in range(2):  # these guesses are better
        w = _refine(w, safe - w - jnp.log(w))
    exp_z = jnp.exp(jnp.minimum(z, 0.0))
    w = jnp.where(tiny, exp_z * (1.0 - exp_z), w)
    return jnp.where(z == jnp.inf, jnp.inf, w)


@_wright_omega.defjvp
def _wright_omega_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    # w + log w = z, hence w' (1 + 1/w) = 1 and w' = w / (1 + w).
    (z,), (dz,) = primals, tangents
    w = _wright_omega(z)
    return w, w / (1.0 + w) * dz


@jax.custom_jvp
def _lambert_w(x: Array) -> Array:
    high, low = _INVERSE_E[x.dtype]
    p_squared = 2.0 * jnp.e * ((x + high) + low)
    p = jnp.sqrt(jnp.maximum(p_squared, 0.0))
    series = jnp.polyval(jnp.asarray(_BRANCH_SERIES[::-1], x.dtype), p)
    near_branch = p < _BRANCH_WIDTH
    tiny = jnp.abs(x) < jnp.finfo(x.dtype).eps  # there W0(x) = x to rounding
    safe = jnp.where(near_branch | tiny | ~jnp.isfinite(x), 1.0, x)
    w = _first_guess(safe, jnp.where(near_branch, 1.0, p))
    for _ in range(_STEPS):
        w = _refine(w, jnp.log(safe / w) - w)
    w = jnp.where(tiny, x, jnp.where(near_branch, series, w))
    w = jnp.where(x == jnp.inf, jnp.inf, w)
    return jnp.where((p_squared < 0.0) | jnp.isnan(x), jnp.nan, w)


def _first_guess(x: Array, p: Array) -> Array:
    """The branch series for small x, log x - log log x for large x, and log(1 + x) between."""
    log_x = jnp.log(jnp.maximum(x, 3.0))
    log_log = jnp.log(log_x)
    large = log_x - log_log + log_log / log_x
    middle = jnp.log1p(jnp.maximum(x, -0.5)) * (1.0 - 0.2 * jnp.minimum(jnp.abs(x), 1.0))
    branch = -1.0 + p * (1.0 - p / 3.0 + 11.0 / 72.0 * p**2)
    near_zero = x * (1.0 - x + 1.5 * x**2)
    return jnp.where(x > 3.0, large, jnp.where(x > 0.1, middle, jnp.where(jnp.abs(x) < 0.1, near_zero, branch)))


@_lambert_w.defjvp
def _lambert_w_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    # w exp(w) = x, hence w' = exp(-w) / (1 + w) = w / (x (1 + w)); the second form keeps its digits at large x.
    (x,), (dx,) = primals, tangents
    w = _lambert_w(x)
    beyond = x > 1.0
    slope = jnp.where(
        beyond,
        w / jnp.where(beyond, x, 1.0) / (1.0 + w),
        jnp.exp(-jnp.where(beyond, 0.0, w)) / (1.0 + w),
    )
    return w, slope * dx
