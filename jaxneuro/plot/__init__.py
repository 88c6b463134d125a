"""Figures of runs and theory. matplotlib is loaded when a figure is asked for."""

from ._audit import gradient_audit as gradient_audit
from ._common import (
    COLOURS as COLOURS,
    KIND_COLOURS as KIND_COLOURS,
    kind_colour as kind_colour,
    label as label,
    pyplot as pyplot,
    style as style,
)
from ._density import density as density
from ._fi_curve import fi_curve as fi_curve
from ._fits import bootstrap as bootstrap, laws as laws, profile as profile
from ._overlay import overlay as overlay
from ._phase_diagram import phase_diagram as phase_diagram
from ._phase_plane import phase_plane as phase_plane
from ._raster import raster as raster
from ._ring import bump as bump, ring_diagram as ring_diagram, sheet as sheet, tuning as tuning
from ._spectrum import spectrum as spectrum
from ._state import draw_state as draw_state, state as state
from ._state_map import state_map as state_map
from ._sweep import sweep as sweep
from ._traces import traces as traces
from ._training import training as training
