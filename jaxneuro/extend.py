"""The door for parts of your own: base classes, what their methods receive and return, and the checks.

`docs/extending.md` has one tested example for each. A class of one's own is an `equinox.Module` with fields and an
`__init__`, derived from one base below; what has a default in the base may be left out.
"""

from ._fit import AbstractLikelihood as AbstractLikelihood, AbstractLoss as AbstractLoss
from ._formulas import DecayingCurrent as DecayingCurrent, Input as Input
from ._network import (
    AbstractCounts as AbstractCounts,
    AbstractDrive as AbstractDrive,
    AbstractInitial as AbstractInitial,
    Afferent as Afferent,
    SpikeStream as SpikeStream,
    WhiteCurrent as WhiteCurrent,
    normal_numbers as normal_numbers,
)
from ._numerics import (
    AbstractBijection as AbstractBijection,
    Interval as Interval,
    Moments as Moments,
    Positive as Positive,
    Unbounded as Unbounded,
    as_leaf as as_leaf,
    check_finite as check_finite,
    check_nonnegative as check_nonnegative,
    check_positive as check_positive,
    gauss_legendre as gauss_legendre,
    is_concrete as is_concrete,
    step_keys as step_keys,
    violates as violates,
)
from ._simulate.record import (
    AbstractRecorder as AbstractRecorder,
    Layout as Layout,
    Recorded as Recorded,
    Scope as Scope,
    TimeAxis as TimeAxis,
    Watch as Watch,
    Window as Window,
)
from .channels import (
    AbstractChannel as AbstractChannel,
    Kinetics as Kinetics,
    rates as rates,
    relaxation as relaxation,
)
from .connectivity import (
    AbstractConnectivity as AbstractConnectivity,
    AbstractDelayLaw as AbstractDelayLaw,
    AbstractPositions as AbstractPositions,
    AbstractWeightLaw as AbstractWeightLaw,
    Nodes as Nodes,
    Pairs as Pairs,
    Points as Points,
)
from .laws import AbstractLaw as AbstractLaw, PSPTable as PSPTable
from .models import (
    AbstractCurve as AbstractCurve,
    AbstractNeuron as AbstractNeuron,
    AbstractODE as AbstractODE,
    AbstractRelaxation as AbstractRelaxation,
    AbstractSource as AbstractSource,
    Firing as Firing,
    LeakyMembrane as LeakyMembrane,
    StepConstants as StepConstants,
    crossing as crossing,
    fire as fire,
)
from .plot import COLOURS as COLOURS, label as label, pyplot as pyplot
from .reset import AbstractReset as AbstractReset
from .surrogate import AbstractSurrogate as AbstractSurrogate
from .synapses import (
    AbstractJump as AbstractJump,
    AbstractSynapse as AbstractSynapse,
    Received as Received,
    Released as Released,
    SpikeEffect as SpikeEffect,
)
from .theory import (
    AbstractField as AbstractField,
    AbstractNoise as AbstractNoise,
    Afferents as Afferents,
    EffectiveInput as EffectiveInput,
)
from .transfer import AbstractTransfer as AbstractTransfer
