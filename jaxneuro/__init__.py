"""Differentiable simulation, theory and fitting of neural circuits."""

from . import io as io, laws as laws, quantal as quantal
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
from ._numerics import Interval as Interval, Positive as Positive, Unbounded as Unbounded
