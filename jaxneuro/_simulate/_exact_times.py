"""Runs whose spikes have times inside their steps: the network with neurons and synapses that know of them."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._network import Network
from ..models import Firing
from ._deliver import AbstractArrivals


def with_exact_times(net: Network, dt: float) -> Network:
    """The network whose neurons spike inside their steps.

    Raises `ValueError` where a neuron, a synapse or a drive has no such form, or a delay is not a whole number of steps
    of `dt` [ms].
    """
    models = [net.populations[name].model.inside_steps(name) for name in net.neuron_names]
    drives = tuple(drive.inside_steps(f"`drives[{i}]`") for i, drive in enumerate(net.drives))
    synapses = [p.synapse.inside_steps(f"`projections[{i}]`") for i, p in enumerate(net.projections)]
    for index, projection in enumerate(net.projections):
        delay = projection.delay
        if not isinstance(delay, float) or abs(delay / dt - round(delay / dt)) > 1e-6:
            raise ValueError(
                f"`spike_times`: `projections[{index}].delay` has to be one number, of whole steps of {dt:g} ms; "
                f"got {delay}."
            )
    net = eqx.tree_at(lambda n: [n.populations[name].model for name in n.neuron_names], net, models)
    net = eqx.tree_at(lambda n: [p.synapse for p in n.projections], net, synapses) if synapses else net
    return eqx.tree_at(lambda n: n.drives, net, drives)


def off_grid_arrivals(
    arrivals: AbstractArrivals, pending: Float[Array, "rows n_post 3"], fired: Firing, dt: float
) -> Float[Array, "rows n_post 3"]:
    """`pending` after a block: what has arrived is taken off, the moments of the block's spikes are put at the back."""
    assert fired.share is not None
    u = dt * (1.0 - fired.share)
    moved = []
    for k in range(3):
        amplitude = jnp.where(fired.spikes, u**k, 0.0)
        weighted = Firing(fired.spikes, amplitude, fired.spikes, weighted=True)
        moved.append(arrivals.advance(pending[:, :, k], weighted))
    return jnp.stack(moved, axis=2)
