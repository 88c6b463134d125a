"""What a network does, found by running it."""

from typing import Any as _Any
from warnings import warn as _warn

from ._bump import Decoded as Decoded, Diffusion as Diffusion, bump_diffusion as bump_diffusion, decode as decode
from ._clamp import VoltageClamp as VoltageClamp, current_voltage as current_voltage, voltage_clamp as voltage_clamp
from ._classify import (
    Classification as Classification,
    classify_state as classify_state,
    state_recorders as state_recorders,
)
from ._conduction import conduction_velocity as conduction_velocity
from ._continuation import Bifurcation as Bifurcation, Branch as Branch, continuation as continuation
from ._damage import Damage as Damage, damage as damage
from ._excitability import Rheobase as Rheobase, fi_curve as fi_curve, rheobase as rheobase
from ._fixed_points import FixedPoints as FixedPoints, fixed_point as fixed_point, fixed_points as fixed_points
from ._hopf import Hopf as Hopf, hopf as hopf
from ._jacobian import jacobian as jacobian
from ._lyapunov import Lyapunov as Lyapunov, lyapunov as lyapunov
from ._nullclines import Nullclines as Nullclines, nullclines as nullclines
from ._oscillation import Oscillation as Oscillation, oscillation as oscillation
from ._phase_response import PhaseResponse as PhaseResponse, phase_response as phase_response
from ._section import PoincareSection as PoincareSection, poincare_section as poincare_section
from ._slow_points import SlowPoints as SlowPoints, slow_points as slow_points
from ._stabilised import Stabilisation as Stabilisation, inhibition_stabilisation as inhibition_stabilisation
from ._state import State as State, Thresholds as Thresholds, classify as classify


def __getattr__(name: str) -> _Any:
    if name != "Section":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = "`jaxneuro.analysis.PoincareSection`"
    _warn(f"`jaxneuro.analysis.Section` is now {new}; the old name goes with the next version.", DeprecationWarning, 2)
    return PoincareSection
