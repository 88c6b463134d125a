"""Drawing a wiring from a rule, on the host: the same synapses on every device and in every form of storage."""

from collections.abc import Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from ._all_to_all import AllToAllOperator
from ._delivery import AbstractDelivery, NativeSparse, Procedural, Product, Rows, Sparse, choose, has_numba
from ._dense import DenseOperator
from ._operator import AbstractOperator
from ._procedural import ROUNDS, ProceduralOperator, SideBySide
from ._rules import AbstractConnectivity, AllToAll, FixedInDegree
from ._sparse import SparseOperator

# Targets drawn at once: a table of this many rows and 10,000 sources stays in a core's cache.
_CHUNK = 128
# A permutation is computed in 32 bits.
_LARGEST_PROCEDURE = 2**32 - 2**17


class Delays(NamedTuple):
    """The range [ms] that each synapse draws its delay from."""

    low: float
    high: float


class Synapses(NamedTuple):
    """Synapses onto the targets from `begin` on: target minus begin, and source."""

    begin: int
    n: int
    owner: np.ndarray
    source: np.ndarray


def draw_operator(
    rule: AbstractConnectivity,
    rng: np.random.Generator,
    n_pre: int,
    n_posts: tuple[int, ...],
    recurrent: tuple[bool, ...],
    *,
    delays: Delays | None = None,
    delivery: AbstractDelivery | None = None,
) -> AbstractOperator:
    """One operator onto the targets of all of `n_posts`, side by side; `recurrent` says which are the source itself."""
    if isinstance(rule, AllToAll) and delays is None and delivery is None:
        return _all_to_all(rule, n_pre, n_posts, recurrent)
    n_post = sum(n_posts)
    if delivery is None:
        expected = sum(float(rule.mean_in_degree(n_pre, r)) * n for n, r in zip(n_posts, recurrent, strict=True))
        delivery = choose(n_pre, n_post, expected, one_delay=delays is None)
    _check(delivery, rule, delays)
    if isinstance(delivery, Procedural):
        assert isinstance(rule, FixedInDegree)
        parts = [_procedure(rule, rng, n_pre, n, r, delivery) for n, r in zip(n_posts, recurrent, strict=True)]
        return parts[0] if len(parts) == 1 else SideBySide(tuple(parts))
    drawn = draw_all(rule, rng, n_pre, n_posts, recurrent)
    if isinstance(delivery, Rows | Product):
        return _dense(drawn, n_pre, n_post, delivery)
    return _sparse(drawn, n_pre, n_post, delivery, delays, rng)


def _check(delivery: AbstractDelivery, rule: AbstractConnectivity, delays: Delays | None) -> None:
    name = type(delivery).__name__
    if delays is not None and not isinstance(delivery, Sparse | NativeSparse):
        raise ValueError(f"`delivery`: {name} needs one delay a projection; take `Sparse()` or `NativeSparse()`.")
    if isinstance(delivery, NativeSparse) and not has_numba():
        raise ValueError("`delivery`: NativeSparse needs numba: pip install 'jaxneuro[native]', or take `Sparse()`.")
    if isinstance(delivery, Procedural) and not (isinstance(rule, FixedInDegree) and rule.multapses):
        raise ValueError("`delivery`: Procedural regenerates `FixedInDegree(k)` with multapses only.")


def _all_to_all(rule: AllToAll, n_pre: int, n_posts: tuple[int, ...], recurrent: tuple[bool, ...]) -> AllToAllOperator:
    own = [np.arange(n) if r and not rule.autapses else np.full(n, -1) for n, r in zip(n_posts, recurrent, strict=True)]
    left_out = np.concatenate(own).astype(np.int32)
    return AllToAllOperator(jnp.asarray(left_out), n_pre, int(left_out.size * n_pre - (left_out >= 0).sum()))


def draw_all(
    rule: AbstractConnectivity,
    rng: np.random.Generator,
    n_pre: int,
    n_posts: tuple[int, ...],
    recurrent: tuple[bool, ...],
) -> Iterator[Synapses]:
    """The synapses onto all targets, some targets at a time."""
    first = 0
    for n_post, is_recurrent in zip(n_posts, recurrent, strict=True):
        skip_self = is_recurrent and not rule.autapses
        available = n_pre - 1 if skip_self else n_pre
        in_degrees = rule.draw_in_degrees(rng, n_pre, n_post, available)
        if not rule.multapses and in_degrees.max(initial=0) > available:
            raise ValueError(f"An in-degree of {in_degrees.max()} exceeds the {available} sources to choose from.")
        draw = _draw_multiset if rule.multapses else _draw_subset
        for begin in range(0, n_post, _CHUNK):
            degrees = in_degrees[begin : begin + _CHUNK]
            owner, source = draw(rng, degrees, available)
            if skip_self:  # the sources are the others, numbered without the target itself
                source = source + (source >= owner + begin)
            yield Synapses(first + begin, degrees.size, owner, source)
        first += n_post


def _draw_subset(rng: np.random.Generator, in_degrees: np.ndarray, available: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform subsets without repetition: repeated draws fall together and are drawn again."""
    # More than half is drawn as what is left out, so that repetitions stay rare.
    complement = in_degrees > available // 2
    wanted = np.where(complement, available - in_degrees, in_degrees)
    chosen = np.zeros((len(in_degrees), available), bool)
    missing = wanted.copy()
    while missing.any():
        owner = np.repeat(np.arange(len(in_degrees)), missing)
        chosen[owner, rng.integers(0, available, owner.size, dtype=np.int32)] = True
        missing = wanted - chosen.sum(axis=1, dtype=np.int64)
    chosen ^= complement[:, None]
    owner, source = np.nonzero(chosen)
    return owner, source


def _draw_multiset(rng: np.random.Generator, in_degrees: np.ndarray, available: int) -> tuple[np.ndarray, np.ndarray]:
    """Sources drawn independently."""
    owner = np.repeat(np.arange(len(in_degrees), dtype=np.int32), in_degrees)
    return owner, rng.integers(0, available, owner.size, dtype=np.int32)


def _dense(drawn: Iterator[Synapses], n_pre: int, n_post: int, delivery: AbstractDelivery) -> DenseOperator:
    matrix = np.zeros((n_pre, n_post), np.int8)
    largest, in_degree, total = 0, 0, 0
    for part in drawn:
        # Sorted by place, equal pairs stand together: faster than counting into a table, and written in order.
        place = part.source.astype(np.int64) * part.n + part.owner
        place.sort()
        starts = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]]) if place.size else place)
        counts = np.diff(starts, append=place.size)
        largest = max(largest, int(counts.max(initial=0)))
        if largest > np.iinfo(matrix.dtype).max:
            matrix = matrix.astype(np.int16)
        source, owner = np.divmod(place[starts], part.n)
        matrix[source, part.begin + owner] = counts
        in_degree = max(in_degree, int(np.bincount(part.owner, minlength=1).max()))
        total += part.source.size
    leaf = jnp.asarray(matrix)
    if isinstance(delivery, Product):
        most = 256 if jnp.issubdtype(delivery.dtype, jnp.floating) else 127
        if largest > most:
            raise ValueError(
                f"`delivery`: a multiplicity of {largest} is not exact in {delivery.dtype}; take `Rows()`."
            )
        leaf = leaf.astype(delivery.dtype)
    # Rounded up, so that another wiring of the same law is the same program.
    return DenseOperator(leaf, 2 ** largest.bit_length() - 1, in_degree, total, delivery)


def _sparse(
    drawn: Iterator[Synapses],
    n_pre: int,
    n_post: int,
    delivery: AbstractDelivery,
    delays: Delays | None,
    rng: np.random.Generator,
) -> SparseOperator:
    parts, in_degree = [], 0
    for part in drawn:
        parts.append(part.source.astype(np.uint64) * np.uint64(n_post) + (part.owner + part.begin).astype(np.uint64))
        in_degree = max(in_degree, int(np.bincount(part.owner, minlength=1).max()))
    pairs = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
    del parts
    pairs.sort()
    if pairs.size > np.iinfo(np.int32).max:
        raise ValueError(f"{pairs.size:,} synapses are too many to list; take `delivery=jn.delivery.Procedural()`.")
    offsets = np.searchsorted(pairs, np.arange(n_pre + 1, dtype=np.uint64) * np.uint64(n_post)).astype(np.int32)
    targets = (pairs % np.uint64(n_post)).astype(np.uint16 if n_post <= 2**16 else np.int32)
    del pairs
    drawn_delays = None if delays is None else rng.uniform(delays.low, delays.high, targets.size).astype(np.float32)
    longest = _rounded(int(np.diff(offsets).max(initial=0)))
    return SparseOperator(
        jnp.asarray(offsets),
        jnp.asarray(targets),
        None if drawn_delays is None else jnp.asarray(drawn_delays),
        n_post,
        longest,
        in_degree,
        delivery,
    )


def _rounded(longest: int) -> int:
    """Up to a multiple of 128, so that another wiring of the same law is the same program."""
    return -(-longest // 128) * 128


def _procedure(
    rule: FixedInDegree, rng: np.random.Generator, n_pre: int, n_post: int, recurrent: bool, delivery: Procedural
) -> ProceduralOperator:
    skip_self = recurrent and not rule.autapses
    lists = n_pre - 1 if skip_self else n_pre
    k = int(rule.draw_in_degrees(rng, n_pre, 1, lists)[0])
    if k * n_post > _LARGEST_PROCEDURE:
        raise ValueError(
            f"`delivery`: Procedural numbers synapses in 32 bits; {k * n_post:,} of a projection are too many."
        )
    out_degrees = rng.multinomial(k * n_post, np.full(lists, 1.0 / lists)) if lists else np.zeros(0, int)
    offsets = np.concatenate([[0], np.cumsum(out_degrees), np.full(n_pre - lists, k * n_post)])
    keys = rng.integers(0, 2**32, ROUNDS, dtype=np.uint32)
    return ProceduralOperator(
        jnp.asarray(offsets.astype(np.uint32)), jnp.asarray(keys), k, n_post, skip_self,
        _rounded(int(out_degrees.max(initial=0))), delivery.window,
    )  # fmt: skip
