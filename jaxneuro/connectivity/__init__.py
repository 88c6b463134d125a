"""Rules of connectivity, and the operators that they become once drawn."""

from ._draw import draw_operator as draw_operator, with_delays as with_delays
from ._operators import (
    AbstractOperator as AbstractOperator,
    AllToAllOperator as AllToAllOperator,
    DelayedOperator as DelayedOperator,
    DenseOperator as DenseOperator,
    ScheduledOperator as ScheduledOperator,
)
from ._packed import (
    PackedOperator as PackedOperator,
    draw_packed as draw_packed,
    pack_bits as pack_bits,
    unpack_bits as unpack_bits,
)
from ._rules import (
    AbstractConnectivity as AbstractConnectivity,
    AllToAll as AllToAll,
    Bernoulli as Bernoulli,
    FixedInDegree as FixedInDegree,
    GaussianInDegree as GaussianInDegree,
)
