"""The machinery behind `jn.sweep`."""

from ._axes import (
    Paired as Paired,
    RandomPoints as RandomPoints,
    SobolPoints as SobolPoints,
    Structural as Structural,
)
from ._dask import Dask as Dask
from ._execution import (
    AbstractExecution as AbstractExecution,
    Devices as Devices,
    Threads as Threads,
    Vectorised as Vectorised,
)
from ._open import open_sweep as open_sweep
from ._results import SweepWarning as SweepWarning
from ._store import check_libraries as check_libraries, check_store as check_store
from ._sweep import sweep as sweep
