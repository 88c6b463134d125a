"""Poisson counts from one uniform each, by comparison with a table of tail probabilities."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt

# P(X > 63) at a mean of 25 is 3e-11, below the 2^-32 that 32 random bits can resolve.
_N_THRESHOLDS = 64
_LARGEST_MEAN = 25.0


class PoissonTable(eqx.Module):
    """Thresholds for drawing Poisson counts of given means: X = #{k : bits < 2^32 P(X > k)}.

    A mean above 25 is the sum of several equal draws, which is Poisson too. `mean` has any shape
    that broadcasts to the draw; the table is made once, outside the loop.
    """

    n_draws: Int[Array, ""]
    thresholds: UInt[Array, "64 *shape"]

    def __init__(self, mean: Float[Array, "*shape"]):
        self.n_draws = jnp.maximum(1, jnp.ceil(jnp.max(mean) / _LARGEST_MEAN)).astype(jnp.int32)
        share = mean / self.n_draws.astype(mean.dtype)
        counts = jnp.arange(1, _N_THRESHOLDS + 32, dtype=mean.dtype)

        def times_ratio(p: Float[Array, "*shape"], k: Float[Array, ""]) -> tuple[Array, Array]:
            p = p * share / k
            return p, p

        pmf = lax.scan(times_ratio, jnp.exp(-share), counts)[1]
        # From the far end, so that small tails keep their relative accuracy.
        tails = lax.scan(lambda tail, p: (tail + p, tail + p), jnp.zeros_like(share), pmf, reverse=True)[1]
        # At most the largest float below 2^32: the conversion of 2^32 itself is undefined.
        most = jnp.nextafter(jnp.asarray(2.0**32, mean.dtype), jnp.zeros((), mean.dtype))
        self.thresholds = jnp.minimum(tails[:_N_THRESHOLDS] * 2.0**32, most).astype(jnp.uint32)

    def sample(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Int[Array, "..."]:
        """Counts of `shape`; element i depends on `key`, i and its mean only."""

        def draw(i: Int[Array, ""], total: Int[Array, "..."]) -> Int[Array, "..."]:
            bits = jax.random.bits(jax.random.fold_in(key, i), shape, jnp.uint32)
            for k in range(_N_THRESHOLDS):
                total = total + (bits < self.thresholds[k]).astype(jnp.int32)
            return total

        return lax.fori_loop(0, self.n_draws, draw, jnp.zeros(shape, jnp.int32))
