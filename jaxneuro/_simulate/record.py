"""What a run records. Statistics are gathered while it runs; nothing is stored that nobody asked for."""

import abc
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Shaped

from .._numerics import count_steps
from ..statistics import IntervalMoments, SpikeTrains


class Layout(eqx.Module):
    """Names and sizes of the populations, and the clock of the run."""

    sizes: Mapping[str, int] = eqx.field(static=True)
    fields: Mapping[str, tuple[str, ...]] = eqx.field(static=True)
    dt: float = eqx.field(static=True)
    n_steps: int = eqx.field(static=True)
    first: Int[Array, ""]


class Window(eqx.Module):
    """The steps of one block, and what happened in them."""

    steps: Int[Array, "time"]
    spikes: dict[str, Bool[Array, "time _"]]
    traced: Shaped[Array, "time m"] | None


class Recorded(eqx.Module):
    """What a recorder hands over: values, and where they need it the numbers behind them and their times."""

    values: Any
    counts: Any = None
    times: Any = None


class AbstractRecorder(eqx.Module):
    """Gathers something over a run, from `start` [ms] on."""

    start: eqx.AbstractVar[float]

    @abc.abstractmethod
    def check(self, layout: Layout, first: int) -> None:
        """Raises `ValueError` where the recorder does not fit the network or the run."""

    @abc.abstractmethod
    def rows(self, first: int, n_steps: int, dt: float) -> int:
        """How many rows its record has; part of the program."""

    @abc.abstractmethod
    def init(self, layout: Layout, rows: int) -> Any:
        """Nothing gathered yet."""

    @abc.abstractmethod
    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        """Takes in one block."""

    @abc.abstractmethod
    def finish(self, carry: Any, layout: Layout) -> Recorded:
        """The record."""


def _first_counted(recorder: AbstractRecorder, layout: Layout) -> Int[Array, ""]:
    """The first absolute step that counts."""
    return jnp.maximum(layout.first, count_steps("start", recorder.start, layout.dt))


def _rows_from(start: float, first: int, n_steps: int, dt: float) -> int:
    return first + n_steps - max(first, count_steps("start", start, dt))


def _check_start(recorder: AbstractRecorder, layout: Layout, first: int) -> None:
    if count_steps("start", recorder.start, layout.dt) < 0:
        raise ValueError(f"`start` must not be negative; got {recorder.start:g} ms.")
    if _rows_from(recorder.start, first, layout.n_steps, layout.dt) < 1:
        end = (first + layout.n_steps) * layout.dt
        raise ValueError(f"`start` has to lie before the end of the run, {end:g} ms; got {recorder.start:g} ms.")


def _chosen(populations: tuple[str, ...] | None, layout: Layout) -> tuple[str, ...]:
    return tuple(layout.sizes) if populations is None else populations


def _check_populations(populations: tuple[str, ...] | None, layout: Layout) -> None:
    for name in populations or ():
        if name not in layout.sizes:
            raise ValueError(f"A recorder names the population {name!r}; there are {', '.join(layout.sizes)}.")


def _names(populations: tuple[str, ...]) -> tuple[str, ...] | None:
    if not all(isinstance(name, str) for name in populations):
        raise ValueError(f"A recorder takes names of populations; got {populations!r}.")
    return populations or None


class Rate(AbstractRecorder):
    """The mean firing rate of each neuron [Hz], from `start` [ms] to the end of the run.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (n,)}.
    """

    populations: tuple[str, ...] | None = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, *populations: str, start: float = 0.0):
        self.populations, self.start = _names(populations), start

    def check(self, layout: Layout, first: int) -> None:
        _check_populations(self.populations, layout)
        _check_start(self, layout, first)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return 0

    def init(self, layout: Layout, rows: int) -> dict[str, Int[Array, "_"]]:
        return {name: jnp.zeros(layout.sizes[name], jnp.int32) for name in _chosen(self.populations, layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        counted = (window.steps >= _first_counted(self, layout))[:, None]
        return {
            name: counts + jnp.sum(window.spikes[name] & counted, axis=0, dtype=jnp.int32)
            for name, counts in carry.items()
        }

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        dtype = jnp.result_type(float)
        steps = (layout.first + layout.n_steps - _first_counted(self, layout)).astype(dtype)
        rates = {name: counts.astype(dtype) * (1000.0 / layout.dt) / steps for name, counts in carry.items()}
        return Recorded(rates, counts=carry)


class CV(AbstractRecorder):
    """The coefficient of variation of each neuron's interspike intervals after `start` [ms].

    NaN with fewer than three intervals; the number of intervals is in `sol.counts`.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (n,)}.
    """

    populations: tuple[str, ...] | None = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, *populations: str, start: float = 0.0):
        self.populations, self.start = _names(populations), start

    def check(self, layout: Layout, first: int) -> None:
        _check_populations(self.populations, layout)
        _check_start(self, layout, first)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return 0

    def init(self, layout: Layout, rows: int) -> dict[str, IntervalMoments]:
        return {name: IntervalMoments.start(layout.sizes[name]) for name in _chosen(self.populations, layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        since_start = window.steps - _first_counted(self, layout)
        return {name: moments.update(since_start, window.spikes[name]) for name, moments in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        return Recorded({n: m.cv() for n, m in carry.items()}, counts={n: m.n for n, m in carry.items()})


class PopulationRate(AbstractRecorder):
    """The rate of each population over time [Hz], in bins of `width` [ms] counted from t = 0.

    **Arguments:** names of populations, all by default; `width`, a multiple of dt; `start`.

    **Records:** {population: (bins,)}, the centres of the bins in `sol.times`. A bin that the run
    covers in part is normalised by the part.
    """

    populations: tuple[str, ...] | None = eqx.field(static=True)
    width: float = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, *populations: str, width: float = 1.0, start: float = 0.0):
        self.populations, self.width, self.start = _names(populations), width, start

    def check(self, layout: Layout, first: int) -> None:
        _check_populations(self.populations, layout)
        _check_start(self, layout, first)
        if count_steps("width", self.width, layout.dt) < 1:
            raise ValueError(f"`width` has to be at least dt = {layout.dt} ms; got {self.width} ms.")

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        width = count_steps("width", self.width, dt)
        begin = max(first, count_steps("start", self.start, dt))
        return (first + n_steps - 1) // width - begin // width + 1

    def init(self, layout: Layout, rows: int) -> dict[str, Any]:
        names = _chosen(self.populations, layout)
        return {"": jnp.zeros(rows, jnp.int32)} | {name: jnp.zeros(rows, jnp.int32) for name in names}

    def _bins(self, steps: Int[Array, "time"], layout: Layout) -> Int[Array, "time"]:
        width = count_steps("width", self.width, layout.dt)
        begin = _first_counted(self, layout)
        return jnp.where(steps >= begin, steps // width - begin // width, -1)

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        bins = self._bins(window.steps, layout)
        # Negative indices would wrap: they are sent past the end, where they are dropped.
        bins = jnp.where(bins < 0, carry[""].shape[0], bins)
        totals = {name: jnp.sum(spikes, axis=1, dtype=jnp.int32) for name, spikes in window.spikes.items()}
        totals[""] = jnp.ones_like(bins)
        return {name: counts.at[bins].add(totals[name], mode="drop") for name, counts in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        width = count_steps("width", self.width, layout.dt)
        dtype = jnp.result_type(float)
        steps = carry[""].astype(dtype)
        rates = {
            name: counts.astype(dtype) * (1000.0 / layout.dt) / steps / layout.sizes[name]
            for name, counts in carry.items()
            if name
        }
        index = _first_counted(self, layout) // width + jnp.arange(carry[""].shape[0], dtype=jnp.int32)
        return Recorded(rates, times=(index.astype(dtype) + 0.5) * self.width)


class Spikes(AbstractRecorder):
    """The spikes themselves, one bit a neuron and step.

    **Arguments:** names of populations, all by default; `start` [ms].

    **Records:** `SpikeTrains` where one population is named, else {population: `SpikeTrains`}.
    """

    populations: tuple[str, ...] | None = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, *populations: str, start: float = 0.0):
        self.populations, self.start = _names(populations), start

    def check(self, layout: Layout, first: int) -> None:
        _check_populations(self.populations, layout)
        _check_start(self, layout, first)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return _rows_from(self.start, first, n_steps, dt)

    def init(self, layout: Layout, rows: int) -> dict[str, Any]:
        return {
            name: jnp.zeros((rows, -(-layout.sizes[name] // 32)), jnp.uint32)
            for name in _chosen(self.populations, layout)
        }

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        rows = window.steps - _first_counted(self, layout)
        packed = {}
        for name, words in carry.items():
            spikes = window.spikes[name]
            padded = jnp.pad(spikes, ((0, 0), (0, words.shape[1] * 32 - spikes.shape[1])))
            bits = padded.reshape(spikes.shape[0], words.shape[1], 32).astype(jnp.uint32)
            block = jnp.sum(bits << jnp.arange(32, dtype=jnp.uint32), axis=2, dtype=jnp.uint32)
            packed[name] = words.at[jnp.where(rows < 0, words.shape[0], rows)].set(block, mode="drop")
        return packed

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        first = _first_counted(self, layout)
        trains = {name: SpikeTrains(words, first, layout.sizes[name], layout.dt) for name, words in carry.items()}
        if self.populations is not None and len(self.populations) == 1:
            return Recorded(trains[self.populations[0]])
        return Recorded(trains)


class Trace(AbstractRecorder):
    """A variable of the neurons over time, such as the potential: `Trace("E.v")`.

    **Arguments:**

    - `variable`: "population.variable", or the variable alone for a single population.
    - `every`: record each step whose end, (k + 1) dt, is a multiple of `every` steps.
    - `neurons`: a slice or a sequence of indices; all by default.
    - `start`: [ms].

    **Records:** (time, neurons); the times [ms] in `sol.times`.
    """

    variable: str = eqx.field(static=True)
    every: int = eqx.field(static=True)
    neurons: Any = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, variable: str, *, every: int = 1, neurons: Any = None, start: float = 0.0):
        if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
            raise ValueError(f"`every` has to be a positive number of steps; got {every!r}.")
        self.variable, self.every, self.start = variable, int(every), start
        if neurons is None or isinstance(neurons, slice):
            self.neurons = slice(None) if neurons is None else neurons
        else:
            self.neurons = tuple(int(i) for i in np.atleast_1d(np.asarray(neurons)))

    def target(self, layout: Layout) -> tuple[str, str]:
        """Population and variable."""
        population, _, name = self.variable.rpartition(".")
        if not population and len(layout.sizes) == 1:
            return next(iter(layout.sizes)), name
        return population, name

    def indices(self, n: int) -> np.ndarray:
        """The recorded neurons of `n`."""
        if isinstance(self.neurons, slice):
            return np.arange(n)[self.neurons]
        return np.asarray(self.neurons, dtype=int)

    def check(self, layout: Layout, first: int) -> None:
        _check_start(self, layout, first)
        population, name = self.target(layout)
        if population not in layout.sizes:
            raise ValueError(
                f"`Trace({self.variable!r})` has to name population and variable, such as "
                f"{next(iter(layout.sizes))!r} + '.v'; there are {', '.join(layout.sizes)}."
            )
        if name not in layout.fields[population]:
            known = ", ".join(layout.fields[population]) or "none"
            raise ValueError(f"`Trace({self.variable!r})`: the variables of {population!r} are {known}.")
        indices, n = self.indices(layout.sizes[population]), layout.sizes[population]
        if indices.size == 0 or indices.min() < -n or indices.max() >= n:
            raise ValueError(f"`neurons` of `Trace({self.variable!r})` has to lie within the {n} neurons.")

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        begin = max(first, count_steps("start", self.start, dt))
        return (first + n_steps) // self.every - begin // self.every

    def init(self, layout: Layout, rows: int) -> Any:
        population, _ = self.target(layout)
        width = self.indices(layout.sizes[population]).size
        return jnp.zeros((rows, width), jnp.result_type(float))

    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        assert window.traced is not None
        ends = window.steps + 1
        begin = _first_counted(self, layout)
        sampled = (ends % self.every == 0) & (window.steps >= begin)
        rows = jnp.where(sampled, ends // self.every - begin // self.every - 1, carry.shape[0])
        return carry.at[rows].set(window.traced.astype(carry.dtype), mode="drop")

    def finish(self, carry: Any, layout: Layout) -> Recorded:
        index = _first_counted(self, layout) // self.every + 1 + jnp.arange(carry.shape[0], dtype=jnp.int32)
        return Recorded(carry, times=index.astype(jnp.result_type(float)) * (self.every * layout.dt))


# At the end: these recorders build on the classes above.
from ._activity import (  # noqa: E402
    MeanActivity as MeanActivity,
    PopulationActivity as PopulationActivity,
    States as States,
    UnitStates as UnitStates,
)
