"""The Fano factor of spike counts."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._counts import LEAST_WINDOWS, CountMoments, spike_counts
from ._trains import SpikeTrains


def fano_of(moments: CountMoments) -> Float[Array, "*n"]:
    """Variance over mean, NaN with fewer than two windows or without a spike."""
    spiked = moments.mean > 0
    return jnp.where(spiked, moments.variance() / jnp.where(spiked, moments.mean, 1.0), jnp.nan)


def fano(
    trains: SpikeTrains | Sequence[np.ndarray], *, window: float, t0: float | None = None, t1: float | None = None
) -> Float[np.ndarray, "n"]:
    """The Fano factor of each neuron's spike count in successive windows.

        F = Var(n) / <n>, the variance unbiased over the windows.

    1 for a Poisson process, CV^2 for a renewal process in long windows.

    **Arguments:**

    - `trains`: `SpikeTrains` of one run, or one array of spike times [ms] a neuron.
    - `window`: length of the windows [ms]; a multiple of dt for `SpikeTrains`.
    - `t0`, `t1`: [ms], needed with spike times. A last window cut by `t1` is left out.

    **Returns:** (n,), NaN for a neuron without spikes or with fewer than two windows.

    Raises `ValueError` as `spike_counts` does.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> jn.statistics.fano([np.array([1.0, 2.0, 7.0])], window=5.0, t0=0.0, t1=10.0).round(3).tolist()
    [0.333]

    ```

    Source: Fano (1947), doi:10.1103/PhysRev.72.26.
    """
    counts = spike_counts(trains, width=window, t0=t0, t1=t1)
    mean = counts.mean(axis=0)
    if counts.shape[0] < LEAST_WINDOWS:
        return np.full(counts.shape[1], np.nan)
    return np.where(mean > 0, counts.var(axis=0, ddof=1) / np.where(mean > 0, mean, 1.0), np.nan)
