"""Weights of drawn synapses as a matrix of floats: rows added where a source spiked, or one matrix product."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ._delivery import AbstractDelivery
from ._events import Events, events
from ._operator import AbstractOperator
from ._row_products import pull_through_rows, push_through_rows

# Rows added by one kernel, as for counts.
_ROWS_AT_ONCE = 16


class WeightedOperator(AbstractOperator):
    """The summed weights of the synapses of every pair, one contiguous row a source; arrivals are floats.

    `delivery` says how: `Rows()` adds the rows of the sources that spiked, in their order; `Product()` multiplies.
    """

    matrix: Float[Array, "n_pre n_post"]
    n_synapses: int = eqx.field(static=True)
    delivery: AbstractDelivery = eqx.field(static=True)

    @property
    def n_pre(self) -> int:
        return self.matrix.shape[0]

    @property
    def n_post(self) -> int:
        return self.matrix.shape[1]

    @property
    def nnz(self) -> int:
        return self.n_synapses

    @property
    def count_dtype(self) -> jnp.dtype:
        return jnp.result_type(float)

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        if self.delivery.product_dtype() is not None:
            return self._times(spikes.astype(self.matrix.dtype), 0).astype(self.count_dtype)
        return lax.map(lambda row: self._add_rows(row), events(spikes))

    def _times(self, rows: Float[Array, "time _"], axis: int) -> Float[Array, "time _"]:
        """A product with the matrix over its sources (axis 0) or its targets (1), in full precision on every device."""
        matrix = self.matrix.astype(rows.dtype)
        return lax.dot_general(rows, matrix, (((1,), (axis,)), ((), ())), precision=lax.Precision.HIGHEST)

    def _add_rows(self, row: Events) -> Float[Array, "n_post"]:
        matrix = self.matrix

        def add(sources: Array, there: Array, total: Array) -> Array:
            for i in range(_ROWS_AT_ONCE):  # written out, so that one kernel streams the rows
                own = lax.dynamic_index_in_dim(matrix, sources[i], 0, keepdims=False)
                total = total + jnp.where(there[i], own, 0).astype(total.dtype)
            return total

        return row.visit(_ROWS_AT_ONCE, add, jnp.zeros(matrix.shape[1], self.count_dtype))

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        if self.delivery.product_dtype() is not None:
            return self._times(jnp.where(sensitive, values, 0), 0)
        return push_through_rows(self._some, self.n_post, values, sensitive)

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        if self.delivery.product_dtype() is not None:
            return jnp.where(sensitive, self._times(cotangents, 1), 0)
        return pull_through_rows(self._some, cotangents, sensitive)

    def _some(self, sources: Int[Array, "rows"]) -> Float[Array, "rows n_post"]:
        return self.matrix[sources]

    def as_matrix(self) -> Float[Array, "n_post n_pre"]:
        return self.matrix.T.astype(self.count_dtype)
