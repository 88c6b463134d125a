"""What a rule becomes once it is drawn: operators from spikes to counts of arrivals."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._deliver import deliver_by_product, deliver_by_rows


class AbstractOperator(eqx.Module):
    """A drawn connectivity; weights are applied after the counts, so that sums stay exact."""

    @property
    @abc.abstractmethod
    def n_pre(self) -> int:
        """Number of sources."""

    @property
    @abc.abstractmethod
    def n_post(self) -> int:
        """Number of targets, side by side."""

    @abc.abstractmethod
    def deliver(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        """Counts of arrivals at each target, for every step of a block."""

    @abc.abstractmethod
    def rmv(self, cotangent: Float[Array, "n_post"]) -> Float[Array, "n_pre"]:
        """The transpose: the sum over the targets of each source."""

    @abc.abstractmethod
    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        """Number of synapses, (post, pre)."""

    @property
    @abc.abstractmethod
    def nnz(self) -> int:
        """Number of synapses."""

    @property
    @abc.abstractmethod
    def count_dtype(self) -> jnp.dtype:
        """The integer type that no step's count can overflow."""

    def mv(self, spikes: Bool[Array, "n_pre"]) -> Int[Array, "n_post"]:
        """Counts of arrivals for the spikes of one step."""
        return self.deliver(spikes[None])[0]


class DenseOperator(AbstractOperator):
    """Multiplicities as a dense integer matrix, one contiguous row a source.

    On a CPU the rows of the sources that spiked are added, elsewhere a block is one product.
    """

    multiplicity: Int[Array, "n_pre n_post"]
    largest_in_degree: int = eqx.field(static=True)
    n_synapses: int = eqx.field(static=True)

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
        return jnp.dtype(jnp.int16 if self.largest_in_degree <= 32_767 else jnp.int32)

    def deliver(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        return jax.lax.platform_dependent(
            self.multiplicity,
            spikes,
            cpu=lambda matrix, s: deliver_by_rows(matrix, s, self.count_dtype),
            default=lambda matrix, s: deliver_by_product(matrix, s, self.count_dtype),
        )

    def rmv(self, cotangent: Float[Array, "n_post"]) -> Float[Array, "n_pre"]:
        return self.multiplicity.astype(cotangent.dtype) @ cotangent

    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        return self.multiplicity.T


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

    def deliver(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        total = jnp.sum(spikes, axis=1, dtype=jnp.int32)[:, None]
        mine = spikes[:, jnp.maximum(self.own, 0)] & (self.own >= 0)
        return total - mine.astype(jnp.int32)

    def rmv(self, cotangent: Float[Array, "n_post"]) -> Float[Array, "n_pre"]:
        left_out = jnp.zeros(self.n_pre + 1, cotangent.dtype).at[self.own].add(cotangent)
        return jnp.sum(cotangent) - left_out[: self.n_pre]

    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        return (self.own[:, None] != jnp.arange(self.n_pre, dtype=self.own.dtype)[None]).astype(jnp.int8)


class DelayedOperator(AbstractOperator):
    """Synapses with a delay of their own, as one padded list of targets a source.

    `targets[j]` lists the targets of source j, padded with `n_post`; `delays` are their delays [ms].
    """

    targets: Int[Array, "n_pre out"]
    delays: Float[Array, "n_pre out"]
    n_targets: int = eqx.field(static=True)
    n_synapses: int = eqx.field(static=True)

    @property
    def n_pre(self) -> int:
        return self.targets.shape[0]

    @property
    def n_post(self) -> int:
        return self.n_targets

    @property
    def nnz(self) -> int:
        return self.n_synapses

    @property
    def count_dtype(self) -> jnp.dtype:
        return jnp.dtype(jnp.int32)

    def with_steps(self, dt: float, least: int, most: int) -> "ScheduledOperator":
        """The same synapses with their delays in steps of `dt` [ms], rounded into [least, most]."""
        steps = jnp.clip(jnp.round(self.delays / dt).astype(jnp.int32), least, most)
        return ScheduledOperator(self.targets, steps, self.n_post)

    def deliver(self, spikes: Bool[Array, "time n_pre"]) -> Int[Array, "time n_post"]:
        undelayed = ScheduledOperator(self.targets, jnp.zeros(self.targets.shape, jnp.int32), self.n_post)
        return undelayed.push(jnp.zeros((spikes.shape[0], self.n_post), self.count_dtype), spikes, 0)

    def rmv(self, cotangent: Float[Array, "n_post"]) -> Float[Array, "n_pre"]:
        return jnp.sum(jnp.append(cotangent, jnp.zeros(1, cotangent.dtype))[self.targets], axis=1)

    def as_matrix(self) -> Int[Array, "n_post n_pre"]:
        sources = jnp.broadcast_to(jnp.arange(self.n_pre)[:, None], self.targets.shape)
        return jnp.zeros((self.n_post, self.n_pre), jnp.int32).at[self.targets, sources].add(1, mode="drop")


class ScheduledOperator(eqx.Module):
    """Synapses with delays in whole steps."""

    targets: Int[Array, "n_pre out"]
    steps: Int[Array, "n_pre out"]
    n_post: int = eqx.field(static=True)

    def push(
        self, pending: Int[Array, "rows n_post"], spikes: Bool[Array, "time n_pre"], offset: int
    ) -> Int[Array, "rows n_post"]:
        """Adds a block's spikes: a spike of row j on a synapse of d steps arrives in row j + d - offset."""
        n_pre = spikes.shape[1]
        flat = spikes.reshape(-1)
        ends = jnp.cumsum(flat.astype(jnp.int32))

        def body(carry: tuple[Int[Array, ""], Int[Array, "rows n_post"]]) -> tuple[Array, Array]:
            rank, rows = carry
            at = jnp.searchsorted(ends, rank, side="right", method="scan").astype(jnp.int32)
            step, source = at // n_pre, at % n_pre
            arrival = step + self.steps[source] - offset
            return rank + 1, rows.at[arrival, self.targets[source]].add(1, mode="drop")

        return jax.lax.while_loop(lambda c: c[0] < ends[-1], body, (jnp.zeros((), jnp.int32), pending))[1]
