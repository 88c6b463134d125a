"""How a variable is distributed over neurons and time."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..._numerics import check_count, check_finite, told
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._watch import Watch, check_variable, watched


class Density(eqx.Module):
    """A density over the bins between `edges`; its area is the share of the samples that lie inside."""

    values: Float[Array, "bins"]
    edges: Float[Array, "_"]
    outside: Int[Array, ""]

    def __str__(self) -> str:
        return f"density over {self.values.size:,} bins from {float(self.edges[0]):g} to {float(self.edges[-1]):g}"

    @property
    def centres(self) -> Float[Array, "bins"]:
        """The middles of the bins."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])


class Histogram(AbstractRecorder):
    """The density of a variable such as the potential, over neurons and steps: `Histogram("E.v", low=, high=, bins=)`.

    Samples are counted while the run goes on, at the ends of steps; nothing is stored but the counts. The area is the
    share of samples inside [low, high): 1 where none lies outside.

    **Arguments:**

    - `variable`: "population.variable", or the variable alone for a single population.
    - `low`, `high`: the range, in the units of the variable; `bins`, of equal width.
    - `without`: a variable of the same population; samples of neurons where it is not 0 are left out, as with
      `without="refractory"` those that are held at the reset.
    - `every`: takes each step whose number is a multiple of `every`; `start` [ms].

    **Records:** a `Density`; the number of samples in `sol.counts`.

    Raises `ValueError` where `low` is not below `high`, or `bins` or `every` is no positive integer; at the run where
    there is no such variable.

    ```python
    >>> import jax, jaxneuro as jn
    >>> cells = jn.Network({"E": jn.Population(jn.LIF(), 50)}, drives=[jn.WhiteNoiseDrive("E", mu=10.0, sigma=2.0)])
    >>> record = {"p": jn.record.Histogram("E.v", low=-5.0, high=20.0, bins=50, start=100.0)}
    >>> sol = jn.simulate(cells, 0.0, 300.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> round(float(sol["p"].values.sum() * 0.5), 3)
    1.0

    ```
    """

    unit: ClassVar[str | None] = "1/{}"
    variable: str = eqx.field(static=True)
    without: str | None = eqx.field(static=True)
    bins: int = eqx.field(static=True)
    every: int = eqx.field(static=True)
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    scope: Scope

    def __init__(
        self,
        variable: str,
        *,
        low: float,
        high: float,
        bins: int,
        without: str | None = None,
        every: int = 1,
        start: float = 0.0,
    ):
        for name, value in (("bins", bins), ("every", every)):
            check_count(name, value, "a positive integer")
        check_variable("variable", variable)
        if without is not None:
            check_variable("without", without)
        for name, end in (("low", low), ("high", high)):
            check_finite(name, end)
            if np.ndim(end):
                raise ValueError(f"`{name}` has to be one number; got shape {np.shape(end)}.")
        self.variable, self.without, self.bins, self.every = variable, without, int(bins), int(every)
        self.low, self.high, self.scope = float(low), float(high), Scope((), start)
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"`low` has to lie below `high`, both finite; got {told(low)} and {high!r}.")

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        own = watched(self.variable, layout)
        return (own,) if self.without is None else (own, Watch(own.population, self.without))

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)
        for watch in self.watch(layout):
            watch.check(f"Histogram({self.variable!r})", layout)

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return self.bins

    def init(self, layout: Layout, rows: int) -> tuple[Int[Array, "_"], Int[Array, ""]]:
        return jnp.zeros(rows + 1, jnp.int32), jnp.zeros((), jnp.int32)

    def update(self, carry: Any, window: Window, layout: Layout) -> Any:
        counts, total = carry
        values = window.seen[0]
        counted = (window.steps >= self.scope.first_counted(layout)) & ((window.steps + 1) % self.every == 0)
        counted = jnp.broadcast_to(counted[:, None], values.shape)
        if self.without is not None:
            counted = counted & (window.seen[1] == 0)
        place = jnp.floor((values - self.low) * (self.bins / (self.high - self.low)))
        inside = (place >= 0) & (place < self.bins)  # of NaN neither
        place = jnp.where(inside, place, self.bins).astype(jnp.int32)
        place = jnp.where(counted, place, self.bins + 1)  # past the end, where it is dropped
        return counts.at[place.reshape(-1)].add(1, mode="drop"), total + jnp.sum(counted, dtype=jnp.int32)

    def finish(self, carry: Any, layout: Layout) -> Recorded:
        counts, total = carry
        width = (self.high - self.low) / self.bins
        dtype = jnp.result_type(float)
        values = counts[:-1].astype(dtype) / (total.astype(dtype) * width)
        edges = jnp.asarray(self.low + width * np.arange(self.bins + 1), dtype)
        return Recorded(Density(values, edges, counts[-1]), counts=total)
