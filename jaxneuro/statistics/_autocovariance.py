"""The autocovariance of a population's rate."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from .._numerics import Shown, count_steps, to_milliseconds
from ._spectrum import population_rate
from ._trains import SpikeTrains


class Autocovariance(Shown):
    """An autocovariance: `values` [Hz^2] at `lags` [ms], each over `n_pairs` pairs of bins."""

    lags: Float[Array, "lags"]
    values: Float[Array, "lags"]
    n_pairs: Int[Array, "lags"]


def check_lags(max_lag: float, width: float) -> int:
    """The longest lag in bins; `ValueError` where it is no multiple of `width` or negative.

    ```python
    >>> import jaxneuro as jn
    >>> jn.statistics.check_lags(10.0, 0.5)
    20

    ```
    """
    if not to_milliseconds("width", width) > 0:
        raise ValueError(f"`width` has to be positive; got {width} ms.")
    longest = count_steps("max_lag", max_lag, width)
    if longest < 0:
        raise ValueError(f"`max_lag` must not be negative; got {max_lag} ms.")
    return longest


def autocovariance_of(rate: Float[Array, "bins"], longest: int, width: float) -> Autocovariance:
    """The autocovariance at lags of 0 to `longest` bins of `width` [ms].

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.statistics.autocovariance_of(jnp.asarray([1.0, 2.0, 1.0, 2.0]), 2, 1.0).values.round(4).tolist()
    [0.25, -0.25, 0.25]

    ```
    """
    n = rate.shape[0]
    centred = rate - jnp.mean(rate)
    padded = jnp.concatenate([centred, jnp.zeros(longest, rate.dtype)])
    lags = jnp.arange(longest + 1, dtype=jnp.int32)
    # One lag after the other: memory of one record, whatever the number of lags.
    products = lax.map(lambda lag: jnp.sum(centred * lax.dynamic_slice(padded, (lag,), (n,))), lags)
    pairs = n - lags
    return Autocovariance(lags.astype(rate.dtype) * width, products / pairs.astype(rate.dtype), pairs)


def autocovariance(
    trains: SpikeTrains | Sequence[np.ndarray],
    *,
    width: float,
    max_lag: float,
    t0: float | None = None,
    t1: float | None = None,
) -> Autocovariance:
    """The autocovariance of the rate of a population, in bins of `width`.

        C(k width) = 1 / (M - k) sum_{j < M - k} (r_j - r) (r_{j+k} - r)

    with r the mean over all M bins, which takes about Var(r) off every value. N independent Poisson
    neurons of rate r have C(0) = r / (N width) and C = 0 elsewhere.

    **Arguments:**

    - `trains`: `SpikeTrains` of one run, or one array of spike times [ms] a neuron.
    - `width`: of the bins [ms]; `max_lag`: the longest lag [ms], a multiple of it.
    - `t0`, `t1`: [ms], needed with spike times.

    **Returns:** an `Autocovariance`.

    Raises `ValueError` where the longest lag does not fit into the record or there is no neuron, and as
    `spike_counts` does.

    ```python
    >>> import jax, jaxneuro as jn
    >>> trains = jn.statistics.poisson_trains(50.0, 0.0, 20_000.0, n=10, key=jax.random.key(0))
    >>> found = jn.statistics.autocovariance(trains, width=1.0, max_lag=2.0, t0=0.0, t1=20_000.0)
    >>> found.lags.tolist(), bool(abs(found.values[0] - 5_000.0) < 300.0)
    ([0.0, 1.0, 2.0], True)

    ```

    Source: Brillinger, Time Series (1981), section 4.3; doi:10.1137/1.9780898719246.
    """
    longest = check_lags(max_lag, width)
    rate = population_rate(trains, width, t0, t1)
    if longest >= rate.size:
        raise ValueError(f"`max_lag` has to be shorter than the record, {rate.size * width:g} ms; got {max_lag} ms.")
    return autocovariance_of(jnp.asarray(rate, jnp.result_type(float)), longest, width)
