"""The description of a network: frozen pytrees."""

from ._afferent import (
    Afferent as Afferent,
    SpikeStream as SpikeStream,
    WhiteCurrent as WhiteCurrent,
)
from ._binary import BinaryNetwork as BinaryNetwork, BinaryProjection as BinaryProjection
from ._constant_drive import ConstantConductance as ConstantConductance
from ._correlated_drive import CorrelatedPoissonDrive as CorrelatedPoissonDrive
from ._counts import (
    AbstractCounts as AbstractCounts,
    CountTable as CountTable,
    GaussianCounts as GaussianCounts,
    PoissonCounts as PoissonCounts,
)
from ._drive import (
    AbstractDrive as AbstractDrive,
    PoissonDrive as PoissonDrive,
    WhiteNoiseDrive as WhiteNoiseDrive,
    normal_numbers as normal_numbers,
)
from ._in_degrees import warn_of_negative as warn_of_negative
from ._kind import AbstractNetwork as AbstractNetwork, check_network as check_network, check_spiking as check_spiking
from ._network import Network as Network, check_understood as check_understood
from ._ou_drives import OUConductanceDrive as OUConductanceDrive, OUCurrentDrive as OUCurrentDrive
from ._population import (
    AbstractInitial as AbstractInitial,
    AtRest as AtRest,
    Population as Population,
    UniformPotential as UniformPotential,
)
from ._projection import Projection as Projection
from ._replace import replace as replace
from ._trainable_delay import TrainableDelay as TrainableDelay
