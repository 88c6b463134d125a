"""Multiplicities as rows of bits: a quarter of the memory of bytes, and of what a spike has to read."""

from functools import partial

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt

from ._native_bits import sum_bit_rows, unpack_bit_rows, words_of_bits
from ._operator import AbstractOperator, count_dtype
from ._row_products import pull_through_rows, push_through_rows

# Digits of a multiplicity that have a plane; the few synapses beyond 3 between two neurons are listed.
DIGITS = 2
# Rows that are packed together: few enough that what is made of them stays in the cache.
_ROWS_AT_ONCE = 16
# The largest in-degree whose counts fit into 16 bits with a sign.
_LARGEST_IN_DEGREE = 32_767


class BitOperator(AbstractOperator):
    """The number of synapses from every source to every target in binary, one row a source, and a row of nothing.

    `planes` are laid out as `_native_bits` reads them; `targets` lists what the planes do not hold, source by source
    from `offsets`, with room left at its end. Counts are those of the matrix, to the bit.
    """

    planes: UInt[Array, "n_pre_and_1 digits half_words"]
    offsets: Int[Array, "n_pre_and_1"]
    targets: Int[Array, "n_more"]
    n_targets: int = eqx.field(static=True)
    largest_in_degree: int = eqx.field(static=True)
    n_synapses: int = eqx.field(static=True)

    @property
    def n_pre(self) -> int:
        return self.planes.shape[0] - 1

    @property
    def n_post(self) -> int:
        return self.n_targets

    @property
    def nnz(self) -> int:
        return self.n_synapses

    @property
    def count_dtype(self) -> jnp.dtype:
        return count_dtype(self.largest_in_degree)

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        return sum_bit_rows(self.planes, spikes, self.offsets, self.targets)[:, : self.n_post]

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        return push_through_rows(partial(self.rows, values.dtype), self.n_post, values, sensitive)

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        return pull_through_rows(partial(self.rows, cotangents.dtype), cotangents, sensitive)

    def rows(self, dtype: jnp.dtype, sources: Int[Array, "rows"]) -> Float[Array, "rows n_post"]:
        """The rows of the matrix of some sources."""
        return unpack_bit_rows(self.planes, sources, self.offsets, self.targets, self.n_post, dtype)

    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        one_each = jnp.eye(self.n_pre, dtype=bool)
        return self.count(one_each).T


def room_for(n: int) -> int:
    """Places of a list of `n`: a power of 2, so that another wiring of the same law is the same program."""
    return 1 << int(1.25 * n + 100.0).bit_length()


def as_bits(multiplicity: Shaped[np.ndarray, "n_pre n_post"], in_degree: int, total: int) -> BitOperator:
    """A matrix of bytes as bits. Raises `ValueError` where a step's count may not fit into 16 bits."""
    if in_degree > _LARGEST_IN_DEGREE:
        raise ValueError(
            f"`delivery`: NativeBits counts to {_LARGEST_IN_DEGREE:,}, and a neuron has {in_degree:,} synapses; take "
            "`Rows()`."
        )
    n_pre, n_post = multiplicity.shape
    source, target = np.nonzero(multiplicity > 2**DIGITS - 1)
    more = multiplicity[source, target].astype(np.int64) - (2**DIGITS - 1)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(np.repeat(source, more), minlength=n_pre))])
    targets = np.zeros(room_for(int(offsets[-1])), np.int32)
    targets[: offsets[-1]] = np.repeat(target, more)
    return BitOperator(
        jnp.asarray(_packed(multiplicity).view(np.uint32)),
        jnp.asarray(offsets.astype(np.int32)),
        jnp.asarray(targets),
        n_post,
        in_degree,
        total,
    )


def _packed(matrix: Shaped[np.ndarray, "n_pre n_post"]) -> UInt[np.ndarray, "n_pre_and_1 digits words"]:
    """The digits of every number, as far as the planes hold it, where `_native_bits` looks for them."""
    n_pre, n_post = matrix.shape
    n_words = words_of_bits(n_post)
    planes = np.zeros((n_pre + 1, DIGITS, n_words), np.uint64)
    shift = np.arange(16, dtype=np.uint64)[:, None]
    for begin in range(0, n_pre, _ROWS_AT_ONCE):
        part = matrix[begin : begin + _ROWS_AT_ONCE]
        padded = np.zeros((part.shape[0], 64 * n_words), np.uint8)
        padded[:, :n_post] = np.minimum(part, 2**DIGITS - 1)
        # Four targets in a word of 32 bits, a byte each, are drawn apart into the four lanes of one of 64.
        four = padded.view("<u4").reshape(part.shape[0], 16, n_words).astype(np.uint64)
        four = (four | (four << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
        four = (four | (four << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
        for digit in range(DIGITS):
            bits = (four >> np.uint64(digit)) & np.uint64(0x0001000100010001)
            planes[begin : begin + part.shape[0], digit] = np.bitwise_or.reduce(bits << shift, axis=1)
    return planes
