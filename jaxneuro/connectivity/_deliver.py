"""Delivery of spikes: rows of an integer matrix, added where a source spiked."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, UInt

_WORD = 32
_ROWS_AT_ONCE = 32


def _pack(spikes: Bool[Array, "n_pre"]) -> UInt[Array, "words"]:
    """The spikes as words of 32 bits, neuron 32 w + b in bit b of word w."""
    n_words = -(-spikes.shape[0] // _WORD)
    padded = jnp.pad(spikes, (0, n_words * _WORD - spikes.shape[0])).reshape(n_words, _WORD)
    return jnp.sum(padded.astype(jnp.uint32) << jnp.arange(_WORD, dtype=jnp.uint32), axis=1, dtype=jnp.uint32)


def _select(words: UInt[Array, "words"], ends: Int[Array, "words"], ranks: Int[Array, "m"]) -> Int[Array, "m"]:
    """The neurons of the spikes of the given ranks; `ends` counts the spikes up to and with each word."""
    at = jnp.minimum(jnp.searchsorted(ends, ranks, side="right", method="scan"), words.shape[0] - 1)
    word = words[at]
    rank = ranks - (ends[at] - lax.population_count(word).astype(jnp.int32))
    bit = jnp.zeros_like(ranks)
    for width in (16, 8, 4, 2, 1):  # halve the word until one bit is left
        low = word & jnp.uint32((1 << width) - 1)
        below = lax.population_count(low).astype(jnp.int32)
        upper = rank >= below
        rank = jnp.where(upper, rank - below, rank)
        bit = jnp.where(upper, bit + width, bit)
        word = jnp.where(upper, word >> width, low)
    return at.astype(jnp.int32) * _WORD + bit


def _add_rows(
    matrix: Int[Array, "n_pre n_post"], spikes: Bool[Array, "n_pre"], dtype: jnp.dtype
) -> Int[Array, "n_post"]:
    """The sum of the rows of `matrix` whose source spiked, 32 rows at a time: none is dropped."""
    words = _pack(spikes)
    ends = jnp.cumsum(lax.population_count(words).astype(jnp.int32))
    total = ends[-1]

    def body(carry: tuple[Int[Array, ""], Int[Array, "n_post"]]) -> tuple[Int[Array, ""], Int[Array, "n_post"]]:
        done, counts = carry
        ranks = done + jnp.arange(_ROWS_AT_ONCE, dtype=jnp.int32)
        sources = jnp.minimum(_select(words, ends, ranks), matrix.shape[0] - 1)
        is_spike = (ranks < total).astype(matrix.dtype)
        part = jnp.zeros_like(counts)
        for i in range(_ROWS_AT_ONCE):  # written out, so that one kernel reads 32 rows as streams
            row = lax.dynamic_index_in_dim(matrix, sources[i], 0, keepdims=False)
            part = part + (row * is_spike[i]).astype(dtype)
        return done + _ROWS_AT_ONCE, counts + part

    start = (jnp.zeros((), jnp.int32), jnp.zeros(matrix.shape[1], dtype))
    return lax.while_loop(lambda carry: carry[0] < total, body, start)[1]


def deliver_by_rows(
    matrix: Int[Array, "n_pre n_post"], spikes: Bool[Array, "time n_pre"], dtype: jnp.dtype
) -> Int[Array, "time n_post"]:
    """Counts of arrivals by adding the rows of the sources that spiked; work grows with the spikes."""
    return lax.map(lambda now: _add_rows(matrix, now, dtype), spikes)


def deliver_by_product(
    matrix: Int[Array, "n_pre n_post"], spikes: Bool[Array, "time n_pre"], dtype: jnp.dtype
) -> Int[Array, "time n_post"]:
    """Counts of arrivals as one matrix product; exact in integers."""
    product = lax.dot_general(
        spikes.astype(matrix.dtype), matrix, (((1,), (0,)), ((), ())), preferred_element_type=jnp.int32
    )
    return product.astype(dtype)
