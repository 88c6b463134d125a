"""Lists of targets: one list a source, each synapse with a delay of its own where the projection asks for it."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Integer, Real

from .._numerics._primitive import define, one_by_one
from ._delivery import SIDE_BY_SIDE, AbstractDelivery
from ._events import events
from ._native import push_natively
from ._operator import AbstractOperator, AbstractScheduled, count_dtype
from ._primitive import bind_counts, bind_linear


class SparseOperator(AbstractOperator):
    """Targets of source j at `targets[offsets[j] : offsets[j + 1]]`, repeated where a synapse is.

    `numbers` are the delays in multiples of `grid` [ms], one a synapse in the same order, or None where the projection
    has one delay. `weights` are None where arrivals are counted; whole numbers of 16 bits in multiples of `quantum`,
    whose sums are exact in 32 bits in any order; or floats, added in the order of spikes (by step and then by source).
    """

    offsets: Int[Array, "n_pre_and_1"]
    targets: Integer[Array, "nnz"]
    numbers: Integer[Array, "nnz"] | None
    weights: Real[Array, "nnz"] | None
    quantum: Float[Array, ""] | None
    grid: float = eqx.field(static=True)
    n_targets: int = eqx.field(static=True)
    largest_out_degree: int = eqx.field(static=True)
    largest_in_degree: int = eqx.field(static=True)
    delivery: AbstractDelivery = eqx.field(static=True)

    @property
    def n_pre(self) -> int:
        return self.offsets.shape[0] - 1

    @property
    def n_post(self) -> int:
        return self.n_targets

    @property
    def nnz(self) -> int:
        return self.targets.shape[0]

    @property
    def count_dtype(self) -> jnp.dtype:
        if self.weights is None:
            return count_dtype(self.largest_in_degree)
        return jnp.result_type(float) if self.quantum is None else jnp.dtype(jnp.int32)

    @property
    def arrival_unit(self) -> Float[Array, ""] | None:  # type: ignore[override]
        return self.quantum

    @property
    def delays(self) -> Float[Array, "nnz"] | None:
        """The delays [ms]; None where the projection has one delay."""
        return None if self.numbers is None else self.numbers.astype(jnp.float32) * np.float32(self.grid)

    def delay_steps(self, dt: float, least: int, most: int) -> Integer[Array, "nnz"] | None:
        """The delays in steps of `dt` [ms], rounded into [least, most]; None where the projection has one delay."""
        delays = self.delays
        if self.numbers is None or delays is None:
            return None
        if self.numbers.dtype == jnp.uint8 and self.grid == dt:
            return self.numbers  # drawn in steps already
        narrow = jnp.uint8 if most <= np.iinfo(np.uint8).max else jnp.int16
        return jnp.clip(jnp.round(delays / dt), least, most).astype(narrow)

    def scheduled(self, steps: Integer[Array, "nnz"], n_rows: int, offset: Int[Array, ""]) -> "ScheduledOperator":
        return ScheduledOperator(self, steps, n_rows, offset)

    def _undelayed(self, n_rows: int) -> "ScheduledOperator":
        return ScheduledOperator(self, None, n_rows, jnp.zeros((), jnp.int32))

    def count(self, spikes: Bool[Array, "time n_pre"]) -> Real[Array, "time n_post"]:
        n_rows = spikes.shape[0]
        return self._undelayed(n_rows).count(jnp.zeros((n_rows, self.n_post), self.count_dtype), spikes)

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        return self._undelayed(values.shape[0]).push_forward(values, sensitive)

    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        return self._undelayed(cotangents.shape[0]).pull_back(cotangents, sensitive)

    def as_matrix(self) -> Real[Array, "n_post n_pre"]:
        sources = jnp.searchsorted(self.offsets, jnp.arange(self.nnz, dtype=self.offsets.dtype), side="right") - 1
        each = 1 if self.weights is None else self.weights.astype(self.count_dtype)
        total = jnp.zeros((self.n_post, self.n_pre), self.count_dtype).at[self.targets, sources].add(each)
        return total if self.quantum is None else total.astype(jnp.result_type(float)) * self.quantum


class ScheduledOperator(AbstractScheduled):
    """Synapses with delays in whole steps, onto `n_rows` steps to come.

    A spike of row j on a synapse of d steps arrives in row j + d - `offset`; without `steps`, in row j.
    """

    synapses: SparseOperator
    steps: Integer[Array, "nnz"] | None
    n_rows: int = eqx.field(static=True)
    offset: Int[Array, ""]

    rows_alone: ClassVar[bool] = False

    @property
    def count_dtype(self) -> jnp.dtype:
        return self.synapses.count_dtype

    def nothing(self) -> Real[Array, "rows n_post"]:
        return jnp.zeros((self.n_rows, self.synapses.n_post), self.count_dtype)

    def push(
        self, pending: Real[Array, "rows n_post"], spikes: Bool[Array, "time n_pre"]
    ) -> Real[Array, "rows n_post"]:
        """Adds a block's spikes to what is on its way; elements of a batch one after another."""
        return bind_counts(self, pending, spikes)

    def count(
        self, pending: Real[Array, "rows n_post"], spikes: Bool[Array, "time n_pre"]
    ) -> Real[Array, "rows n_post"]:
        """`push` without the rules of vmap."""
        if self.synapses.delivery.is_native():
            leaves, structure = jax.tree_util.tree_flatten(self)
            return _push.bind(*leaves, pending, spikes, structure=structure)
        return self.walk(pending, spikes, self.synapses.delivery.spikes_at_once())

    def walk(
        self, pending: Real[Array, "rows n_post"], spikes: Bool[Array, "time n_pre"], window: int
    ) -> Real[Array, "rows n_post"]:
        """`count` in plain XLA, `window` spikes at once."""

        def add(step: Array, source: Array, there: Array, rows: Array) -> Array:
            lists = self._lists(source, step, there)
            each = 1 if lists.weights is None else lists.weights.astype(rows.dtype)
            return rows.at[jnp.where(lists.real, lists.rows, self.n_rows), lists.targets].add(each, mode="drop")

        return self._visit(spikes, add, pending, window)

    def walk_natively(
        self, pending: Real[Array, "rows n_post"], spikes: Bool[Array, "time n_pre"]
    ) -> Real[Array, "rows n_post"]:
        """`count` by the kernel."""
        op = self.synapses
        return push_natively(pending, spikes, op.offsets, op.targets, self.steps, op.weights, self.offset)

    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "rows n_post"]:
        """The sum over sources of values that are taken as 0 where not `sensitive`."""

        def add(step: Array, source: Array, there: Array, rows: Array) -> Array:
            lists = self._lists(source, step, there)
            each = lists.weighted(values[step, source][:, None])
            return rows.at[jnp.where(lists.real, lists.rows, self.n_rows), lists.targets].add(each, mode="drop")

        return self._visit(sensitive, add, jnp.zeros((self.n_rows, self.synapses.n_post), values.dtype))

    def pull_back(
        self, cotangents: Float[Array, "rows n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        """The transpose: the sum over the targets of each source, 0 where not `sensitive`."""
        n_steps = sensitive.shape[0]

        def gather(step: Array, source: Array, there: Array, total: Array) -> Array:
            lists = self._lists(source, step, there)
            read = lists.weighted(cotangents[jnp.where(lists.real, lists.rows, 0), lists.targets])
            seen = jnp.where(lists.real, read, 0)
            return total.at[jnp.where(there, step, n_steps), source].set(jnp.sum(seen, axis=1), mode="drop")

        return self._visit(sensitive, gather, jnp.zeros(sensitive.shape, cotangents.dtype))

    def _lists(self, source: Array, step: Array, there: Array) -> "_Lists":
        """The synapses of spikes, one padded row a spike."""
        op, width = self.synapses, self.synapses.largest_out_degree
        begin, end = op.offsets[source], op.offsets[source + 1]
        at = begin[:, None] + jnp.arange(width, dtype=begin.dtype)
        real = (at < end[:, None]) & there[:, None]
        at = jnp.minimum(at, max(op.nnz - 1, 0))
        arrival = step[:, None] if self.steps is None else step[:, None] + self.steps[at].astype(jnp.int32)
        rows = jnp.broadcast_to(arrival - self.offset, at.shape)
        weights = None if op.weights is None else op.weights[at]
        return _Lists(rows, op.targets[at].astype(jnp.int32), weights, real)

    def _visit(self, marked: Bool[Array, "time n_pre"], body, carry: Array, window: int | None = None) -> Array:
        """Visits the marked sources of a block, a window at a time."""
        n_pre = marked.shape[1]
        if self.synapses.nnz == 0:
            return carry
        return events(marked.reshape(-1)).visit(
            window or self.synapses.delivery.spikes_at_once(),
            lambda index, there, rows: body(index // n_pre, index % n_pre, there, rows),
            carry,
        )

    def linear(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "rows n_post"]:
        """`push_forward` with derivatives in both modes."""
        return bind_linear(self, values, sensitive)


class _Lists(eqx.Module):
    """Synapses of spikes: row of arrival, target and weight, and which of the padded places are one."""

    rows: Int[Array, "window longest"]
    targets: Int[Array, "window longest"]
    weights: Real[Array, "window longest"] | None
    real: Bool[Array, "window longest"]

    def weighted(self, values: Float[Array, "window _"]) -> Float[Array, "window _"]:
        """`values` times the weights, where there are some."""
        return values if self.weights is None else values * self.weights.astype(values.dtype)


def _walk(*arguments: Array, structure: Any) -> Array:
    *leaves, pending, spikes = arguments
    return jax.tree_util.tree_unflatten(structure, leaves).walk(pending, spikes, SIDE_BY_SIDE)


def _walk_on_cpu(*arguments: Array, structure: Any) -> Array:
    *leaves, pending, spikes = arguments
    return jax.tree_util.tree_unflatten(structure, leaves).walk_natively(pending, spikes)


# Lists that are walked by a kernel, which only a CPU has.
_push = define(
    "push_arrivals",
    _walk,
    on_cpu=_walk_on_cpu,
    batch=one_by_one,
    shape=lambda *arguments, structure: arguments[-2],
    static=("structure",),
)
