"""The field of many Poisson counts at T = 0, in sums along one kind of input after another."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._binary_law import AbstractField, BinaryInputs, poisson_window, step, two_at_least

# Counts of a law, which reach ten standard deviations to either side of a mean of 160,000.
_COUNTS, _ROWS = 8_192, 64
# Every so many-th count of what two times share, and of what is excitation's own: a smooth function is summed as well
# by a fraction of the counts, two and more a standard deviation. Odd strides meet every tread of a staircase.
_SHARED, _OWN, _REACH = 64, 128, 8.0
_LEAST_DEVIATIONS = 5.0


class StaircaseField(AbstractField):
    """`PoissonField` of one or two populations at T = 0: for given n_E the bound on n_I has a closed probability.

        m_k = sum over n_E of Poisson(n_E; K m_E) P(n_I < (J_kE n_E + drive)/|J_kI|; K m_I),

    summed exactly. What is left of the overlap is a smooth function of the shared numbers on their lattice, which is
    summed over every so many-th of them. Any in-degree is one program.
    """

    def prepare(self, inputs: BinaryInputs) -> "StaircaseField":
        return self

    def covers(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Bool[Array, ""]:
        return jnp.all(_LEAST_DEVIATIONS * jnp.sqrt(inputs.in_degree * m) <= 0.5 * _COUNTS)

    def activity(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n"]:
        return jax.vmap(lambda one: _activity(one, m, one.drive))(inputs)

    def overlap(self, inputs: BinaryInputs, m: Float[Array, "n"], q: Float[Array, "n"]) -> Float[Array, "n"]:
        def row(one: BinaryInputs) -> Float[Array, ""]:
            weight = two_at_least(one.weight)
            shared = [_Law(mean).spread(_SHARED) for mean in two_at_least(one.in_degree * q)]
            own = [_Law(mean) for mean in two_at_least(one.in_degree * jnp.maximum(m - q, 0.0))]
            at, p = own[0].spread(_OWN)
            v = one.drive + weight[0] * shared[0][0][:, None] + weight[1] * shared[1][0]
            given = own[1].above(v[..., None] + weight[0] * at, weight) @ p
            return shared[0][1] @ given**2 @ shared[1][1]

        return jax.vmap(row)(inputs)

    def offspring(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n n"]:
        def row(one: BinaryInputs) -> Float[Array, "n"]:
            # One more active input moves every field by its weight, in one direction.
            moved = jax.vmap(lambda weight: _activity(one, m, one.drive + weight))(one.weight)
            return one.in_degree * jnp.abs(moved - _activity(one, m, one.drive))

        return jax.vmap(row)(inputs)


def _activity(one: BinaryInputs, m: Float[Array, "n"], drive: Float[Array, ""]) -> Float[Array, ""]:
    weight = two_at_least(one.weight)
    laws = [_Law(mean) for mean in two_at_least(one.in_degree * m)]
    return laws[0].p @ laws[1].above(drive + weight[0] * laws[0].counts, weight)


class _Law:
    """A Poisson law on consecutive counts around its mean."""

    def __init__(self, mean: Float[Array, ""]):
        middle = jnp.floor(jax.lax.stop_gradient(mean)).astype(jnp.int32)
        self.first = jnp.maximum(middle - _COUNTS // 2, 0)
        self.middle = middle - self.first
        self.p = poisson_window(mean, self.first, jnp.zeros(_COUNTS, mean.dtype))
        self.counts = (self.first + jnp.arange(_COUNTS, dtype=jnp.int32)).astype(mean.dtype)
        self.deviation = jnp.sqrt(jax.lax.stop_gradient(mean))

    def spread(self, n: int) -> tuple[Float[Array, "n"], Float[Array, "n"]]:
        """`n` counts of one odd distance that reach over the law, and their probabilities, of sum 1."""
        half = jnp.ceil(jnp.maximum(2.0 * _REACH * self.deviation / n - 1.0, 0.0) / 2.0).astype(jnp.int32)
        stride = 2 * half + 1
        begin = jnp.maximum(self.middle - stride * (n // 2), 0)
        at = jnp.minimum(begin + stride * jnp.arange(n, dtype=jnp.int32), _COUNTS - 1)
        p = jnp.where(jnp.diff(at, prepend=-1) > 0, self.p[at], 0.0)
        return self.counts[at], p / jnp.sum(p)

    def above(self, v: Float[Array, "..."], weight: Float[Array, "2"]) -> Float[Array, "..."]:
        """P(v + J n > 0) of this count n and its weight J, the second."""
        j = weight[1]
        connected = j != 0.0
        width = jax.lax.stop_gradient(jnp.max(jnp.abs(weight)))
        size = jnp.where(connected, jnp.abs(j), 1.0)
        rises = jnp.where(j < 0.0, 1.0, -1.0).astype(v.dtype)
        below = _below(rises * v / size, _summed(self.p), self.first, width / size, rises)
        likely = jnp.where(j < 0.0, below, 1.0 - below)
        return jnp.where(connected, likely, step(v, width))


def _summed(p: Float[Array, "counts"]) -> Float[Array, "counts"]:
    """The cumulative sum, by rows and of the rows before: two products, where a scan is fifteen kernels."""
    rows = p.reshape(_ROWS, -1)
    exact = jax.lax.Precision.HIGHEST
    within = jnp.matmul(rows, jnp.triu(jnp.ones((rows.shape[1],) * 2, p.dtype)), precision=exact)
    before = jnp.matmul(jnp.tril(jnp.ones((_ROWS,) * 2, p.dtype), -1), within[:, -1], precision=exact)
    return (within + before[:, None]).reshape(-1)


def _read(
    x: Float[Array, "..."], cumulative: Float[Array, "counts"], first: Int[Array, ""], rises: Float[Array, ""]
) -> Float[Array, "..."]:
    whole = jnp.where(rises > 0.0, jnp.ceil(x) - 1.0, jnp.floor(x))
    place = jnp.clip(whole - first.astype(x.dtype), -1.0, cumulative.size - 1.0).astype(jnp.int32)
    return jnp.where(place >= 0, cumulative[jnp.maximum(place, 0)], 0.0)


@jax.custom_jvp
def _below(
    x: Float[Array, "..."],
    cumulative: Float[Array, "counts"],
    first: Int[Array, ""],
    width: Float[Array, ""],
    rises: Float[Array, ""],
) -> Float[Array, "..."]:
    """P(n < x) of the law with `cumulative` from `first` on, P(n <= x) where `rises` is not positive."""
    return _read(x, cumulative, first, rises)


@_below.defjvp
def _below_jvp(primals: tuple, tangents: tuple) -> tuple:
    # The slope is that of the line through the treads, as of `step`: each step a ramp as wide as the largest weight.
    x, cumulative, first, width, rises = primals
    ends = [_read(x + side * width, cumulative, first, rises) for side in (0.5, -0.5)]
    moved = _read(x, tangents[1], first, rises)
    return _below(*primals), (ends[0] - ends[1]) / width * tangents[0] + moved
