"""Connections as bits: one row of words a target, for fields that are counted by AND and popcount."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt

from ._operator import AbstractOperator
from ._pairs import draw_all
from ._positions import Neurons
from ._rules import AbstractConnectivity

_WORD = 32


def pack_bits(active: Bool[Array, "*batch n"]) -> UInt[Array, "*batch words"]:
    """Unit 32 w + b in bit b of word w."""
    n = active.shape[-1]
    n_words = words_of(n)
    padded = jnp.pad(active, [(0, 0)] * (active.ndim - 1) + [(0, n_words * _WORD - n)])
    bits = padded.reshape(*active.shape[:-1], n_words, _WORD).astype(jnp.uint32)
    return jnp.sum(bits << jnp.arange(_WORD, dtype=jnp.uint32), axis=-1, dtype=jnp.uint32)


def words_of(n: int) -> int:
    """How many words hold `n` bits."""
    return -(-n // _WORD)


def unpack_bits(words: UInt[Array, "*batch words"], n: int) -> Bool[Array, "*batch n"]:
    """The inverse of `pack_bits`."""
    bits = (words[..., None] >> jnp.arange(_WORD, dtype=jnp.uint32)) & jnp.uint32(1)
    return bits.reshape(*words.shape[:-1], -1)[..., :n].astype(bool)


class PackedOperator(AbstractOperator):
    """Multiplicities in binary, one plane of bits a digit: plane b holds the bit of 2^b.

    `planes[b, i]` are the sources of target i as words; 0/1 connections need one plane and an eighth
    of the memory of bytes. A field is a sum of popcounts, exact and without a float.
    """

    planes: UInt[Array, "digits n_post words"]
    n_sources: int = eqx.field(static=True)
    n_synapses: int = eqx.field(static=True)

    @property
    def n_pre(self) -> int:
        return self.n_sources

    @property
    def n_post(self) -> int:
        return self.planes.shape[1]

    @property
    def nnz(self) -> int:
        return self.n_synapses

    def bit_planes(self) -> UInt[Array, "digits n_post words"]:
        return self.planes

    @property
    def count_dtype(self) -> jnp.dtype:
        return jnp.dtype(jnp.int32)

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        def counts(words: UInt[Array, "words"]) -> Int[Array, "n_post"]:
            per_digit = jnp.sum(lax.population_count(self.planes & words).astype(jnp.int32), axis=2, dtype=jnp.int32)
            return jnp.sum(
                per_digit << jnp.arange(per_digit.shape[0], dtype=jnp.int32)[:, None], axis=0, dtype=jnp.int32
            )

        return lax.map(counts, pack_bits(spikes))

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        return jnp.where(sensitive, values, 0) @ self.as_matrix().T.astype(values.dtype)

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        return jnp.where(sensitive, cotangents @ self.as_matrix().astype(cotangents.dtype), 0)

    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        digits = unpack_bits(self.planes, self.n_pre).astype(jnp.int32)
        return jnp.sum(digits << jnp.arange(digits.shape[0], dtype=jnp.int32)[:, None, None], axis=0, dtype=jnp.int32)


def draw_packed(
    rule: AbstractConnectivity,
    rng: np.random.Generator,
    pre: Neurons,
    posts: tuple[Neurons, ...],
    recurrent: tuple[bool, ...],
) -> PackedOperator:
    """One operator onto the targets of all of `posts`, side by side; never holds the matrix in bytes."""
    n_pre, n_post = pre.n or 0, sum(post.n or 0 for post in posts)
    planes, total = np.zeros((1, n_post, words_of(n_pre)), np.uint32), 0
    for part in draw_all(rule, rng, pre, posts, recurrent):
        flat = part.owner.astype(np.int64) * n_pre + part.source
        chunk = _pack_rows(np.bincount(flat, minlength=part.n * n_pre).reshape(part.n, n_pre))
        if chunk.shape[0] > planes.shape[0]:
            planes = np.pad(planes, ((0, chunk.shape[0] - planes.shape[0]), (0, 0), (0, 0)))
        planes[: chunk.shape[0], part.begin : part.begin + part.n] = chunk
        total += part.source.size
    return PackedOperator(jnp.asarray(planes), n_pre, total)


def _pack_rows(counts: Shaped[np.ndarray, "rows n_pre"]) -> np.ndarray:
    """Counts as words, (digits, rows, words)."""
    digits = max(1, int(counts.max(initial=0)).bit_length())
    padded = np.pad(counts, ((0, 0), (0, -counts.shape[1] % _WORD)))
    planes = [np.packbits(padded >> digit & 1, axis=1, bitorder="little") for digit in range(digits)]
    return np.stack(planes).view("<u4").astype(np.uint32)
