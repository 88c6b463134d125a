"""How spikes are delivered: strategies for `jn.wire(net, key=, delivery=)`."""

from .connectivity import (
    AbstractDelivery as AbstractDelivery,
    NativeBits as NativeBits,
    NativeSparse as NativeSparse,
    Procedural as Procedural,
    Product as Product,
    Rows as Rows,
    Sparse as Sparse,
)
