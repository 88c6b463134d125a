"""From values to spikes, for a `SpikeSource`."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from .._numerics import as_leaf, check_count, check_finite, check_key, check_nonnegative, check_positive, violates


def poisson_spikes(rates: Any, *, n_steps: int, dt: float, key: PRNGKeyArray) -> Bool[Array, "*batch time n"]:
    """Independent spikes, one in a step with probability rate dt.

    **Arguments:** `rates`, (..., n) [Hz]; `n_steps`; `dt` [ms]; `key`.

    Raises `ValueError` where a known rate is negative or gives more than one spike a step, or `dt` is not positive.

    ```python
    >>> import jax, jaxneuro as jn
    >>> jn.learning.poisson_spikes([0.0, 50.0], n_steps=1_000, dt=1.0, key=jax.random.key(0)).shape
    (1000, 2)

    ```
    """
    check_key(key)
    check_count("n_steps", n_steps)
    check_positive("dt", dt)
    rate = as_leaf(rates, "rates")
    check_nonnegative("rates", rate)
    p = rate * (dt / 1000.0)
    if violates(lambda p: p <= 1, p):
        raise ValueError("`rates` gives more than one spike a step: take a smaller `dt`.")
    drawn = jax.random.uniform(key, (*p.shape[:-1], n_steps, p.shape[-1]), p.dtype)
    return drawn < p[..., None, :]


def latency_spikes(
    values: Any, *, n_steps: int, dt: float, tau: float = 20.0, threshold: float = 0.2
) -> Bool[Array, "*batch time n"]:
    """One spike each, the earlier the larger the value; none at or below the threshold.

        t = tau log(x / (x - threshold)),

    the time at which a leaky membrane under the constant input x reaches the threshold.

    **Arguments:** `values`, (..., n), such as grey levels in [0, 1]; `n_steps`; `dt`, `tau` [ms]; `threshold`.

    Raises `ValueError` where `dt`, `tau` or `threshold` is not positive, or a value is not finite.

    ```python
    >>> import jaxneuro as jn
    >>> jn.learning.latency_spikes([0.1, 0.3, 1.0], n_steps=30, dt=1.0).argmax(axis=0).tolist()
    [0, 21, 4]

    ```

    Source: Zenke and Vogels (2021), doi:10.1162/neco_a_01367, methods.
    """
    check_count("n_steps", n_steps)
    x = as_leaf(values, "values")
    check_finite("values", x)
    for name, value in (("dt", dt), ("tau", tau), ("threshold", threshold)):
        check_positive(name, value)
    above = x > threshold
    safe = jnp.where(above, x, 2.0 * threshold)
    step = jnp.floor(tau * jnp.log(safe / (safe - threshold)) / dt)
    at = jnp.where(above & (step < n_steps), step, -1.0).astype(jnp.int32)
    return jnp.arange(n_steps, dtype=jnp.int32)[:, None] == at[..., None, :]


def population_rates(values: Any, *, centres: Any, width: float, peak: float) -> Float[Array, "*batch n"]:
    """Rates [Hz] of a population with Gaussian tuning: peak exp(-(x - centre)^2 / (2 width^2)).

    **Arguments:** `values`, (...); `centres`, (n,), in the unit of the values, as `width`; `peak` [Hz].

    Raises `ValueError` where `width` is not positive or `peak` is negative.

    ```python
    >>> import jaxneuro as jn
    >>> jn.learning.population_rates(0.0, centres=[-1.0, 0.0, 1.0], width=1.0, peak=100.0).round(1).tolist()
    [60.7, 100.0, 60.7]

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, equation (1.14).
    """
    check_positive("width", width)
    check_nonnegative("peak", peak)
    x, at = as_leaf(values, "values"), as_leaf(centres, "centres")
    return peak * jnp.exp(-0.5 * ((x[..., None] - at) / width) ** 2)
