"""What a Poisson process, and its binomial form in bins, predict of counts and intervals."""

import jax.numpy as jnp
from jax.scipy.special import gammaln, xlog1py, xlogy
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_nonnegative, check_positive, violates


def poisson_counts(n: ArrayLike, *, rate: ArrayLike, width: ArrayLike) -> Float[Array, "..."]:
    """The probability of `n` spikes of a Poisson process in a window.

        P(n) = (r T)^n exp(-r T) / n!

    Mean and variance are r T, the Fano factor is 1.

    **Arguments:** `n`, whole numbers; `rate` r [Hz]; `width` T [ms]; shapes broadcast.

    **Returns:** the probability.

    Raises `ValueError` where `n` is no whole number of at least 0, `rate` is negative or `width` not positive.

    Derivatives in `rate` and `width`: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> round(float(jn.statistics.poisson_counts(2, rate=10.0, width=100.0)), 5)
    0.18394

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, equation (1.29).
    """
    k, mean = _counts(n), _rate(rate) * _width(width)
    return jnp.exp(xlogy(k, mean) - mean - gammaln(k + 1.0))


def binomial_counts(n: ArrayLike, *, rate: ArrayLike, width: ArrayLike, dt: ArrayLike) -> Float[Array, "..."]:
    """The probability of `n` spikes in a window of M = T / dt bins that hold at most one each, as `bernoulli_trains`.

        P(n) = M! / ((M - n)! n!) (r dt)^n (1 - r dt)^(M - n)

    Mean r T and variance r T (1 - r dt); the Poisson law for dt to 0.

    **Arguments:** `n`, whole numbers; `rate` r [Hz]; `width` T, a multiple of `dt` [ms]; shapes broadcast.

    **Returns:** the probability, 0 above M.

    Raises `ValueError` as `poisson_counts`, where `width` is no multiple of `dt` or `rate` gives over one spike a bin.

    Derivatives in `rate`: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> round(float(jn.statistics.binomial_counts(1, rate=50.0, width=20.0, dt=10.0)), 5)
    0.5

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, appendix 1.B, before equation (1.27).
    """
    step = as_leaf(dt, "dt")
    check_positive("dt", step)
    k, bins, p = _counts(n), jnp.round(_width(width) / step), _rate(rate) * step
    if violates(lambda m: jnp.abs(m * step / _width(width) - 1.0) < 1e-5, bins):
        raise ValueError(f"`width` has to be a multiple of `dt`; got {_width(width)} and {step} ms.")
    if violates(lambda p: p <= 1.0, p):
        raise ValueError(f"`rate` gives more than one spike a bin of {step} ms, which holds at most one.")
    inside = k <= bins
    rest = jnp.where(inside, bins - k, 0.0)
    ways = gammaln(bins + 1.0) - gammaln(k + 1.0) - gammaln(rest + 1.0)
    return jnp.where(inside, jnp.exp(ways + xlogy(k, p) + xlog1py(rest, -p)), 0.0)


def interval_density(t: ArrayLike, *, rate: ArrayLike, t_ref: ArrayLike = 0.0) -> Float[Array, "..."]:
    """The density [1/ms] of the interspike intervals of a Poisson process with a dead time, as `poisson_trains`.

        p(t) = exp(-(t - t_ref) / s) / s for t >= t_ref, with s = 1/r - t_ref

    The mean is 1/r, the CV 1 - r t_ref.

    **Arguments:** `t` [ms]; `rate` r [Hz]; `t_ref` [ms]; shapes broadcast.

    **Returns:** the density.

    Raises `ValueError` where `rate` is not positive or `t_ref` is negative or not below 1/r.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> round(float(jn.statistics.interval_density(0.0, rate=20.0)), 5)
    0.02

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, equation (1.31); with a dead time Cox (1962), Renewal
    Theory, section 1.3.
    """
    per_ms, dead, at = _rate(rate), as_leaf(t_ref, "t_ref"), as_leaf(t, "t")
    check_positive("rate", per_ms)
    check_nonnegative("t_ref", dead)
    if violates(lambda r, dead: r * dead < 1.0, per_ms, dead):
        raise ValueError(f"`t_ref` has to be below the mean interval, 1 / rate = {1.0 / per_ms} ms; got {dead} ms.")
    scale = 1.0 / per_ms - dead
    since = at - dead
    return jnp.where(since >= 0, jnp.exp(-jnp.maximum(since, 0.0) / scale) / scale, 0.0)


def _counts(n: ArrayLike) -> Float[Array, "..."]:
    k = as_leaf(n, "n")
    check_nonnegative("n", k)
    if violates(lambda k: k == jnp.round(k), k):
        raise ValueError(f"`n` has to hold whole numbers; got {k}.")
    return k


def _rate(rate: ArrayLike) -> Float[Array, "..."]:
    """`rate` in 1/ms."""
    hz = as_leaf(rate, "rate")
    check_nonnegative("rate", hz)
    return hz / 1000.0


def _width(width: ArrayLike) -> Float[Array, "..."]:
    ms = as_leaf(width, "width")
    check_positive("width", ms)
    return ms
