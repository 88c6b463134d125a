"""Populations without input: their spikes are drawn, or given to the run."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt

from .._numerics import Shown, as_leaf, check_finite, read_array
from ..statistics import SpikeTrains, unpack


class AbstractSource(Shown):
    """Neurons that take no input and make their own spikes; parameters are one number, or one a neuron, (n,).

    A source of one's own is `spikes`; a renewal process, which remembers, is `init` and `spikes`.
    """

    @abc.abstractmethod
    def spikes(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, state: Any
    ) -> tuple[Bool[Array, "time n"] | Float[Array, "time n"], Any]:
        """The spikes of `n` neurons in the successive `steps` of `dt` [ms], and the state after them.

        True where a neuron spikes; or floats, which are not 0 where it does and are then the amplitude of the spike. A
        step is counted from t = 0, and what is drawn has to depend on `key`, the step and the neuron alone (take one
        key a step, `step_keys(key, steps)`), so that a run cut anywhere is the run in one.
        """

    def init(self, n: int, key: PRNGKeyArray) -> Any:
        """The state that a run starts from; None for a source without memory."""
        return None

    def check(self, name: str, dt: float) -> None:
        """Raises `ValueError` where the source, population `name`, cannot be run in steps of `dt` [ms]."""

    def valid(self) -> Bool[Array, ""] | None:
        """Whether numbers that only a transformation knows are allowed; None where nothing is to be asked."""
        return None

    def sends_spikes(self) -> bool:
        """True: a source is nothing but its spikes."""
        return True

    def waits_for_spikes(self) -> bool:
        """Whether its spikes are given to each run."""
        return False

    def given(self, name: str, value: Any, n: int, first: Int[Array, ""], n_steps: int, dt: float) -> "AbstractSource":
        """The source of a run whose `stimulus` of this population is `value`, None where there is none."""
        if value is not None:
            raise ValueError(f"`stimulus` names {name!r}, which is no population of neurons of this network.")
        return self

    def mean_rate(self) -> Float[Array, "*n"]:
        """The rate [Hz], for theory."""
        raise ValueError(f"{type(self).__name__} does not say its rate: give it `mean_rate()`, in Hz, to use theory.")

    def cv(self) -> Float[Array, "*n"]:
        """The coefficient of variation of the intervals, for theory: 1 unless told, that of a Poisson process."""
        return as_leaf(1.0)


class SpikeSource(AbstractSource):
    """Neurons whose spikes are given to the run: `stimulus={name: spikes}`, (time, n), bool or float.

    A bool is a spike. A float is a spike where it is not 0, and acts with that amplitude; it is differentiable.
    `jn.statistics.SpikeTrains`, as recorded, drawn or packed by `SpikeTrains.of(raster, dt=)`, take one bit a spike or
    none; their first step is that of the run.

    ```python
    >>> import jaxneuro as jn
    >>> sources = jn.Population(jn.SpikeSource(), 700)

    ```
    """

    def mean_rate(self) -> Float[Array, "*n"]:
        """Raises `ValueError`: the spikes are those of a run."""
        raise ValueError("a `SpikeSource` has the rate that a run gives it, which theory does not know: use `Poisson`.")

    def spikes(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, state: Any
    ) -> tuple[Bool[Array, "time n"] | Float[Array, "time n"], Any]:
        raise ValueError("A `SpikeSource` has no spikes of its own: give them as `stimulus={name: spikes}`.")

    def waits_for_spikes(self) -> bool:
        return True

    def given(self, name: str, value: Any, n: int, first: Int[Array, ""], n_steps: int, dt: float) -> AbstractSource:
        """The source of the spikes that the run is given."""
        if value is None:
            raise ValueError(f"`stimulus` has to give the spikes of {name!r}, (time, n), which is a `SpikeSource`.")
        if isinstance(value, SpikeTrains):
            _check_trains(name, value, n, n_steps, dt)
            return GivenSpikes(value.words, first, n)
        known = read_array(value, f"stimulus[{name!r}]")
        if known.shape != (n_steps, n):
            raise ValueError(
                f"`stimulus` of {name!r} has shape {known.shape}; spikes are (time, n) = ({n_steps}, {n})."
            )
        if known.dtype == bool:
            return GivenSpikes(jnp.asarray(known), first, n)
        leaf = as_leaf(value, f"stimulus[{name!r}]")
        check_finite(f"stimulus[{name!r}]", leaf)
        return GivenSpikes(leaf, first, n)


class GivenSpikes(AbstractSource):
    """The spikes of a run from step `first` on, a row a step: true or false, amplitudes, or 32 neurons a word."""

    table: Float[Array, "time n"] | Bool[Array, "time n"] | UInt[Array, "time words"]
    first: Int[Array, ""]
    n: int = eqx.field(static=True)

    def spikes(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, state: Any
    ) -> tuple[Bool[Array, "time n"] | Float[Array, "time n"], Any]:
        rows = lax.dynamic_slice_in_dim(self.table, steps[0] - self.first, steps.shape[0])
        return (unpack(rows, self.n) if self.table.dtype == jnp.uint32 else rows), state


def _check_trains(name: str, trains: SpikeTrains, n: int, n_steps: int, dt: float) -> None:
    if trains.n != n or trains.words.ndim != 2 or trains.words.shape[0] != n_steps:
        raise ValueError(
            f"`stimulus` of {name!r} are trains of {trains.n} neurons and {trains.words.shape[:-1]} steps; the run has "
            f"{n} and {n_steps}."
        )
    if abs(trains.dt - dt) > 1e-9 * dt:
        raise ValueError(
            f"`stimulus` of {name!r} are trains in steps of {trains.dt:g} ms; those of the run are {dt:g} ms."
        )
    if trains.shares is not None:
        raise ValueError(f"`stimulus` of {name!r} has spikes inside steps; given spikes are at the ends of steps.")


def is_source(model: Any) -> bool:
    """Whether a population takes no input: its spikes are drawn or given."""
    return isinstance(model, AbstractSource)
