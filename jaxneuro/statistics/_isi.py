"""Statistics of interspike intervals, streaming and from spike times."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .._numerics import Shown, check_positive, count_steps, read_numbers, told
from ._trains import SpikeTrains

# Below this many intervals a coefficient of variation says nothing, and is NaN.
LEAST_INTERVALS = 3


class IntervalMoments(Shown):
    """Running number, mean and sum of squared deviations of each neuron's intervals, in steps.

    Welford's update: no sum of squares that cancels or overflows in a long run.
    """

    last: Int[Array, "n"]
    n: Int[Array, "n"]
    mean: Float[Array, "n"]
    deviations: Float[Array, "n"]

    @staticmethod
    def start(n: int) -> "IntervalMoments":
        """No spike seen by any of `n` neurons."""
        dtype = jnp.result_type(float)
        return IntervalMoments(
            jnp.full(n, -1, jnp.int32), jnp.zeros(n, jnp.int32), jnp.zeros(n, dtype), jnp.zeros(n, dtype)
        )

    def update(self, steps: Int[Array, "time"], spikes: Bool[Array, "time n"]) -> "IntervalMoments":
        """Takes in the spikes of consecutive steps; steps below 0 are left out."""

        def one(moments: IntervalMoments, now: tuple[Int[Array, ""], Bool[Array, "n"]]) -> tuple[IntervalMoments, None]:
            step, spiked = now[0], now[1] & (now[0] >= 0)
            complete = spiked & (moments.last >= 0)
            n = moments.n + complete.astype(jnp.int32)
            interval = (step - moments.last).astype(moments.mean.dtype)
            delta = jnp.where(complete, interval - moments.mean, 0.0)
            mean = moments.mean + delta / jnp.maximum(n, 1).astype(delta.dtype)
            deviations = moments.deviations + delta * jnp.where(complete, interval - mean, 0.0)
            return IntervalMoments(jnp.where(spiked, step, moments.last), n, mean, deviations), None

        return lax.scan(one, self, (steps, spikes))[0]

    def cv(self) -> Float[Array, "n"]:
        """Standard deviation over mean, NaN with fewer than three intervals."""
        enough = self.n >= LEAST_INTERVALS
        variance = self.deviations / jnp.maximum(self.n, 1).astype(self.mean.dtype)
        return jnp.where(enough, jnp.sqrt(variance) / jnp.where(enough, self.mean, 1.0), jnp.nan)


def isi_cv(trains: SpikeTrains | Sequence[np.ndarray]) -> Float[np.ndarray, "n"]:
    """The coefficient of variation of the interspike intervals of each spike train.

        CV = sd(ISI) / mean(ISI), with the standard deviation over n intervals.

    **Arguments:** `trains`, `SpikeTrains` of one run, or one array of increasing spike times [ms] a neuron.

    **Returns:** (n,), NaN for a neuron with fewer than three intervals.

    Raises `ValueError` where a train is no list of increasing finite numbers, or for a batch.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> jn.statistics.isi_cv([np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0])]).tolist()
    [0.0, nan]

    ```
    """
    each = trains.times if isinstance(trains, SpikeTrains) else trains
    values = np.full(len(each), np.nan)
    for i, times in enumerate(each):
        intervals = np.diff(_increasing(i, times))
        if intervals.size >= LEAST_INTERVALS:
            values[i] = intervals.std() / intervals.mean()
    return values


# An interval is part of a burst where it is below this many refractory periods.
_BURST = 3.0


def burst_index(trains: SpikeTrains | Sequence[np.ndarray], *, t_ref: float) -> Float[np.ndarray, "n"]:
    """The share of the interspike intervals of each spike train that are below 3 `t_ref`.

    A neuron that a slow input carries above threshold fires at about 1/t_ref until it falls below it again: bursts.

    **Arguments:** `trains`, as of `isi_cv`; `t_ref` [ms].

    **Returns:** (n,), NaN for a neuron with fewer than three intervals.

    Raises `ValueError` as `isi_cv`, and where `t_ref` is not positive.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> jn.statistics.burst_index([np.array([1.0, 4.0, 8.0, 50.0, 53.0])], t_ref=2.0).tolist()
    [0.75]

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, section VIII, in words.
    """
    check_positive("t_ref", t_ref)
    each = trains.times if isinstance(trains, SpikeTrains) else trains
    values = np.full(len(each), np.nan)
    for i, times in enumerate(each):
        intervals = np.diff(_increasing(i, times))
        if intervals.size >= LEAST_INTERVALS:
            values[i] = np.mean(intervals < _BURST * float(t_ref))
    return values


class IntervalHistogram(eqx.Module):
    """Interspike intervals in bins: `edges` (bins + 1,) [ms], `counts` (bins,), and `beyond`, how many were longer."""

    edges: Float[np.ndarray, "edges"]
    counts: Int[np.ndarray, "bins"]
    beyond: int

    @property
    def density(self) -> Float[np.ndarray, "bins"]:
        """The share of all intervals in each bin over its width [1/ms], beside `interval_density`."""
        total = int(self.counts.sum()) + self.beyond
        return self.counts / np.diff(self.edges) / max(total, 1)


def isi_histogram(trains: SpikeTrains | Sequence[np.ndarray], *, width: float, longest: float) -> IntervalHistogram:
    """The histogram of the interspike intervals of all neurons.

    **Arguments:** `trains`, as of `isi_cv`; `width` of the bins [ms], each of which holds its upper edge; `longest`
    [ms], where they end.

    **Returns:** an `IntervalHistogram`, whose `beyond` counts the intervals above `longest`.

    Raises `ValueError` as `isi_cv`, and where `longest` is no multiple of `width`.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> found = jn.statistics.isi_histogram([np.array([1.0, 2.0, 5.0, 25.0])], width=2.0, longest=10.0)
    >>> found.counts.tolist(), found.beyond
    ([1, 1, 0, 0, 0], 1)

    ```
    """
    check_positive("width", width)
    bins = count_steps("longest", longest, float(width))
    if bins < 1:
        raise ValueError(f"`longest` has to be at least `width` = {width} ms; got {longest} ms.")
    each = trains.times if isinstance(trains, SpikeTrains) else trains
    intervals = np.concatenate([np.diff(_increasing(i, times)) for i, times in enumerate(each)] or [np.zeros(0)])
    # An interval that is a multiple of the width is rounded in its last digits: it stays in the bin that it ends.
    index = np.ceil(intervals / width * (1.0 - 1e-9)).astype(np.int64) - 1
    inside = index < bins
    counts = np.bincount(np.maximum(index[inside], 0), minlength=bins)
    return IntervalHistogram(np.arange(bins + 1) * float(width), counts, int(np.sum(~inside)))


def _increasing(i: int, times: Any) -> Float[np.ndarray, "spikes"]:
    train = np.asarray(read_numbers(times, f"trains[{i}]"), float)
    if train.ndim != 1 or not np.all(np.isfinite(train)) or np.any(np.diff(train) <= 0):
        raise ValueError(f"`trains[{i}]` has to hold increasing finite spike times in ms; got {told(times)}.")
    return train
