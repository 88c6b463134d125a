"""The spikes themselves."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..._numerics import as_leaf, check_finite
from ...models import crossing
from ...statistics import SpikeTrains
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._watch import Watch


class Spikes(AbstractRecorder):
    """The spikes themselves, one bit a neuron and step.

    Where a spike is a crossing of a threshold, as of Hodgkin-Huxley neurons, its time is interpolated within the step,
    for two more bytes a neuron and step.

    **Arguments:**

    - names of populations, all by default; `start` [ms].
    - `threshold`: of neurons with channels the potential [mV] whose upward crossing is recorded, in the convention of
      the model: absolute, or from rest where the neuron has `v_shift=0`. By default that of the neuron, `v_th`, 50 mV
      above rest. What the neurons send to others, and rates, stay those of the neuron.

    **Records:** `SpikeTrains` where one population is named, else {population: `SpikeTrains`}.

    Raises `ValueError` where `threshold` is not a finite number, at the run where a recorded population has none to
    choose: a LIF neuron spikes where its reset is.

    ```python
    >>> import jax, jaxneuro as jn
    >>> squid = jn.Population(jn.HodgkinHuxley(), 1)
    >>> sol = jn.simulate(squid, 0.0, 30.0, dt=0.01, key=jax.random.key(0), stimulus=10.0,
    ...                   record={"default": jn.record.Spikes(), "zero": jn.record.Spikes(threshold=0.0)})
    >>> [sol[name].times[0].round(2).tolist() for name in ("default", "zero")]
    [[1.84, 16.75], [1.9, 16.83]]

    ```
    """

    unit: ClassVar[str | None] = "ms"
    scope: Scope
    threshold: Float[Array, ""] | None

    def __init__(self, *populations: str, start: float = 0.0, threshold: ArrayLike | None = None):
        self.scope = Scope(populations, start)
        self.threshold = None if threshold is None else as_leaf(threshold, "threshold")
        if self.threshold is not None:
            check_finite("threshold", self.threshold)
            if self.threshold.ndim:
                raise ValueError(f"`threshold` has to be one number [mV]; got the shape {self.threshold.shape}.")

    def check(self, layout: Layout, first: int) -> None:
        if self.threshold is None:
            self.scope.check_spikes("Spikes", layout, first)
            return
        self.scope.check(layout, first)
        fixed = [n for n in self.scope.names(layout) if n in layout.spiking and n not in layout.within_step]
        if fixed:
            raise ValueError(
                f"`Spikes(threshold=...)` is of neurons with channels; {', '.join(map(repr, fixed))} spikes where "
                "its model says. Leave `threshold` out, or name the populations that have channels."
            )
        for watch in self.watch(layout):
            watch.check("Spikes(threshold=...)", layout)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return () if self.threshold is None else tuple([Watch(name, "v") for name in self.scope.names(layout)])

    def wants_times(self) -> bool:
        return self.threshold is None

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return self.scope.steps(first, n_steps, dt)

    def init(self, layout: Layout, rows: int) -> dict[str, Any]:
        def nothing(name: str) -> SpikeTrains:
            n = layout.sizes[name]
            timed = self.threshold is not None or name in layout.within_step
            shares = jnp.zeros((rows, n), jnp.uint16) if timed else None
            words = jnp.zeros((rows, -(-n // 32)), jnp.uint32)
            return SpikeTrains(words, self.scope.first_counted(layout), n, layout.dt, shares)

        return {name: nothing(name) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        rows = window.steps - self.scope.first_counted(layout)
        spikes, shares = window.spikes, window.shares
        if self.threshold is not None:
            after = dict(zip(self.scope.names(layout), window.seen, strict=True))
            first = dict(zip(after, window.before, strict=True))
            before = {name: jnp.concatenate([first[name][None], v[:-1]]) for name, v in after.items()}
            crossed = {name: crossing(before[name], v, self.threshold) for name, v in after.items()}
            spikes = {name: own.spikes for name, own in crossed.items()}
            shares = {name: own.share for name, own in crossed.items()}
        return {name: trains.written(rows, spikes[name], shares.get(name)) for name, trains in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        if len(self.scope.populations) == 1:
            return Recorded(carry[self.scope.populations[0]])
        return Recorded(carry)
