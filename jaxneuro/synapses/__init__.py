"""Synapses: delta, exponential, alpha, rise and decay, each as current and as conductance."""

from ._at_step_start import AtStepStart as AtStepStart
from ._delta import (
    AbstractJump as AbstractJump,
    DeltaConductance as DeltaConductance,
    DeltaCurrent as DeltaCurrent,
    ExactJump as ExactJump,
    FirstOrderJump as FirstOrderJump,
)
from ._effect import Released as Released, SpikeEffect as SpikeEffect
from ._filtered import (
    AbstractFilteredConductance as AbstractFilteredConductance,
    AlphaConductance as AlphaConductance,
    AlphaCurrent as AlphaCurrent,
    ExponentialConductance as ExponentialConductance,
    ExponentialCurrent as ExponentialCurrent,
    RiseDecayConductance as RiseDecayConductance,
    RiseDecayCurrent as RiseDecayCurrent,
)
from ._plasticity import ShortTermPlasticity as ShortTermPlasticity, StochasticRelease as StochasticRelease
from ._synapse import AbstractSynapse as AbstractSynapse, Received as Received
