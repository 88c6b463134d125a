"""Whom a recorder records, and from when."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int

from ..._numerics import Shown, to_milliseconds, told, whole_steps
from ._layout import Layout


class Scope(Shown):
    """The populations that a recorder records, all where none is named, from `start` [ms] on."""

    populations: tuple[str, ...] = eqx.field(static=True)
    start: float = eqx.field(static=True)

    def __init__(self, populations: tuple[str, ...], start: float):
        if not all(isinstance(name, str) for name in populations):
            raise ValueError(f"`record` takes names of populations; got {told(populations)}.")
        self.populations, self.start = populations, to_milliseconds("start", start)
        if self.start < 0:
            raise ValueError(f"`start` must not be negative; got {self.start:g} ms.")

    def check(self, layout: Layout, first: int) -> None:
        """Raises `ValueError` where a population is unknown or the record would be empty."""
        for name in self.populations:
            if name not in layout.sizes:
                raise ValueError(f"`record` names the population {name!r}; there are {', '.join(layout.sizes)}.")
        if self.steps(first, layout.n_steps, layout.dt) < 1:
            end = (first + layout.n_steps) * layout.dt
            raise ValueError(f"`start` has to lie before the end of the run, {end:g} ms; got {self.start:g} ms.")

    def check_spikes(self, what: str, layout: Layout, first: int) -> None:
        """The same, and where a population has no spikes; `what` is the recorder."""
        self.check(layout, first)
        for name in self.names(layout):
            if name not in layout.spiking:
                known = ", ".join(layout.fields[name])
                raise ValueError(
                    f"`jn.record.{what}` records spikes, which {name!r} has not: take a recorder of its variables "
                    f"({known}), such as `jn.record.Trace` or, of binary units, `jn.record.MeanActivity()`."
                )

    def names(self, layout: Layout) -> tuple[str, ...]:
        """The populations recorded."""
        return self.populations or tuple(layout.sizes)

    def begin(self, first: int, dt: float) -> int:
        """The first absolute step that counts in a run from step `first` on."""
        return max(first, whole_steps("start", self.start, dt))

    def steps(self, first: int, n_steps: int, dt: float) -> int:
        """How many steps of the run count."""
        return first + n_steps - self.begin(first, dt)

    def first_counted(self, layout: Layout) -> Int[Array, ""]:
        """The first absolute step that counts, where the run's first step is part of the program's input."""
        return jnp.maximum(layout.first, whole_steps("start", self.start, layout.dt))
