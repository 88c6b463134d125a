"""A network of neurons in blocks of the shortest delay, inside which no neuron hears of another."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .._formulas import Input
from .._network import Network
from .._numerics import Result, role_key, scan_steps
from ..models import Firing
from ..surrogate import AbstractSurrogate
from ._deliver import with_amplitude, with_room
from ._exact_times import off_grid_arrivals
from ._heard import Heard, input_values
from ._machine import AbstractProgram, Cut, Emitted, Look, finite_and_resolved
from ._own import check_received, check_stepped
from ._plan import Line, NetworkState, Plan, all_finite, drives_are_wrong
from ._stimulus import Stimulus, as_input


class SpikingProgram(AbstractProgram):
    """A network of neurons made ready for its run."""

    net: Network
    plan: Plan
    key: PRNGKeyArray
    stimulus: dict[str, dict[str, Stimulus]]
    first: Int[Array, ""]
    wrong_wiring: Bool[Array, ""] | None
    surrogates: dict[str, AbstractSurrogate]
    resolved: Bool[Array, ""] | None
    heard: tuple[tuple[str, ...], ...] = eqx.field(static=True)
    """What each population of neurons may record of its input."""
    timed: bool = eqx.field(static=True)
    block_steps: int = eqx.field(static=True)
    group_steps: int = eqx.field(static=True)
    kept: int = eqx.field(static=True)

    def start(self, state: NetworkState) -> NetworkState:
        """With what is on its way as floats, where spikes are floats."""
        pending = []
        for rows, own in zip(state.pending, self.plan.projections, strict=True):
            pending.append(rows.astype(own.pending))
        return dataclasses.replace(state, pending=tuple(pending))

    def observe(self, state: NetworkState, name: str) -> dict[str, Any]:
        """The variables of the neurons; of their input, which is of a step and not of a moment, nothing."""
        return self._seen(state, name, {})

    def _seen(self, state: NetworkState, name: str, heard: Mapping[str, list[Heard]]) -> dict[str, Any]:
        """The variables of the neurons after a step, and what they heard in it."""
        own = self.net.populations[name].model.observe(state.neurons[name])
        names = self.heard[self.net.neuron_names.index(name)]
        return own | input_values(names, heard.get(name, []), self.plan.sizes[name])

    def failed(self, state: NetworkState, nonfinite: Bool[Array, ""]) -> Result:
        """What cannot be refused while values are traced is said here."""
        ran = finite_and_resolved(nonfinite, self.resolved)
        ran = Result.where(drives_are_wrong(self.net), Result.wrong_drive, ran)
        for surrogate in self.surrogates.values():
            ran = Result.where(surrogate.valid(), ran, Result.wrong_surrogate)
        if self.wrong_wiring is not None:
            ran = Result.where(self.wrong_wiring, Result.wrong_wiring, ran)
        for name, own in state.neurons.items():
            outcome = self.net.populations[name].model.outcome(own)
            ran = ran if outcome is None else Result.where(outcome == Result.successful, ran, outcome)
        return ran

    def block(self, state: NetworkState, n_steps: int, look: Look, cut: Cut) -> tuple[NetworkState, Emitted]:
        """Blocks whose input from outside is made at once."""
        n_blocks, length = max(1, n_steps // self.block_steps), min(n_steps, self.block_steps)
        steps = state.step + jnp.arange(n_steps, dtype=jnp.int32)
        sources, memories = self._sources(state, steps)
        state = dataclasses.replace(state, sources=memories)
        state, ahead = self._look_ahead(state, sources)
        heard = {}
        for projection, own in zip(self.net.projections, self.plan.projections, strict=True):
            if not own.ahead and projection.pre in sources:
                heard[projection.pre] = sources[projection.pre]
        outside = {
            "drives": self._draws(steps),
            "chance": self._chances(steps),
            "sources": heard,
            "stimulus": {
                name: {part: s.rows(steps - self.first, steps) for part, s in own.items() if s.constant is None}
                for name, own in self.stimulus.items()
            },
            "ahead": ahead,
        }

        def one(now: NetworkState, row: tuple[dict[str, Any], Array | None]) -> tuple[NetworkState, Any]:
            own, at = row
            after, emitted = self._block(cut(now, length), now.pending, own, length, look, at)
            return after, (*emitted, all_finite(after))

        if n_blocks == 1:
            rows = (outside, None)
            state, (firing, seen, finite) = _once(one, state, rows) if self.block_steps == 1 else one(state, rows)
            finite = finite[None]
        else:
            by_block = jax.tree_util.tree_map(lambda x: x.reshape(n_blocks, length, *x.shape[1:]), outside)
            begins = length * jnp.arange(n_blocks, dtype=jnp.int32)
            state = self._lines(state, lambda rows: Line(with_room(rows, n_steps), rows[:length]))
            state, (firing, seen, finite) = lax.scan(one, state, (by_block, begins), length=n_blocks)
            state = self._lines(state, lambda line: line.rows[n_steps:])
            firing, seen = jax.tree_util.tree_map(lambda x: x.reshape(-1, *x.shape[2:]), (firing, seen))
        return state, Emitted(firing | sources, seen, finite)

    def _lines(self, state: NetworkState, change: Callable[[Any], Any]) -> NetworkState:
        """The state with what is on its way changed, where the blocks of a group write it in one line."""
        plans = zip(state.pending, self.plan.projections, strict=True)
        return dataclasses.replace(state, pending=tuple([change(x) if own.in_line else x for x, own in plans]))

    def _look_ahead(
        self, state: NetworkState, sources: Mapping[str, Firing]
    ) -> tuple[NetworkState, tuple[Array | None, ...]]:
        """What arrives from sources alone, for all steps at once."""
        arriving, pending = [], list(state.pending)
        for i, projection in enumerate(self.net.projections):
            own = self.plan.projections[i]
            if not own.ahead:
                arriving.append(None)
                continue
            fired = sources[projection.pre]
            line = own.arrivals.timeline(pending[i], fired)
            arriving.append(line[: fired.spikes.shape[0]])
            pending[i] = line[fired.spikes.shape[0] :]
        return dataclasses.replace(state, pending=tuple(pending)), tuple(arriving)

    def _block(
        self,
        state: NetworkState,
        pending: tuple,
        outside: dict[str, Any],
        n_steps: int,
        look: Look,
        at: Int[Array, ""] | None,
    ) -> tuple[NetworkState, tuple[dict[str, Firing], dict[str, Any]]]:
        """One block, that begins `at` so many steps after its group, or is one by itself.

        `pending` is what is on its way with its derivative, which given spikes keep.
        """
        arriving = {"drives": outside["drives"], "chance": outside["chance"], "stimulus": outside["stimulus"]}
        kept, arrived = [], []
        rows = zip(self.plan.projections, pending, state.pending, outside["ahead"], strict=True)
        for own, old, new, ahead in rows:
            kept.append(old if own.ahead else new)
            in_line = at is not None and own.in_line
            arrived.append(ahead if ahead is not None else kept[-1].next if in_line else kept[-1][:n_steps])
        state = dataclasses.replace(state, pending=tuple(kept))
        arriving["pending"] = tuple(arrived)
        if n_steps == 1:
            advance = self._step if self.block_steps == 1 else partial(_once, self._step)
            state, emitted = advance(state, jax.tree_util.tree_map(lambda x: x[0], arriving), look)
            firing, seen = jax.tree_util.tree_map(lambda x: x[None], emitted)
        else:
            state, (firing, seen) = scan_steps(
                lambda now, row: self._step(now, row, look), state, arriving, length=n_steps
            )
        pending, memories = self._advance(state, firing | outside["sources"], at)
        state = dataclasses.replace(state, step=state.step + n_steps, pending=pending, presynaptic=memories)
        return state, (firing, seen)

    def _sources(self, state: NetworkState, steps: Int[Array, "time"]) -> tuple[dict[str, Firing], dict[str, Any]]:
        """The spikes of the populations without input, and what these remember afterwards."""
        made, memories = {}, {}
        for name in self.net.source_names:
            key, n = role_key(self.key, f"sources {name}"), self.plan.sizes[name]
            model = self.net.populations[name].model
            rows, memories[name] = model.spikes(key, steps, self.plan.dt, n, state.sources[name])
            if rows.dtype == bool:
                made[name] = Firing(rows)
            else:
                made[name] = Firing(rows != 0, rows, jnp.ones(rows.shape, bool), weighted=True)
        return made, memories

    def _draws(self, steps: Int[Array, "time"]) -> tuple:
        """The random numbers of each drive over a block, (time, targets)."""
        drawn = []
        for i, (drive, own) in enumerate(zip(self.net.drives, self.plan.drives, strict=True)):
            key, n = role_key(self.key, f"drive {i}"), own.targets[-1].stop
            drawn.append(drive.draw(key, steps, self.plan.dt, n, own.table))
        return tuple(drawn)

    def _chances(self, steps: Int[Array, "time"]) -> tuple[Array | None, ...]:
        """The random numbers by which the spikes of each projection are transmitted, where that is by chance."""
        drawn = []
        for i, (projection, own) in enumerate(zip(self.net.projections, self.plan.projections, strict=True)):
            key, n = role_key(self.key, f"release {i}"), own.targets[-1].stop
            drawn.append(projection.synapse.chance(key, steps, n))
        return tuple(drawn)

    def _step(
        self, state: NetworkState, arriving: dict[str, Any], look: Look
    ) -> tuple[NetworkState, tuple[dict[str, Firing], dict[str, Any]]]:
        """One step of every neuron."""
        inputs, synapses, drives, heard = self._inputs(state, arriving)
        timed = self.timed or self.plan.off_grid
        neurons, firing = {}, {}
        for name, now in state.neurons.items():
            model, constants = self.net.populations[name].model, self.plan.neurons[name]
            stepped = model.step(constants, now, inputs[name])
            check_stepped(model, name, stepped, now, self.plan.sizes[name])
            neurons[name], fired = stepped
            firing[name] = fired if timed else Firing(fired.spikes, fired.soft, fired.sensitive)
        new = NetworkState(state.step, neurons, synapses, drives, state.pending, state.presynaptic, state.sources)
        return new, (firing, look(lambda name: self._seen(new, name, heard)))

    def _inputs(self, state: NetworkState, arriving: dict[str, Any]) -> tuple[dict[str, Input], tuple, tuple, dict]:
        """What every population receives, what synapses and drives are afterwards, and what came from where."""
        net, plan = self.net, self.plan
        inputs, potentials = {}, {}
        heard: dict[str, list[Heard]] = {}
        for name, now in state.neurons.items():
            inputs[name], heard[name] = Input(), []
            potentials[name] = net.populations[name].model.observe(now).get("v")
        for name, own in self.stimulus.items():
            constant = {part: s.constant for part, s in own.items() if s.constant is not None}
            inputs[name] = as_input(arriving["stimulus"][name] | constant, plan.sizes[name])
            heard[name].append(("stimulus", inputs[name]))
        synapses = []
        for i, projection in enumerate(net.projections):
            synapse, counts, kept = projection.synapse, arriving["pending"][i], []
            whose, gives = f"`projections[{i}]`: {type(synapse).__name__}.step", synapse.gives()
            if arriving["chance"][i] is not None:
                counts = synapse.transmitted(counts, arriving["chance"][i])
            for target, old in zip(plan.projections[i].targets, state.synapses[i], strict=True):
                name, weight = target.name, target.weight
                own = counts[target.start : target.stop].astype(weight.dtype)
                received = synapse.step(target.constants, old, own, weight, potentials[name])
                check_received(whose, gives, received, old, own.shape[0])
                kept.append(received.state)
                inputs[name] = inputs[name] + received.inputs
                heard[name].append((projection.pre, received.inputs))
            synapses.append(tuple(kept))
        drives = []
        of_drives = zip(plan.drives, arriving["drives"], state.drives, strict=True)
        for i, (of_targets, drawn, states) in enumerate(of_drives):
            kept, gives = [], net.drives[i].gives()
            for target, old in zip(of_targets.targets, states, strict=True):
                own = jax.tree_util.tree_map(lambda x, at=target: x[at.start : at.stop], drawn)
                received = target.drive.input(target.constants, old, own, potentials[target.name])
                whose = f"`drives[{i}]`: {type(target.drive).__name__}.input"
                check_received(whose, gives, received, old, target.stop - target.start)
                kept.append(received.state)
                inputs[target.name] = inputs[target.name] + received.inputs
                heard[target.name].append((f"drives[{i}]", received.inputs))
            drives.append(tuple(kept))
        return inputs, tuple(synapses), tuple(drives), heard

    def _advance(
        self, state: NetworkState, firing: Mapping[str, Firing], at: Int[Array, ""] | None
    ) -> tuple[tuple, tuple]:
        """Takes the rows that have arrived off the front, and adds the block's spikes at the back."""
        moved, memories = [], list(state.presynaptic)
        for i, projection in enumerate(self.net.projections):
            own, rows = self.plan.projections[i], state.pending[i]
            if own.ahead:
                moved.append(rows)
                continue
            fired = firing[projection.pre]
            if memories[i] is not None:
                memories[i], used = projection.synapse.release(memories[i], fired.spikes, self.plan.dt)
                fired = with_amplitude(fired, used)
            if fired.soft is not None and fired.weighted and not projection.synapse.is_linear():
                counted = projection.synapse.counts_as(fired.soft, own.targets[0].weight)
                fired = dataclasses.replace(fired, soft=counted)
            if own.off_grid:
                moved.append(off_grid_arrivals(own.arrivals, rows, fired, self.plan.dt))
            elif at is not None and own.in_line:
                moved.append(self._written(i, rows, at, fired))
            else:
                moved.append(own.arrivals.advance(rows, fired))
        return tuple(moved), tuple(memories)

    def _written(self, i: int, line: Any, at: Int[Array, ""], fired: Firing) -> Line:
        """The line of projection `i` with the spikes of the block that begins `at`."""
        length = fired.spikes.shape[0]
        own = self.plan.projections[i]
        rows = own.arrivals.written(line.rows, at, own.rows, fired)
        return Line(rows, lax.dynamic_slice_in_dim(rows, at + length, length))


def _once(body: Callable[..., Any], state: Any, row: Any, *rest: Any) -> Any:
    """`body(state, row, *rest)`, rounded as in a loop.

    The compiler takes a loop of one turn apart, and sums of products are then rounded otherwise. So the loop has two
    turns, of which the second is thrown away.
    """

    def turn(now: Any, own: Any) -> tuple[Any, Any]:
        found = body(now, own, *rest)
        return found[0], found

    found = lax.scan(turn, state, jax.tree_util.tree_map(lambda x: jnp.stack([x, x]), row))[1]
    return jax.tree_util.tree_map(lambda x: x[0], found)
