"""The power spectrum of each population's rate."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp

from ...statistics import AbstractTaper, Hann, Segments, check_segments, frequencies_of, spectral_density
from ._counts_in_bins import check_width, complete_bins, count_block, no_counts, rate_in_bins
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class Spectrum(AbstractRecorder):
    """The power spectral density of each population's rate, averaged over segments.

    Two-sided, in Hz: N independent Poisson neurons of rate r have the density r/N at every f > 0. The equation
    is that of `jn.statistics.power_spectrum`. While the run goes on spikes are counted, 4 bytes a bin and population,
    and the counts are transformed at its end: the record is the same, bit by bit, however the run is cut into blocks.

    **Arguments:**

    - names of populations, all by default; `start` [ms].
    - `width`: of the bins [ms], a multiple of dt; the highest frequency is 1 / (2 width).
    - `segment`: [ms], a multiple of `width`; the frequencies are multiples of 1 / segment.
    - `taper`: `jn.statistics.Hann()` by default (Welch), or `Boxcar()` (Bartlett, with `overlap=0.0`).
    - `overlap`: of two segments, as a fraction.

    **Records:** {population: (frequencies,)}; the frequencies [Hz] in `sol.frequencies`, the number of
    segments in `sol.counts`.

    Raises `ValueError` where no segment fits into the recorded time.

    ```python
    >>> import jax, jaxneuro as jn
    >>> sources, record = jn.Population(jn.Poisson(50.0), 200), {"spectrum": jn.record.Spectrum(segment=100.0)}
    >>> sol = jn.simulate(sources, 0.0, 4_000.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> sol.frequencies["spectrum"][:3].tolist(), bool(abs(sol["spectrum"][2:].mean() - 50 / 200) < 0.02)
    ([0.0, 10.0, 20.0], True)

    ```

    Sources: Welch (1967), doi:10.1109/TAU.1967.1161901; Bartlett (1950), doi:10.1093/biomet/37.1-2.1.
    """

    unit: ClassVar[str | None] = "Hz"
    scope: Scope
    width: float = eqx.field(static=True)
    segment: float = eqx.field(static=True)
    overlap: float = eqx.field(static=True)
    taper: AbstractTaper

    def __init__(
        self,
        *populations: str,
        segment: float = 200.0,
        width: float = 0.5,
        taper: AbstractTaper | None = None,
        overlap: float = 0.5,
        start: float = 0.0,
    ):
        self.scope, self.width, self.segment, self.overlap = Scope(populations, start), width, segment, overlap
        self.taper = Hann() if taper is None else taper

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("Spectrum", layout, first)
        check_width("width", self.width, layout.dt)
        length = check_segments(self.segment, self.width, self.overlap, self.taper)
        bins = self.rows(first, layout.n_steps, layout.dt)
        if length > bins:
            raise ValueError(
                f"`segment` has to fit into the recorded time, {bins * self.width:g} ms; got {self.segment:g} ms."
            )

    def rows(self, first: int, n_steps: int, dt: float) -> int:
        return complete_bins(self.scope, self.width, first, n_steps, dt)

    def init(self, layout: Layout, rows: int) -> dict[str, Any]:
        return no_counts(self.scope, layout, rows)

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        return count_block(carry, window, self.scope, self.width, layout)

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        length = check_segments(self.segment, self.width, self.overlap, self.taper)
        values, numbers = {}, {}
        for name, counts in carry.items():
            segments = Segments(counts.shape[0], length, self.overlap)
            rate = rate_in_bins(counts, layout.sizes[name], self.width)
            values[name] = spectral_density(rate, segments, self.width, self.taper)
            numbers[name] = jnp.asarray(segments.number, jnp.int32)
        return Recorded(values, counts=numbers, frequencies=frequencies_of(length, self.width))
