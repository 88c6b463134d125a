"""Drawing a wiring from a rule, on the host: the same synapses on every device and in every form of storage."""

import dataclasses
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._numerics import install
from ._bits import as_bits
from ._delay_laws import AbstractDelayLaw
from ._delivery import AbstractDelivery, choose, has_numba
from ._dense import DenseOperator
from ._matched import SummedWeights, summed_weights
from ._operator import AbstractOperator
from ._pairs import Synapses, draw_all
from ._positions import Neurons
from ._procedural import ROUNDS, ProceduralOperator, SideBySide
from ._rules import AbstractConnectivity
from ._sparse import SparseOperator
from ._weight_laws import AbstractWeightLaw
from ._weighted import WeightedOperator

# A permutation is computed in 32 bits.
_LARGEST_PROCEDURE = 2**32 - 2**17
# Synapses are numbered in 32 bits with a sign.
_LARGEST_LIST = 2**31 - 1


@dataclasses.dataclass
class Balance:
    """What the weights of a projection are matched to, and the sums that they were drawn with."""

    wanted: SummedWeights | None = None
    found: SummedWeights | None = None


def draw_operator(
    rule: AbstractConnectivity,
    rng: np.random.Generator,
    pre: Neurons,
    posts: tuple[Neurons, ...],
    recurrent: tuple[bool, ...],
    *,
    weights: AbstractWeightLaw | None = None,
    delays: AbstractDelayLaw | None = None,
    signed: bool = True,
    delivery: AbstractDelivery | None = None,
    balance: Balance | None = None,
) -> AbstractOperator:
    """One operator onto the targets of all of `posts`, side by side; `recurrent` says which are the source itself.

    `weights` and `delays` are the laws that each synapse draws its own from, None where it draws none; `signed` says
    whether a weight may be negative; `balance` is what weights are matched to, and is told their sums.
    """
    one_for_all = delays is None and weights is None
    whole = whole_operator(rule, pre, posts, recurrent, one_for_all) if delivery is None else None
    if whole is not None:
        return whole
    n_pre, n_posts = pre.n or 0, tuple(post.n or 0 for post in posts)
    n_post, expected = sum(n_posts), expected_synapses(rule, pre, posts, recurrent)
    if delivery is None:
        delivery = choose(n_pre, n_post, expected, one_delay=delays is None, weighted=weights is not None).delivery
    _check(delivery, rule, one_for_all, delays is None)
    if delivery.regenerates():
        parts = [_procedure(rule, rng, n_pre, n, r, delivery) for n, r in zip(n_posts, recurrent, strict=True)]
        return parts[0] if len(parts) == 1 else SideBySide(tuple(parts))
    dense = delivery.fills_matrix()
    if expected > 1.1 * _LARGEST_LIST and not (dense and one_for_all):
        raise _too_many(expected)
    drawn = draw_all(rule, rng, pre, posts, recurrent)
    if dense and weights is None:
        return _dense(drawn, n_pre, n_post, delivery)
    listed = _sparse(drawn, n_pre, n_post, delivery, delays, weights, rng, balance)
    if not signed and listed.weights is not None and np.asarray(listed.weights).min(initial=0.0) < 0.0:
        raise ValueError(
            f"`weight` of a conductance must not be negative; {type(weights).__name__}.draw gave some that are: draw "
            "their sizes, and take the sign from the reversal potential."
        )
    return _filled(listed) if dense else listed


def whole_operator(
    rule: AbstractConnectivity,
    pre: Neurons,
    posts: tuple[Neurons, ...],
    recurrent: tuple[bool, ...],
    one_for_all: bool,
) -> AbstractOperator | None:
    """The operator of a rule that needs no list of synapses, which have one weight and delay; else None."""
    return rule.whole(pre.n or 0, tuple(post.n or 0 for post in posts), recurrent) if one_for_all else None


def expected_synapses(
    rule: AbstractConnectivity, pre: Neurons, posts: tuple[Neurons, ...], recurrent: tuple[bool, ...]
) -> float:
    """How many synapses a rule, whose in-degrees have to be known, is expected to draw."""
    degrees = [float(rule.in_degree(pre, post, r).mean) for post, r in zip(posts, recurrent, strict=True)]
    return sum(degree * (post.n or 0) for degree, post in zip(degrees, posts, strict=True))


def _too_many(n: float) -> ValueError:
    return ValueError(f"{n:,.0f} synapses are too many to list; take `delivery=jn.delivery.Procedural()`.")


def _check(delivery: AbstractDelivery, rule: AbstractConnectivity, one_for_all: bool, one_delay: bool) -> None:
    name = type(delivery).__name__
    if not one_delay and not delivery.lists_synapses():
        raise ValueError(f"`delivery`: {name} needs one delay a projection; take `Sparse()` or `NativeSparse()`.")
    if delivery.is_native() and not has_numba():
        plain = "Rows()" if delivery.packs_bits() else "Sparse()"
        raise ValueError(f"`delivery`: {name} needs numba: {install('native')}; or take `{plain}`.")
    if delivery.packs_bits() and not one_for_all:
        raise ValueError("`delivery`: NativeBits holds no weight of a synapse; take `Rows()` or `NativeSparse()`.")
    if delivery.regenerates():
        if rule.regenerated() is None:
            raise ValueError("`delivery`: Procedural regenerates `FixedInDegree(k)` with multapses only.")
        if not one_for_all:
            raise ValueError("`delivery`: Procedural stores nothing, and so no weight of a synapse; take `Sparse()`.")


def _dense(drawn: Iterator[Synapses], n_pre: int, n_post: int, delivery: AbstractDelivery) -> AbstractOperator:
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
    if delivery.packs_bits():
        return as_bits(matrix, in_degree, total)
    leaf = jnp.asarray(matrix)
    dtype = delivery.product_dtype()
    if dtype is not None:
        most = 256 if jnp.issubdtype(dtype, jnp.floating) else 127
        if largest > most:
            raise ValueError(f"`delivery`: a multiplicity of {largest} is not exact in {dtype}; take `Rows()`.")
        leaf = leaf.astype(dtype)
    # Rounded up, so that another wiring of the same law is the same program.
    return DenseOperator(leaf, 2 ** largest.bit_length() - 1, in_degree, total, delivery)


def _sparse(
    drawn: Iterator[Synapses],
    n_pre: int,
    n_post: int,
    delivery: AbstractDelivery,
    delays: AbstractDelayLaw | None,
    weights: AbstractWeightLaw | None,
    rng: np.random.Generator,
    balance: Balance | None,
) -> SparseOperator:
    parts, in_degree = [], 0
    for part in drawn:
        parts.append(part.source.astype(np.uint64) * np.uint64(n_post) + (part.owner + part.begin).astype(np.uint64))
        in_degree = max(in_degree, int(np.bincount(part.owner, minlength=1).max()))
    pairs = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
    del parts
    pairs.sort()
    if pairs.size > _LARGEST_LIST:
        raise _too_many(pairs.size)
    offsets = np.searchsorted(pairs, np.arange(n_pre + 1, dtype=np.uint64) * np.uint64(n_post)).astype(np.int32)
    targets = (pairs % np.uint64(n_post)).astype(np.uint16 if n_post <= 2**16 else np.int32)
    del pairs
    # Drawn after the synapses, so that these are the same whatever is drawn for them.
    drawn_delays = None if delays is None else _drawn("delay", delays, rng, targets.size)
    drawn_weights = None if weights is None else _drawn("weight", weights, rng, targets.size)
    if balance is not None and weights is not None and drawn_weights is not None:
        if balance.wanted is not None:
            drawn_weights = weights.matched(rng, drawn_weights, targets, balance.wanted)
        balance.found = summed_weights(weights, drawn_weights, targets, n_post)
    longest = rounded_list(int(np.diff(offsets).max(initial=0)))
    return SparseOperator(
        jnp.asarray(offsets),
        jnp.asarray(targets),
        None if drawn_delays is None else jnp.asarray(drawn_delays),
        None if drawn_weights is None else jnp.asarray(drawn_weights),
        n_post,
        longest,
        in_degree,
        delivery,
    )


def _drawn(
    name: str, law: AbstractDelayLaw | AbstractWeightLaw, rng: np.random.Generator, n: int
) -> Float[np.ndarray, "nnz"]:
    values = np.asarray(law.draw(rng, (n,)))
    numbers = values.dtype.kind in "fiu"
    if values.shape != (n,) or not numbers or not np.isfinite(values).all():
        infinite = " with some that are not finite" if numbers and not np.isfinite(values).all() else ""
        raise ValueError(
            f"`{name}`: {type(law).__name__}.draw has to give finite numbers of the shape asked for, ({n},); got "
            f"{values.dtype}{list(values.shape)}{infinite}."
        )
    return values.astype(np.float32)


def _filled(listed: SparseOperator) -> WeightedOperator:
    """The same synapses as a matrix of weights."""
    offsets, targets, weights = (np.asarray(x) for x in (listed.offsets, listed.targets, listed.weights))
    matrix = np.zeros((listed.n_pre, listed.n_post), np.float32)
    sources = np.repeat(np.arange(listed.n_pre), np.diff(offsets))
    np.add.at(matrix, (sources, targets), weights)
    return WeightedOperator(jnp.asarray(matrix), listed.nnz, listed.delivery)


def rounded_list(longest: int) -> int:
    """Up to a multiple of 128, so that another wiring of the same law is the same program."""
    return -(-longest // 128) * 128


def _procedure(
    rule: AbstractConnectivity,
    rng: np.random.Generator,
    n_pre: int,
    n_post: int,
    recurrent: bool,
    delivery: AbstractDelivery,
) -> ProceduralOperator:
    again = rule.regenerated()
    assert again is not None
    k, skip_self = again.k, recurrent and not again.autapses
    lists = n_pre - 1 if skip_self else n_pre
    if k * n_post > _LARGEST_PROCEDURE:
        raise ValueError(
            f"`delivery`: Procedural numbers synapses in 32 bits; {k * n_post:,} of a projection are too many."
        )
    out_degrees = rng.multinomial(k * n_post, np.full(lists, 1.0 / lists)) if lists else np.zeros(0, int)
    offsets = np.concatenate([[0], np.cumsum(out_degrees), np.full(n_pre - lists, k * n_post)])
    keys = rng.integers(0, 2**32, ROUNDS, dtype=np.uint32)
    return ProceduralOperator(
        jnp.asarray(offsets.astype(np.uint32)), jnp.asarray(keys), k, n_post, skip_self,
        rounded_list(int(out_degrees.max(initial=0))), delivery.spikes_at_once(),
    )  # fmt: skip
