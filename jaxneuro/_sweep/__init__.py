"""The machinery behind `jn.sweep`."""

from ._execution import AbstractExecution as AbstractExecution, Threads as Threads, Vectorised as Vectorised
from ._store import check_store as check_store
from ._sweep import sweep as sweep
