"""What a run needs of a network: constants computed once, and the shape of its loop."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from .._network import AbstractDrive, Network, Projection
from .._numerics import role_key
from ..connectivity import AbstractOperator, StepRange
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
from ._own import check_start
from ._wire import Wiring, sizes_of

# A block of steps is as long as the shortest delay. Where nothing has a delay it is so many steps long: enough that
# going round the loop costs little beside the steps.
FREE_BLOCK = 16
# Random numbers are drawn for at least so many steps in one call: a call for few numbers costs as much as for many.
_LEAST_DRAW = 16
# What is on its way moves on after so many times the longest delay, or after so many random numbers of each drive.
_MOVES, _MOST_DRAWN = 2, 2**23


class Line(NamedTuple):
    """What is on its way over all blocks of a group, and of it what arrives in the block to come.

    Each block writes to the line and reads what arrives in the next one afterwards: with a read before the write the
    compiler would copy the whole line in each block.
    """

    rows: Shaped[Array, "steps n_post"]
    next: Shaped[Array, "time n_post"]


class NetworkState(AbstractRunState):
    """Everything that a run needs to go on: pass it as `state=` to continue bitwise.

    `pending[p]` holds the spikes on their way in projection p: a row for each coming step, with the number that each
    target receives in it. The numbers are floats in a run with a surrogate derivative, of given weights, or of spikes
    with amplitudes; where spikes have times inside their steps there are three of them, moments of these times.
    Between the blocks of a group it may be a `Line`.
    `presynaptic[p]` is what the synapses of projection p remember of their presynaptic neurons, `sources` what sources
    remember.
    """

    step: Int[Array, ""]
    neurons: dict[str, Any]
    synapses: tuple
    drives: tuple
    pending: tuple[Any, ...]  # each (steps, n_post) or (steps, n_post, 3), or a `Line`
    presynaptic: tuple
    sources: dict[str, Any]


class Target(eqx.Module):
    """A target of a projection: its place among all targets side by side, and the synapse's constants onto it."""

    name: str = eqx.field(static=True)
    start: int = eqx.field(static=True)
    stop: int = eqx.field(static=True)
    constants: Any
    weight: Float[Array, "*n"]


class ProjectionPlan(eqx.Module):
    """Constants of one projection."""

    targets: tuple[Target, ...]
    arrivals: AbstractArrivals
    ahead: bool = eqx.field(static=True)
    """Whether arrivals are computed for several blocks at once: the spikes come from a source, and not from neurons."""
    off_grid: bool = eqx.field(static=True)
    """Whether spikes have times inside their steps, which the targets feel."""
    pending: jnp.dtype = eqx.field(static=True)
    """The type of the numbers on their way: floats where spikes have amplitudes or a derivative, else counts."""
    rows: int = eqx.field(static=True)
    """Steps to come in which something may arrive: the longest delay."""
    in_line: bool = eqx.field(static=True)
    """Whether the blocks of a group write into one line of rows, which is moved on after the last of them alone. A
    derivative would keep the line once for each block."""


class DriveTarget(eqx.Module):
    """A target of a drive: its place among all targets side by side, and the drive's part for it."""

    name: str = eqx.field(static=True)
    start: int = eqx.field(static=True)
    stop: int = eqx.field(static=True)
    constants: Any
    drive: AbstractDrive


class DrivePlan(eqx.Module):
    """Constants of one drive."""

    targets: tuple[DriveTarget, ...]
    table: Any


class Plan(eqx.Module):
    """Constants of one run, all computed outside the loop."""

    neurons: dict
    projections: tuple[ProjectionPlan, ...]
    drives: tuple[DrivePlan, ...]
    sizes: dict[str, int] = eqx.field(static=True)
    block: int = eqx.field(static=True)
    """Steps of a block: at most the shortest delay."""
    shortest: int | None = eqx.field(static=True)
    """The projection with the shortest delay of those that neurons are heard by; None where there is none."""
    blocks_per_draw: int = eqx.field(static=True)
    """Blocks whose random input is drawn at once."""
    kept: int = eqx.field(static=True)
    """How much memory the derivative of the blocks of one draw needs, as a multiple of the state of the neurons."""
    off_grid: bool = eqx.field(static=True)
    """Whether spikes of some projection have times inside their steps."""
    dt: float = eqx.field(static=True)


def spans(sizes: dict[str, int], targets: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Each target and its place among all targets side by side: from where, to where."""
    result, begin = [], 0
    for name in targets:
        result.append((name, begin, begin + sizes[name]))
        begin += sizes[name]
    return result


def delays_of(net: Network, dt: float) -> tuple[StepRange, ...]:
    """The bounds of the delays of every projection in steps of `dt` [ms]."""
    return tuple([p.delays.steps(f"projections[{i}].delay", dt) for i, p in enumerate(net.projections)])


def make_plan(
    net: Network,
    wiring: Wiring,
    delays: tuple[StepRange, ...],
    dt: float,
    n_steps: int,
    solver: AbstractSolver | None,
    surrogates: Mapping[str, AbstractSurrogate | None],
    amplitudes: tuple[str, ...],
    within_step: tuple[str, ...],
) -> Plan:
    """Prepares a run of `n_steps` steps of `dt` [ms]; `amplitudes` are the sources whose spikes are floats."""
    sizes = sizes_of(net, net.names)
    neurons, taus, most_kept = {}, {}, 0
    for name in net.neuron_names:
        model = net.populations[name].model
        neurons[name] = model.prepare(dt, solver or model.default_solver(), surrogates.get(name))
        taus[name] = model.membrane_time_constant()
        most_kept = max(most_kept, model.kept_per_step())
    projections, shortest, inside, longest = [], None, False, 0
    for projection, operator, own in zip(net.projections, wiring.operators, delays, strict=True):
        soft = surrogates.get(projection.pre) is not None or projection.pre in amplitudes
        off_grid = projection.pre in within_step and projection.synapse.hears_inside_steps()
        known = projection.pre in net.source_names
        projections.append(_projection_plan(projection, operator, own, known, soft, off_grid, taus, sizes, dt))
        if not projections[-1].ahead and (shortest is None or own.least < delays[shortest].least):
            shortest = len(projections) - 1
        inside, longest = inside or off_grid, max(longest, projections[-1].rows if projections[-1].in_line else 0)
    block = _even_share(n_steps, FREE_BLOCK if shortest is None else delays[shortest].least)
    group = _LEAST_DRAW
    if longest > max(block, group):
        # What is on its way is moved on after a group, which copies the steps to come of every projection.
        group = max(group, min(_MOVES * longest, _MOST_DRAWN // sum(sizes.values())))
    blocks_per_draw = _even_share(n_steps // block, max(1, group // block))
    drives = tuple([_drive_plan(drive, taus, sizes, dt) for drive in net.drives])
    kept = max(1, blocks_per_draw * block * most_kept)
    return Plan(neurons, tuple(projections), drives, sizes, block, shortest, blocks_per_draw, kept, inside, dt)


def _projection_plan(
    projection: Projection,
    operator: AbstractOperator | None,
    delays: StepRange,
    known: bool,
    soft: bool,
    off_grid: bool,
    taus: Mapping[str, Any],
    sizes: dict[str, int],
    dt: float,
) -> ProjectionPlan:
    """`known`: whether the spikes come from a source, which hears of no neuron; `soft`: whether they are floats."""
    synapse, scale = projection.synapse, projection.law.scale
    unit = None if operator is None else operator.arrival_unit
    if unit is not None:
        scale = scale * unit.astype(scale.dtype)
    targets = []
    for name, start, stop in spans(sizes, projection.post):
        weight = scale[start:stop] if scale.ndim else scale
        targets.append(Target(name, start, stop, synapse.prepare(dt, taus[name]), weight))
    remembers = synapse.presynaptic(1) is not None
    ahead = operator is None and known and not remembers
    floats = soft or remembers or off_grid
    pending = jnp.dtype(jnp.result_type(float)) if floats or operator is None else operator.count_dtype
    in_line = operator is not None and not (off_grid or floats)
    arrivals = _arrivals(projection, operator, delays, dt)
    return ProjectionPlan(tuple(targets), arrivals, ahead, off_grid, pending, delays.most, in_line)


def _drive_plan(drive: AbstractDrive, taus: Mapping[str, Any], sizes: dict[str, int], dt: float) -> DrivePlan:
    targets = []
    for name, start, stop in spans(sizes, drive.targets):
        own = drive.part(slice(start, stop))
        targets.append(DriveTarget(name, start, stop, own.prepare(dt, taus[name]), own))
    return DrivePlan(tuple(targets), drive.table(dt))


def _arrivals(
    projection: Projection, operator: AbstractOperator | None, delays: StepRange, dt: float
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
    """The largest number up to `most` that divides `n`; `most` itself where that would be half of it or less.

    Steps that are left over at the end make a shorter block, which is a second program to compile.
    """
    for share in range(min(n, most), most // 2, -1):
        if n % share == 0:
            return share
    return max(1, min(n, most))


def initial_state(
    net: Network, wiring: Wiring, delays: tuple[StepRange, ...], first: int, dt: float, key: PRNGKeyArray
) -> NetworkState:
    """The state at step `first`: potentials as each population says, nothing on its way."""
    neurons, sources, sizes = {}, {}, sizes_of(net, net.names)
    for name in net.neuron_names:
        population = net.populations[name]
        start = population.model.starting_potential()
        check_start(population.model, name, start, sizes[name])
        v = population.initial.draw(start, sizes[name], role_key(key, f"initial {name}"))
        neurons[name] = population.model.started(population.model.init(v), dt)
    for name in net.source_names:
        sources[name] = net.populations[name].model.init(sizes[name], role_key(key, f"initial {name}"))
    synapses, drives, pending, presynaptic = [], [], [], []
    for p, operator, own in zip(net.projections, wiring.operators, delays, strict=True):
        n_post, states = 0, []
        for name in p.post:
            n_post += sizes[name]
            states.append(p.synapse.init(sizes[name]))
        synapses.append(tuple(states))
        presynaptic.append(p.synapse.presynaptic(sizes[p.pre]))
        # A spike with a time inside its step is kept as three numbers: the moments of that time.
        shape = (own.most, n_post)
        off_grid = _is_off_grid(net, p)
        dtype = jnp.result_type(float) if off_grid or operator is None else operator.count_dtype
        pending.append(jnp.zeros((*shape, 3) if off_grid else shape, dtype))
    for i, drive in enumerate(net.drives):
        own = []
        for name, start, stop in spans(sizes, drive.targets):
            start_key = role_key(key, f"initial drive {i} {name}")
            own.append(drive.part(slice(start, stop)).init(sizes[name], start_key))
        drives.append(tuple(own))
    step = jnp.asarray(first, jnp.int32)
    return NetworkState(step, neurons, tuple(synapses), tuple(drives), tuple(pending), tuple(presynaptic), sources)


def _is_off_grid(net: Network, projection: Projection) -> bool:
    """Whether the spikes of a projection have times inside their steps, which its targets feel."""
    timed = projection.pre in net.neuron_names and net.populations[projection.pre].model.spikes_within_step()
    return timed and projection.synapse.hears_inside_steps()


def all_finite(state: NetworkState) -> Array:
    """Whether every float of every population's state is finite, (populations,)."""
    flags = []
    for neurons in state.neurons.values():
        leaves = jax.tree.leaves(eqx.filter(neurons, eqx.is_inexact_array))
        flags.append(jnp.all(jnp.asarray(list(map(jnp.all, map(jnp.isfinite, leaves))), bool)))
    return jnp.stack(flags) if flags else jnp.ones(1, bool)


def drives_are_wrong(net: Network) -> Array:
    """Whether a drive or source has a traced number that is not allowed, which a known one is refused for."""
    wrong = jnp.zeros((), bool)
    for own in (*net.drives, *(net.populations[name].model for name in net.source_names)):
        valid = own.valid()
        wrong = wrong if valid is None else wrong | ~valid
    return wrong
