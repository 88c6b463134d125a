"""Statistics of spike trains, as functions of the trains and as streaming reducers."""

from ._isi import IntervalMoments as IntervalMoments, isi_cv as isi_cv
from ._trains import SpikeTrains as SpikeTrains
