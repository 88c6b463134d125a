"""Statistics of spike trains, as functions of the trains and as streaming reducers."""

from ._autocovariance import (
    Autocovariance as Autocovariance,
    autocovariance as autocovariance,
    autocovariance_of as autocovariance_of,
    check_lags as check_lags,
)
from ._correlation_time import correlation_time as correlation_time
from ._counts import CountMoments as CountMoments, WindowCounts as WindowCounts, spike_counts as spike_counts
from ._fano import fano as fano, fano_of as fano_of
from ._isi import (
    IntervalMoments as IntervalMoments,
    burst_index as burst_index,
    isi_cv as isi_cv,
    isi_histogram as isi_histogram,
)
from ._poisson_laws import (
    binomial_counts as binomial_counts,
    interval_density as interval_density,
    poisson_counts as poisson_counts,
)
from ._poisson_trains import bernoulli_trains as bernoulli_trains, poisson_trains as poisson_trains
from ._spectrum import (
    AbstractTaper as AbstractTaper,
    Boxcar as Boxcar,
    Hann as Hann,
    PowerSpectrum as PowerSpectrum,
    Segments as Segments,
    check_segments as check_segments,
    frequencies_of as frequencies_of,
    power_spectrum as power_spectrum,
    spectral_density as spectral_density,
)
from ._synchrony import (
    Synchrony as Synchrony,
    chi as chi,
    pairwise_correlation as pairwise_correlation,
    synchrony as synchrony,
    synchrony_of as synchrony_of,
)
from ._trains import SpikeTrains as SpikeTrains, pack as pack, unpack as unpack
