"""Differentiable simulation, theory and fitting of neural circuits."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any

from . import (
    channels as channels,
    delivery as delivery,
    statistics as statistics,
    surrogate as surrogate,
)
from ._network import (
    AtRest as AtRest,
    BinaryNetwork as BinaryNetwork,
    BinaryProjection as BinaryProjection,
    GaussianCounts as GaussianCounts,
    Network as Network,
    OUCurrentDrive as OUCurrentDrive,
    PoissonCounts as PoissonCounts,
    PoissonDrive as PoissonDrive,
    Population as Population,
    Projection as Projection,
    TrainableDelay as TrainableDelay,
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
    SpikeEvents as SpikeEvents,
    Wiring as Wiring,
    adjoint as adjoint,
    record as record,
    simulate as simulate,
    simulate_events as simulate_events,
    wire as wire,
)
from .connectivity import (
    AllToAll as AllToAll,
    Bernoulli as Bernoulli,
    ConvolutionalWeights as ConvolutionalWeights,
    DaleWeights as DaleWeights,
    FixedInDegree as FixedInDegree,
    GaussianInDegree as GaussianInDegree,
    LogNormalDelay as LogNormalDelay,
    LogNormalWeight as LogNormalWeight,
    LowRankWeights as LowRankWeights,
    NormalDelay as NormalDelay,
    NormalWeight as NormalWeight,
    SparseWeights as SparseWeights,
    UniformDelay as UniformDelay,
    Weights as Weights,
)
from .models import (
    FFT as FFT,
    LIF as LIF,
    AbstractODE as AbstractODE,
    Binary as Binary,
    Cable as Cable,
    ConductanceNeuron as ConductanceNeuron,
    CrankNicolson as CrankNicolson,
    Dense as Dense,
    EIRate as EIRate,
    EulerMaruyama as EulerMaruyama,
    Exact as Exact,
    ExponentialCurve as ExponentialCurve,
    ExponentialEuler as ExponentialEuler,
    HodgkinHuxley as HodgkinHuxley,
    ImplicitEuler as ImplicitEuler,
    IntegrateAndFire as IntegrateAndFire,
    LeakyIntegrator as LeakyIntegrator,
    LinearCurve as LinearCurve,
    LowRank as LowRank,
    Poisson as Poisson,
    QuadraticCurve as QuadraticCurve,
    RateNetwork as RateNetwork,
    Ring as Ring,
    RungeKutta4 as RungeKutta4,
    Section as Section,
    SpikeSource as SpikeSource,
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
    RiseDecayConductance as RiseDecayConductance,
    RiseDecayCurrent as RiseDecayCurrent,
    ShortTermPlasticity as ShortTermPlasticity,
    StochasticRelease as StochasticRelease,
)

if _TYPE_CHECKING:
    from . import (
        analysis as analysis,
        extend as extend,
        io as io,
        laws as laws,
        learning as learning,
        networks as networks,
        neurons as neurons,
        plot as plot,
        quantal as quantal,
        recordings as recordings,
        reset as reset,
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
    from ._sweep import Threads as Threads, Vectorised as Vectorised, sweep as sweep
    from ._train import (
        GradientAudit as GradientAudit,
        Trained as Trained,
        TrainingWarning as TrainingWarning,
        audit_gradient as audit_gradient,
        train as train,
    )

# What a simulation does not need comes when it is first asked for: it brings optimisers and solvers along.
_LATE_BY_HOME = {
    "": "analysis extend io laws learning networks neurons plot quantal recordings reset theory transfer",
    "_fit": "FitCode FitResult IdentifiabilityWarning LeastSquares LevenbergMarquardt Likelihood LogNormal Optax "
    "QuasiNewton compare fit leave_one_out",
    "_sweep": "Threads Vectorised sweep",
    "_train": "GradientAudit Trained TrainingWarning audit_gradient train",
}
_LATE = {name: home for home, names in _LATE_BY_HOME.items() for name in names.split()}


def __getattr__(name: str) -> _Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _LATE[name]
    if not home:
        return _import_module(f".{name}", __name__)
    found = getattr(_import_module(f".{home}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
