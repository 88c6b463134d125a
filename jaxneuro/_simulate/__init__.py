"""Running a network: one loop, recorders, solutions."""

from . import adjoint as adjoint, record as record
from ._plan import NetworkState as NetworkState
from ._simulate import simulate as simulate
from ._solution import Solution as Solution
from ._wire import Wiring as Wiring, wire as wire
