"""Synapses as lists, one list a source."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Integer

from ._pairs import Synapses, draw_all
from ._positions import Neurons
from ._rules import AbstractConnectivity

# Synapses are numbered in 32 bits with a sign.
LARGEST_LIST = 2**31 - 1
# Targets counted at once: numpy counts in 64 bits.
_AT_ONCE = 2**22


class Listing(NamedTuple):
    """Targets of source j at `targets[offsets[j] : offsets[j + 1]]`, and the largest in-degree."""

    offsets: Int[np.ndarray, "n_pre_and_1"]
    targets: Integer[np.ndarray, "nnz"]
    in_degree: int


def list_synapses(
    rule: AbstractConnectivity,
    rng: np.random.Generator,
    pre: Neurons,
    posts: tuple[Neurons, ...],
    recurrent: tuple[bool, ...],
) -> Listing:
    """Draws the synapses onto the targets of all of `posts`, side by side."""
    n_pre, n_post = pre.n or 0, sum(post.n or 0 for post in posts)
    narrow = np.uint16 if n_post <= 2**16 else np.int32
    own = rule.draw_lists(rng, pre, posts[0], recurrent[0]) if len(posts) == 1 else None
    if own is None:
        return _by_target(draw_all(rule, rng, pre, posts, recurrent), n_pre, n_post, narrow)
    in_degrees = np.zeros(n_post, np.int64)
    for begin in range(0, own.targets.size, _AT_ONCE):
        in_degrees += np.bincount(own.targets[begin : begin + _AT_ONCE], minlength=n_post)
    offsets = np.concatenate([[0], np.cumsum(own.out_degrees)]).astype(np.int32)
    return Listing(offsets, own.targets.astype(narrow, copy=False), int(in_degrees.max(initial=0)))


def _by_target(drawn: Iterator[Synapses], n_pre: int, n_post: int, narrow: type) -> Listing:
    """The lists of synapses that were drawn target by target."""
    parts, in_degree = [], 0
    for part in drawn:
        parts.append(part.source.astype(np.uint64) * np.uint64(n_post) + (part.owner + part.begin).astype(np.uint64))
        in_degree = max(in_degree, int(np.bincount(part.owner, minlength=1).max()))
    pairs = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
    del parts
    pairs.sort()
    if pairs.size > LARGEST_LIST:
        raise too_many(pairs.size)
    offsets = np.searchsorted(pairs, np.arange(n_pre + 1, dtype=np.uint64) * np.uint64(n_post)).astype(np.int32)
    return Listing(offsets, (pairs % np.uint64(n_post)).astype(narrow), in_degree)


def too_many(n: float) -> ValueError:
    """What is said of more synapses than can be listed."""
    return ValueError(
        f"{n:,.0f} synapses are too many to list for one projection, which holds {LARGEST_LIST:,}: take a smaller "
        "network, several projections, or with `FixedInDegree` `delivery=jn.delivery.Procedural()`."
    )
