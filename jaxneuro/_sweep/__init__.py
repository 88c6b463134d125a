"""The machinery behind `jn.sweep`."""

from ._execution import AbstractExecution as AbstractExecution, Threads as Threads, Vectorised as Vectorised
from ._store import check_libraries as check_libraries, check_store as check_store, write_store as write_store
from ._sweep import sweep as sweep
