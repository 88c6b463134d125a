"""Spike trains of a population, bit-packed."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, UInt

from .._numerics import Shown, check_dt, count_steps, read_marks, read_numbers

# Shares of a step are kept in 16 bits.
_WHOLE = 65_535.0
# A time so near to the end of a step, in steps, is meant to be there: decimals of ms are no binary numbers.
_ON_GRID = 1e-6


class SpikeTrains(Shown):
    """The spikes of one population over a run, one bit a neuron and step.

    A spike of step k is emitted at the step's end, t = (k + 1) dt, or where a threshold was crossed within the step:
    then `shares` holds the part of the step that had passed, in units of 1/65535. `SpikeTrains.of(raster, dt=)` packs
    (time, n) spikes; given to a `SpikeSource` they take an eighth of the memory of a table.

    ```python
    >>> import jax, jaxneuro as jn
    >>> drive = jn.WhiteNoiseDrive("E", mu=30.0, sigma=0.0)
    >>> net = jn.Network({"E": jn.Population(jn.LIF(t_ref=0.0), 2)}, drives=[drive])
    >>> sol = jn.simulate(net, 0.0, 40.0, dt=0.1, key=jax.random.key(0), record={"spikes": jn.record.Spikes("E")})
    >>> sol["spikes"].counts.tolist()
    [2, 2]
    >>> sol["spikes"].times[0].round(1).tolist()
    [22.0, 35.9]

    ```
    """

    words: UInt[Array, "*batch time words"]
    first_step: Int[Array, "*batch"]
    n: int = eqx.field(static=True)
    dt: float = eqx.field(static=True)
    shares: UInt[Array, "*batch time n"] | None = None

    def __str__(self) -> str:
        return f"{int(self.counts.sum()):,} spikes of {self.n:,} neurons"

    @staticmethod
    def of(raster: ArrayLike, *, dt: float) -> "SpikeTrains":
        """The trains of a raster (time, n) of true and false, or with axes of a batch in front, in steps of `dt` [ms].

        Raises `ValueError` where the raster is of another type or has fewer axes.

        ```python
        >>> import numpy as np, jaxneuro as jn
        >>> jn.statistics.SpikeTrains.of(np.eye(3, dtype=bool), dt=0.5).times[2].tolist()
        [1.5]

        ```
        """
        known = jnp.asarray(read_marks(raster, "raster"))
        if known.ndim < 2:
            raise ValueError(f"`raster` has to be (time, n); got shape {known.shape}.")
        packed = jnp.vectorize(pack, signature="(t,n)->(t,w)")(known)
        return SpikeTrains(packed, jnp.zeros(known.shape[:-2], jnp.int32), known.shape[-1], check_dt(dt))

    @staticmethod
    def of_times(
        times: Sequence[Any], *, t1: float, dt: float, t0: float = 0.0, inside_steps: bool = False
    ) -> "SpikeTrains":
        """The trains of spike times [ms], an array a neuron, between `t0` and `t1`, in steps of `dt` [ms].

        A spike goes to the end of the step in which it is, less than `dt` later; with `inside_steps` it keeps its time
        in the step, to dt/65535.

        Raises `ValueError` where a time is not finite or outside, a neuron has two spikes in one step, or `t0` and `t1`
        are no multiples of `dt`.

        ```python
        >>> import jaxneuro as jn
        >>> trains = jn.statistics.SpikeTrains.of_times([[1.0, 2.3], []], t1=5.0, dt=0.5)
        >>> trains.counts.tolist(), trains.times[0].tolist()
        ([2, 0], [1.0, 2.5])

        ```
        """
        dt = check_dt(dt)
        first, last = count_steps("t0", t0, dt), count_steps("t1", t1, dt)
        raster = np.zeros((max(0, last - first), len(times)), bool)
        shares = np.zeros(raster.shape, np.uint16)
        for neuron, given in enumerate(times):
            own = np.asarray(read_numbers(given, f"times[{neuron}]"), float).ravel() / dt
            steps = np.maximum(_step_of(own), first)  # one at t0 itself is in the first step
            wrong = ~((own >= first - _ON_GRID) & (steps < last))
            if wrong.any():
                place = int(np.argmax(wrong))
                raise ValueError(f"`times[{neuron}]` has {own[place] * dt:g} ms, outside of {t0:g} to {t1:g} ms.")
            if len(np.unique(steps)) < len(steps):
                raise ValueError(
                    f"`times[{neuron}]` has two spikes in one step of `dt` = {dt:g} ms: take a shorter one."
                )
            raster[steps - first, neuron] = True
            shares[steps - first, neuron] = np.round(_WHOLE * np.clip(own - steps, 0.0, 1.0))
        trains = SpikeTrains.of(raster, dt=dt)
        kept = jnp.asarray(shares) if inside_steps else None
        return SpikeTrains(trains.words, jnp.asarray(first, jnp.int32), trains.n, dt, kept)

    def written(
        self, rows: Int[Array, "steps"], spikes: Bool[Array, "steps n"], shares: Float[Array, "steps n"] | None
    ) -> "SpikeTrains":
        """The trains with the steps of a block written to `rows`; a negative row is left out."""
        rows = jnp.where(rows < 0, self.words.shape[0], rows)
        words, kept = self.words.at[rows].set(pack(spikes), mode="drop"), self.shares
        if kept is not None and shares is not None:
            of = jnp.where(spikes, jnp.clip(shares, 0.0, 1.0), 0.0)
            kept = kept.at[rows].set(jnp.round(_WHOLE * of).astype(jnp.uint16), mode="drop")
        return SpikeTrains(words, self.first_step, self.n, self.dt, kept)

    def raster(self) -> Bool[np.ndarray, "*batch time n"]:
        """Who spiked in which step."""
        words = np.ascontiguousarray(np.asarray(self.words)).astype("<u4")
        bits = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")
        return bits[..., : self.n].astype(bool)

    @property
    def counts(self) -> Int[np.ndarray, "*batch n"]:
        """Number of spikes of each neuron."""
        return self.raster().sum(axis=-2)

    @property
    def times(self) -> list[Float[np.ndarray, "spikes"]]:
        """Spike times [ms], one array a neuron."""
        raster = self.raster()
        if raster.ndim != 2:
            raise ValueError(f"`times` is for one run; this is a batch of shape {raster.shape[:-2]}: index it first.")
        neuron, step = np.nonzero(raster.T)
        share = 1.0 if self.shares is None else np.asarray(self.shares)[step, neuron] / _WHOLE
        times = (step + int(self.first_step) + share) * self.dt
        return np.split(times, np.searchsorted(neuron, np.arange(1, self.n)))


def _step_of(times: Float[np.ndarray, "spikes"]) -> Int[np.ndarray, "spikes"]:
    """The step k with k < t <= k + 1 for times in steps."""
    nearest = np.round(times)
    ends = np.where(np.abs(times - nearest) <= _ON_GRID, nearest, np.ceil(times))
    return np.where(np.isfinite(ends), ends, -1).astype(int) - 1


def pack(spikes: Bool[Array, "time n"]) -> UInt[Array, "time words"]:
    """32 neurons a word, the first in the lowest bit.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> words = jn.statistics.pack(jnp.asarray([[True, False, True]]))
    >>> words.tolist(), jn.statistics.unpack(words, 3).tolist()
    ([[5]], [[True, False, True]])

    ```
    """
    time, n = spikes.shape
    words = -(-n // 32)
    bits = jnp.pad(spikes, ((0, 0), (0, words * 32 - n))).reshape(time, words, 32).astype(jnp.uint32)
    return jnp.sum(bits << jnp.arange(32, dtype=jnp.uint32), axis=2, dtype=jnp.uint32)


def unpack(words: UInt[Array, "time words"], n: int) -> Bool[Array, "time n"]:
    """The spikes of `n` neurons that `pack` made `words` of."""
    bits = (words[:, :, None] >> jnp.arange(32, dtype=jnp.uint32)) & jnp.uint32(1)
    return bits.reshape(words.shape[0], -1)[:, :n].astype(bool)
