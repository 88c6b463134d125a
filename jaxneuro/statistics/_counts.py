"""Spike counts in windows, streaming and from spike trains."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .._numerics import Shown, count_steps, read_numbers, to_milliseconds
from ._trains import SpikeTrains

# Below this many windows there is no variance.
LEAST_WINDOWS = 2
# An edge between two windows is met by a decimal time to a few units in the last place.
_SLACK = 1e-9


class CountMoments(Shown):
    """Running number, mean and sum of squared deviations of counts.

    Welford's update: no sum of squares that cancels or overflows in a long run.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> moments = jn.statistics.CountMoments.start((1,))
    >>> for count in (1, 3):
    ...     moments = moments.add(jnp.asarray([count]), jnp.asarray(True))
    >>> float(moments.mean[0]), float(moments.variance()[0]), float(jn.statistics.fano_of(moments)[0])
    (2.0, 2.0, 1.0)

    ```
    """

    n: Int[Array, ""]
    mean: Float[Array, "*n"]
    deviations: Float[Array, "*n"]

    @staticmethod
    def start(shape: tuple[int, ...]) -> "CountMoments":
        """Nothing counted yet."""
        dtype = jnp.result_type(float)
        return CountMoments(jnp.zeros((), jnp.int32), jnp.zeros(shape, dtype), jnp.zeros(shape, dtype))

    def add(self, counts: Int[Array, "*n"], complete: Bool[Array, ""]) -> "CountMoments":
        """Takes in the counts of one window, where it is complete."""
        n = self.n + complete.astype(jnp.int32)
        delta = jnp.where(complete, counts.astype(self.mean.dtype) - self.mean, 0.0)
        mean = self.mean + delta / jnp.maximum(n, 1).astype(delta.dtype)
        deviations = self.deviations + delta * jnp.where(complete, counts.astype(mean.dtype) - mean, 0.0)
        return CountMoments(n, mean, deviations)

    def variance(self) -> Float[Array, "*n"]:
        """The unbiased variance, NaN with fewer than two windows."""
        degrees = jnp.maximum(self.n - 1, 1).astype(self.mean.dtype)
        return jnp.where(self.n >= LEAST_WINDOWS, self.deviations / degrees, jnp.nan)


class WindowCounts(Shown):
    """Moments of the spike counts in successive windows, of every neuron and of their sum.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> spikes = jnp.asarray([[True, False], [False, False], [True, True], [False, False]])
    >>> counts = jn.statistics.WindowCounts.start(2).update(jnp.arange(4, dtype=jnp.int32), spikes, 2)
    >>> counts.neurons.mean.tolist(), int(jn.statistics.synchrony_of(counts).n_bins)
    ([1.0, 0.5], 2)

    ```
    """

    pending: Int[Array, "n"]
    neurons: CountMoments
    total: CountMoments

    @staticmethod
    def start(n: int) -> "WindowCounts":
        """No spike seen of any of `n` neurons."""
        return WindowCounts(jnp.zeros(n, jnp.int32), CountMoments.start((n,)), CountMoments.start(()))

    def update(self, steps: Int[Array, "time"], spikes: Bool[Array, "time n"], width: int) -> "WindowCounts":
        """Takes in the spikes of consecutive steps; windows of `width` steps begin at step 0, steps below it are out.

        The steps touch a known number of windows. Their counts are one small product with the 0/1 matrix that
        says which step lies in which window: exact in float32 up to 2^24 spikes of one neuron.
        """
        rows = (steps.shape[0] - 1) // width + 2
        windows = jnp.maximum(steps[0], 0) // width + jnp.arange(rows, dtype=jnp.int32)
        within = (steps // width == windows[:, None]) & (steps >= 0)
        counts = (within.astype(jnp.float32) @ spikes.astype(jnp.float32)).astype(jnp.int32)
        complete = (windows + 1) * width - 1 <= steps[-1]

        def one(before: WindowCounts, row: tuple[Int[Array, "n"], Bool[Array, ""]]) -> tuple[WindowCounts, None]:
            now, done = before.pending + row[0], row[1]
            total = before.total.add(jnp.sum(now, dtype=jnp.int32), done)
            return WindowCounts(jnp.where(done, 0, now), before.neurons.add(now, done), total), None

        return lax.scan(one, self, (counts, complete))[0]


def spike_counts(
    trains: SpikeTrains | Sequence[np.ndarray], *, width: float, t0: float | None = None, t1: float | None = None
) -> Int[np.ndarray, "windows n"]:
    """Counts the spikes of each neuron in successive windows.

    Window b is (t0 + b width, t0 + (b + 1) width], so that a spike of step k, emitted at its end
    (k + 1) dt, lies in the window of its step. A last window that `t1` cuts is left out.

    **Arguments:**

    - `trains`: `SpikeTrains` of one run, or one array of spike times [ms] a neuron.
    - `width`: of the windows [ms]; for `SpikeTrains` a multiple of dt.
    - `t0`, `t1`: [ms], needed for spike times, of which those outside are left out; `SpikeTrains` have their own.

    **Returns:** (windows, n).

    Raises `ValueError` for a batch, a width that is not positive or longer than the span, or where
    `t0` and `t1` do not belong to `trains`.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> jn.statistics.spike_counts([np.array([1.0, 2.0, 7.0])], width=5.0, t0=0.0, t1=10.0).tolist()
    [[2], [1]]

    ```
    """
    if isinstance(trains, SpikeTrains):
        if t0 is not None or t1 is not None:
            raise ValueError("`t0` and `t1` are for spike times; `SpikeTrains` has its own span.")
        raster = trains.raster()
        if raster.ndim != 2:
            raise ValueError(f"`trains` is a batch of shape {raster.shape[:-2]}; statistics take one run: index it.")
        steps = count_steps("width", width, trains.dt)
        windows = _complete(raster.shape[0], steps, width)
        return raster[: windows * steps].reshape(windows, steps, trains.n).sum(axis=1)
    if t0 is None or t1 is None:
        raise ValueError("`t0` and `t1` are needed beside spike times: silence has a length too.")
    begin, length = to_milliseconds("t0", t0), to_milliseconds("width", width)
    windows = _complete((to_milliseconds("t1", t1) - begin) * (1 + _SLACK), length, width)
    counts = np.zeros((windows, len(trains)), int)
    for i, times in enumerate(trains):
        known = np.asarray(read_numbers(times, f"trains[{i}]"), float)
        if known.ndim != 1 or not np.all(np.isfinite(known)):
            raise ValueError(f"`trains[{i}]` has to be one axis of finite spike times [ms].")
        position = (known - begin) / length
        index = np.ceil(position - _SLACK * np.maximum(1.0, np.abs(position))).astype(int) - 1
        counts[:, i] = np.bincount(index[(index >= 0) & (index < windows)], minlength=windows)
    return counts


def _complete(span: float | int, length: float | int, width: float) -> int:
    if not 0 < length <= span:
        raise ValueError(f"`width` of the windows has to be above 0 and fit into the record; got {width} ms.")
    return int(span // length)
