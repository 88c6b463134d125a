"""Multiplicities as a dense integer matrix: rows added where a source spiked, or one matrix product."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Real

from ._delivery import AbstractDelivery
from ._events import Events, events
from ._operator import AbstractOperator, count_dtype
from ._row_products import pull_through_rows, push_through_rows

# Rows added by one kernel: enough for the processor to stream them, few enough that little is read in vain.
_ROWS_AT_ONCE = 16


class DenseOperator(AbstractOperator):
    """The number of synapses from every source to every target, one contiguous row a source.

    `delivery` says how: `Rows()` adds the rows of the sources that spiked, `Product()` multiplies.
    """

    multiplicity: Real[Array, "n_pre n_post"]
    largest_multiplicity: int = eqx.field(static=True)
    largest_in_degree: int = eqx.field(static=True)
    n_synapses: int = eqx.field(static=True)
    delivery: AbstractDelivery = eqx.field(static=True)

    @property
    def n_pre(self) -> int:
        return self.multiplicity.shape[0]

    @property
    def n_post(self) -> int:
        return self.multiplicity.shape[1]

    @property
    def nnz(self) -> int:
        return self.n_synapses

    @property
    def count_dtype(self) -> jnp.dtype:
        return count_dtype(self.largest_in_degree)

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        if self.delivery.product_dtype() is not None:
            return self._product(spikes)
        packed = events(spikes)
        return lax.map(lambda row: self._add_rows(row), packed)

    def _product(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        dtype = self.multiplicity.dtype
        # Integers below 2^24 are exact in float32, and wider in int32.
        wide = jnp.float32 if jnp.issubdtype(dtype, jnp.floating) else jnp.int32
        product = lax.dot_general(
            spikes.astype(dtype), self.multiplicity, (((1,), (0,)), ((), ())), preferred_element_type=wide
        )
        return product.astype(self.count_dtype)

    def _add_rows(self, row: Events) -> Int[Array, "n_post"]:
        """The sum of the rows of the sources that spiked in one step."""
        matrix = self.multiplicity
        # As many rows as the narrow type can sum are summed in it: its vectors hold twice as many neurons.
        in_group = max(1, min(_ROWS_AT_ONCE, jnp.iinfo(matrix.dtype).max // max(1, self.largest_multiplicity)))

        def add(sources: Array, there: Array, counts: Array) -> Array:
            keep = jnp.where(there, -1, 0).astype(matrix.dtype)  # all bits or none: cheaper than a product
            for begin in range(0, _ROWS_AT_ONCE, in_group):  # written out, so that one kernel streams the rows
                part = jnp.zeros(matrix.shape[1], matrix.dtype)
                for i in range(begin, min(begin + in_group, _ROWS_AT_ONCE)):
                    part = part + (lax.dynamic_index_in_dim(matrix, sources[i], 0, keepdims=False) & keep[i])
                counts = counts + part.astype(counts.dtype)
            return counts

        return row.visit(_ROWS_AT_ONCE, add, jnp.zeros(matrix.shape[1], self.count_dtype))

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        if self.delivery.product_dtype() is not None:
            return jnp.where(sensitive, values, 0) @ self.multiplicity.astype(values.dtype)
        return push_through_rows(self._some, self.n_post, values, sensitive)

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        if self.delivery.product_dtype() is not None:
            return jnp.where(sensitive, cotangents @ self.multiplicity.T.astype(cotangents.dtype), 0)
        return pull_through_rows(self._some, cotangents, sensitive)

    def _some(self, sources: Int[Array, "rows"]) -> Real[Array, "rows n_post"]:
        return self.multiplicity[sources]

    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        return self.multiplicity.T.astype(self.count_dtype)
