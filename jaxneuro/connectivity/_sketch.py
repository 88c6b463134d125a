"""What a rule would draw, before anything is drawn: operators of which shapes and types are known, and no values."""

import math
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from .._numerics import as_leaf
from ._bits import DIGITS, BitOperator, room_for
from ._delay_laws import AbstractDelayLaw
from ._delivery import AbstractDelivery, choose
from ._dense import DenseOperator
from ._draw import expected_synapses, rounded_list, whole_operator
from ._native_bits import words_of_bits
from ._operator import AbstractOperator
from ._packed import PackedOperator, words_of
from ._positions import Neurons
from ._rules import AbstractConnectivity
from ._sparse import SparseOperator
from ._stored import delay_form, weight_form
from ._weight_laws import AbstractWeightLaw
from ._weighted import WeightedOperator


class Sketch(NamedTuple):
    """An operator with shapes in place of arrays, how many synapses are expected, and how it delivers and why."""

    operator: AbstractOperator
    synapses: float
    delivery: str
    why: str


class _Expected(NamedTuple):
    """Sizes of a projection, and what is likely of its synapses."""

    n_pre: int
    n_post: int
    synapses: float
    in_degree: int
    multiplicity: int

    @property
    def number(self) -> int:
        return round(self.synapses)

    @property
    def longest(self) -> int:
        mean = self.synapses / self.n_pre
        return rounded_list(math.ceil(mean + 4.0 * math.sqrt(mean)))


def sketch_operator(
    rule: AbstractConnectivity,
    pre: Neurons,
    posts: tuple[Neurons, ...],
    recurrent: tuple[bool, ...],
    weights: AbstractWeightLaw | None,
    delays: AbstractDelayLaw | None,
) -> Sketch:
    """What `draw_operator` would draw where no delivery is asked for; in-degrees have to be known."""
    whole = whole_operator(rule, pre, posts, recurrent, delays is None and weights is None)
    if whole is not None:
        return Sketch(whole, float(whole.nnz), "sum of all", "all pairs are connected alike, and so none is listed")
    own = _expected(rule, pre, posts, recurrent)
    choice = choose(own.n_pre, own.n_post, own.synapses, one_delay=delays is None, weighted=weights is not None)
    if not choice.delivery.fills_matrix():
        make = partial(_list, own, choice.delivery, delays, weights)
    elif choice.delivery.packs_bits():
        make = partial(_rows_of_bits, own)
    else:
        make = partial(_counts if weights is None else _weights, own, choice.delivery)
    return Sketch(eqx.filter_eval_shape(make), own.synapses, repr(choice.delivery), choice.why)


def _list(
    own: _Expected, delivery: AbstractDelivery, delays: AbstractDelayLaw | None, weights: AbstractWeightLaw | None
) -> SparseOperator:
    targets = jnp.zeros(own.number, jnp.uint16 if own.n_post <= 2**16 else jnp.int32)
    of_delays, of_weights = delay_form(delays), weight_form(weights, own.in_degree)
    return SparseOperator(
        jnp.zeros(own.n_pre + 1, jnp.int32),
        targets,
        None if of_delays is None else jnp.zeros(own.number, of_delays.dtype),
        None if of_weights is None else jnp.zeros(own.number, of_weights.dtype),
        None if of_weights is None or of_weights.quantum is None else as_leaf(of_weights.quantum),
        1.0 if of_delays is None or of_delays.quantum is None else of_delays.quantum,
        own.n_post,
        own.longest,
        own.in_degree,
        delivery,
    )


def _weights(own: _Expected, delivery: AbstractDelivery) -> WeightedOperator:
    return WeightedOperator(jnp.zeros((own.n_pre, own.n_post), jnp.float32), own.number, delivery)


def _counts(own: _Expected, delivery: AbstractDelivery) -> DenseOperator:
    narrow = jnp.int8 if own.multiplicity <= 127 else jnp.int16
    matrix = jnp.zeros((own.n_pre, own.n_post), delivery.product_dtype() or narrow)
    return DenseOperator(matrix, own.multiplicity, own.in_degree, own.number, delivery)


def _rows_of_bits(own: _Expected) -> BitOperator:
    planes = jnp.zeros((own.n_pre + 1, DIGITS, 2 * words_of_bits(own.n_post)), jnp.uint32)
    offsets, targets = jnp.zeros(own.n_pre + 1, jnp.int32), jnp.zeros(room_for(0), jnp.int32)
    return BitOperator(planes, offsets, targets, own.n_post, own.in_degree, own.number)


def sketch_packed(
    rule: AbstractConnectivity, pre: Neurons, posts: tuple[Neurons, ...], recurrent: tuple[bool, ...]
) -> Sketch:
    """What `draw_packed` would draw."""
    own = _expected(rule, pre, posts, recurrent)
    digits = own.multiplicity.bit_length()
    operator = eqx.filter_eval_shape(partial(_bits, own, digits))
    return Sketch(operator, own.synapses, "bits", f"of binary units; {digits} a pair for its number of connections")


def _bits(own: _Expected, digits: int) -> PackedOperator:
    return PackedOperator(jnp.zeros((digits, own.n_post, words_of(own.n_pre)), jnp.uint32), own.n_pre, own.number)


def _expected(
    rule: AbstractConnectivity, pre: Neurons, posts: tuple[Neurons, ...], recurrent: tuple[bool, ...]
) -> _Expected:
    n_pre, n_post = pre.n or 0, sum(post.n or 0 for post in posts)
    synapses = expected_synapses(rule, pre, posts, recurrent)
    moments = [rule.in_degree(pre, post, r) for post, r in zip(posts, recurrent, strict=True)]
    most = max(float(own.mean) + 4.0 * math.sqrt(float(own.variance)) for own in moments)
    multiplicity = _likely_most(n_pre * n_post, synapses / (n_pre * n_post)) if rule.repeats() else 1
    return _Expected(n_pre, n_post, synapses, math.ceil(most), multiplicity)


def _likely_most(pairs: int, mean: float) -> int:
    """The largest of so many Poisson numbers that is likely: at least one of them is expected to be as large."""
    most, chance = 0, math.exp(-mean)
    left = 1.0 - chance  # of a number above `most`
    while pairs * left >= 1.0 and chance > 0.0:
        most += 1
        chance *= mean / most
        left = left - chance
    return max(1, most)
