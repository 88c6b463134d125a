"""What a run needs of a network: constants computed once, and the shape of its loop."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from .._network import CountTable, Network, PoissonDrive, Projection, TrainableDelay
from .._numerics import TwoFloat, count_steps, role_key
from ..connectivity import AbstractOperator, AbstractWeights, SparseOperator, Weights
from ..models import (
    AbstractConductanceNeuron,
    AbstractMembraneSolver,
    AbstractNeuron,
    Poisson,
    RungeKutta4,
    SpikeSource,
    is_source,
)
from ..surrogate import AbstractSurrogate
from ..synapses import ShortTermPlasticity
from ._deliver import GivenArrivals
from ._exact_times import is_off_grid
from ._wire import Wiring, size_of

# A network without projections has no delay to set its block; this many steps amortise the loop.
_FREE_BLOCK = 16
# Steps whose random input is drawn at once, at the least: shorter draws would not fill a kernel.
_LEAST_DRAW = 16
# What a step of a neuron with channels keeps for its derivative and the time that it is read back in, in states; the
# squid keeps 12 numbers beside the 4 of its state.
_KEPT_OF_CHANNELS = 8


class DelayRange(eqx.Module):
    """The delays of a projection in steps, from the shortest to the longest."""

    least: int = eqx.field(static=True)
    most: int = eqx.field(static=True)


class NetworkState(eqx.Module):
    """Everything that a run needs to go on: pass it as `state=` to continue bitwise.

    `pending[p]` holds the counts of spikes on their way in projection p, one row a step to come (as
    floats in a run with a surrogate derivative, of given weights, or with short-term plasticity, whose `resources`
    stand beside; where spikes have times inside their steps, as three moments of these).
    """

    step: Int[Array, ""]
    neurons: dict[str, Any]
    synapses: tuple
    drive_synapses: tuple
    pending: tuple[Shaped[Array, "_ _ ..."], ...]
    resources: tuple


class Plan(eqx.Module):
    """Constants of one run, all computed outside the loop."""

    neurons: dict
    synapses: tuple
    drive_synapses: tuple
    counts: tuple[CountTable | None, ...]
    operators: tuple[AbstractOperator | GivenArrivals, ...]
    delay_steps: tuple[Int[Array, "_"] | None, ...]
    ahead: tuple[bool, ...] = eqx.field(static=True)
    """Whether a projection's arrivals are computed for several blocks at once: no neuron has a say in them."""
    sizes: dict[str, int] = eqx.field(static=True)
    block: int = eqx.field(static=True)
    """Steps of a block: at most the shortest delay."""
    together: int = eqx.field(static=True)
    """Blocks whose random input is drawn at once."""
    unroll: int = eqx.field(static=True)
    """Steps that are compiled as one."""
    kept: int = eqx.field(static=True)
    """What the blocks of one draw keep for their derivatives, in states of the neurons."""
    dt: float = eqx.field(static=True)


def delay_range(projection: Projection, index: int, dt: float) -> DelayRange:
    """The delays of a projection in steps, rounded, and at least one step each."""
    steps = projection.delays.steps(f"projections[{index}].delay", dt)
    return DelayRange(steps.least, steps.most)


def spans(sizes: dict[str, int], targets: tuple[str, ...]) -> list[tuple[str, slice]]:
    """Each target and its place among all targets side by side."""
    result, begin = [], 0
    for name in targets:
        result.append((name, slice(begin, begin + sizes[name])))
        begin += sizes[name]
    return result


def part(value: Float[Array, "*n"], place: slice) -> Float[Array, "*m"]:
    """The values of one target: the number itself, or its share of one number a neuron."""
    return value[place] if value.ndim else value


def make_plan(
    net: Network,
    wiring: Wiring,
    dt: float,
    n_steps: int,
    solver: AbstractMembraneSolver | RungeKutta4 | None,
    surrogates: Mapping[str, AbstractSurrogate | None],
) -> Plan:
    """Prepares a run of `n_steps` steps of `dt` [ms]."""
    sizes = {name: size_of(net, name) for name in net.names}
    delays = tuple(delay_range(p, i, dt) for i, p in enumerate(net.projections))
    neurons = {
        name: population.model.prepare(dt, solver or population.model.default_solver(), surrogates.get(name))
        for name, population in net.populations.items()
        if not is_source(population.model)
    }

    def constants(synapse, targets: tuple[str, ...]) -> tuple:
        return tuple(synapse.prepare(dt, net.populations[name].model.membrane_time_constant()) for name in targets)

    models = [population.model for population in net.populations.values()]
    ahead = tuple(
        isinstance(p.connectivity, AbstractWeights)
        and is_source(net.populations[p.pre].model)
        and not isinstance(p.synapse, ShortTermPlasticity)
        for p in net.projections
    )
    heard = (d.least for d, known in zip(delays, ahead, strict=True) if not known)
    block = _even_share(n_steps, min(heard, default=_FREE_BLOCK))
    own_delays = tuple(
        operator.delay_steps(dt, span.least, span.most) if isinstance(operator, SparseOperator) else None
        for operator, span in zip(wiring.operators, delays, strict=True)
    )
    together = _even_share(n_steps // block, max(1, _LEAST_DRAW // block))
    kept = together * block * _KEPT_OF_CHANNELS if any(isinstance(m, AbstractConductanceNeuron) for m in models) else 1
    return Plan(
        neurons,
        tuple(constants(p.synapse, p.post) for p in net.projections),
        tuple(constants(d.synapse, d.targets) if isinstance(d, PoissonDrive) else None for d in net.drives),
        tuple(d.counts.prepare(_mean_count(d, dt)) if isinstance(d, PoissonDrive) else None for d in net.drives),
        tuple(_arrivals(p, o, d, dt) for p, o, d in zip(net.projections, wiring.operators, delays, strict=True)),
        own_delays,
        ahead,
        sizes,
        block,
        together,
        min((m.together() for m in models if isinstance(m, AbstractNeuron)), default=1),
        kept,
        dt,
    )


def _arrivals(
    projection: Projection, operator: AbstractOperator | None, delays: DelayRange, dt: float
) -> AbstractOperator | GivenArrivals:
    """How spikes of a projection are delivered."""
    rule, delay = projection.connectivity, projection.delay
    if not isinstance(rule, AbstractWeights):
        assert operator is not None
        return operator
    if not isinstance(delay, TrainableDelay):
        prepared = rule.prepared()
        if isinstance(prepared, Weights):
            return GivenArrivals(prepared.matrix.T, None, None, delays.least)
        return GivenArrivals(None, prepared, None, delays.least)
    shares = delay.shares(dt, delays.least, delays.most)
    shares = shares.reshape(shares.shape[0], *(1,) * (3 - shares.ndim), *shares.shape[1:])
    return GivenArrivals(None, None, shares * rule.as_matrix(), delays.least)


def _even_share(n: int, most: int) -> int:
    """The largest number up to `most` that divides `n`, if not much smaller: what is left over is compiled again."""
    for share in range(min(n, most), (most + 1) // 2, -1):
        if n % share == 0:
            return share
    return max(1, min(n, most))


def _mean_count(drive: PoissonDrive, dt: float) -> TwoFloat:
    """Mean number of spikes a step, to twice the digits of a float, so that its own rounding does not count."""
    whole = TwoFloat.of(drive.n_sources) * TwoFloat.of(drive.rate)
    high = np.asarray(dt / 1000.0, drive.rate.dtype)
    low = np.asarray(dt / 1000.0 - float(high), drive.rate.dtype)
    return whole * TwoFloat(jnp.asarray(high), jnp.asarray(low))


def with_surrogates(
    state: NetworkState,
    net: Network,
    wiring: Wiring,
    surrogates: Mapping[str, AbstractSurrogate | None],
    amplitudes: tuple[str, ...],
) -> NetworkState:
    """The state with what is on its way as floats from populations with a surrogate, or whose spikes are floats."""
    floats, pending = jnp.result_type(float), []
    for projection, operator, rows in zip(net.projections, wiring.operators, state.pending, strict=True):
        soft = surrogates.get(projection.pre) is not None or isinstance(projection.synapse, ShortTermPlasticity)
        as_floats = soft or projection.pre in amplitudes or is_off_grid(net, projection.pre)
        pending.append(rows.astype(floats if as_floats or operator is None else operator.count_dtype))
    return eqx.tree_at(lambda s: s.pending, state, tuple(pending))


def initial_state(net: Network, wiring: Wiring, t0: float, dt: float, key: PRNGKeyArray) -> NetworkState:
    """The state at `t0`: potentials as each population says, nothing on its way."""
    neurons, sizes = {}, {name: size_of(net, name) for name in net.names}
    for name, population in net.populations.items():
        if not is_source(population.model):
            rest = population.model.resting_potential()
            v = population.initial.draw(rest, sizes[name], role_key(key, f"initial {name}"))
            neurons[name] = population.model.init(v)
    synapses = tuple(tuple(p.synapse.init(sizes[name]) for name in p.post) for p in net.projections)
    drive_synapses = tuple(
        tuple(d.synapse.init(sizes[name]) for name in d.targets) if isinstance(d, PoissonDrive) else None
        for d in net.drives
    )
    pending = tuple(
        _nothing_pending(net, p, delay_range(p, i, dt).most, operator, sum(sizes[name] for name in p.post))
        for i, (p, operator) in enumerate(zip(net.projections, wiring.operators, strict=True))
    )
    step = jnp.asarray(count_steps("t0", t0, dt), jnp.int32)
    resources = tuple(
        p.synapse.rested(sizes[p.pre]) if isinstance(p.synapse, ShortTermPlasticity) else None for p in net.projections
    )
    return NetworkState(step, neurons, synapses, drive_synapses, pending, resources)


def _nothing_pending(
    net: Network, projection: Projection, rows: int, operator: AbstractOperator | None, n_post: int
) -> Shaped[Array, "_ _ ..."]:
    if is_off_grid(net, projection.pre):
        return jnp.zeros((rows, n_post, 3))
    return jnp.zeros((rows, n_post), jnp.result_type(float) if operator is None else operator.count_dtype)


def poisson_names(net: Network) -> tuple[str, ...]:
    """The populations that are sources only."""
    return tuple(name for name in net.names if isinstance(net.populations[name].model, Poisson))


def all_finite(state: NetworkState) -> Array:
    """Whether every float of every population's state is finite, (populations,)."""
    flags = []
    for neurons in state.neurons.values():
        leaves = [x for x in jax.tree_util.tree_leaves(neurons) if jnp.issubdtype(x.dtype, jnp.inexact)]
        flags.append(jnp.stack([jnp.all(jnp.isfinite(x)) for x in leaves]).all())
    return jnp.stack(flags) if flags else jnp.ones(1, bool)


def drives_are_wrong(net: Network) -> Array:
    """Whether a traced rate is negative or not finite, which a known one is refused for."""
    wrong = jnp.zeros((), bool)
    given = [x for d in net.drives if isinstance(d, PoissonDrive) for x in (d.n_sources, d.rate)]
    given += [net.populations[name].model.rate for name in poisson_names(net)]
    for values in given:
        wrong = wrong | ~jnp.all((values >= 0) & jnp.isfinite(values))
    return wrong


def given_names(net: Network) -> tuple[str, ...]:
    """The populations whose spikes a run is given."""
    return tuple(name for name in net.names if isinstance(net.populations[name].model, SpikeSource))
