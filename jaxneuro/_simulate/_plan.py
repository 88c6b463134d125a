"""What a run needs of a network: constants computed once, and the shape of its loop."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from .._network import AbstractDrive, Network, Projection
from .._numerics import role_key
from ..connectivity import AbstractOperator
from ..models import AbstractSolver
from ..surrogate import AbstractSurrogate
from ._deliver import (
    AbstractArrivals,
    DelayedArrivals,
    DrawnArrivals,
    GivenArrivals,
    MatrixArrivals,
    SharedArrivals,
)
from ._machine import AbstractRunState
from ._wire import Wiring, size_of

# A network without projections has no delay to set its block; this many steps amortise the loop.
_FREE_BLOCK = 16
# Steps whose random input is drawn at once, at the least: shorter draws would not fill a kernel.
_LEAST_DRAW = 16


class DelayRange(eqx.Module):
    """The delays of a projection in steps, from the shortest to the longest."""

    least: int = eqx.field(static=True)
    most: int = eqx.field(static=True)


class NetworkState(AbstractRunState):
    """Everything that a run needs to go on: pass it as `state=` to continue bitwise.

    `pending[p]` holds the counts of spikes on their way in projection p, one row a step to come (as
    floats in a run with a surrogate derivative, of given weights, or of spikes with amplitudes; where spikes have times
    inside their steps, as three moments of these). `presynaptic` is what its synapses remember of their presynaptic
    neurons, `sources` what sources remember.
    """

    step: Int[Array, ""]
    neurons: dict[str, Any]
    synapses: tuple
    drives: tuple
    pending: tuple[Shaped[Array, "_ _ ..."], ...]
    presynaptic: tuple
    sources: dict[str, Any]


class Plan(eqx.Module):
    """Constants of one run, all computed outside the loop."""

    neurons: dict
    synapses: tuple
    drives: tuple[tuple[AbstractDrive, ...], ...]
    """Each drive's part for each of its targets."""
    drive_constants: tuple
    tables: tuple
    arrivals: tuple[AbstractArrivals, ...]
    ahead: tuple[bool, ...] = eqx.field(static=True)
    """Whether a projection's arrivals are computed for several blocks at once: no neuron has a say in them."""
    off_grid: tuple[bool, ...] = eqx.field(static=True)
    """Whether a projection's spikes have times inside their steps, which its targets feel."""
    sizes: dict[str, int] = eqx.field(static=True)
    block: int = eqx.field(static=True)
    """Steps of a block: at most the shortest delay."""
    blocks_per_draw: int = eqx.field(static=True)
    """Blocks whose random input is drawn at once."""
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
    solver: AbstractSolver | None,
    surrogates: Mapping[str, AbstractSurrogate | None],
) -> Plan:
    """Prepares a run of `n_steps` steps of `dt` [ms]."""
    sizes = {name: size_of(net, name) for name in net.names}
    delays = tuple([delay_range(p, i, dt) for i, p in enumerate(net.projections)])
    models = {name: net.populations[name].model for name in net.neuron_names}
    neurons = {n: m.prepare(dt, solver or m.default_solver(), surrogates.get(n)) for n, m in models.items()}
    taus = {name: model.membrane_time_constant() for name, model in models.items()}
    drives = tuple([tuple([d.part(place) for _, place in spans(sizes, d.targets)]) for d in net.drives])
    ahead = tuple(
        [
            operator is None and p.pre in net.source_names and p.synapse.presynaptic(1) is None
            for p, operator in zip(net.projections, wiring.operators, strict=True)
        ]
    )
    heard = (d.least for d, known in zip(delays, ahead, strict=True) if not known)
    block = _even_share(n_steps, min(heard, default=_FREE_BLOCK))
    blocks_per_draw = _even_share(n_steps // block, max(1, _LEAST_DRAW // block))
    return Plan(
        neurons,
        tuple([tuple([p.synapse.prepare(dt, taus[name]) for name in p.post]) for p in net.projections]),
        drives,
        tuple(
            [
                tuple([own.prepare(dt, taus[name]) for own, name in zip(parts, d.targets, strict=True)])
                for parts, d in zip(drives, net.drives, strict=True)
            ]
        ),
        tuple([d.table(dt) for d in net.drives]),
        tuple([_arrivals(p, o, d, dt) for p, o, d in zip(net.projections, wiring.operators, delays, strict=True)]),
        ahead,
        tuple([is_off_grid(net, p) for p in net.projections]),
        sizes,
        block,
        blocks_per_draw,
        max(1, blocks_per_draw * block * max((model.kept_per_step() for model in models.values()), default=0)),
        dt,
    )


def _arrivals(
    projection: Projection, operator: AbstractOperator | None, delays: DelayRange, dt: float
) -> AbstractArrivals:
    """How spikes of a projection are delivered: through a drawn wiring, or by given weights, which need none."""
    if operator is not None:
        steps = operator.delay_steps(dt, delays.least, delays.most)
        return DrawnArrivals(operator) if steps is None else DelayedArrivals(operator, steps)
    given: Any = projection.connectivity
    shares = projection.delays.shares(dt, delays.least, delays.most)
    if shares is not None:
        shares = shares.reshape(shares.shape[0], *(1,) * (3 - shares.ndim), *shares.shape[1:])
        return SharedArrivals(shares * given.as_matrix(), delays.least)
    prepared = given.prepared()
    rows = prepared.rows()
    return GivenArrivals(prepared) if rows is None else MatrixArrivals(rows)


def _even_share(n: int, most: int) -> int:
    """The largest number up to `most` that divides `n`, if not much smaller: what is left over is compiled again."""
    for share in range(min(n, most), (most + 1) // 2, -1):
        if n % share == 0:
            return share
    return max(1, min(n, most))


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
        soft = surrogates.get(projection.pre) is not None or projection.synapse.presynaptic(1) is not None
        as_floats = soft or projection.pre in amplitudes or is_off_grid(net, projection)
        pending.append(rows.astype(floats if as_floats or operator is None else operator.count_dtype))
    return eqx.tree_at(lambda s: s.pending, state, tuple(pending))


def initial_state(net: Network, wiring: Wiring, first: int, dt: float, key: PRNGKeyArray) -> NetworkState:
    """The state at step `first`: potentials as each population says, nothing on its way."""
    neurons, sizes = {}, {name: size_of(net, name) for name in net.names}
    for name in net.neuron_names:
        population = net.populations[name]
        v = population.initial.draw(population.model.resting_potential(), sizes[name], role_key(key, f"initial {name}"))
        neurons[name] = population.model.started(population.model.init(v), dt)
    synapses, drives, pending = [], [], []
    for i, (p, operator) in enumerate(zip(net.projections, wiring.operators, strict=True)):
        synapses.append(tuple([p.synapse.init(sizes[name]) for name in p.post]))
        n_post = sum([sizes[name] for name in p.post])
        pending.append(_nothing_pending(net, p, delay_range(p, i, dt).most, operator, n_post))
    for i, d in enumerate(net.drives):
        places = spans(sizes, d.targets)
        drives.append(tuple([d.part(at).init(sizes[n], role_key(key, f"initial drive {i} {n}")) for n, at in places]))
    step = jnp.asarray(first, jnp.int32)
    presynaptic = [p.synapse.presynaptic(sizes[p.pre]) for p in net.projections]
    sources = {
        name: net.populations[name].model.init(sizes[name], role_key(key, f"initial {name}"))
        for name in net.source_names
    }
    return NetworkState(step, neurons, tuple(synapses), tuple(drives), tuple(pending), tuple(presynaptic), sources)


def is_off_grid(net: Network, projection: Projection) -> bool:
    """Whether the spikes of a projection have times inside their steps, which its targets feel."""
    timed = projection.pre in net.neuron_names and net.populations[projection.pre].model.spikes_within_step()
    return timed and projection.synapse.hears_inside_steps()


def _nothing_pending(
    net: Network, projection: Projection, rows: int, operator: AbstractOperator | None, n_post: int
) -> Shaped[Array, "_ _ ..."]:
    if is_off_grid(net, projection):
        return jnp.zeros((rows, n_post, 3))
    return jnp.zeros((rows, n_post), jnp.result_type(float) if operator is None else operator.count_dtype)


def all_finite(state: NetworkState) -> Array:
    """Whether every float of every population's state is finite, (populations,)."""
    flags = []
    for neurons in state.neurons.values():
        leaves = [x for x in jax.tree_util.tree_leaves(neurons) if jnp.issubdtype(x.dtype, jnp.inexact)]
        flags.append(jnp.stack([jnp.all(jnp.isfinite(x)) for x in leaves]).all())
    return jnp.stack(flags) if flags else jnp.ones(1, bool)


def drives_are_wrong(net: Network) -> Array:
    """Whether a drive or source has a traced number that is not allowed, which a known one is refused for."""
    wrong = jnp.zeros((), bool)
    for own in (*net.drives, *(net.populations[name].model for name in net.source_names)):
        valid = own.valid()
        wrong = wrong if valid is None else wrong | ~valid
    return wrong
