"""Binary networks: one table of bits, and updates one at a time or all at once."""

from ._run import simulate_binary as simulate_binary
