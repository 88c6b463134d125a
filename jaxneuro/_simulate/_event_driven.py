"""Runs from event to event, whose spike times are exact and have exact derivatives."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .._network import Network, check_spiking
from .._numerics import (
    Shown,
    as_leaf,
    check_count,
    check_finite,
    check_key,
    check_nonnegative,
    check_precision,
    distinguishes_steps,
    phi,
    read_indices,
    to_milliseconds,
    told,
    violates,
)
from ..models import LeakyMembrane
from ._random_events import run_shots, shots_of, valid
from ._wire import sizes_of

# Halvings of an interval: its rounding error is reached.
_HALVINGS = {"float32": 30, "float64": 60}
# Times are held to a quarter of this [ms], 1 us: in float32 for 16 s.
_FINEST = 4e-3


class SpikeEvents(Shown):
    """The spikes of a run, in their order.

    `times` (most,) [ms], infinite where there was no further spike; `neurons` (most,), -1 there, counted through all
    populations side by side in the order of the network; `overflow`, whether there were more events than could be held.
    """

    times: Float[Array, "most"]
    neurons: Int[Array, "most"]
    overflow: Bool[Array, ""]
    places: tuple[tuple[str, int, int], ...] = eqx.field(static=True)

    def of(self, population: str, n_spikes: int = 1) -> Float[Array, "n n_spikes"]:
        """The times [ms] of the first spikes of each neuron of a population, infinite where there are fewer.

        Raises `ValueError` where the population is not one of the network's neurons, or `n_spikes` is not positive.
        """
        check_count("n_spikes", n_spikes, "a positive number of spikes")
        begin, n = next(((b, n) for name, b, n in self.places if name == population), (0, 0))
        if n == 0:
            raise ValueError(f"{population!r} has no spikes; there are {', '.join(name for name, *_ in self.places)}.")
        mine = self.neurons[None] == begin + jnp.arange(n, dtype=jnp.int32)[:, None]
        rank = jnp.cumsum(mine, axis=1)
        wanted = jnp.arange(1, n_spikes + 1, dtype=rank.dtype)
        at = jnp.argmax(mine[:, None] & (rank[:, None] == wanted[:, None]), axis=2)
        return jnp.where(rank[:, -1:] >= wanted, self.times[at], jnp.inf)


class _Plan(eqx.Module):
    """The network as matrices over all neurons side by side."""

    tau_m: Float[Array, "n"]
    v_inf: Float[Array, "n"]
    v_th: Float[Array, "n"]
    v_reset: Float[Array, "n"]
    t_ref: Float[Array, "n"]
    v_start: Float[Array, "n"]
    tau_s: Float[Array, ""]
    given_times: Float[Array, "given"]
    given_jumps: Float[Array, "given n"]
    matrices: tuple[Float[Array, "n n"], ...]
    delays: tuple[float, ...] = eqx.field(static=True)
    t1: float = eqx.field(static=True)


class _State(eqx.Module):
    t: Float[Array, ""]
    v: Float[Array, "n"]
    i: Float[Array, "n"]
    held: Float[Array, "n"]
    times: Float[Array, "most"]
    neurons: Int[Array, "most"]
    n_spikes: Int[Array, ""]
    lost: Bool[Array, ""]
    heard: Int[Array, "queues"]


def simulate_events(
    net: Network,
    t1: float,
    *,
    most: int,
    spikes: Mapping[str, tuple[Any, Any]] | None = None,
    stimulus: Mapping[str, Any] | None = None,
    key: PRNGKeyArray | None = None,
) -> SpikeEvents:
    """Runs LIF neurons from event to event: exponential currents of given spikes, or Poisson spikes that act at once.

        tau_m dV/dt = -(V - v_rest) + I + i,   tau_s dI/dt = -I,   I jumps by w when a spike arrives.

    Between events V is known in closed form. A crossing is bracketed by the one extremum that V can have, halved to
    rounding, and given its derivative by the implicit function theorem, dt = -(dV - dv_th)/V': reverse mode through the
    run is EventProp. It is the reference for surrogate gradients, for small networks: an event costs all neurons.

    Independent neurons under `PoissonDrive`s of `DeltaConductance` or `DeltaCurrent` run from spike to spike of their
    own input: between two V relaxes to rest, and each jumps as its rule says. Nothing is left to a step, where
    `simulate` loses rate to first order in dt (docs/sharp-bits.md).

    **Arguments:**

    - `net`: of `SpikeSource`s and `LIF` neurons with a hard reset, that start at rest; given weights such as
      `Weights(matrix)`, `ExponentialCurrent` of one tau_s, fixed delays. t_ref is not rounded, and has a derivative.
      Or of `LIF` neurons under Poisson drives, without projections.
    - `t1`: end [ms]; in float32 and without drives at most 16 s, where times are held to a microsecond.
    - `most`: spikes that are held.
    - `spikes`: {source: (times [ms], indices)}; the times are differentiable, and none is before 0.
    - `stimulus`: {population: constant current i [mV]}, a number or (n,).
    - `key`: of Poisson drives.

    **Returns:** `SpikeEvents`; `events.of("out")` are the first spike times of a population.

    Raises `ValueError` where the network is another, a name is unknown, `key` is missing or says nothing, or, without
    drives, a known threshold is not above rest; `RuntimeError` where numbers that only a transformation knows are not
    finite, or are several tau_s.

    Derivatives: forward and reverse mode, of every time by every weight, time constant, potential and input time.
    Where a spike is about to appear or vanish (V' = 0) they grow without bound, and across that point times jump. A run
    under Poisson drives has none, and says so.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> def first_spike(w):
    ...     lif = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0)
    ...     synapse, weights = jn.ExponentialCurrent(10.0), jn.Weights(w[None, None])
    ...     net = jn.Network(
    ...         {"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(lif, 1)},
    ...         [jn.Projection("in", "out", synapse, connectivity=weights, delay=1.0)],
    ...     )
    ...     return jn.simulate_events(net, 50.0, spikes={"in": ([2.0], [0])}, most=4).of("out")[0, 0]
    >>> t, slope = jax.value_and_grad(first_spike)(jnp.asarray(6.0))
    >>> f"{t:.3f} ms, {slope:.3f} ms/mV"
    '7.748 ms, -1.220 ms/mV'

    ```

    Source: Wunderlich and Pehle (2021), doi:10.1038/s41598-021-91786-z; the derivative of a crossing as in Bohte, Kok
    and La Poutre (2002), doi:10.1016/S0925-2312(01)00658-0.
    """
    most = check_count("most", most, "a positive number of spikes")
    t1 = to_milliseconds("t1", t1)
    check_nonnegative("t1", t1)
    stimulus, spikes = {} if stimulus is None else stimulus, {} if spikes is None else spikes
    _check_names(net, spikes=spikes, stimulus=stimulus)
    check_precision("net", net)
    if net.drives:
        return _at_random(net, t1, key, most, stimulus)
    if not distinguishes_steps(t1, _FINEST):
        raise ValueError(
            f"`t1` = {t1:g} ms is late for float32, which holds times there to {np.spacing(np.float32(t1)):.2g} ms: "
            "set `jax_enable_x64` for exact spike times."
        )
    if key is not None:
        raise ValueError("`key` is of Poisson drives, and `net` has none: leave it out.")
    plan, places = _plan(net, t1, spikes, stimulus)
    finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree_util.tree_leaves(plan)])
    plan = eqx.error_if(plan, ~jnp.all(finite), "A weight, parameter, stimulus or spike time of the run is not finite.")
    times, neurons, overflow = _run(plan, most)
    return SpikeEvents(times, neurons, overflow, places)


def _at_random(net: Network, t1: float, key: PRNGKeyArray | None, most: int, stimulus: Mapping) -> SpikeEvents:
    membranes = {name: _membrane(net, name) for name in net.names}
    for name, membrane in membranes.items():
        _check_start(net, name, membrane)
    shots, places = shots_of(net, membranes, stimulus)
    if key is None:
        raise ValueError("`key` is needed where `net` has Poisson drives: give jax.random.key(seed).")
    check_key(key)
    shots = eqx.error_if(shots, ~valid(shots), "A rate, weight, parameter or stimulus of the run is no finite number.")
    room = jnp.zeros(most, jnp.int32)
    times, neurons, overflow = run_shots(shots, key, as_leaf(t1, "t1"), room)
    return SpikeEvents(times, neurons, overflow, places)


def _check_start(net: Network, name: str, membrane: LeakyMembrane) -> None:
    initial = net.populations[name].initial
    start = initial.fixed(membrane.v_rest)
    if start is None or violates(lambda at, rest: at == rest, start, membrane.v_rest):
        raise ValueError(f"`net`: {name!r} has to start at rest; got {told(initial)}.")


def _check_names(net: Network, **given: Any) -> None:
    check_spiking(net)
    for argument, by_name in given.items():
        if not isinstance(by_name, Mapping):
            raise ValueError(f"`{argument}` has to be a dict by the names of populations; got {told(by_name)}.")
        waiting = [name for name in net.source_names if net.populations[name].model.waits_for_spikes()]
        for name in by_name:
            if name not in (waiting if argument == "spikes" else net.neuron_names):
                kind = "`SpikeSource`" if argument == "spikes" else "population of neurons"
                raise ValueError(f"`{argument}` names {name!r}, which is no {kind} of this network.")


def _plan(net: Network, t1: float, spikes: Mapping, stimulus: Mapping) -> tuple[_Plan, tuple]:
    neurons, places, begin = {}, [], 0
    for name, population in net.populations.items():
        model = population.model
        if name in net.source_names and model.waits_for_spikes():
            if name not in spikes:
                raise ValueError(f"`spikes` has to give (times, indices) of {name!r}.")
            continue
        membrane = _membrane(net, name)
        if violates(lambda low, high: low < high, membrane.v_rest, membrane.v_th):
            raise ValueError(f"`net`: the threshold of {name!r} has to lie above rest.")
        _check_start(net, name, membrane)
        n = sizes_of(net, (name,))[name]
        neurons[name], places, begin = membrane, [*places, (name, begin, n)], begin + n
    if not places:
        raise ValueError("`net` has to have LIF neurons.")
    own = {name: slice(b, b + n) for name, b, n in places}

    def side_by_side(field: str) -> Float[Array, "n"]:
        return jnp.concatenate([jnp.broadcast_to(getattr(neurons[name], field), (n,)) for name, _, n in places])

    rest = side_by_side("v_rest")
    for name, value in stimulus.items():
        current, n = as_leaf(value, f"stimulus[{name!r}]"), own[name].stop - own[name].start
        check_finite(f"stimulus[{name!r}]", current)
        if current.shape not in ((), (n,)):
            raise ValueError(f"`stimulus[{name!r}]` has to be a number or ({n},); got shape {current.shape}.")
        rest = rest.at[own[name]].add(current)
    times, jumps, by_delay = [jnp.zeros(0)], [jnp.zeros((0, begin))], {}
    for index, p in enumerate(net.projections):
        given = p.connectivity.given_weights()
        if given is None or p.synapse.current_time_constant() is None:
            raise ValueError(f"`projections[{index}]` has to have given weights and an `ExponentialCurrent`.")
        if not isinstance(p.delay, float):
            raise ValueError(f"`projections[{index}]` has to have one fixed delay.")
        rows = jnp.concatenate([jnp.arange(own[name].start, own[name].stop) for name in p.post])
        weights = given.as_matrix() * (p.law.scale[:, None] if p.law.scale.ndim else p.law.scale)
        full = jnp.zeros((begin, weights.shape[1]), weights.dtype).at[rows].set(weights)
        if p.pre in own:
            square = jnp.zeros((begin, begin), weights.dtype).at[:, own[p.pre]].set(full)
            by_delay[p.delay] = by_delay.get(p.delay, 0.0) + square
            continue
        when, who = _checked_spikes(p.pre, spikes[p.pre], weights.shape[1])
        times.append(when + p.delay)
        jumps.append(full.T[who])
    arrivals = jnp.concatenate(times)
    order = jnp.argsort(lax.stop_gradient(arrivals))
    plan = _Plan(
        side_by_side("tau_m"), rest, side_by_side("v_th"), side_by_side("v_reset"), side_by_side("t_ref"),
        side_by_side("v_rest"), _one_tau(net), arrivals[order], jnp.concatenate(jumps)[order],
        tuple(by_delay.values()), tuple(by_delay), t1,
    )  # fmt: skip
    return plan, tuple(places)


def _membrane(net: Network, name: str) -> LeakyMembrane:
    if name in net.neuron_names:
        try:
            return net.populations[name].model.diffusion_parameters()
        except ValueError:
            pass
    raise ValueError(f"`net`: {name!r} has to be of `LIF` neurons with a hard reset.")


def _one_tau(net: Network) -> Float[Array, ""]:
    taus = [p.synapse.current_time_constant() for p in net.projections]
    if not taus:
        return jnp.ones(())
    every = jnp.concatenate([jnp.ravel(tau) for tau in taus if tau is not None])
    message = "`net` has to have one tau of all its exponential currents."
    if violates(lambda tau: tau == tau[0], every):
        raise ValueError(message)
    return jnp.mean(eqx.error_if(every, every != every[0], message))


def _checked_spikes(name: str, given: Any, n: int) -> tuple[Float[Array, "m"], Int[Array, "m"]]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ValueError(f"`spikes[{name!r}]` has to be (times, indices); got {told(given)}.")
    times, (indices, of) = as_leaf(given[0], f"spikes[{name!r}]"), read_indices(given[1], f"spikes[{name!r}]")
    check_nonnegative(f"spikes[{name!r}]", times)
    if times.ndim != 1 or indices.shape != times.shape or of is not None:
        raise ValueError(f"`spikes[{name!r}]` has to be (times, indices) of one length.")
    if indices.size and not 0 <= indices.min() <= indices.max() < n:
        raise ValueError(f"`spikes[{name!r}]` has an index outside its {n} sources.")
    return times, jnp.asarray(indices, jnp.int32)


def _potential(p: _Plan, v: Array, i: Array, held: Array, s: Array) -> Array:
    """V after `s` ms without an event, of which the first `held` are refractory."""
    begin = jnp.where(s > held, held, s)
    free = s - begin
    response = (free / p.tau_m) * phi(free * (1.0 / p.tau_m - 1.0 / p.tau_s))
    return p.v_inf + jnp.exp(-free / p.tau_m) * (v - p.v_inf + i * jnp.exp(-begin / p.tau_s) * response)


def _slope(p: _Plan, v: Array, i: Array, held: Array, s: Array) -> Array:
    return (p.v_inf - _potential(p, v, i, held, s) + i * jnp.exp(-s / p.tau_s)) / p.tau_m


def _crossing(p: _Plan, v: Array, i: Array, held: Array, within: Array) -> Array:
    """The time until each neuron reaches its threshold, infinite where it does not within `within` ms."""
    halvings = _HALVINGS[v.dtype.name]
    q, v0, i0, h0, end = lax.stop_gradient((p, v, i, held, jnp.broadcast_to(within, v.shape)))

    def halve(low: Array, high: Array, later: Any) -> Array:
        def body(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
            middle = 0.5 * (ends[0] + ends[1])
            right = later(middle)
            return jnp.where(right, middle, ends[0]), jnp.where(right, ends[1], middle)

        return lax.fori_loop(0, halvings, body, (low, high))[1]

    start = jnp.minimum(h0, end)
    # The slope changes its sign once at the most: from rise to fall where the current is positive.
    peaks = (i0 > 0) & (_slope(q, v0, i0, h0, start) > 0) & (_slope(q, v0, i0, h0, end) < 0)
    top = halve(start, end, lambda s: _slope(q, v0, i0, h0, s) > 0)
    high = jnp.where(peaks, top, end)
    able = h0 < end
    reaches = (v0 >= q.v_th) | (_potential(q, v0, i0, h0, high) >= q.v_th)
    reaches = reaches & able
    found = halve(start, high, lambda s: _potential(q, v0, i0, h0, s) < q.v_th)
    found = jnp.where(reaches, jnp.where(v0 >= q.v_th, start, found), 0.0)
    slope = jnp.where(reaches, _slope(q, v0, i0, h0, found), 1.0)
    exact = found - (_potential(p, v, i, held, found) - p.v_th) / slope
    return jnp.where(reaches, exact, jnp.inf)


@eqx.filter_jit
def _run(p: _Plan, most: int) -> tuple[Array, Array, Array]:
    n, n_given = p.tau_m.shape[0], p.given_times.shape[0]
    given_times = jnp.concatenate([p.given_times, jnp.full(1, jnp.inf, p.tau_m.dtype)])
    given_jumps = jnp.concatenate([p.given_jumps, jnp.zeros((1, n), p.tau_m.dtype)])
    jumps = jnp.stack([*(m.T for m in p.matrices)]) if p.matrices else jnp.zeros((0, n, n), p.tau_m.dtype)

    def event(state: _State, _: None) -> tuple[_State, None]:
        first = [given_times[state.heard[0]]]
        for k, delay in enumerate(p.delays):
            at = state.heard[k + 1]
            first.append(jnp.where(at < most, state.times[jnp.minimum(at, most - 1)] + delay, jnp.inf))
        arrivals = jnp.stack(first)
        queue = jnp.argmin(arrivals)
        arrival = arrivals[queue]
        left = jnp.maximum(jnp.minimum(lax.stop_gradient(arrival), p.t1) - lax.stop_gradient(state.t), 0.0)
        crossings = _crossing(p, state.v, state.i, state.held, left)
        who = jnp.argmin(crossings)
        spikes = (crossings[who] < jnp.inf) & (state.n_spikes < most)
        lost = state.lost | ((crossings[who] < jnp.inf) & ~spikes)
        over = ~spikes & ~(arrival < p.t1)
        s = jnp.where(over, 0.0, jnp.where(spikes, crossings[who], jnp.where(over, 0.0, arrival) - state.t))
        v, i = _potential(p, state.v, state.i, state.held, s), state.i * jnp.exp(-s / p.tau_s)
        now = state.t + s
        at = state.heard[queue]
        source = state.neurons[jnp.minimum(at, most - 1)]
        jump = jnp.where(queue == 0, given_jumps[jnp.minimum(at, n_given)], 0.0)
        if p.matrices:
            jump = jump + jnp.where(queue > 0, jumps[jnp.maximum(queue - 1, 0), jnp.maximum(source, 0)], 0.0)
        arrives = ~spikes & ~over
        i = jnp.where(arrives, i + jump, i)
        here = spikes & (jnp.arange(n) == who)
        v = jnp.where(here, p.v_reset, v)
        held = jnp.where(here, p.t_ref, jnp.where(state.held > s, state.held - s, 0.0))
        slot = jnp.where(spikes, state.n_spikes, most)
        return _State(
            now, v, i, held,
            state.times.at[slot].set(now, mode="drop"),
            state.neurons.at[slot].set(who.astype(jnp.int32), mode="drop"),
            state.n_spikes + spikes.astype(jnp.int32),
            lost,
            state.heard.at[queue].add(arrives.astype(jnp.int32)),
        ), None  # fmt: skip

    queues = 1 + len(p.delays)
    start = _State(
        jnp.zeros((), p.tau_m.dtype), p.v_start, jnp.zeros_like(p.v_start), jnp.zeros_like(p.v_start),
        jnp.full(most, jnp.inf, p.tau_m.dtype),
        jnp.full(most, -1, jnp.int32), jnp.zeros((), jnp.int32), jnp.zeros((), bool), jnp.zeros(queues, jnp.int32),
    )  # fmt: skip
    n_events = n_given + most * queues
    last = lax.scan(jax.checkpoint(event), start, None, length=n_events)[0]
    more = jnp.any(_crossing(p, last.v, last.i, last.held, jnp.maximum(p.t1 - last.t, 0.0)) < jnp.inf)
    return last.times, last.neurons, last.lost | ((last.n_spikes == most) & more)
