"""Delivery with derivatives: counts of spikes forward, the linear map of the surrogate's derivative beside it."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from ..connectivity import AbstractOperator, ScheduledOperator
from ..models import Firing


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
