"""Connectivity that is not stored: the targets of a source are computed again whenever it spikes."""

from functools import reduce

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Real, UInt

from ._events import events
from ._operator import AbstractOperator, count_dtype
from ._weight_laws import AbstractWeightLaw

ROUNDS = 6


class ProceduralOperator(AbstractOperator):
    """`k` synapses onto every target from sources drawn with repetition, by a permutation that is a hash.

    The n_post k synapses are numbered by source: `offsets` (multinomial) says where those of each source begin.
    A pseudo-random permutation pi of the numbers sends synapse p to the target pi(p) // k, so that every target has
    exactly k, and which source stands behind each is uniform and independent: the law of `FixedInDegree`.
    Without autapses the lists belong to the n_pre - 1 others of a target: list s is source s for targets
    above s, and source s + 1 for the others.
    """

    offsets: UInt[Array, "n_pre_and_1"]
    keys: UInt[Array, "rounds"]
    k: int = eqx.field(static=True)
    n_targets: int = eqx.field(static=True)
    skip_self: bool = eqx.field(static=True)
    longest_list: int = eqx.field(static=True)
    window: int = eqx.field(static=True)
    law: AbstractWeightLaw | None = None

    @property
    def n_pre(self) -> int:
        return self.offsets.shape[0] - 1

    @property
    def n_post(self) -> int:
        return self.n_targets

    @property
    def nnz(self) -> int:
        return self.k * self.n_targets

    @property
    def count_dtype(self) -> jnp.dtype:
        return count_dtype(self.k) if self.law is None else jnp.result_type(float)

    def targets(self, sources: Int[Array, "window"]) -> tuple[Int[Array, "window _"], Bool[Array, "window _"]]:
        """The targets of each source in a padded row, and which of them are real."""
        return self._synapses(sources)[:2]

    def _synapses(
        self, sources: Int[Array, "window"]
    ) -> tuple[Int[Array, "window _"], Bool[Array, "window _"], UInt[Array, "window _"]]:
        """Those, and the places of the synapses."""
        if not self.skip_self:
            return self._list(sources)
        above, in_above, place_above = self._list(sources)
        below, in_below, place_below = self._list(sources - 1)
        own = sources[:, None]
        targets = jnp.concatenate([above, below], axis=1)
        real = jnp.concatenate([in_above & (above > own), in_below & (below < own)], axis=1)
        return targets, real, jnp.concatenate([place_above, place_below], axis=1)

    def _weights(self, place: UInt[Array, "..."], dtype: jnp.dtype) -> Real[Array, "..."]:
        """The weight of the synapse at each place: 1 without a law."""
        if self.law is None:
            return jnp.ones(place.shape, dtype)
        h = place ^ self.keys[0]
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            h = (h ^ (h >> jnp.uint32(shift))) * jnp.uint32(factor)
        share = ((h ^ (h >> jnp.uint32(16))).astype(jnp.result_type(float)) + 0.5) * 2.0**-32
        return self.law.exceeded(share).astype(dtype)

    def _list(
        self, lists: Int[Array, "window"]
    ) -> tuple[Int[Array, "window _"], Bool[Array, "window _"], UInt[Array, "window _"]]:
        there = lists >= 0
        begin, end = self.offsets[jnp.maximum(lists, 0)], self.offsets[jnp.maximum(lists, 0) + 1]
        number = begin[:, None] + jnp.arange(self.longest_list, dtype=jnp.uint32)
        real = (number < end[:, None]) & there[:, None]
        place = self._permuted(jnp.where(real, number, 0))
        return (place // jnp.uint32(self.k)).astype(jnp.int32), real, place

    def _permuted(self, number: UInt[Array, "..."]) -> UInt[Array, "..."]:
        """A permutation of [0, nnz): a Feistel network on a rectangle, walked until it ends inside."""
        size = self.nnz
        height = int(size**0.5) + 1
        width = -(-size // height)

        def once(x: UInt[Array, "..."]) -> UInt[Array, "..."]:
            high, low = x // jnp.uint32(width), x % jnp.uint32(width)
            for i in range(0, ROUNDS, 2):
                high = _shifted(high, low, self.keys[i], height)
                low = _shifted(low, high, self.keys[i + 1], width)
            return high * jnp.uint32(width) + low

        return lax.while_loop(lambda x: jnp.any(x >= size), lambda x: jnp.where(x >= size, once(x), x), once(number))

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Real[Array, "time n_post"]:
        n_steps, n_pre = spikes.shape
        zeros = jnp.zeros((n_steps, self.n_post), self.count_dtype)

        def add(index: Array, there: Array, counts: Array) -> Array:
            targets, real, place = self._synapses(index % n_pre)
            step = jnp.where(real & there[:, None], (index // n_pre)[:, None], n_steps)
            return counts.at[step, targets].add(self._weights(place, counts.dtype), mode="drop")

        return events(spikes.reshape(-1)).visit(self.window, add, zeros)

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        masked = jnp.where(sensitive, values, 0)

        def add(sources: Array, there: Array, total: Array) -> Array:
            targets, real, place = self._synapses(sources)
            here = jnp.where(real & there[:, None], targets, self.n_post)
            moved = masked[:, sources][:, :, None] * self._weights(place, values.dtype)
            return total.at[:, here].add(moved, mode="drop")

        zeros = jnp.zeros((values.shape[0], self.n_post), values.dtype)
        return events(jnp.any(sensitive, axis=0)).visit(self.window, add, zeros)

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        def gather(sources: Array, there: Array, total: Array) -> Array:
            targets, real, place = self._synapses(sources)
            back = cotangents[:, targets] * self._weights(place, cotangents.dtype)
            sums = jnp.sum(jnp.where(real, back, 0), axis=2)
            return total.at[:, jnp.where(there, sources, self.n_pre)].set(sums, mode="drop")

        zeros = jnp.zeros((cotangents.shape[0], self.n_pre), cotangents.dtype)
        found = events(jnp.any(sensitive, axis=0)).visit(self.window, gather, zeros)
        return jnp.where(sensitive, found, 0)

    def as_matrix(self) -> Real[Array, "n_post n_pre"]:
        def row(source: Array) -> Array:
            targets, real, place = self._synapses(source[None])
            counts = jnp.zeros(self.n_post, self.count_dtype)
            weights = self._weights(place, counts.dtype)[0]
            return counts.at[jnp.where(real, targets, self.n_post)[0]].add(weights, mode="drop")

        return lax.map(row, jnp.arange(self.n_pre, dtype=jnp.int32)).T


def _shifted(x: Array, other: Array, key: Array, size: int) -> Array:
    """x plus a hash of `other`, modulo `size` < 2^16: undone by subtraction, so that it is a permutation of x."""
    h = other ^ key
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h = (h ^ (h >> jnp.uint32(shift))) * jnp.uint32(factor)
    moved = x + ((h >> jnp.uint32(16)) * jnp.uint32(size) >> jnp.uint32(16))
    return jnp.where(moved >= size, moved - jnp.uint32(size), moved)


class SideBySide(AbstractOperator):
    """Operators from the same sources onto targets that stand side by side."""

    parts: tuple[AbstractOperator, ...]

    @property
    def n_pre(self) -> int:
        return self.parts[0].n_pre

    @property
    def n_post(self) -> int:
        return sum(part.n_post for part in self.parts)

    @property
    def nnz(self) -> int:
        return sum(part.nnz for part in self.parts)

    @property
    def count_dtype(self) -> jnp.dtype:
        return reduce(jnp.promote_types, [part.count_dtype for part in self.parts])

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Real[Array, "time n_post"]:
        return jnp.concatenate([part.count(spikes).astype(self.count_dtype) for part in self.parts], axis=1)

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        return jnp.concatenate([part.push_forward(values, sensitive) for part in self.parts], axis=1)

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        total, begin = jnp.zeros((cotangents.shape[0], self.n_pre), cotangents.dtype), 0
        for part in self.parts:
            total = total + part.pull_back(cotangents[:, begin : begin + part.n_post], sensitive)
            begin += part.n_post
        return total

    def as_matrix(self) -> Real[Array, "n_post n_pre"]:
        return jnp.concatenate([part.as_matrix().astype(self.count_dtype) for part in self.parts], axis=0)
