"""What a network does, found by running it."""

from ._classify import (
    Classification as Classification,
    classify_state as classify_state,
    state_recorders as state_recorders,
)
from ._damage import Damage as Damage, damage as damage
from ._oscillation import Oscillation as Oscillation, oscillation as oscillation
from ._state import State as State, Thresholds as Thresholds, classify as classify
