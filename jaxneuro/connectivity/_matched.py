"""Weights that balance those of another projection, neuron by neuron."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int, Integer

from .._numerics import Moments, as_leaf, check_positive, told
from ._weight_laws import AbstractWeightLaw, Nodes, StableTail, SummedWeights

# Exchanges tried at once for each neuron, and how often; numbers of the law that are drawn to exchange with.
_TRIES, _ROUNDS = 32, 300
_LEAST_POOL, _MOST_POOL = 2**14, 2**20
# Above this percentile the pool is sparse.
_SPARSE = 99


class MatchedWeight(AbstractWeightLaw):
    """Weights of a law, drawn so that each neuron's sum balances that of its synapses from another population.

    With a_j = J_j/J of the synapses from `to` and b_j likewise of these, both of mean 1, every target neuron has

        |sum of a/C_a - sum of b/C_b| <= tol,

    C_a and C_b its numbers of synapses. The weights are drawn independently first; of a neuron that misses, single
    weights are then exchanged for other numbers drawn from the law, so that the law of all weights is kept, but for a
    few of each neuron.

    **Arguments:** `law`, of the weights; `to`, the name of a population with a projection of drawn weights to the same
    targets; `tol`.

    Raises `ValueError` where `law` draws no weights, `tol` is not positive, or (when wired) no such projection reaches
    a target, or `tol` cannot be met.

    ```python
    >>> import jax, jaxneuro as jn
    >>> law, inhibition = jn.LogNormalWeight(0.1, cv=1.0), jn.LogNormalWeight(-0.4, cv=1.0)
    >>> both = dict(synapse=jn.DeltaCurrent(), delay=1.5)
    >>> net = jn.Network(
    ...     {"E": jn.Population(jn.LIF(), 400), "I": jn.Population(jn.LIF(), 100)},
    ...     [jn.Projection("E", "E", weight=law, connectivity=jn.FixedInDegree(80), **both),
    ...      jn.Projection("I", "E", weight=jn.MatchedWeight(inhibition, to="E", tol=1e-3),
    ...                    connectivity=jn.FixedInDegree(20), **both)])
    >>> wiring = jn.wire(net, key=jax.random.key(0))
    >>> excess = wiring.as_matrix("E", "E").sum(axis=1) / 80 - wiring.as_matrix("I", "E").sum(axis=1) / 20
    >>> bool(abs(excess).max() < 1e-3)
    True

    ```

    Source: the equalised excitation and inhibition of Xue, Atallah and Scanziani (2014), doi:10.1038/nature13321.
    """

    law: AbstractWeightLaw
    to: str = eqx.field(static=True)
    tol: Float[Array, ""]

    def __init__(self, law: Any, *, to: Any, tol: ArrayLike = 1e-3):
        if not isinstance(law, AbstractWeightLaw) or law.unit() is None or law.matched_to() is not None:
            raise ValueError(
                f"`law` has to be a law that weights are drawn from, such as `LogNormalWeight`; got {told(law)}."
            )
        if not isinstance(to, str):
            raise ValueError(f"`to` has to be the name of a population; got {told(to)}.")
        self.law, self.to, self.tol = law, to, as_leaf(tol, "tol")
        check_positive("tol", self.tol)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        return self.law.draw(rng, shape)

    def moments(self) -> Moments:
        return self.law.moments()

    def nodes(self, count: int) -> Nodes:
        return self.law.nodes(count)

    def tail(self) -> StableTail | None:
        return self.law.tail()

    def matched_to(self) -> str:
        return self.to

    def matched(
        self,
        rng: np.random.Generator,
        weights: Float[np.ndarray, "nnz"],
        targets: Integer[np.ndarray, "nnz"],
        wanted: SummedWeights,
    ) -> Float[np.ndarray, "nnz"]:
        return _balanced(self, rng, weights, targets, wanted)

    @property
    def scale(self) -> Float[Array, "*n"]:
        return self.law.scale

    def unit(self) -> "MatchedWeight":
        unit = self.law.unit()
        assert unit is not None
        return MatchedWeight(unit, to=self.to, tol=self.tol)


def summed_weights(
    law: AbstractWeightLaw, weights: Float[np.ndarray, "nnz"], targets: Integer[np.ndarray, "nnz"], n: int
) -> SummedWeights:
    """Those of a list of synapses, whose weights were drawn from `law`."""
    sums = np.bincount(targets, weights=weights, minlength=n) / float(law.moments().mean)
    return SummedWeights(sums, np.bincount(targets, minlength=n))


def _balanced(
    law: MatchedWeight,
    rng: np.random.Generator,
    weights: Float[np.ndarray, "nnz"],
    targets: Integer[np.ndarray, "nnz"],
    wanted: SummedWeights,
) -> Float[np.ndarray, "nnz"]:
    """`weights`, drawn from `law`, with as many of them exchanged as balance takes."""
    n, mean = wanted.sums.size, float(law.moments().mean)
    own = summed_weights(law, weights, targets, n)
    if not (wanted.counts[own.counts > 0] > 0).all():
        raise ValueError(f"`weight`: a neuron has no synapse from {law.to!r} that weights could be matched to.")
    # A neuron without synapses of its own has nothing to balance with.
    per_synapse = wanted.sums / np.maximum(wanted.counts, 1)
    gaps = np.where(own.counts > 0, (per_synapse * own.counts - own.sums) * mean, 0.0)
    # Rounding of the sum of a neuron is left some room.
    slack = 0.99 * float(law.tol) * own.counts * abs(mean)
    late = np.flatnonzero(np.abs(gaps) > slack)
    if not late.size:
        return weights
    order = np.argsort(targets, kind="stable")
    begin = np.concatenate([[0], np.cumsum(own.counts)])
    values = weights[order]
    size = int(np.clip(weights.size, _LEAST_POOL, _MOST_POOL))
    pool = np.sort(np.asarray(law.draw(rng, (size,)), values.dtype))
    for _ in range(_ROUNDS):
        late = late[np.abs(gaps[late]) > slack[late]]
        if not late.size:
            break
        _exchange(rng, values, pool, begin, gaps, slack, late, law.tail() is not None)
    else:
        worst = late[np.argmax(np.abs(gaps[late]) / own.counts[late])]
        raise ValueError(
            f"`tol` of {float(law.tol):g} is not met by {late.size} of {n} neurons: the worst reaches "
            f"{abs(gaps[worst]) / (own.counts[worst] * abs(mean)):.2g}; allow more, or give a law whose weights reach "
            "further."
        )
    result = np.empty_like(weights)
    result[order] = values
    return result


def _exchange(
    rng: np.random.Generator,
    values: Float[np.ndarray, "nnz"],
    pool: Float[np.ndarray, "pool"],
    begin: Int[np.ndarray, "n_and_1"],
    gaps: Float[np.ndarray, "n"],
    slack: Float[np.ndarray, "n"],
    late: Int[np.ndarray, "late"],
    unbounded: bool,
) -> None:
    """One weight of each neuron of `late` for another of the `pool`, where that closes its gap or narrows it; of a law
    with a power-law tail (`unbounded`) for the number itself, where the pool is sparse."""
    degrees, gap = begin[late + 1] - begin[late], gaps[late]
    places = begin[late][:, None] + (rng.random((late.size, _TRIES)) * degrees[:, None]).astype(np.int64)
    # A weight too small to give what is too much: the largest.
    heavy = np.flatnonzero((gap < 0) & (values[places[:, 0]] + gap < pool[0]))
    for i in heavy:
        first = begin[late[i]]
        places[i, 0] = first + np.argmax(values[first : first + degrees[i]])
    # Both numbers at random, if any pair of them closes the gap; else the number nearest to what is needed.
    offered = pool[rng.integers(0, pool.size, places.shape)]
    left = gap[:, None] - (offered.astype(float) - values[places])
    closes = np.abs(left) <= slack[late][:, None]
    pick = np.argmax(closes, axis=1)
    rows = np.arange(late.size)
    chosen, replaced = offered[rows, pick], places[rows, pick]
    none = ~closes.any(axis=1)
    first = places[none, 0]
    needed = values[first] + gap[none]
    above = np.clip(np.searchsorted(pool, needed), 1, pool.size - 1)
    lower, upper = pool[above - 1], pool[above]
    largest = np.isin(rows, heavy)
    # Of the largest weight always less than is needed: others then fill up.
    nearest = np.where((needed - lower < upper - needed) | largest[none], lower, upper)
    chosen[none] = np.where(unbounded & (needed > pool[_SPARSE * pool.size // 100]), needed, nearest)
    replaced[none] = first
    after = gap - (chosen.astype(float) - values[replaced])
    better = (np.abs(after) < np.abs(gap)) | (largest & none)
    values[replaced[better]] = chosen[better]
    gaps[late[better]] = after[better]
