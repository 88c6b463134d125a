"""How long a fluctuation lasts."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_positive


def correlation_time(autocovariance: ArrayLike, *, spacing: ArrayLike) -> Float[Array, "*n"]:
    """The lag at which an autocovariance first falls to 1/e of its value at lag 0.

    Between the two lags around it the logarithm is taken to be a straight line, which is exact for an exponential.

    **Arguments:** `autocovariance`: (lags,) or (lags, n), at lags 0, `spacing`, 2 `spacing`, ... [ms].

    **Returns:** [ms], (n,) or one number; NaN where it does not fall so far, or is not positive at lag 0.

    Raises `ValueError` where there are fewer than two lags, or `spacing` is not positive.

    Derivatives: forward and reverse mode, between changes of the two lags.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> lags = 0.5 * np.arange(40)
    >>> f"{float(jn.statistics.correlation_time(np.exp(-lags / 3.0), spacing=0.5)):.6f} ms"
    '3.000000 ms'

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, section VIII: the time over which the
    potential is correlated.
    """
    values, step = as_leaf(autocovariance, "autocovariance"), as_leaf(spacing, "spacing")
    check_positive("spacing", step)
    if values.ndim not in (1, 2) or values.shape[0] < 2:
        raise ValueError(f"`autocovariance` has to be (lags,) or (lags, n) of two lags or more; got {values.shape}.")
    share = values / jnp.where(values[:1] > 0.0, values[:1], jnp.nan)
    low = share <= jnp.exp(-1.0).astype(values.dtype)
    first = jnp.argmax(low, axis=0)
    at = jnp.maximum(first, 1)
    before, after = (jnp.take_along_axis(share, k[None], axis=0)[0] for k in (at - 1, at))
    # Where it falls below 0 at once there is no logarithm, and the line is straight itself.
    positive = after > 0.0
    safe = jnp.where(positive, after, 0.5 * before)
    by_logarithm = (jnp.log(before) + 1.0) / (jnp.log(before) - jnp.log(safe))
    by_value = (before - jnp.exp(-1.0).astype(values.dtype)) / (before - after)
    part = jnp.where(positive, by_logarithm, by_value)
    return jnp.where(jnp.any(low, axis=0), step * ((at - 1).astype(values.dtype) + part), jnp.nan)
