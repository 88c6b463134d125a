"""Poisson counts from one uniform each, by comparison with a table of tail probabilities."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt

from ._bits import random_bits
from ._primitive import define_mapped
from ._two_float import TwoFloat

# P(X > 63) at a mean of 25 is 3e-11, below the 2^-32 that 32 random bits can resolve.
_N_THRESHOLDS = 64
LARGEST_MEAN = 25.0
# Thresholds compared at once; most tables end within the first group.
_GROUP = 16


class PoissonTable(eqx.Module):
    """Thresholds for drawing Poisson counts of given means: X = #{k : bits < 2^32 P(X > k)}.

    The probabilities are right to 2^-32 in float32 too: they are computed in pairs of floats. A mean
    above 25 is the sum of several equal draws, which is Poisson too. `mean` is one number or one a
    neuron; the table is made once, outside the loop.
    """

    mean: Float[Array, "*shape"]
    n_draws: Int[Array, ""]
    n_thresholds: Int[Array, ""]
    thresholds: UInt[Array, "64 *shape"]
    few: bool = eqx.field(static=True)
    """Whether every mean is known to be at most 25, so that one draw is enough."""

    def __init__(self, mean: Float[Array, "*shape"] | TwoFloat, few: bool = False):
        self.few = few
        mean = mean if isinstance(mean, TwoFloat) else TwoFloat.of(mean)
        dtype = mean.high.dtype
        self.mean = mean.high
        mean = jax.lax.stop_gradient(mean)
        self.n_draws = jnp.maximum(1, jnp.ceil(jnp.max(mean.high) / LARGEST_MEAN)).astype(jnp.int32)
        share = mean.over(jnp.broadcast_to(self.n_draws.astype(dtype), mean.high.shape))
        ones = TwoFloat.of(jnp.ones_like(share.high))

        def next_weight(weight: TwoFloat, k: Float[Array, ""]) -> tuple[TwoFloat, TwoFloat]:
            weight = (weight * share).over(jnp.broadcast_to(k, share.high.shape))
            return weight, weight

        # Weights share^k / k!, whose sum divides them: no exponential, only sums and products.
        weights = lax.scan(next_weight, ones, jnp.arange(1, _N_THRESHOLDS + 48, dtype=dtype))[1]
        nothing = TwoFloat.of(jnp.zeros_like(share.high))

        def next_tail(tail: TwoFloat, weight: TwoFloat) -> tuple[TwoFloat, TwoFloat]:
            tail = tail + weight
            return tail, tail

        # From the far end, so that small tails keep their relative accuracy.
        total, tails = lax.scan(next_tail, nothing, weights, reverse=True)
        total = total + ones
        self.thresholds = jax.vmap(lambda tail: _as_bits(tail / total))(tails)[:_N_THRESHOLDS]
        used = jnp.any((self.thresholds > 0).reshape(_N_THRESHOLDS, -1), axis=1)
        self.n_thresholds = jnp.sum(used, dtype=jnp.int32)

    def sample(self, key: PRNGKeyArray, n: int) -> Float[Array, "n"]:
        """Counts of `n` neurons as floats with a derivative; element i depends on `key`, i and its mean only."""
        return _with_derivative(self.count(key, n), self.mean)

    def count(self, key: PRNGKeyArray, n: int) -> Int[Array, "n"]:
        """The same counts as integers."""
        words = jax.random.key_data(key)
        return _counts.bind(words, self.thresholds, self.n_draws, self.n_thresholds, n=n, few=self.few)


def _count_in_groups(
    words: Array, thresholds: Array, n_draws: Array, n_thresholds: Array, *, n: int, few: bool
) -> Int[Array, "n"]:
    """With as few comparisons as the means ask for."""
    groups = (n_thresholds + _GROUP - 1) // _GROUP
    key = jax.random.wrap_key_data(words, impl="threefry2x32")

    def draw(i: Int[Array, ""], total: Int[Array, "n"]) -> Int[Array, "n"]:
        bits = random_bits(jax.random.fold_in(key, i), n)

        def compare(group: Int[Array, ""], counts: Int[Array, "n"]) -> Int[Array, "n"]:
            levels = lax.dynamic_slice_in_dim(thresholds, group * _GROUP, _GROUP)
            for k in range(_GROUP):
                counts = counts + (bits < levels[k]).astype(jnp.int32)
            return counts

        return lax.fori_loop(0, groups, compare, total)

    return lax.fori_loop(0, n_draws, draw, jnp.zeros(n, jnp.int32))


def _count_at_once(
    words: Array, thresholds: Array, n_draws: Array, n_thresholds: Array, *, n: int, few: bool
) -> Int[Array, "n"]:
    """The same with all comparisons: a GPU waits for the host in every turn of a loop whose length it is not told."""
    key = jax.random.wrap_key_data(words, impl="threefry2x32")

    def draw(i: Int[Array, ""] | int, counts: Int[Array, "n"]) -> Int[Array, "n"]:
        bits = random_bits(jax.random.fold_in(key, i), n)
        for k in range(_N_THRESHOLDS):
            counts = counts + (bits < thresholds[k]).astype(jnp.int32)
        return counts

    nothing = jnp.zeros(n, jnp.int32)
    return draw(0, nothing) if few else lax.fori_loop(0, n_draws, draw, nothing)


_counts = define_mapped(
    "poisson_counts",
    _count_at_once,
    on_cpu=_count_in_groups,
    shape=lambda *arguments, n, few: jax.ShapeDtypeStruct((n,), jnp.int32),
    static=("n", "few"),
)


@jax.custom_jvp
def _with_derivative(counts: Int[Array, "n"], mean: Float[Array, "*shape"]) -> Float[Array, "n"]:
    """Poisson counts as floats with d count / d mean = (count + mean) / (2 mean).

    This is the derivative of mean + sqrt(mean) z at the z of the count. In expectation it is that of the first and
    the second moment of a Poisson count, exactly.
    """
    return counts.astype(mean.dtype)


@_with_derivative.defjvp
def _with_derivative_jvp(primals: tuple, tangents: tuple) -> tuple[Float[Array, "n"], Float[Array, "n"]]:
    (counts, mean), (_, change) = primals, tangents
    value = _with_derivative(counts, mean)
    drawn = mean > 0
    slope = jnp.where(drawn, (value + mean) / (2.0 * jnp.where(drawn, mean, 1.0)), 1.0)
    return value, slope * change


def below_probability(bits: UInt[Array, "..."], p: Float[Array, "..."]) -> Bool[Array, "..."]:
    """True with probability `p`, right to 2^-32, where `bits` are 32 random ones: a float32 uniform has 2^-23 steps."""
    return bits < _as_bits(TwoFloat.of(p))


def _as_bits(probability: TwoFloat) -> UInt[Array, "*shape"]:
    """floor(2^32 p) as an unsigned integer, at most 2^32 - 1."""
    scale = 2.0**32
    whole = jnp.floor(probability.high * scale)
    rest = (probability.high * scale - whole) + probability.low * scale
    # 2^32 itself is no uint32: its conversion is undefined.
    most = jnp.nextafter(jnp.asarray(scale, whole.dtype), jnp.zeros((), whole.dtype))
    overflows = whole > most
    # The correction may be negative: it is added modulo 2^32.
    correction = jnp.floor(rest).astype(jnp.int32).astype(jnp.uint32)
    found = jnp.minimum(whole, most).astype(jnp.uint32) + jnp.where(overflows, jnp.uint32(0), correction)
    return jnp.where(overflows & (rest >= 0), jnp.uint32(0xFFFFFFFF), jnp.where(overflows, correction, found))
