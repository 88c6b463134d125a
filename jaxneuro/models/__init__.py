"""The equations: one model per file, named as the field names it."""

from ._binary import Binary as Binary
from ._cable import Cable as Cable, Section as Section
from ._conductance_neuron import (
    AbstractConductanceNeuron as AbstractConductanceNeuron,
    ConductanceNeuron as ConductanceNeuron,
    MembraneState as MembraneState,
)
from ._curves import (
    AbstractCurve as AbstractCurve,
    ExponentialCurve as ExponentialCurve,
    InwardRectifierCurve as InwardRectifierCurve,
    LinearCurve as LinearCurve,
    QuadraticCurve as QuadraticCurve,
)
from ._ei_rate import EIRate as EIRate
from ._firing import Firing as Firing, crossing as crossing, fire as fire
from ._hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from ._integrate_and_fire import IntegrateAndFire as IntegrateAndFire
from ._leaky_integrator import LeakyIntegrator as LeakyIntegrator
from ._lif import LIF as LIF, LIFState as LIFState
from ._neuron import (
    AbstractNeuron as AbstractNeuron,
    CurvedMembrane as CurvedMembrane,
    LeakyMembrane as LeakyMembrane,
    StepConstants as StepConstants,
)
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
from ._runnable import (
    AbstractRunnable as AbstractRunnable,
    AbstractRunner as AbstractRunner,
    AbstractStimulated as AbstractStimulated,
)
from ._solver import (
    SDIRK2 as SDIRK2,
    AbstractMembraneSolver as AbstractMembraneSolver,
    AbstractSolver as AbstractSolver,
    CrankNicolson as CrankNicolson,
    EulerMaruyama as EulerMaruyama,
    Exact as Exact,
    ExponentialEuler as ExponentialEuler,
    ImplicitEuler as ImplicitEuler,
)
from ._source import AbstractSource as AbstractSource, SpikeSource as SpikeSource, is_source as is_source
from ._spike_times import AbstractSpikeTimes as AbstractSpikeTimes, InsideSteps as InsideSteps
