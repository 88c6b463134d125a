"""Where a membrane with channels rests, where a run of it starts, and how quick its channels are."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics import implicit_roots
from ._membrane import MembraneState
from ._rest import grows, searched_rest

# A membrane that rests nowhere starts this far below where it stands still [mV].
_ASIDE = 5.0
# At how many potentials gates are looked at, and below what share a gate is as good as shut.
_POTENTIALS, _SHUT = 128, 0.01


@eqx.filter_jit
def membrane_rest(model: Any) -> Float[Array, "*n"]:
    return implicit_roots(lambda v: model.steady_current(v), _searched(lax.stop_gradient(model)))


def _searched(model: Any) -> Float[Array, "*n"]:
    leaves = jax.tree_util.tree_leaves(model)
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves))
    reversals = jnp.stack([jnp.broadcast_to(channel.e, shape) for channel in model.channels().values()])
    margin = 1.0 + 50.0 * jnp.abs(model.bias)
    low = jnp.min(reversals, axis=0) - jnp.where(model.bias < 0, margin, 1.0)
    high = jnp.max(reversals, axis=0) + jnp.where(model.bias > 0, margin, 1.0)
    return searched_rest(lambda m, v: m.steady_current(v), model, low, high)


@eqx.filter_jit
def quickest_channel(model: Any) -> Float[Array, ""]:
    """The time constant [ms] of the slowest gate of the quickest channel that conducts; infinite without gates."""
    model = lax.stop_gradient(model)
    channels = model.channels()
    # Of one shape only where they differ by neuron: gates that all neurons share are looked at once.
    reversals = jnp.stack(jnp.broadcast_arrays(*(channel.e for channel in channels.values())))
    low, high = jnp.min(reversals, axis=0), jnp.max(reversals, axis=0)

    def shorter(k: Any, known: dict[str, Array]) -> dict[str, Array]:
        moves, found = model.kinetics(low + (high - low) * (k / _POTENTIALS)), {}
        for name, gate in moves.items():
            steady = gate.infinity()
            counts = (steady > _SHUT) & (steady < 1.0 - _SHUT)
            found[name] = jnp.minimum(known[name], jnp.where(counts, 1.0 / (model.phi * gate.total), jnp.inf))
        return found

    shapes = jax.eval_shape(lambda v: shorter(0, dict.fromkeys(model.kinetics(v), jnp.asarray(jnp.inf, v.dtype))), low)
    endless = {name: jnp.full(known.shape, jnp.inf, known.dtype) for name, known in shapes.items()}
    gates = lax.fori_loop(0, _POTENTIALS + 1, shorter, endless)
    shortest = jnp.asarray(jnp.inf, low.dtype)
    for name, channel in channels.items():
        own = [tau for gate, tau in gates.items() if gate.endswith(f"_{name}")]
        if own:
            slowest = jnp.max(jnp.stack(own), axis=0)
            shortest = jnp.minimum(shortest, jnp.min(jnp.where(channel.g > 0.0, slowest, jnp.inf)))
    return shortest


@eqx.filter_jit
def membrane_start(model: Any) -> Float[Array, "*n"]:
    known = lax.stop_gradient(model)

    def look(now: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        """The neuron as it is, and then without bias: in one loop, which is compiled once and ends early."""
        which, rests, leaves = now
        own = eqx.tree_at(lambda m: m.bias, known, jnp.where(which == 0, known.bias, 0.0))
        rest = _searched(own)
        return which + 1, rests.at[which].set(rest), leaves.at[which].set(_leaves(own, rest))

    def goes_on(now: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        which, _, leaves = now
        return (which == 0) | ((which == 1) & jnp.any(leaves[0]))

    shape = (2, *jnp.broadcast_shapes(*(leaf.shape for leaf in jax.tree_util.tree_leaves(model))))
    start = (jnp.asarray(0, jnp.int32), jnp.zeros(shape, known.bias.dtype), jnp.zeros(shape, bool))
    _, (own, before), (leaves, leaves_before) = lax.while_loop(goes_on, look, start)
    from_before = leaves & ~leaves_before
    chosen = eqx.tree_at(lambda m: m.bias, model, jnp.where(from_before, 0.0, model.bias))
    rest = implicit_roots(lambda v: chosen.steady_current(v), jnp.where(from_before, before, own))
    return jnp.where(leaves & leaves_before, rest - _ASIDE, rest)


def _leaves(model: Any, rest: Float[Array, "*n"]) -> Bool[Array, "*n"]:
    """Whether a membrane that stands still at `rest` leaves it when it is touched."""
    y = MembraneState(rest, model.steady_gates(rest))
    found, structure = jax.tree_util.tree_flatten(y)
    # A gate moves by 1 as the potential by 100 mV: in these units the Jacobian is balanced.
    units = jnp.asarray([100.0 if x is y.v else 1.0 for x in found], rest.dtype)

    def slopes(towards: Float[Array, "k"]) -> Float[Array, "*n k"]:
        touched = [jnp.full_like(x, share) for x, share in zip(found, towards * units, strict=True)]
        ahead = jax.tree_util.tree_unflatten(structure, touched)
        moved = jax.jvp(lambda at: model.vector_field(0.0, at), (y,), (ahead,))[1]
        return jnp.stack(jax.tree_util.tree_leaves(moved), axis=-1) / units

    return grows(jax.vmap(slopes, out_axes=-1)(jnp.eye(len(found), dtype=rest.dtype)))
