"""The irregularity of each neuron."""

from typing import Any, ClassVar

from ...statistics import IntervalMoments
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class CV(AbstractRecorder):
    """The coefficient of variation of each neuron's interspike intervals after `start` [ms].

    NaN with fewer than three intervals; the number of intervals is in `sol.counts`.

    **Arguments:** names of populations, all by default; `start`.

    **Records:** {population: (n,)}.
    """

    unit: ClassVar[str | None] = "1"
    scope: Scope

    def __init__(self, *populations: str, start: float = 0.0):
        self.scope = Scope(populations, start)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("CV", layout, first)

    def init(self, layout: Layout, rows: int) -> dict[str, IntervalMoments]:
        return {name: IntervalMoments.start(layout.sizes[name]) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        since_start = window.steps - self.scope.first_counted(layout)
        return {name: moments.update(since_start, window.spikes[name]) for name, moments in carry.items()}

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        return Recorded({n: m.cv() for n, m in carry.items()}, counts={n: m.n for n, m in carry.items()})
