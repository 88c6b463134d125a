"""The Fano factor of each neuron."""

from typing import Any, ClassVar

import equinox as eqx

from ..._numerics import count_steps
from ...statistics import WindowCounts, fano_of
from ._counts_in_bins import check_fits_twice
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class Fano(AbstractRecorder):
    """The Fano factor of each neuron's spike count in successive windows, Var(n) / <n>.

    The windows begin at `start` or with the run; the variance is unbiased over the windows. NaN for a neuron without
    spikes; the number of windows is in `sol.counts`.

    **Arguments:** names of populations, all by default; `window`, a multiple of dt [ms]; `start` [ms].

    **Records:** {population: (n,)}, `jn.statistics.fano` of the spike trains.

    Raises `ValueError` where `window` is no multiple of dt or longer than half of the recorded time.

    ```python
    >>> import jax, jaxneuro as jn
    >>> sources, record = jn.Population(jn.Poisson(50.0), 200), {"fano": jn.record.Fano(window=50.0)}
    >>> sol = jn.simulate(sources, 0.0, 2_000.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> bool(abs(sol.mean("fano").value - 1.0) < 0.1), int(sol.counts["fano"])
    (True, 40)

    ```

    Source: Fano (1947), doi:10.1103/PhysRev.72.26.
    """

    unit: ClassVar[str | None] = "1"
    scope: Scope
    window: float = eqx.field(static=True)

    def __init__(self, *populations: str, window: float = 100.0, start: float = 0.0):
        self.scope, self.window = Scope(populations, start), window

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("Fano", layout, first)
        check_fits_twice("window", self.window, self.scope, layout, first)

    def init(self, layout: Layout, rows: int) -> dict[str, WindowCounts]:
        return {name: WindowCounts.start(layout.sizes[name]) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        since, width = window.steps - self.scope.first_counted(layout), count_steps("window", self.window, layout.dt)
        return {name: counts.update(since, window.spikes[name], width) for name, counts in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        values = {name: fano_of(counts.neurons) for name, counts in carry.items()}
        return Recorded(values, counts={name: counts.neurons.n for name, counts in carry.items()})
