"""Differentiable simulation, theory and fitting of neural circuits."""

from . import networks as networks, plot as plot, statistics as statistics, theory as theory
from ._network import (
    AtRest as AtRest,
    Network as Network,
    PoissonDrive as PoissonDrive,
    Population as Population,
    Projection as Projection,
    UniformDelay as UniformDelay,
    UniformPotential as UniformPotential,
    WhiteNoiseDrive as WhiteNoiseDrive,
)
from ._numerics import Result as Result
from ._simulate import Solution as Solution, Wiring as Wiring, record as record, simulate as simulate, wire as wire
from .connectivity import (
    AllToAll as AllToAll,
    Bernoulli as Bernoulli,
    FixedInDegree as FixedInDegree,
    GaussianInDegree as GaussianInDegree,
)
from .models import LIF as LIF, EulerMaruyama as EulerMaruyama, Exact as Exact, Poisson as Poisson
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
