"""How spikes are delivered: strategies to choose from, and the one place that chooses."""

import importlib.util
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from .._numerics import Shown, check_count, platform, told

# A dense matrix beyond this many bytes is not made unless asked for.
_LARGEST_DENSE = {"cpu": 2**30, "gpu": 2**35}
# Below this density a list of targets is shorter work than a row of the matrix, in a native kernel.
_SPARSE_DENSITY = 0.04
# The same for weights of synapses, whose rows are four times as wide.
_SPARSE_DENSITY_WEIGHTED = 0.4
# From so many pairs on, rows of bits make up for the time that their kernel takes to compile.
_LEAST_BITS = 30_000_000
# Up to this mean multiplicity few pairs have more synapses than two bits hold; in-degrees have room to scatter.
_BITS_DENSITY, _BITS_IN_DEGREE = 0.5, 16_000
# Spikes whose targets are walked together on a GPU.
SIDE_BY_SIDE = 256


class AbstractDelivery(Shown):
    """A way to store a wiring and to deliver spikes through it."""

    def fills_matrix(self) -> bool:
        """Whether every pair of neurons has its place in a matrix."""
        return False

    def product_dtype(self) -> jnp.dtype | None:
        """The type of the matrix where spikes are delivered by a product with it; None where they are otherwise."""
        return None

    def lists_synapses(self) -> bool:
        """Whether each synapse is listed, and so may have a delay of its own."""
        return False

    def regenerates(self) -> bool:
        """Whether synapses are computed again at every spike instead of stored."""
        return False

    def is_native(self) -> bool:
        """Whether the spikes of a block are delivered by one native kernel."""
        return False

    def packs_bits(self) -> bool:
        """Whether every pair of neurons has a few bits, and no synapse a weight of its own."""
        return False

    def spikes_at_once(self) -> int:
        """How many spikes are walked together, where their targets are walked in plain XLA."""
        return 1


class Rows(AbstractDelivery):
    """A dense integer matrix whose rows are added where a source spiked; the choice on a CPU for smaller networks.

    Work grows with the spikes. One byte a pair of neurons.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    >>> wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.Rows())
    >>> wiring.as_matrix("E", "I").sum(axis=1).tolist()[:3]
    [8, 8, 8]

    ```
    """

    def fills_matrix(self) -> bool:
        return True


class Product(AbstractDelivery):
    """A dense matrix and one matrix product for a block and a whole batch; the choice on a GPU.

    **Arguments:** `dtype`, of the matrix: `jnp.bfloat16` (exact up to multiplicity 256) or
    `jnp.int8` (up to 127), both with wide accumulation.

    Raises `ValueError` for another dtype.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    >>> wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.Product())
    >>> wiring.as_matrix("E", "I").sum(axis=1).tolist()[:3]
    [8, 8, 8]

    ```
    """

    dtype: jnp.dtype = eqx.field(static=True)

    def __init__(self, dtype: object = jnp.bfloat16):
        try:
            known = jnp.dtype(dtype)  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(f"`dtype` has to be jnp.bfloat16 or jnp.int8; got {told(dtype)}.") from error
        if known not in (jnp.dtype(jnp.bfloat16), jnp.dtype(jnp.int8)):
            raise ValueError(f"`dtype` has to be jnp.bfloat16 or jnp.int8; got {known}.")
        self.dtype = known

    def fills_matrix(self) -> bool:
        return True

    def product_dtype(self) -> jnp.dtype:
        return self.dtype


class Sparse(AbstractDelivery):
    """Lists of targets, walked spike by spike in plain XLA; on every device.

    Memory and work grow with the synapses in use. **Arguments:** `window`, spikes that are walked
    together: 1 suits a CPU, many a GPU, where they run side by side.

    Raises `ValueError` where `window` is no positive integer.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    >>> wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.Sparse())
    >>> wiring.as_matrix("E", "I").sum(axis=1).tolist()[:3]
    [8, 8, 8]

    ```
    """

    window: int = eqx.field(static=True)

    def __init__(self, window: int = 1):
        self.window = check_count("window", window, "a positive number of spikes")

    def lists_synapses(self) -> bool:
        return True

    def spikes_at_once(self) -> int:
        return self.window


class NativeSparse(AbstractDelivery):
    """Lists of targets, walked by a kernel that numba compiles; on a CPU, where numba is installed.

    In a program for a GPU the lists are walked as by `Sparse`.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    >>> wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.NativeSparse())
    >>> wiring.as_matrix("E", "I").sum(axis=1).tolist()[:3]
    [8, 8, 8]

    ```
    """

    def lists_synapses(self) -> bool:
        return True

    def is_native(self) -> bool:
        return True


class NativeBits(AbstractDelivery):
    """Rows of bits, added as in a circuit by a kernel that numba compiles; the choice on a CPU for larger networks.

    Two bits a pair of neurons, where `Rows()` has a byte; counts are the same, and so are runs. For synapses of one
    weight and one delay, and in-degrees to 32,767; needs numba. In a program for a GPU the bits are unpacked for a
    product.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    >>> wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.NativeBits())
    >>> wiring.as_matrix("E", "I").sum(axis=1).tolist()[:3]
    [8, 8, 8]

    ```
    """

    def fills_matrix(self) -> bool:
        return True

    def is_native(self) -> bool:
        return True

    def packs_bits(self) -> bool:
        return True


class Procedural(AbstractDelivery):
    """Targets regenerated from a counter-based hash whenever a source spikes: nothing is stored.

    For networks whose synapses do not fit into memory; `FixedInDegree` with multapses and one delay. Weights of a law
    with `exceeded`, such as `ParetoWeight` and `LogNormalWeight`, come from a hash too.
    **Arguments:** `window`, as in `Sparse`.

    Raises `ValueError` where `window` is no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> jn.delivery.Procedural(window=8).window
    8

    ```
    """

    window: int = eqx.field(static=True)

    def __init__(self, window: int = 1):
        self.window = Sparse(window).window

    def regenerates(self) -> bool:
        return True

    def spikes_at_once(self) -> int:
        return self.window


def has_numba() -> bool:
    """Whether native kernels can be made."""
    return importlib.util.find_spec("numba") is not None


class Choice(NamedTuple):
    """A delivery, and what decided for it."""

    delivery: AbstractDelivery
    why: str


def choose(n_pre: int, n_post: int, n_synapses: float, one_delay: bool, weighted: bool = False) -> Choice:
    """The delivery of a projection from its sizes, its delays and where its arrays go, if nobody asked for one."""
    on_gpu = platform() != "cpu"
    pairs = n_pre * n_post
    size, most = pairs * (4 if weighted else (2 if on_gpu else 1)), _LARGEST_DENSE["gpu" if on_gpu else "cpu"]
    lists = Sparse(window=SIDE_BY_SIDE) if on_gpu else NativeSparse() if has_numba() else Sparse()
    if not one_delay:
        return Choice(lists, "synapses have delays of their own, and so are listed")
    if size > most:
        return Choice(
            lists, f"a matrix would take {size / 1e9:,.1f} GB, and more than {most / 1e9:,.1f} GB is too much"
        )
    if on_gpu:
        return Choice(Product(), "the matrix fits, and its product is the fastest on a GPU")
    density, least = n_synapses / pairs, _SPARSE_DENSITY_WEIGHTED if weighted else _SPARSE_DENSITY
    if not has_numba():
        return Choice(Rows(), "the matrix fits, and there is no numba, which would walk lists faster")
    if n_synapses < least * pairs:
        return Choice(
            lists, f"{100 * density:.2g}% of the pairs are connected, and below {100 * least:g}% lists are faster"
        )
    few = density <= _BITS_DENSITY and n_synapses <= _BITS_IN_DEGREE * n_post
    if pairs >= _LEAST_BITS and few and not weighted:
        return Choice(NativeBits(), f"{pairs / 1e6:,.0f} million pairs, two bits each, and a kernel that adds them")
    return Choice(
        Rows(), f"{100 * density:.2g}% of the pairs are connected, and from {100 * least:g}% on rows are faster"
    )
