"""Every source to every target: nothing to store."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._operator import AbstractOperator


class AllToAllOperator(AbstractOperator):
    """Every source to every target once; `own[i]` is the source that target i leaves out, or -1."""

    own: Int[Array, "n_post"]
    n_sources: int = eqx.field(static=True)
    n_synapses: int = eqx.field(static=True)

    @property
    def n_pre(self) -> int:
        return self.n_sources

    @property
    def n_post(self) -> int:
        return self.own.shape[0]

    @property
    def nnz(self) -> int:
        return self.n_synapses

    @property
    def count_dtype(self) -> jnp.dtype:
        return jnp.dtype(jnp.int32)

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        total = jnp.sum(spikes, axis=1, dtype=jnp.int32)[:, None]
        mine = spikes[:, jnp.maximum(self.own, 0)] & (self.own >= 0)
        return total - mine.astype(jnp.int32)

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        masked = jnp.where(sensitive, values, 0)
        mine = jnp.where(self.own >= 0, masked[:, jnp.maximum(self.own, 0)], 0)
        return jnp.sum(masked, axis=1, keepdims=True) - mine

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        # An `own` of -1 adds to a last column of its own, which is cut off.
        left_out = jnp.zeros((cotangents.shape[0], self.n_pre + 1), cotangents.dtype).at[:, self.own].add(cotangents)
        everyone = jnp.sum(cotangents, axis=1, keepdims=True) - left_out[:, : self.n_pre]
        return jnp.where(sensitive, everyone, 0)

    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        return (self.own[:, None] != jnp.arange(self.n_pre, dtype=self.own.dtype)[None]).astype(jnp.int8)
