"""The equations: one model per file, named as the field names it."""

from ._binary import Binary as Binary
from ._ei_rate import EIRate as EIRate
from ._firing import Firing as Firing
from ._lif import LIF as LIF, LIFState as LIFState
from ._ode import AbstractODE as AbstractODE, AbstractRelaxation as AbstractRelaxation, RungeKutta4 as RungeKutta4
from ._periodic import (
    FFT as FFT,
    AbstractProduct as AbstractProduct,
    Dense as Dense,
    LowRank as LowRank,
    angles as angles,
)
from ._poisson import Poisson as Poisson
from ._rate import (
    RateNetwork as RateNetwork,
    SynapticRateNetwork as SynapticRateNetwork,
    spread_over as spread_over,
)
from ._ring import Ring as Ring
from ._solver import (
    AbstractMembraneSolver as AbstractMembraneSolver,
    EulerMaruyama as EulerMaruyama,
    Exact as Exact,
    ExponentialEuler as ExponentialEuler,
)
