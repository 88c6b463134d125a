"""The autocovariance of each population's rate."""

from typing import Any, ClassVar

import equinox as eqx

from ...statistics import autocovariance_of, check_lags
from ._counts_in_bins import check_width, complete_bins, count_block, no_counts, rate_in_bins
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class Autocovariance(AbstractRecorder):
    """The autocovariance of each population's rate [Hz^2], at lags from 0 to `max_lag`.

    The equation is that of `jn.statistics.autocovariance`. While the run goes on spikes are counted, 4 bytes a bin
    and population; products are taken at its end, around the mean that is known only then.

    **Arguments:** names of populations, all by default; `max_lag` [ms], a multiple of `width`; `width`, of
    the bins [ms], a multiple of dt; `start` [ms].

    **Records:** {population: (lags,)}; the lags [ms] in `sol.lags`, the number of pairs of bins in `sol.counts`.

    Raises `ValueError` where `max_lag` does not fit into the recorded time.

    ```python
    >>> import jax, jaxneuro as jn
    >>> sources, record = jn.Population(jn.Poisson(50.0), 200), {"c": jn.record.Autocovariance(max_lag=2.0)}
    >>> sol = jn.simulate(sources, 0.0, 4_000.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> sol.lags["c"].tolist(), bool(abs(sol["c"][0] - 50 / 200 / 0.001) < 30)
    ([0.0, 1.0, 2.0], True)

    ```

    Source: Brillinger, Time Series (1981), section 4.3; doi:10.1137/1.9780898719246.
    """

    unit: ClassVar[str | None] = "Hz^2"
    scope: Scope
    max_lag: float = eqx.field(static=True)
    width: float = eqx.field(static=True)

    def __init__(self, *populations: str, max_lag: float = 100.0, width: float = 1.0, start: float = 0.0):
        self.scope, self.max_lag, self.width = Scope(populations, start), max_lag, width

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("Autocovariance", layout, first)
        check_width("width", self.width, layout.dt)
        bins = self.rows(first, layout.n_steps, layout.dt)
        if check_lags(self.max_lag, self.width) >= bins:
            raise ValueError(
                f"`max_lag` has to be shorter than the recorded time, {bins * self.width:g} ms; "
                f"got {self.max_lag:g} ms."
            )

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return complete_bins(self.scope, self.width, first, n_steps, dt)

    def init(self, layout: Layout, rows: int) -> dict[str, Any]:
        return no_counts(self.scope, layout, rows)

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        return count_block(carry, window, self.scope, self.width, layout)

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        longest = check_lags(self.max_lag, self.width)
        found = {
            name: autocovariance_of(rate_in_bins(counts, layout.sizes[name], self.width), longest, self.width)
            for name, counts in carry.items()
        }
        values, pairs = ({name: getattr(c, field) for name, c in found.items()} for field in ("values", "n_pairs"))
        return Recorded(values, counts=pairs, lags=next(iter(found.values())).lags)
