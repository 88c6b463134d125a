"""Figures of runs and theory. matplotlib is loaded when a figure is asked for."""

from ._audit import gradient_audit as gradient_audit
from ._common import COLOURS as COLOURS, KIND_COLOURS as KIND_COLOURS, label as label, pyplot as pyplot
from ._overlay import overlay as overlay
from ._phase_diagram import phase_diagram as phase_diagram
from ._phase_plane import phase_plane as phase_plane
from ._raster import raster as raster
from ._ring import bump as bump, ring_diagram as ring_diagram, sheet as sheet, tuning as tuning
from ._state import draw_state as draw_state, state as state
from ._sweep import sweep as sweep
