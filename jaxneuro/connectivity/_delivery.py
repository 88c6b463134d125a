"""How spikes are delivered: strategies to choose from, and the one place that chooses."""

import importlib.util

import equinox as eqx
import jax
import jax.numpy as jnp

from .._numerics import check_count

# A dense matrix beyond this many bytes is not made unless asked for.
_LARGEST_DENSE = {"cpu": 2**30, "gpu": 2**35}
# Below this density a list of targets is shorter work than a row of the matrix, in a native kernel.
_SPARSE_DENSITY = 0.04
# The same for weights of synapses, whose rows are four times as wide.
_SPARSE_DENSITY_WEIGHTED = 0.4


class AbstractDelivery(eqx.Module):
    """A way to store a wiring and to deliver spikes through it."""


class Rows(AbstractDelivery):
    """A dense integer matrix whose rows are added where a source spiked; the choice on a CPU.

    Work grows with the spikes. One byte a pair of neurons.
    """


class Product(AbstractDelivery):
    """A dense matrix and one matrix product for a block and a whole batch; the choice on a GPU.

    **Arguments:** `dtype`, of the matrix: `jnp.bfloat16` (exact up to multiplicity 256) or
    `jnp.int8` (up to 127), both with wide accumulation.

    Raises `ValueError` for another dtype.
    """

    dtype: jnp.dtype = eqx.field(static=True)

    def __init__(self, dtype: object = jnp.bfloat16):
        try:
            known = jnp.dtype(dtype)  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(f"`dtype` has to be jnp.bfloat16 or jnp.int8; got {dtype!r}.") from error
        if known not in (jnp.dtype(jnp.bfloat16), jnp.dtype(jnp.int8)):
            raise ValueError(f"`dtype` has to be jnp.bfloat16 or jnp.int8; got {known}.")
        self.dtype = known


class Sparse(AbstractDelivery):
    """Lists of targets, walked spike by spike in plain XLA; on every device.

    Memory and work grow with the synapses in use. **Arguments:** `window`, spikes that are walked
    together: 1 suits a CPU, many a GPU, where they run side by side.

    Raises `ValueError` where `window` is no positive integer.
    """

    window: int = eqx.field(static=True)

    def __init__(self, window: int = 1):
        self.window = check_count("window", window, "a positive number of spikes")


class NativeSparse(AbstractDelivery):
    """Lists of targets, walked by a kernel that numba compiles; on a CPU, where numba is installed."""


class Procedural(AbstractDelivery):
    """Targets regenerated from a counter-based hash whenever a source spikes: nothing is stored.

    For networks whose synapses do not fit into memory; `FixedInDegree` with multapses and one delay.
    **Arguments:** `window`, as in `Sparse`.

    Raises `ValueError` where `window` is no positive integer.
    """

    window: int = eqx.field(static=True)

    def __init__(self, window: int = 1):
        self.window = Sparse(window).window


def has_numba() -> bool:
    """Whether native kernels can be made."""
    return importlib.util.find_spec("numba") is not None


def choose(n_pre: int, n_post: int, n_synapses: float, one_delay: bool, weighted: bool = False) -> AbstractDelivery:
    """The delivery of a projection from its sizes, its delays and the platform, where nobody asked for one."""
    platform = "cpu" if jax.default_backend() == "cpu" else "gpu"
    pairs = n_pre * n_post
    bytes_of_pair = 4 if weighted else (1 if platform == "cpu" else 2)
    fits = pairs * bytes_of_pair <= _LARGEST_DENSE[platform]
    if platform == "gpu":
        return Product() if one_delay and fits else Sparse(window=256)
    sparse = NativeSparse() if has_numba() else Sparse()
    worth_it = has_numba() and n_synapses < (_SPARSE_DENSITY_WEIGHTED if weighted else _SPARSE_DENSITY) * pairs
    return Rows() if one_delay and fits and not worth_it else sparse
