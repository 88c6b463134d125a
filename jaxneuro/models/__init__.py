"""The equations: one model per file, named as the field names it."""

from ._binary import Binary as Binary
from ._firing import Firing as Firing
from ._lif import LIF as LIF, LIFState as LIFState
from ._poisson import Poisson as Poisson
from ._solver import AbstractMembraneSolver as AbstractMembraneSolver, EulerMaruyama as EulerMaruyama, Exact as Exact
