"""Running a network: one loop, recorders, solutions."""

from . import adjoint as adjoint, record as record
from ._binary import (
    AbstractUpdate as AbstractUpdate,
    BinaryState as BinaryState,
    Parallel as Parallel,
    Sequential as Sequential,
    initial_binary_state as initial_binary_state,
)
from ._event_driven import SpikeEvents as SpikeEvents, simulate_events as simulate_events
from ._explain import explain as explain
from ._explanation import Explanation as Explanation
from ._plan import NetworkState as NetworkState
from ._short_run import ShortRunWarning as ShortRunWarning
from ._simulate import simulate as simulate
from ._solution import Solution as Solution
from ._stimulus import Clamp as Clamp
from ._wire import Wiring as Wiring, wire as wire
