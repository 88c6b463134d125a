"""Independent neurons under Poisson spikes that act at once, run from spike to spike of their input."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .._network import AbstractDrive, Network, SpikeStream
from .._numerics import added, as_leaf, check_finite, remainder, violates
from ..models import LeakyMembrane
from ._plan import sizes_of

# Below any membrane's resolution in time: keeps what rounding leaves out of a long sum of short waits.
_FINE = 1e-3
Places = tuple[tuple[str, int, int], ...]


class Shots(eqx.Module):
    """All neurons side by side, and the streams of spikes that each hears."""

    tau_m: Float[Array, "n"]
    v_inf: Float[Array, "n"]
    v_th: Float[Array, "n"]
    v_reset: Float[Array, "n"]
    t_ref: Float[Array, "n"]
    v_start: Float[Array, "n"]
    per_ms: Float[Array, "streams n"]
    jump: Float[Array, "streams n"]
    share: Float[Array, "streams n"]
    reversal: Float[Array, "streams n"]


class _State(eqx.Module):
    t: Float[Array, "n"]
    left_out: Float[Array, "n"] | None
    v: Float[Array, "n"]
    held: Float[Array, "n"]
    times: Float[Array, "most"]
    neurons: Int[Array, "most"]
    n_spikes: Int[Array, ""]
    n_events: Int[Array, ""]


def shots_of(net: Network, membranes: Mapping[str, LeakyMembrane], stimulus: Mapping[str, Any]) -> tuple[Shots, Places]:
    """The neurons and their streams. Raises `ValueError` where a part of the network has no place in such a run."""
    if net.projections:
        raise ValueError(
            "`net` has drives and projections: a run from event to event is of independent neurons under Poisson "
            "drives, or of a network without drives. Take `simulate`."
        )
    sizes = sizes_of(net, tuple(membranes))
    own, places, begin = {}, [], 0
    for name, n in sizes.items():
        own[name], begin = slice(begin, begin + n), begin + n
        places.append((name, own[name].start, n))

    def side_by_side(field: str) -> Float[Array, "n"]:
        return jnp.concatenate([jnp.broadcast_to(getattr(membranes[name], field), (n,)) for name, n in sizes.items()])

    rest = side_by_side("v_rest")
    v_inf = rest
    for name, value in stimulus.items():
        current = as_leaf(value, f"stimulus[{name!r}]")
        check_finite(f"stimulus[{name!r}]", current)
        if current.shape not in ((), (sizes[name],)):
            raise ValueError(f"`stimulus[{name!r}]` has to be a number or ({sizes[name]},); got shape {current.shape}.")
        v_inf = v_inf.at[own[name]].add(current)
    rows = []
    for index, drive in enumerate(net.drives):
        at = 0
        for name in drive.targets:
            part = drive.part(slice(at, at + sizes[name]))
            at += sizes[name]
            rows += [
                _row(stream, membranes[name], own[name], begin) for stream in _streams(index, part, membranes[name])
            ]
    per_ms, jump, share, reversal = (jnp.stack(values) for values in zip(*rows, strict=True))
    top, reset, t_ref = (side_by_side(field) for field in ("v_th", "v_reset", "t_ref"))
    shots = Shots(side_by_side("tau_m"), v_inf, top, reset, t_ref, rest, per_ms, jump, share, reversal)
    return shots, tuple(places)


def _streams(index: int, drive: AbstractDrive, membrane: LeakyMembrane) -> tuple[SpikeStream, ...]:
    try:
        external = drive.afferent()
        acts = [s.synapse.spike_effect(s.weight.moments().mean, membrane.tau_m) for s in external.streams]
    except ValueError as error:
        raise ValueError(f"`drives[{index}]`: {error}") from None
    if external.currents:
        raise ValueError(f"`drives[{index}]` is no train of spikes: between events a run has to be free of noise.")
    for stream, effect in zip(external.streams, acts, strict=True):
        if effect.time_constants or violates(lambda v: v == 0.0, stream.law().moments().variance):
            raise ValueError(
                f"`drives[{index}]`: a run from event to event is of spikes that act at once, each alike, such as "
                f"those of `DeltaConductance` and `DeltaCurrent`; got {type(stream.synapse).__name__}."
            )
    return external.streams


def _row(stream: SpikeStream, membrane: LeakyMembrane, place: slice, n: int) -> tuple[Float[Array, "n"], ...]:
    """Rate, jump, share and reversal of one stream, 0 for neurons that do not hear it."""
    effect = stream.synapse.spike_effect(stream.weight.moments().mean, membrane.tau_m)
    nothing = jnp.zeros(n, membrane.tau_m.dtype)
    reversal = nothing[0] if effect.reversal is None else effect.reversal
    values = (stream.per_ms(), effect.jump, effect.share, reversal)
    return tuple(nothing.at[place].set(jnp.broadcast_to(value, nothing[place].shape)) for value in values)


@jax.custom_jvp
def run_shots(
    p: Shots, key: PRNGKeyArray, t1: Float[Array, ""], room: Int[Array, "most"]
) -> tuple[Array, Array, Array]:
    """Times [ms] and neurons of the spikes in their order, as many as `room` has places; whether there are more."""
    return _run(p, key, t1, room.shape[0])


@run_shots.defjvp
def _run_shots_jvp(primals, tangents):
    raise ValueError(
        "`simulate_events` of Poisson drives has no derivative: what a number changes is which spikes there are. "
        "Differentiate `jn.theory.conductance_rate` or a mean field with `ShotNoise()`."
    )


@eqx.filter_jit
def _run(p: Shots, key: PRNGKeyArray, t1: Float[Array, ""], most: int) -> tuple[Array, Array, Array]:
    n, dtype = p.tau_m.shape[0], p.tau_m.dtype
    total = jnp.sum(p.per_ms, axis=0)
    edges = jnp.cumsum(p.per_ms, axis=0) / jnp.where(total > 0.0, total, 1.0)
    # What comes without noise, from where to the threshold.
    fires = p.v_inf > p.v_th

    def event(state: _State) -> _State:
        waits, which = jax.random.split(jax.random.fold_in(key, state.n_events))
        wait = jax.random.exponential(waits, (n,), dtype) / total
        free = jnp.where(fires & (state.v < p.v_th), state.v, p.v_inf - 1.0)
        climb = p.tau_m * jnp.log((p.v_inf - free) / jnp.where(fires, p.v_inf - p.v_th, 1.0))
        alone = jnp.where(state.v >= p.v_th, 0.0, jnp.where(fires, climb, jnp.inf)) + state.held
        step = jnp.minimum(wait, alone)
        crosses, running = alone <= wait, state.t < t1
        moves = jnp.maximum(step - state.held, 0.0)
        v = p.v_inf + (state.v - p.v_inf) * jnp.exp(-moves / p.tau_m)
        k = jnp.sum(jax.random.uniform(which, (n,), dtype)[None] >= edges[:-1], axis=0)
        jump, share, reversal = (jnp.take_along_axis(x, k[None], axis=0)[0] for x in (p.jump, p.share, p.reversal))
        heard = (step >= state.held) & ~crosses
        v = jnp.where(heard, v + jump + share * (reversal - v), v)
        t, left_out = added(state.t, state.left_out, jnp.where(running, jnp.minimum(step, t1), 0.0))
        fired = running & (t < t1) & (crosses | (heard & (v >= p.v_th)))
        v = jnp.where(fired, p.v_reset, v)
        held = jnp.where(fired, p.t_ref, jnp.maximum(state.held - step, 0.0))
        slot = jnp.where(fired, state.n_spikes + jnp.cumsum(fired, dtype=jnp.int32) - 1, most)
        return _State(
            t, left_out, v, held,
            state.times.at[slot].set(t, mode="drop"),
            state.neurons.at[slot].set(jnp.arange(n, dtype=jnp.int32), mode="drop"),
            state.n_spikes + jnp.sum(fired, dtype=jnp.int32),
            state.n_events + 1,
        )  # fmt: skip

    nothing, zero = jnp.zeros(n, dtype), jnp.zeros((), jnp.int32)
    buffers = jnp.full(most, jnp.inf, dtype), jnp.full(most, -1, jnp.int32)
    start = _State(nothing, remainder(nothing, _FINE), p.v_start, nothing, *buffers, zero, zero)
    end = lax.while_loop(lambda state: jnp.any(state.t < t1), event, start)
    order = jnp.argsort(end.times)
    return end.times[order], end.neurons[order], end.n_spikes > most


def valid(p: Shots) -> Bool[Array, ""]:
    """Whether all numbers are finite, and rates and times not negative."""
    finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(p)])
    return jnp.all(finite) & jnp.all(p.per_ms >= 0.0)
