"""Differentiable simulation, theory and fitting of neural circuits."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any
from warnings import warn as _warn

import equinox as _equinox  # noqa: F401  with JAX, which two threads cannot import at once: what comes late may

from ._late import late as _late

if _TYPE_CHECKING:
    from . import (
        analysis as analysis,
        bounds as bounds,
        channels as channels,
        connectivity as connectivity,
        counts as counts,
        delivery as delivery,
        extend as extend,
        initial as initial,
        io as io,
        laws as laws,
        learning as learning,
        loss as loss,
        models as models,
        networks as networks,
        neurons as neurons,
        optimiser as optimiser,
        plot as plot,
        product as product,
        quantal as quantal,
        recordings as recordings,
        reset as reset,
        results as results,
        statistics as statistics,
        surrogate as surrogate,
        synapses as synapses,
        theory as theory,
        transfer as transfer,
        update as update,
    )
    from ._fit import (
        FitResult as FitResult,
        compare as compare,
        fit as fit,
        leave_one_out as leave_one_out,
    )
    from ._network import (
        BinaryNetwork as BinaryNetwork,
        BinaryProjection as BinaryProjection,
        ConstantConductance as ConstantConductance,
        CorrelatedPoissonDrive as CorrelatedPoissonDrive,
        Network as Network,
        OUConductanceDrive as OUConductanceDrive,
        OUCurrentDrive as OUCurrentDrive,
        PoissonDrive as PoissonDrive,
        Population as Population,
        Projection as Projection,
        TrainableDelay as TrainableDelay,
        WhiteNoiseDrive as WhiteNoiseDrive,
        replace as replace,
    )
    from ._numerics import (
        Result as Result,
    )
    from ._save import load as load, save as save
    from ._simulate import (
        Clamp as Clamp,
        Solution as Solution,
        Wiring as Wiring,
        adjoint as adjoint,
        explain as explain,
        record as record,
        simulate as simulate,
        simulate_events as simulate_events,
        wire as wire,
    )
    from ._sweep import (
        Dask as Dask,
        Devices as Devices,
        Paired as Paired,
        RandomPoints as RandomPoints,
        SobolPoints as SobolPoints,
        Structural as Structural,
        Threads as Threads,
        Vectorised as Vectorised,
        open_sweep as open_sweep,
        sweep as sweep,
    )
    from ._train import (
        audit_gradient as audit_gradient,
        train as train,
    )
    from .connectivity import (
        AllToAll as AllToAll,
        Bernoulli as Bernoulli,
        ConvolutionalWeights as ConvolutionalWeights,
        DaleWeights as DaleWeights,
        FixedInDegree as FixedInDegree,
        FixedTotalNumber as FixedTotalNumber,
        FlatKernel as FlatKernel,
        GaussianInDegree as GaussianInDegree,
        GaussianKernel as GaussianKernel,
        Lattice as Lattice,
        LogNormalDelay as LogNormalDelay,
        LogNormalWeight as LogNormalWeight,
        LowRankWeights as LowRankWeights,
        MatchedWeight as MatchedWeight,
        NormalDelay as NormalDelay,
        NormalWeight as NormalWeight,
        ParetoWeight as ParetoWeight,
        SparseWeights as SparseWeights,
        SpatialRandom as SpatialRandom,
        UniformDelay as UniformDelay,
        Weights as Weights,
    )
    from .models import (
        LIF as LIF,
        SDIRK2 as SDIRK2,
        Binary as Binary,
        Cable as Cable,
        ConductanceNeuron as ConductanceNeuron,
        CrankNicolson as CrankNicolson,
        EIRate as EIRate,
        EulerMaruyama as EulerMaruyama,
        Exact as Exact,
        ExponentialCurve as ExponentialCurve,
        ExponentialEuler as ExponentialEuler,
        HodgkinHuxley as HodgkinHuxley,
        ImplicitEuler as ImplicitEuler,
        InsideSteps as InsideSteps,
        IntegrateAndFire as IntegrateAndFire,
        InwardRectifierCurve as InwardRectifierCurve,
        LeakyIntegrator as LeakyIntegrator,
        LinearCurve as LinearCurve,
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
        AtStepStart as AtStepStart,
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

# Names that have moved into a namespace, that of the keyword which takes them: {home: names}.
_MOVED_BY_HOME = {
    "update": "Parallel Sequential",
    "counts": "GaussianCounts PoissonCounts",
    "initial": "AtRest UniformPotential",
    "product": "FFT Dense LowRank",
    "loss": "LeastSquares Likelihood LogNormal",
    "optimiser": "LevenbergMarquardt Optax QuasiNewton",
    "bounds": "Dale Interval Positive Unbounded",
    "results": "FitCode IdentifiabilityWarning SpikeEvents GradientAudit Trained TrainingWarning",
    "extend": "AbstractODE",
}
_MOVED = {name: f"{home}.{name}" for home, names in _MOVED_BY_HOME.items() for name in names.split()}
_MOVED["LogNormal"] = "loss.LogNormalScatter"  # a law of weights is `LogNormalWeight`

_get, __dir__ = _late(__name__)


def __getattr__(name: str) -> _Any:
    if name in _MOVED:
        home, new = _MOVED[name].split(".")
        _warn(
            f"`jaxneuro.{name}` is now `jaxneuro.{home}.{new}`; the old name goes with the next version.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(_import_module(f".{home}", __name__), new)
    return _get(name)
