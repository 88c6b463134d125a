"""Delivery with derivatives: counts of spikes forward, the linear map of the surrogate's derivative beside it."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Integer, Shaped

from ..connectivity import AbstractOperator, AbstractScheduled, AbstractWeights, spike_product
from ..models import Firing


class AbstractArrivals(eqx.Module):
    """How the spikes of a projection become what arrives at its targets: rows of steps to come, of each target."""

    @abc.abstractmethod
    def timeline(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "_ n_post"]:
        """What arrives in each step from the first of the block on: `pending`, and the spikes of the block."""

    def way(self) -> str:
        """How, in a few words, where the weights are given."""
        return "by what was drawn"

    def advance(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "rows n_post"]:
        """`pending` after a block: what has arrived is taken off, the block's spikes are put at the back."""
        return self.timeline(pending, firing)[firing.spikes.shape[0] :]

    def written(
        self, line: Shaped[Array, "steps n_post"], at: Int[Array, ""], rows: int, firing: Firing
    ) -> Shaped[Array, "steps n_post"]:
        """`line` with the spikes of a block that begins in its row `at`; filled so far are `rows` from there."""
        pending = lax.dynamic_slice_in_dim(line, at, rows)
        return lax.dynamic_update_slice_in_dim(line, self.timeline(pending, firing), at, 0)


class DrawnArrivals(AbstractArrivals):
    """A drawn wiring with one delay."""

    operator: AbstractOperator

    def timeline(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "_ n_post"]:
        return jnp.concatenate([pending, deliver(self.operator, firing)])

    def advance(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "rows n_post"]:
        # Cut first, so that no row is copied that goes at once.
        return jnp.concatenate([pending[firing.spikes.shape[0] :], deliver(self.operator, firing)])

    def written(
        self, line: Shaped[Array, "steps n_post"], at: Int[Array, ""], rows: int, firing: Firing
    ) -> Shaped[Array, "steps n_post"]:
        return lax.dynamic_update_slice_in_dim(line, deliver(self.operator, firing), at + rows, 0)


class DelayedArrivals(AbstractArrivals):
    """A drawn wiring whose synapses have delays of their own, in whole steps."""

    operator: AbstractOperator
    steps: Integer[Array, "nnz"]

    def timeline(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "_ n_post"]:
        return jnp.concatenate([pending[: firing.spikes.shape[0]], self.advance(pending, firing)])

    def advance(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "rows n_post"]:
        n_steps = firing.spikes.shape[0]
        return self.written(with_room(pending[n_steps:], n_steps), jnp.asarray(-n_steps, jnp.int32), 0, firing)

    def written(
        self, line: Shaped[Array, "steps n_post"], at: Int[Array, ""], rows: int, firing: Firing
    ) -> Shaped[Array, "steps n_post"]:
        return push(self.operator.scheduled(self.steps, line.shape[0], -at), line, firing)


class MatrixArrivals(AbstractArrivals):
    """Given weights as a matrix, a row a source."""

    rows: Float[Array, "n_pre n_post"]

    def way(self) -> str:
        return "matrix product"

    def timeline(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "_ n_post"]:
        if firing.weighted:
            return jnp.concatenate([pending, _amplitudes(firing) @ self.rows])
        return jnp.concatenate([pending, spike_product(firing.spikes, firing.soft, self.rows)])


class GivenArrivals(AbstractArrivals):
    """Given weights that are summed in a way of their own."""

    weights: AbstractWeights

    def way(self) -> str:
        return f"product of {type(self.weights).__name__}"

    def timeline(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "_ n_post"]:
        return jnp.concatenate([pending, self.weights.arrivals(_amplitudes(firing))])


class SharedArrivals(AbstractArrivals):
    """Given weights whose spikes arrive in parts: a matrix for each delay from `least` steps on."""

    by_delay: Float[Array, "steps n_post n_pre"]
    least: int = eqx.field(static=True)

    def way(self) -> str:
        return "matrix product for each delay"

    def timeline(self, pending: Shaped[Array, "rows n_post"], firing: Firing) -> Shaped[Array, "_ n_post"]:
        values = _amplitudes(firing)
        n_steps, n_delays = values.shape[0], self.by_delay.shape[0]
        fresh = jnp.concatenate([pending, jnp.zeros((n_steps, pending.shape[1]), pending.dtype)])
        products = jnp.einsum("tj,kij->tki", values, self.by_delay)
        if n_steps < n_delays:
            for t in range(n_steps):
                fresh = fresh.at[self.least + t : self.least + t + n_delays].add(products[t])
            return fresh
        for k in range(n_delays):
            fresh = fresh.at[self.least + k : self.least + k + n_steps].add(products[:, k])
        return fresh


def with_room(pending: Shaped[Array, "rows n_post"], n_steps: int) -> Shaped[Array, "steps n_post"]:
    """What is on its way, and rows for the spikes of `n_steps` to come."""
    return jnp.concatenate([pending, jnp.zeros((n_steps, pending.shape[1]), pending.dtype)])


def _amplitudes(firing: Firing) -> Float[Array, "time n_pre"]:
    """The spikes as floats, with their surrogate derivative or their amplitudes where they have some."""
    return firing.spikes.astype(jnp.result_type(float)) if firing.soft is None else firing.soft


def with_amplitude(firing: Firing, used: Float[Array, "time n_pre"]) -> Firing:
    """The spikes of a block, each with an amplitude of its own (0 where there is none)."""
    if firing.soft is None or firing.sensitive is None:
        return Firing(firing.spikes, used, firing.spikes, weighted=True)
    # A spike that nearly came carries the derivative of one of the last amplitude; its own is 0.
    return Firing(firing.spikes, firing.soft * used, firing.sensitive | firing.spikes, weighted=True)


def deliver(operator: AbstractOperator, firing: Firing) -> Shaped[Array, "time n_post"]:
    """Arrivals of a block: integer counts, or floats with a derivative where there is a surrogate."""
    if firing.soft is None or firing.sensitive is None:
        return operator.deliver(firing.spikes)
    if firing.weighted:
        return operator.linear(firing.soft, firing.sensitive)
    return _deliver(operator, firing.spikes, firing.soft, firing.sensitive)


def push(
    operator: AbstractScheduled, pending: Shaped[Array, "rows n_post"], firing: Firing
) -> Shaped[Array, "rows n_post"]:
    """`pending` and the arrivals of a block on synapses with delays of their own."""
    if firing.soft is None or firing.sensitive is None:
        return operator.push(pending, firing.spikes)
    if firing.weighted:
        return pending + operator.linear(firing.soft, firing.sensitive)
    return pending + _push(operator, firing.spikes, firing.soft, firing.sensitive)


@jax.custom_jvp
def _deliver(
    operator: AbstractOperator,
    spikes: Bool[Array, "time n_pre"],
    soft: Float[Array, "time n_pre"],
    sensitive: Bool[Array, "time n_pre"],
) -> Float[Array, "time n_post"]:
    return operator.deliver(spikes).astype(soft.dtype)


@_deliver.defjvp
def _deliver_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    operator, _, _, sensitive = primals
    return _deliver(*primals), operator.linear(tangents[2], sensitive)


@jax.custom_jvp
def _push(
    operator: AbstractScheduled,
    spikes: Bool[Array, "time n_pre"],
    soft: Float[Array, "time n_pre"],
    sensitive: Bool[Array, "time n_pre"],
) -> Float[Array, "rows n_post"]:
    return operator.push(operator.nothing(), spikes).astype(soft.dtype)


@_push.defjvp
def _push_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    operator, _, _, sensitive = primals
    return _push(*primals), operator.linear(tangents[2], sensitive)
