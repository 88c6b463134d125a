"""Walking over the spikes of a block: packed into words, and visited a window at a time, so that none is dropped."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, UInt

_WORD = 32


class Events(eqx.Module):
    """The true elements of boolean rows: 32 to a word, and how many there are up to and with each word."""

    words: UInt[Array, "*rows words"]
    ends: Int[Array, "*rows words"]

    def select(self, ranks: Int[Array, "width"]) -> Int[Array, "width"]:
        """The indices of the events of the given ranks, for a single row."""
        at = jnp.searchsorted(self.ends, ranks, side="right", method="scan_unrolled")
        at = jnp.minimum(at, self.words.shape[0] - 1).astype(jnp.int32)
        word = self.words[at]
        rank = ranks - (self.ends[at] - lax.population_count(word).astype(jnp.int32))
        bit = jnp.zeros_like(ranks)
        for width in (16, 8, 4, 2, 1):  # halve the word until one bit is left
            low = word & jnp.uint32((1 << width) - 1)
            below = lax.population_count(low).astype(jnp.int32)
            upper = rank >= below
            rank = jnp.where(upper, rank - below, rank)
            bit = jnp.where(upper, bit + width, bit)
            word = jnp.where(upper, word >> width, low)
        return at * _WORD + bit

    def visit(self, width: int, body: Callable[[Array, Array, Any], Any], carry: Any) -> Any:
        """Calls `body(indices, there, carry)` for windows of `width` events of a single row until all are visited."""
        total = self.ends[-1]

        def window(state: tuple[Array, Any]) -> tuple[Array, Any]:
            done, inner = state
            ranks = done + jnp.arange(width, dtype=jnp.int32)
            there = ranks < total
            return done + width, body(jnp.where(there, self.select(ranks), 0), there, inner)

        return lax.while_loop(lambda state: state[0] < total, window, (jnp.zeros((), jnp.int32), carry))[1]


def events(rows: Bool[Array, "*rows n"]) -> Events:
    """Packs boolean rows, element 32 w + b in bit b of word w."""
    n = rows.shape[-1]
    n_words = -(-n // _WORD)
    padding = [(0, 0)] * (rows.ndim - 1) + [(0, n_words * _WORD - n)]
    bits = jnp.pad(rows, padding).reshape(*rows.shape[:-1], n_words, _WORD).astype(jnp.uint32)
    words = jnp.sum(bits << jnp.arange(_WORD, dtype=jnp.uint32), axis=-1, dtype=jnp.uint32)
    ends = jnp.cumsum(lax.population_count(words).astype(jnp.int32), axis=-1)
    return Events(words, ends)
