"""Differentiable simulation, theory and fitting of neural circuits."""

from . import (
    analysis as analysis,
    channels as channels,
    delivery as delivery,
    io as io,
    laws as laws,
    networks as networks,
    neurons as neurons,
    plot as plot,
    quantal as quantal,
    statistics as statistics,
    surrogate as surrogate,
    theory as theory,
    transfer as transfer,
)
from ._fit import (
    FitCode as FitCode,
    FitResult as FitResult,
    IdentifiabilityWarning as IdentifiabilityWarning,
    LeastSquares as LeastSquares,
    LevenbergMarquardt as LevenbergMarquardt,
    Likelihood as Likelihood,
    LogNormal as LogNormal,
    Optax as Optax,
    QuasiNewton as QuasiNewton,
    compare as compare,
    fit as fit,
    leave_one_out as leave_one_out,
)
from ._network import (
    AtRest as AtRest,
    BinaryNetwork as BinaryNetwork,
    BinaryProjection as BinaryProjection,
    GaussianCounts as GaussianCounts,
    Network as Network,
    PoissonCounts as PoissonCounts,
    PoissonDrive as PoissonDrive,
    Population as Population,
    Projection as Projection,
    UniformDelay as UniformDelay,
    UniformPotential as UniformPotential,
    WhiteNoiseDrive as WhiteNoiseDrive,
)
from ._numerics import (
    Dale as Dale,
    Interval as Interval,
    Positive as Positive,
    Result as Result,
    Unbounded as Unbounded,
)
from ._simulate import (
    Parallel as Parallel,
    Sequential as Sequential,
    Solution as Solution,
    Wiring as Wiring,
    adjoint as adjoint,
    record as record,
    simulate as simulate,
    wire as wire,
)
from ._sweep import Threads as Threads, Vectorised as Vectorised, sweep as sweep
from .connectivity import (
    AllToAll as AllToAll,
    Bernoulli as Bernoulli,
    FixedInDegree as FixedInDegree,
    GaussianInDegree as GaussianInDegree,
)
from .models import (
    FFT as FFT,
    LIF as LIF,
    AbstractODE as AbstractODE,
    Binary as Binary,
    ConductanceNeuron as ConductanceNeuron,
    CrankNicolson as CrankNicolson,
    Dense as Dense,
    EIRate as EIRate,
    EulerMaruyama as EulerMaruyama,
    Exact as Exact,
    ExponentialEuler as ExponentialEuler,
    HodgkinHuxley as HodgkinHuxley,
    LowRank as LowRank,
    Poisson as Poisson,
    RateNetwork as RateNetwork,
    Ring as Ring,
    RungeKutta4 as RungeKutta4,
    SynapticRateNetwork as SynapticRateNetwork,
)
from .synapses import (
    AlphaConductance as AlphaConductance,
    AlphaCurrent as AlphaCurrent,
    DeltaConductance as DeltaConductance,
    DeltaCurrent as DeltaCurrent,
    ExactJump as ExactJump,
    ExponentialConductance as ExponentialConductance,
    ExponentialCurrent as ExponentialCurrent,
    FirstOrderJump as FirstOrderJump,
)
