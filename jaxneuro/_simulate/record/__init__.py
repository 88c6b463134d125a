"""What a run records. Statistics are gathered while it runs; nothing is stored that nobody asked for."""

from ._activity import (
    ACTIVE as ACTIVE,
    MeanActivity as MeanActivity,
    PopulationActivity as PopulationActivity,
    States as States,
    UnitStates as UnitStates,
)
from ._autocovariance import Autocovariance as Autocovariance
from ._cv import CV as CV
from ._fano import Fano as Fano
from ._histogram import Density as Density, Histogram as Histogram
from ._lag import Lag as Lag
from ._layout import Layout as Layout
from ._pair_correlation import PairCorrelation as PairCorrelation
from ._population_rate import PopulationRate as PopulationRate
from ._potential_autocovariance import PotentialAutocovariance as PotentialAutocovariance
from ._raster import Raster as Raster
from ._rate import Rate as Rate
from ._recorder import AbstractRecorder as AbstractRecorder, Recorded as Recorded, Window as Window
from ._scope import Scope as Scope
from ._spectrum import Spectrum as Spectrum
from ._spike_times import SpikeTimes as SpikeTimes
from ._spikes import Spikes as Spikes
from ._synchrony import Synchrony as Synchrony
from ._time_axis import TimeAxis as TimeAxis
from ._trace import Trace as Trace
from ._voltage_skewness import VoltageSkewness as VoltageSkewness
from ._watch import Lookout as Lookout, Watch as Watch, watched as watched
from ._wave_speed import WaveSpeed as WaveSpeed
