"""Delivery with derivatives: counts of spikes forward, the linear map of the surrogate's derivative beside it."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from ..connectivity import AbstractOperator, AbstractWeights, ScheduledOperator, spike_product
from ..models import Firing


class GivenArrivals(eqx.Module):
    """Given weights: as a matrix of rows of sources, as they are, or by delay for each step from `least` on."""

    rows: Float[Array, "n_pre n_post"] | None
    weights: AbstractWeights | None
    by_delay: Float[Array, "steps n_post n_pre"] | None
    least: int = eqx.field(static=True)

    def timeline(self, pending: Float[Array, "rows n_post"], firing: Firing) -> Float[Array, "_ n_post"]:
        """What arrives in each step from the first of the block on: `pending`, and the spikes of the block."""
        floats = jnp.result_type(float)
        values = firing.spikes.astype(floats) if firing.soft is None else firing.soft
        if self.rows is not None:
            arrivals = values @ self.rows if firing.weighted else spike_product(firing.spikes, firing.soft, self.rows)
            return jnp.concatenate([pending, arrivals])
        if self.weights is not None:
            return jnp.concatenate([pending, self.weights.arrivals(values)])
        assert self.by_delay is not None
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
    operator: ScheduledOperator, pending: Shaped[Array, "rows n_post"], firing: Firing
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
    operator: ScheduledOperator,
    spikes: Bool[Array, "time n_pre"],
    soft: Float[Array, "time n_pre"],
    sensitive: Bool[Array, "time n_pre"],
) -> Float[Array, "rows n_post"]:
    nothing = jnp.zeros((operator.n_rows, operator.synapses.n_post), operator.count_dtype)
    return operator.push(nothing, spikes).astype(soft.dtype)


@_push.defjvp
def _push_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    operator, _, _, sensitive = primals
    return _push(*primals), operator.linear(tangents[2], sensitive)
