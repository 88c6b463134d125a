"""Recordings out of the files of other libraries."""

from ._neo import read_neo as read_neo
from ._nwb import read_nwb as read_nwb
from ._recording import Recording as Recording, Signal as Signal
