"""Synapses: delta, exponential and alpha, each as current and as conductance."""

from ._delta import (
    AbstractJump as AbstractJump,
    DeltaConductance as DeltaConductance,
    DeltaCurrent as DeltaCurrent,
    ExactJump as ExactJump,
    FirstOrderJump as FirstOrderJump,
)
from ._filtered import (
    AlphaConductance as AlphaConductance,
    AlphaCurrent as AlphaCurrent,
    ExponentialConductance as ExponentialConductance,
    ExponentialCurrent as ExponentialCurrent,
)
from ._plasticity import ShortTermPlasticity as ShortTermPlasticity, StochasticRelease as StochasticRelease
from ._synapse import AbstractSynapse as AbstractSynapse, Received as Received
