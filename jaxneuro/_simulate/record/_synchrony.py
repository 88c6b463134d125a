"""How much each population fires together."""

from typing import Any

import equinox as eqx

from ..._numerics import count_steps
from ...statistics import WindowCounts, synchrony_of
from ._counts_in_bins import check_fits_twice
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class Synchrony(AbstractRecorder):
    """The synchrony of each population, from its spike counts in bins of `width`.

    Golomb and Hansel's chi, the mean covariance and correlation over all pairs, and the Fano factor of
    the population count: equations in `jn.statistics.Synchrony`. Nothing is kept of a pair: the mean
    over all of them follows from the variance of the sum and the sum of the variances. A wide bin counts slow
    correlations too, a narrow one only those of single spikes.

    **Arguments:** names of populations, all by default; `width`, a multiple of dt [ms]; `start` [ms].

    **Records:** {population: `jn.statistics.Synchrony`}, as `jn.statistics.synchrony` of the spike trains.

    Raises `ValueError` where `width` is no multiple of dt or longer than half of the recorded time.

    ```python
    >>> import jax, jaxneuro as jn
    >>> sources, record = jn.Population(jn.Poisson(50.0), 400), {"synchrony": jn.record.Synchrony(width=5.0)}
    >>> sol = jn.simulate(sources, 0.0, 2_000.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> bool(abs(sol["synchrony"].chi - 400**-0.5) < 0.01)
    True

    ```

    Sources: as of `jn.statistics.Synchrony`.
    """

    scope: Scope
    width: float = eqx.field(static=True)

    def __init__(self, *populations: str, width: float = 1.0, start: float = 0.0):
        self.scope, self.width = Scope(populations, start), width

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("Synchrony", layout, first)
        check_fits_twice("width", self.width, self.scope, layout, first)

    def init(self, layout: Layout, rows: int) -> dict[str, WindowCounts]:
        return {name: WindowCounts.start(layout.sizes[name]) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        since, width = window.steps - self.scope.first_counted(layout), count_steps("width", self.width, layout.dt)
        return {name: counts.update(since, window.spikes[name], width) for name, counts in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        values = {name: synchrony_of(counts) for name, counts in carry.items()}
        return Recorded(values, counts={name: counts.total.n for name, counts in carry.items()})
