"""Surrogate derivatives: what stands for the derivative of a spike, which is a step of the potential.

The forward pass is the same for all: a spike where x = V - v_th >= 0. In derivatives d spike / dx is replaced by a
function s(x), of unit area times `scale` unless its own sentence says otherwise. Compact ones are exactly 0 beyond
their width, so that only neurons near threshold take part in a gradient, and delivery skips the others.
"""

from ._compact import (
    Boxcar as Boxcar,
    StraightThrough as StraightThrough,
    Triangular as Triangular,
    Zero as Zero,
)
from ._smooth import (
    ArcTan as ArcTan,
    Exponential as Exponential,
    FastSigmoid as FastSigmoid,
    MultiGaussian as MultiGaussian,
    SuperSpike as SuperSpike,
)
from ._surrogate import AbstractSurrogate as AbstractSurrogate, are_valid as are_valid, spike as spike
