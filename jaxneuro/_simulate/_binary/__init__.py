"""Binary networks: one table of bits, and updates one at a time or all at once."""

from ._order import AbstractUpdate as AbstractUpdate, Parallel as Parallel, Sequential as Sequential
from ._plan import BinaryState as BinaryState, initial_binary_state as initial_binary_state
from ._run import BinaryMachine as BinaryMachine, simulate_binary as simulate_binary
