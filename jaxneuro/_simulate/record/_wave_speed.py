"""How fast waves of spikes travel over a lattice."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

from ..._numerics import count_steps, read_numbers, to_milliseconds, told
from ._at_distances import grid_of
from ._counts_in_bins import check_fits_twice
from ._lag import top_of_parabola
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope


class _Spectra(eqx.Module):
    """Spikes of the bin that is open, transforms of the last bins, newest first, and their products by lag."""

    open: Float[Array, "n"]
    past: Complex[Array, "lags rows half"]
    products: Complex[Array, "lags rows half"]
    seen: Int[Array, ""]


class WaveSpeed(AbstractRecorder):
    """The speed at which spikes spread over a lattice: `WaveSpeed("E")`.

        c(r, l) = mean over t, places and directions of n(x, t) n(x + r, t + l),

    n the spikes in bins of `width`. At each distance r there is a lag at which c is largest, by a parabola through the
    largest value and its neighbours; the speed is one over the slope of these lags over r. Correlations come from
    products of Fourier transforms: kept are two numbers a neuron and lag.

    **Arguments:**

    - `population`, which is on a `jn.Lattice`.
    - `width` of the bins [ms], a multiple of dt; `max_lag`, the longest lag looked at [ms], a multiple of `width`.
    - `distances`: the shortest and the longest, in the unit of the lattice's spacing; `start` [ms].

    **Records:** the speed [unit of the spacing per ms]; c, (distances, lags), in `sol.counts`, the lags [ms] in
    `sol.lags`. Distances are those between, one spacing apart, each a ring as wide.

    Raises `ValueError` where the population has no spikes or no lattice, fewer than three distances fit, the record
    is shorter than four times `max_lag`, or `width` is no multiple of dt.

    ```python
    >>> import jaxneuro as jn
    >>> sheet = jn.Population(jn.LIF(), positions=jn.Lattice(30, 30))
    >>> record = {"speed": jn.record.WaveSpeed("E", distances=(2.0, 8.0))}    # of a network whose "E" is such a sheet

    ```

    Source: Keane and Gong (2015), doi:10.1523/JNEUROSCI.1669-14.2015.
    """

    scope: Scope
    width: float = eqx.field(static=True)
    max_lag: float = eqx.field(static=True)
    distances: tuple[float, float] = eqx.field(static=True)

    def __init__(
        self,
        population: str,
        *,
        width: float = 0.5,
        max_lag: float = 12.0,
        distances: Any = (2.0, 12.0),
        start: float = 0.0,
    ):
        self.scope, self.width = Scope((population,), start), to_milliseconds("width", width)
        self.max_lag = to_milliseconds("max_lag", max_lag)
        known = np.asarray(read_numbers(distances, "distances"), dtype=float)
        if known.shape != (2,) or not np.all(np.isfinite(known)) or not 0.0 < known[0] < known[1]:
            raise ValueError(f"`distances` has to be the shortest and the longest; got {told(distances)}.")
        self.distances = (float(known[0]), float(known[1]))
        if self.max_lag <= 0 or self.width <= 0:
            raise ValueError(f"`width` and `max_lag` have to be positive; got {width} and {max_lag} ms.")

    def _lags(self) -> int:
        return count_steps("max_lag", self.max_lag, self.width)

    def _rings(self, layout: Layout) -> Float[np.ndarray, "distances sites"]:
        """For each distance the share of every displacement in its ring."""
        rows, columns, spacing = grid_of("WaveSpeed", self.scope.populations[0], layout)
        sites = np.arange(round(self.distances[0] / spacing), round(self.distances[1] / spacing) + 1)
        down, along = (np.minimum(np.arange(n), n - np.arange(n)) for n in (rows, columns))
        far = np.hypot(down[:, None], along[None]).ravel()
        rings = (np.abs(far[None] - sites[:, None]) <= 0.5).astype(float)
        return rings / rings.sum(1, keepdims=True)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check_spikes("WaveSpeed", layout, first)
        name = self.scope.populations[0]
        rows, columns, spacing = grid_of("WaveSpeed", name, layout)
        if self.distances[1] > spacing * min(rows, columns) // 2 or self.distances[1] < self.distances[0] + 2 * spacing:
            raise ValueError(
                f"`distances` of `WaveSpeed` have to be at least two spacings of {spacing:g} apart, and at most half a "
                f"side, {spacing * min(rows, columns) / 2:g}; got {self.distances}."
            )
        check_fits_twice("width", self.width, self.scope, layout, first)
        recorded = self.scope.steps(first, layout.n_steps, layout.dt) * layout.dt
        if 4 * self.max_lag > recorded * (1.0 + 1e-9) or self._lags() < 2:
            raise ValueError(
                f"`max_lag` has to be two bins at least, and at most a quarter of the recorded time, "
                f"{recorded / 4:g} ms; got {self.max_lag:g} ms."
            )

    def init(self, layout: Layout, rows: int) -> _Spectra:
        name, floats = self.scope.populations[0], jnp.result_type(float)
        down, along, _ = grid_of("WaveSpeed", name, layout)
        kept = jnp.zeros((self._lags() + 1, down, along // 2 + 1), jnp.result_type(complex))
        return _Spectra(jnp.zeros(layout.sizes[name], floats), kept, kept, jnp.zeros((), jnp.int32))

    def update(self, carry: _Spectra, window: Window, layout: Layout) -> _Spectra:
        name, width = self.scope.populations[0], count_steps("width", self.width, layout.dt)
        shape = grid_of("WaveSpeed", name, layout)[:2]
        since = window.steps - self.scope.first_counted(layout)

        def step(sums: _Spectra, now: tuple[Int[Array, ""], Bool[Array, "n"]]) -> tuple[_Spectra, None]:
            at, spikes = now
            counts = sums.open + jnp.where(at >= 0, spikes.astype(sums.open.dtype), 0.0)

            def closed() -> _Spectra:
                new = jnp.fft.rfft2(counts.reshape(shape))
                past = jnp.concatenate([new[None], sums.past[:-1]])
                # The oldest is at rest, the newer ones are that much later.
                whole = sums.seen + 1 >= past.shape[0]
                products = sums.products + jnp.where(whole, jnp.conj(past[-1]) * past[::-1], 0.0)
                return _Spectra(jnp.zeros_like(counts), past, products, sums.seen + 1)

            def still() -> _Spectra:
                return _Spectra(counts, sums.past, sums.products, sums.seen)

            return lax.cond((at >= 0) & ((at + 1) % width == 0), closed, still), None

        return lax.scan(step, carry, (since, window.spikes[name]))[0]

    def finish(self, carry: _Spectra, layout: Layout) -> Recorded:
        rows, columns, spacing = grid_of("WaveSpeed", self.scope.populations[0], layout)
        floats, rings = carry.open.dtype, self._rings(layout)
        times = jnp.maximum(carry.seen - self._lags(), 1).astype(floats)
        maps = jnp.fft.irfft2(carry.products, s=(rows, columns)).reshape(self._lags() + 1, -1)
        c = jnp.asarray(rings, floats) @ maps.T / (times * rows * columns)
        top = jnp.clip(jnp.argmax(c, axis=1), 1, self._lags() - 1)
        before, at, after = (jnp.take_along_axis(c, top[:, None] + k, axis=1)[:, 0] for k in (-1, 0, 1))
        peak = (top.astype(floats) + top_of_parabola(before, at, after)) * self.width
        r = (jnp.arange(len(rings)).astype(floats) + round(self.distances[0] / spacing)) * spacing
        x = r - jnp.mean(r)
        slope = jnp.sum(x * peak) / jnp.sum(x**2)
        lags = jnp.arange(self._lags() + 1).astype(floats) * self.width
        return Recorded(1.0 / slope, counts=c, lags=lags)
