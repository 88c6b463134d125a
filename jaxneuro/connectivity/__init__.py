"""Rules of connectivity, and the operators that they become once drawn."""

from ._all_to_all import AllToAllOperator as AllToAllOperator
from ._delivery import (
    AbstractDelivery as AbstractDelivery,
    NativeSparse as NativeSparse,
    Procedural as Procedural,
    Product as Product,
    Rows as Rows,
    Sparse as Sparse,
)
from ._dense import DenseOperator as DenseOperator
from ._draw import Delays as Delays, draw_operator as draw_operator
from ._operator import AbstractOperator as AbstractOperator
from ._packed import (
    PackedOperator as PackedOperator,
    draw_packed as draw_packed,
    pack_bits as pack_bits,
    unpack_bits as unpack_bits,
)
from ._procedural import ProceduralOperator as ProceduralOperator, SideBySide as SideBySide
from ._rules import (
    AbstractConnectivity as AbstractConnectivity,
    AllToAll as AllToAll,
    Bernoulli as Bernoulli,
    FixedInDegree as FixedInDegree,
    GaussianInDegree as GaussianInDegree,
)
from ._sparse import ScheduledOperator as ScheduledOperator, SparseOperator as SparseOperator
from ._spike_product import spike_product as spike_product
from ._weights import (
    AbstractWeights as AbstractWeights,
    ConvolutionalWeights as ConvolutionalWeights,
    DaleWeights as DaleWeights,
    LowRankWeights as LowRankWeights,
    SparseWeights as SparseWeights,
    Weights as Weights,
)
