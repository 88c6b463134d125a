"""Drawing a wiring from a rule, on the host: the same synapses on every device and in every form of storage."""

import dataclasses
import math
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from .._numerics import as_leaf, install
from ._bits import as_bits
from ._delay_laws import AbstractDelayLaw
from ._delivery import AbstractDelivery, choose, has_numba
from ._dense import DenseOperator
from ._listing import LARGEST_LIST, Listing, list_synapses, too_many
from ._matched import SummedWeights, summed_weights
from ._operator import AbstractOperator
from ._pairs import Synapses, draw_all
from ._positions import Neurons
from ._procedural import ROUNDS, ProceduralOperator, SideBySide
from ._rules import AbstractConnectivity
from ._sparse import SparseOperator
from ._stored import Form, delay_form, draw_numbers, weight_form
from ._weight_laws import AbstractWeightLaw
from ._weighted import WeightedOperator

# A permutation is computed in 32 bits.
_LARGEST_PROCEDURE = 2**32 - 2**17


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
        _check_hashed(weights, signed, balance)
        parts = [_procedure(rule, rng, n_pre, n, r, delivery, weights) for n, r in zip(n_posts, recurrent, strict=True)]
        return parts[0] if len(parts) == 1 else SideBySide(tuple(parts))
    dense = delivery.fills_matrix()
    if expected > LARGEST_LIST and not (dense and one_for_all):
        raise too_many(expected)
    if dense and weights is None:
        return _dense(draw_all(rule, rng, pre, posts, recurrent), n_pre, n_post, delivery)
    listed = _sparse(list_synapses(rule, rng, pre, posts, recurrent), n_post, delivery, delays, weights, rng, balance)
    if not signed and listed.weights is not None and np.asarray(listed.weights).min(initial=0.0) < 0.0:
        raise _negative(weights)
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
    return sum(rule.expected(pre, post, r) for post, r in zip(posts, recurrent, strict=True))


def bytes_needed(
    rule: AbstractConnectivity,
    pre: Neurons,
    posts: tuple[Neurons, ...],
    recurrent: tuple[bool, ...],
    weights: AbstractWeightLaw | None,
    delays: AbstractDelayLaw | None,
    delivery: AbstractDelivery | None,
) -> float:
    """About how much memory the synapses of a projection take once they are drawn [bytes].

    Raises `ValueError` where they are too many to list.
    """
    n_pre, n_post = pre.n or 0, sum(post.n or 0 for post in posts)
    n = expected_synapses(rule, pre, posts, recurrent)
    if delivery is None:
        if whole_operator(rule, pre, posts, recurrent, delays is None and weights is None) is not None:
            return 0.0
        delivery = choose(n_pre, n_post, n, one_delay=delays is None, weighted=weights is not None).delivery
    if delivery.regenerates():
        return 0.0
    if delivery.fills_matrix():
        return float(n_pre * n_post) * (0.25 if delivery.packs_bits() else 1.0 if weights is None else 4.0)
    if n > LARGEST_LIST:
        raise too_many(n)
    forms = delay_form(delays), weight_form(weights, math.ceil(n / max(1, n_post)))
    target = 2 if n_post <= 2**16 else 4
    return n * (target + sum(form.dtype.itemsize for form in forms if form is not None))


def _check(delivery: AbstractDelivery, rule: AbstractConnectivity, one_for_all: bool, one_delay: bool) -> None:
    name = type(delivery).__name__
    if not one_delay and not delivery.lists_synapses():
        raise ValueError(f"`delivery`: {name} needs one delay a projection; take `Sparse()` or `NativeSparse()`.")
    if delivery.is_native() and not has_numba():
        plain = "Rows()" if delivery.packs_bits() else "Sparse()"
        raise ValueError(f"`delivery`: {name} needs numba: {install('native')}; or take `{plain}`.")
    if delivery.packs_bits() and not one_for_all:
        raise ValueError("`delivery`: NativeBits holds no weight of a synapse; take `Rows()` or `NativeSparse()`.")
    if delivery.regenerates() and rule.regenerated() is None:
        raise ValueError("`delivery`: Procedural regenerates `FixedInDegree(k)` with multapses only.")


def _check_hashed(weights: AbstractWeightLaw | None, signed: bool, balance: Balance | None) -> None:
    """Raises `ValueError` where weights cannot be made from a hash."""
    if balance is not None:
        raise ValueError("`delivery`: Procedural stores no weights, which `MatchedWeight` sums; take `Sparse()`.")
    if weights is None:
        return
    smallest = float(weights.exceeded(jnp.asarray(1.0, jnp.result_type(float))))
    if not signed and smallest < 0.0:
        raise _negative(weights)


def _negative(weights: AbstractWeightLaw | None) -> ValueError:
    return ValueError(
        f"`weight` of a conductance must not be negative; {type(weights).__name__}.draw gave some that are: draw "
        "their sizes, and take the sign from the reversal potential."
    )


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
    listed: Listing,
    n_post: int,
    delivery: AbstractDelivery,
    delays: AbstractDelayLaw | None,
    weights: AbstractWeightLaw | None,
    rng: np.random.Generator,
    balance: Balance | None,
) -> SparseOperator:
    # Drawn after the synapses, so that these are the same whatever is drawn for them.
    of_delays = delay_form(delays)
    n = listed.targets.size
    numbers = None if of_delays is None else draw_numbers("delay", delays, of_delays, rng, n)
    of_weights = weight_form(weights, listed.in_degree)
    if balance is not None and of_weights is not None:
        of_weights = Form(np.dtype(np.float32), None)  # sums that balance others are of weights as they were drawn
    drawn_weights = None if of_weights is None else draw_numbers("weight", weights, of_weights, rng, n)
    if balance is not None and weights is not None and drawn_weights is not None:
        if balance.wanted is not None:
            drawn_weights = weights.matched(rng, drawn_weights, listed.targets, balance.wanted)
        balance.found = summed_weights(weights, drawn_weights, listed.targets, n_post)
    quantum = None if of_weights is None else of_weights.quantum
    return SparseOperator(
        jnp.asarray(listed.offsets),
        jnp.asarray(listed.targets),
        None if numbers is None else jnp.asarray(numbers),
        None if drawn_weights is None else jnp.asarray(drawn_weights),
        None if quantum is None else as_leaf(quantum),
        1.0 if of_delays is None or of_delays.quantum is None else of_delays.quantum,
        n_post,
        rounded_list(int(np.diff(listed.offsets).max(initial=0))),
        listed.in_degree,
        delivery,
    )


def _filled(listed: SparseOperator) -> WeightedOperator:
    """The same synapses as a matrix of weights."""
    offsets, targets, weights = (np.asarray(x) for x in (listed.offsets, listed.targets, listed.weights))
    if listed.quantum is not None:
        weights = weights * np.float32(listed.quantum)
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
    law: AbstractWeightLaw | None,
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
        rounded_list(int(out_degrees.max(initial=0))), delivery.spikes_at_once(), law,
    )  # fmt: skip
