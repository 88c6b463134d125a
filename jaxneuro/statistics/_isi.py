"""Statistics of interspike intervals, streaming and from spike times."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, UInt

from .._numerics import Shown, check_positive, count_steps, read_numbers, scan_steps, told
from ._trains import SpikeTrains

# Below this many intervals a coefficient of variation says nothing, and is NaN.
LEAST_INTERVALS = 3
# Steps whose spikes are looked at together.
_WORD = 32


class IntervalMoments(Shown):
    """Running number, mean and sum of squared deviations of each neuron's intervals, in steps.

    Welford's update: no sum of squares that cancels or overflows in a long run.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> steps = jnp.arange(32, dtype=jnp.int32)
    >>> seen = jn.statistics.IntervalMoments.start(1).update(steps, (steps % 8 == 0)[:, None])
    >>> int(seen.n[0]), float(seen.mean[0])
    (3, 8.0)

    ```
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

        start, n = lax.stop_gradient(self), steps.shape[0]
        if n <= _WORD:
            return start._of_word(steps[0], _packed(steps, spikes), n)
        left = -n % _WORD
        steps = jnp.pad(steps, (0, left), constant_values=-1).reshape(-1, _WORD)
        spikes = jnp.pad(spikes, [(0, left), (0, 0)]).reshape(*steps.shape, spikes.shape[1])
        words = jax.vmap(_packed)(steps, spikes)
        return lax.scan(lambda m, now: (m._of_word(*now, _WORD), None), start, (steps[:, 0], words))[0]

    def _of_word(self, first: Int[Array, ""], word: UInt[Array, "n"], n_steps: int) -> "IntervalMoments":
        """Takes in up to 32 steps from `first` on."""
        if n_steps == 1:
            return self._after(first, word != 0)
        return lax.platform_dependent(
            self, first, word,
            cpu=lambda moments, first, word: moments._by_rank(first, word, n_steps),
            default=lambda moments, first, word: moments._by_step(first, word, n_steps),
        )  # fmt: skip

    def _by_step(self, first: Int[Array, ""], word: UInt[Array, "n"], n_steps: int) -> "IntervalMoments":
        """Step after step: on a GPU, which would wait for the host to learn whether a loop goes on."""

        def next_step(moments: IntervalMoments, k: Array) -> tuple[IntervalMoments, None]:
            return moments._after(first + k, (word >> k.astype(jnp.uint32)) & 1 != 0), None

        return scan_steps(next_step, self, jnp.arange(n_steps, dtype=jnp.int32))[0]

    def _by_rank(self, first: Int[Array, ""], word: UInt[Array, "n"], n_steps: int) -> "IntervalMoments":
        """Every first spike, every second one, and so on.

        Few neurons spike twice in a block, and to look at each of its steps takes longer. Where some do in most
        steps, the steps are taken one by one; both are loops that end at once where they have nothing to do, so that
        a batch, which takes all branches, takes no longer.
        """
        ranks = jnp.max(lax.population_count(word), initial=0)
        many = ranks > n_steps // 2

        def next_of_all(state: tuple[IntervalMoments, Array]) -> tuple[IntervalMoments, Array]:
            moments, left = state
            lowest = left & (~left + jnp.uint32(1))
            step = first + lax.population_count(lowest - jnp.uint32(1)).astype(jnp.int32)
            return moments._after(step, left != 0), left ^ lowest

        def next_step(state: tuple[IntervalMoments, Array]) -> tuple[IntervalMoments, Array]:
            moments, k = state
            return moments._after(first + k, (word >> k.astype(jnp.uint32)) & 1 != 0), k + 1

        few = jnp.where(many, jnp.uint32(0), word)
        moments, _ = lax.while_loop(lambda state: jnp.any(state[1] != 0), next_of_all, (self, few))
        last = jnp.where(many, n_steps, 0)
        return lax.while_loop(lambda state: state[1] < last, next_step, (moments, jnp.int32(0)))[0]

    def _after(self, step: Int[Array, "*n"], spiked: Bool[Array, "n"]) -> "IntervalMoments":
        """After one spike of some neurons."""
        complete = spiked & (self.last >= 0)
        n = self.n + complete.astype(jnp.int32)
        interval = (step - self.last).astype(self.mean.dtype)
        delta = jnp.where(complete, interval - self.mean, 0.0)
        mean = self.mean + delta / jnp.maximum(n, 1).astype(delta.dtype)
        # With the choice between product and sum no compiler makes them one operation of another rounding in a batch.
        deviations = self.deviations + jnp.where(complete, delta * (interval - mean), 0.0)
        return IntervalMoments(jnp.where(spiked, step, self.last), n, mean, deviations)

    def cv(self) -> Float[Array, "n"]:
        """Standard deviation over mean, NaN with fewer than three intervals."""
        enough = self.n >= LEAST_INTERVALS
        variance = self.deviations / jnp.maximum(self.n, 1).astype(self.mean.dtype)
        return jnp.where(enough, jnp.sqrt(variance) / jnp.where(enough, self.mean, 1.0), jnp.nan)


def _packed(steps: Int[Array, "time"], spikes: Bool[Array, "time n"]) -> UInt[Array, "n"]:
    """The spikes of each neuron in the steps from 0 on: that of the k-th in bit k."""
    bits = (spikes & (steps >= 0)[:, None]).astype(jnp.uint32)
    return jnp.sum(bits << jnp.arange(steps.shape[0], dtype=jnp.uint32)[:, None], axis=0, dtype=jnp.uint32)


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
