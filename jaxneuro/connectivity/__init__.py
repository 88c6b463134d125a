"""Rules of connectivity, and the operators that they become once drawn."""

from ._all_to_all import AllToAllOperator as AllToAllOperator
from ._bits import BitOperator as BitOperator
from ._delay_laws import (
    AbstractDelay as AbstractDelay,
    AbstractDelayLaw as AbstractDelayLaw,
    ConstantDelay as ConstantDelay,
    LogNormalDelay as LogNormalDelay,
    NormalDelay as NormalDelay,
    StepRange as StepRange,
    UniformDelay as UniformDelay,
    as_delay as as_delay,
)
from ._delivery import (
    AbstractDelivery as AbstractDelivery,
    NativeBits as NativeBits,
    NativeSparse as NativeSparse,
    Procedural as Procedural,
    Product as Product,
    Rows as Rows,
    Sparse as Sparse,
)
from ._dense import DenseOperator as DenseOperator
from ._draw import Balance as Balance, draw_operator as draw_operator
from ._kernel import (
    AbstractKernel as AbstractKernel,
    FlatKernel as FlatKernel,
    GaussianKernel as GaussianKernel,
    KernelWeights as KernelWeights,
)
from ._lattice import Lattice as Lattice, SpatialRandom as SpatialRandom
from ._matched import MatchedWeight as MatchedWeight
from ._operator import AbstractOperator as AbstractOperator, AbstractScheduled as AbstractScheduled
from ._packed import (
    PackedOperator as PackedOperator,
    draw_packed as draw_packed,
    pack_bits as pack_bits,
    unpack_bits as unpack_bits,
)
from ._pairs import Pairs as Pairs
from ._pareto import ParetoWeight as ParetoWeight, pareto_size as pareto_size
from ._positions import AbstractPositions as AbstractPositions, Group as Group, Neurons as Neurons, Points as Points
from ._procedural import ProceduralOperator as ProceduralOperator, SideBySide as SideBySide
from ._recipe import AbstractRecipe as AbstractRecipe, BitRecipe as BitRecipe, SpikeRecipe as SpikeRecipe
from ._rules import (
    AbstractConnectivity as AbstractConnectivity,
    AllToAll as AllToAll,
    Bernoulli as Bernoulli,
    FixedInDegree as FixedInDegree,
    FixedTotalNumber as FixedTotalNumber,
    GaussianInDegree as GaussianInDegree,
    Spread as Spread,
)
from ._sketch import Sketch as Sketch
from ._sparse import ScheduledOperator as ScheduledOperator, SparseOperator as SparseOperator
from ._spike_product import spike_product as spike_product
from ._weight_laws import (
    AbstractWeightLaw as AbstractWeightLaw,
    ConstantWeight as ConstantWeight,
    LogNormalWeight as LogNormalWeight,
    Nodes as Nodes,
    NormalWeight as NormalWeight,
    StableTail as StableTail,
    SummedWeights as SummedWeights,
    TwoWeights as TwoWeights,
    as_weight_law as as_weight_law,
)
from ._weighted import WeightedOperator as WeightedOperator
from ._weights import (
    AbstractWeights as AbstractWeights,
    ConvolutionalWeights as ConvolutionalWeights,
    DaleWeights as DaleWeights,
    LowRankWeights as LowRankWeights,
    SparseWeights as SparseWeights,
    Weights as Weights,
)
