"""The power spectrum of a population's rate."""

import abc
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._numerics import Shown, count_steps, to_milliseconds, told
from ._counts import spike_counts
from ._trains import SpikeTrains


class AbstractTaper(Shown):
    """What a segment is multiplied with before its Fourier transform."""

    @abc.abstractmethod
    def weights(self, n: int) -> Float[np.ndarray, "n"]:
        """The weights of `n` bins."""


class Hann(AbstractTaper):
    """w_k = sin^2(pi k / n): little leakage, peaks twice as wide.

    ```python
    >>> import jaxneuro as jn
    >>> jn.statistics.Hann().weights(4).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5]

    ```
    """

    def weights(self, n: int) -> Float[np.ndarray, "n"]:
        return np.sin(np.pi * np.arange(n) / n) ** 2


class Boxcar(AbstractTaper):
    """w_k = 1: Bartlett's estimate, together with `overlap=0.0`.

    ```python
    >>> import jaxneuro as jn
    >>> jn.statistics.Boxcar().weights(4).tolist()
    [1.0, 1.0, 1.0, 1.0]

    ```
    """

    def weights(self, n: int) -> Float[np.ndarray, "n"]:
        return np.ones(n)


class Segments(Shown):
    """How a record is cut for its spectrum: lengths in bins.

    ```python
    >>> import jaxneuro as jn
    >>> jn.statistics.Segments(1_000, 200, 0.5).number
    9

    ```
    """

    length: int = eqx.field(static=True)
    stride: int = eqx.field(static=True)
    number: int = eqx.field(static=True)

    def __init__(self, n_bins: int, length: int, overlap: float):
        self.length = length
        self.stride = max(1, round(length * (1.0 - overlap)))
        self.number = max(0, (n_bins - length) // self.stride + 1)


def check_segments(segment: float, width: float, overlap: float, taper: AbstractTaper) -> int:
    """The bins of a segment; `ValueError` where an argument of a spectrum does not fit.

    ```python
    >>> import jaxneuro as jn
    >>> jn.statistics.check_segments(100.0, 0.5, 0.5, jn.statistics.Hann())
    200

    ```
    """
    if not isinstance(taper, AbstractTaper):
        raise ValueError(f"`taper` has to be `Hann()` or `Boxcar()`; got {told(taper)}.")
    if not 0.0 <= overlap < 1.0:
        raise ValueError(f"`overlap` has to be a fraction of a segment, at least 0 and below 1; got {overlap}.")
    if not to_milliseconds("width", width) > 0:
        raise ValueError(f"`width` has to be positive; got {width} ms.")
    length = count_steps("segment", segment, width)
    if length < 4:
        raise ValueError(f"`segment` has to be at least four bins of `width` = {width} ms; got {segment} ms.")
    return length


def frequencies_of(length: int, width: float) -> Float[Array, "frequencies"]:
    """0, 1 / segment, ... to the Nyquist frequency 1 / (2 width) [Hz].

    ```python
    >>> import jaxneuro as jn
    >>> jn.statistics.frequencies_of(10, 1.0).tolist()
    [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]

    ```
    """
    return jnp.arange(length // 2 + 1).astype(jnp.result_type(float)) * (1000.0 / (length * width))


def spectral_density(
    rate: Float[Array, "bins"], segments: Segments, width: float, taper: AbstractTaper
) -> Float[Array, "frequencies"]:
    """The two-sided density of a rate [Hz] in bins of `width` [ms], averaged over segments.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> segments = jn.statistics.Segments(100, 20, 0.0)
    >>> jn.statistics.spectral_density(jnp.ones(100), segments, 1.0, jn.statistics.Hann()).shape
    (11,)

    ```
    """
    weights = taper.weights(segments.length)
    starts = np.arange(segments.number) * segments.stride
    cut = rate[starts[:, None] + np.arange(segments.length)]
    cut = (cut - jnp.mean(cut, axis=1, keepdims=True)) * jnp.asarray(weights, rate.dtype)
    power = jnp.mean(jnp.abs(jnp.fft.rfft(cut, axis=1)) ** 2, axis=0)
    return power * (width / 1000.0 / float(np.sum(weights**2)))


class PowerSpectrum(Shown):
    """A power spectrum: `density` [Hz] at `frequencies` [Hz], averaged over `n_segments`."""

    frequencies: Float[Array, "frequencies"]
    density: Float[Array, "frequencies"]
    n_segments: Int[Array, ""]


def power_spectrum(
    trains: SpikeTrains | Sequence[np.ndarray],
    *,
    width: float,
    segment: float,
    taper: AbstractTaper | None = None,
    overlap: float = 0.5,
    t0: float | None = None,
    t1: float | None = None,
) -> PowerSpectrum:
    """The power spectral density of the rate of a population, averaged over segments.

        S(f) = <|sum_j w_j (r_j - r) exp(-2 pi i f t_j)|^2> width / sum_j w_j^2

    with r_j the population rate [Hz] in bins of `width`, r its mean in the segment, and the mean
    over segments. Two-sided: S(-f) = S(f), and the integral over all f is the variance of r_j. N
    independent Poisson neurons of rate r have S = r/N at every f > 0. The lowest frequencies, 0 and with
    a Hann taper 1 / segment, are low because the mean of each segment is taken off.

    **Arguments:**

    - `trains`: `SpikeTrains` of one run, or one array of spike times [ms] a neuron.
    - `width`: of the bins [ms]; the highest frequency is 1 / (2 width).
    - `segment`: [ms], a multiple of `width`; the frequencies are multiples of 1 / segment.
    - `taper`: `Hann()` by default, or `Boxcar()`; `overlap`: of two segments, as a fraction.
    - `t0`, `t1`: [ms], needed with spike times.

    **Returns:** a `PowerSpectrum`.

    Raises `ValueError` where a segment does not fit into the record or there is no neuron, and as `spike_counts` does.

    ```python
    >>> import jax, jaxneuro as jn
    >>> trains = jn.statistics.poisson_trains(50.0, 0.0, 20_000.0, n=10, key=jax.random.key(0))
    >>> spectrum = jn.statistics.power_spectrum(trains, width=1.0, segment=100.0, t0=0.0, t1=20_000.0)
    >>> bool(abs(spectrum.density[2:].mean() - 5.0) < 0.2)
    True

    ```

    Sources: Welch (1967), doi:10.1109/TAU.1967.1161901; Bartlett (1950), doi:10.1093/biomet/37.1-2.1.
    """
    taper = Hann() if taper is None else taper
    length = check_segments(segment, width, overlap, taper)
    rate = population_rate(trains, width, t0, t1)
    segments = Segments(rate.size, length, overlap)
    if segments.number < 1:
        raise ValueError(f"`segment` has to fit into the record; got {segment} ms of {rate.size * width:g} ms.")
    density = spectral_density(jnp.asarray(rate, jnp.result_type(float)), segments, width, taper)
    return PowerSpectrum(frequencies_of(length, width), density, jnp.asarray(segments.number, jnp.int32))


def population_rate(
    trains: SpikeTrains | Sequence[np.ndarray], width: float, t0: float | None, t1: float | None
) -> Float[np.ndarray, "bins"]:
    """The rate of the population in bins of `width` [ms], in Hz."""
    counts = spike_counts(trains, width=width, t0=t0, t1=t1)
    if counts.shape[1] == 0:
        raise ValueError("`trains` is empty: the rate of a population needs a neuron.")
    return counts.mean(axis=1) * (1000.0 / width)
