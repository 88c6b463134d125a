"""The loop: blocks of the shortest delay, inside which no neuron hears of another."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .._formulas import Input
from .._network import Network, check_understood
from .._numerics import role_key
from ..connectivity import ScheduledOperator, SparseOperator
from ..models import Firing
from ._deliver import GivenArrivals, deliver, push, with_amplitude
from ._exact_times import off_grid_arrivals
from ._plan import NetworkState, Plan, all_finite, part, spans
from ._stimulus import Stimulus
from .adjoint import AbstractAdjoint
from .record import AbstractRecorder, Layout, Spikes, SpikeTimes, Trace, Window


class Outcome(eqx.Module):
    """What the loop carries beside the state: recorders, and the first block that went non-finite."""

    recorders: dict[str, Any]
    failed_step: Int[Array, ""]
    finite: Bool[Array, "populations"]


class Loop(eqx.Module):
    """A run: everything that stays the same from block to block."""

    net: Network
    plan: Plan
    key: PRNGKeyArray
    stimulus: dict[str, Stimulus]
    recorders: dict[str, AbstractRecorder]
    layout: Layout
    adjoint: AbstractAdjoint
    report: Callable[[Array], None] | None = eqx.field(static=True)

    @property
    def timed(self) -> bool:
        """Whether a recorder or a synapse wants the times of spikes inside their steps."""
        recorded = any(isinstance(recorder, Spikes | SpikeTimes) for recorder in self.recorders.values())
        return recorded or any(self.plan.off_grid)

    def run(self, state: NetworkState, recorders: dict[str, Any]) -> tuple[NetworkState, Outcome]:
        """All steps: full blocks, several of which share a draw where they are short, and what is left over."""
        outcome = Outcome(recorders, jnp.full((), -1, jnp.int32), jnp.ones_like(all_finite(state)))
        block = self.plan.block
        groups, rest = divmod(self.layout.n_steps, self.plan.together * block)

        def group(carry: tuple[NetworkState, Outcome], index: Array) -> tuple[NetworkState, Outcome]:
            if self.report is not None:
                self.report(index)
            return self._blocks(*carry, self.plan.together, block)

        state, outcome = self.adjoint.loop(group, (state, outcome), jnp.arange(groups, dtype=jnp.int32), self.plan.kept)
        blocks, steps = divmod(rest, block)
        if blocks:
            state, outcome = self._blocks(state, outcome, blocks, block)
        return self._blocks(state, outcome, 1, steps) if steps else (state, outcome)

    def _blocks(
        self, state: NetworkState, outcome: Outcome, n_blocks: int, n_steps: int
    ) -> tuple[NetworkState, Outcome]:
        """Blocks of `n_steps` whose input from outside is made at once, and recorded at once."""
        steps = state.step + jnp.arange(n_blocks * n_steps, dtype=jnp.int32)
        sources, memories = self._sources(state, steps)
        state = eqx.tree_at(lambda s: s.sources, state, memories)
        state, ahead = self._look_ahead(state, sources)
        outside = {
            "drives": tuple(self._draw(i, steps) for i in range(len(self.net.drives))),
            "chance": tuple(self._chance(i, steps) for i in range(len(self.net.projections))),
            "sources": {name: fired for name, fired in sources.items() if name in self._heard_in_blocks()},
            "stimulus": {
                name: s.rows(steps - self.layout.first, steps)
                for name, s in self.stimulus.items()
                if s.constant is None
            },
            "ahead": ahead,
        }
        failure = (outcome.failed_step, outcome.finite)
        if n_blocks == 1:
            state, failure, emitted = self._block(state, failure, outside, n_steps)
        else:
            by_block = jax.tree_util.tree_map(lambda x: x.reshape(n_blocks, n_steps, *x.shape[1:]), outside)

            def one(carry: tuple, own: dict[str, Any]) -> tuple[tuple, Any]:
                after, failed, emitted = self._block(carry[0], carry[1], own, n_steps)
                return (after, failed), emitted

            (state, failure), emitted = lax.scan(one, (state, failure), by_block, length=n_blocks)
            emitted = jax.tree_util.tree_map(lambda x: x.reshape(-1, *x.shape[2:]), emitted)
        firing, traced = emitted
        return state, Outcome(self._recorded(outcome.recorders, steps, firing | sources, traced), *failure)

    def _recorded(
        self, carries: dict[str, Any], steps: Int[Array, "time"], firing: Mapping[str, Firing], traced: dict[str, Any]
    ) -> dict[str, Any]:
        spikes = {name: fired.spikes for name, fired in firing.items()}
        soft = {name: fired.soft for name, fired in firing.items() if fired.soft is not None}
        shares = {name: fired.share for name, fired in firing.items() if fired.share is not None}
        return {
            name: recorder.update(carries[name], Window(steps, spikes, traced.get(name), soft, shares), self.layout)
            for name, recorder in self.recorders.items()
        }

    def _heard_in_blocks(self) -> set[str]:
        """The sources of the projections that are not delivered ahead."""
        return {p.pre for p, ahead in zip(self.net.projections, self.plan.ahead, strict=True) if not ahead}

    def _look_ahead(
        self, state: NetworkState, sources: Mapping[str, Firing]
    ) -> tuple[NetworkState, tuple[Array | None, ...]]:
        """What arrives from sources alone, for all steps at once."""
        arriving, pending = [], list(state.pending)
        for i, projection in enumerate(self.net.projections):
            given = self.plan.operators[i]
            if not self.plan.ahead[i] or not isinstance(given, GivenArrivals):
                arriving.append(None)
                continue
            fired = sources[projection.pre]
            line = given.timeline(pending[i], fired)
            arriving.append(line[: fired.spikes.shape[0]])
            pending[i] = line[fired.spikes.shape[0] :]
        return eqx.tree_at(lambda s: s.pending, state, tuple(pending)), tuple(arriving)

    def _block(
        self, state: NetworkState, failure: tuple[Array, Array], outside: dict[str, Any], n_steps: int
    ) -> tuple[NetworkState, tuple[Array, Array], tuple[dict[str, Firing], dict[str, Any]]]:
        cut = self.adjoint.cut(state, state.step, n_steps, self.plan.dt)
        kept = tuple(
            old if ahead else new for ahead, old, new in zip(self.plan.ahead, state.pending, cut.pending, strict=True)
        )
        state = eqx.tree_at(lambda s: s.pending, cut, kept)
        pending = (
            rows[:n_steps] if ahead is None else ahead
            for rows, ahead in zip(state.pending, outside["ahead"], strict=True)
        )
        arriving = {name: outside[name] for name in ("drives", "chance", "stimulus")} | {"pending": tuple(pending)}
        emitted: tuple[dict, dict]
        if n_steps == 1:
            state, emitted = self._step(state, jax.tree_util.tree_map(lambda x: x[0], arriving))
            emitted = jax.tree_util.tree_map(lambda x: x[None], emitted)
        else:
            state, emitted = lax.scan(lambda now, row: self._step(now, row), state, arriving, length=n_steps)
        firing, traced = emitted
        pending, memories = self._advance(state, firing | outside["sources"])
        state = eqx.tree_at(
            lambda s: (s.step, s.pending, s.presynaptic), state, (state.step + n_steps, pending, memories),
            is_leaf=lambda x: x is None,
        )  # fmt: skip
        failed_step, was_finite = failure
        finite = all_finite(state)
        first_failure = (failed_step < 0) & ~jnp.all(finite)
        failure = (jnp.where(first_failure, state.step, failed_step), jnp.where(first_failure, finite, was_finite))
        return state, failure, (firing, traced)

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

    def _draw(self, index: int, steps: Int[Array, "time"]) -> Any:
        """The random numbers of one drive over a block, (time, targets)."""
        drive = self.net.drives[index]
        n = sum(self.plan.sizes[name] for name in drive.targets)
        return drive.draw(role_key(self.key, f"drive {index}"), steps, self.plan.dt, n, self.plan.tables[index])

    def _step(self, state: NetworkState, arriving: dict[str, Any]) -> tuple[NetworkState, tuple[dict, dict]]:
        """One step of every neuron."""
        inputs, synapses = self._synaptic_input(state, arriving)
        neurons, firing = {}, {}
        for name, neuron_state in state.neurons.items():
            model, constants = self.net.populations[name].model, self.plan.neurons[name]
            neurons[name], fired = model.step(constants, neuron_state, inputs[name])
            share = fired.share if self.timed else None
            firing[name] = Firing(fired.spikes, fired.soft, fired.sensitive, share)
        traced = {}
        for label, recorder in self.recorders.items():
            if isinstance(recorder, Trace):
                population, variable = recorder.target(self.layout)
                observed = self.net.populations[population].model.observe(neurons[population])
                traced[label] = recorder.chosen(observed[variable])
            elif isinstance(recorder, Spikes) and recorder.threshold is not None:
                traced[label] = recorder.crossings(state.neurons, neurons, self.layout)
        new = NetworkState(
            state.step, neurons, synapses[0], synapses[1], state.pending, state.presynaptic, state.sources
        )
        return new, (firing, traced)

    def _synaptic_input(
        self, state: NetworkState, arriving: dict[str, Any]
    ) -> tuple[dict[str, Input], tuple[tuple, tuple]]:
        net, plan = self.net, self.plan
        inputs = {name: Input() for name in state.neurons}
        constant = {name: s.constant for name, s in self.stimulus.items() if s.constant is not None}
        for name, current in (arriving["stimulus"] | constant).items():
            inputs[name] = inputs[name] + Input(current=jnp.broadcast_to(current, (plan.sizes[name],)))
        potentials = {name: net.populations[name].model.observe(now).get("v") for name, now in state.neurons.items()}
        synapses = []
        for i, projection in enumerate(net.projections):
            synapse, counts, kept = projection.synapse, arriving["pending"][i], []
            if arriving["chance"][i] is not None:
                counts = synapse.transmitted(counts, arriving["chance"][i])
            for k, (name, place) in enumerate(spans(plan.sizes, projection.post)):
                weight, old = part(projection.law.scale, place), state.synapses[i][k]
                own = counts[place].astype(weight.dtype)
                received = synapse.step(plan.synapses[i][k], old, own, weight, potentials[name])
                kept.append(received.state)
                inputs[name] = inputs[name] + received.inputs
            synapses.append(tuple(kept))
        drives = []
        for i, drive in enumerate(net.drives):
            kept = []
            for k, (name, place) in enumerate(spans(plan.sizes, drive.targets)):
                drawn = jax.tree_util.tree_map(lambda x, place=place: x[place], arriving["drives"][i])
                old = state.drives[i][k]
                received = plan.drives[i][k].input(plan.drive_constants[i][k], old, drawn, potentials[name])
                kept.append(received.state)
                inputs[name] = inputs[name] + received.inputs
            drives.append(tuple(kept))
        for name, given in inputs.items():
            check_understood("The run", given.parts(), name, net.populations[name].model)
        return inputs, (tuple(synapses), tuple(drives))

    def _chance(self, index: int, steps: Int[Array, "time"]) -> Array | None:
        """The random numbers by which the spikes of a projection are transmitted, where that is by chance."""
        projection = self.net.projections[index]
        n = sum(self.plan.sizes[name] for name in projection.post)
        return projection.synapse.chance(role_key(self.key, f"release {index}"), steps, n)

    def _advance(self, state: NetworkState, firing: Mapping[str, Firing]) -> tuple[tuple, tuple]:
        """Takes the rows that have arrived off the front, and adds the block's spikes at the back."""
        moved, memories = [], list(state.presynaptic)
        for i, projection in enumerate(self.net.projections):
            operator, rows = self.plan.operators[i], state.pending[i]
            if self.plan.ahead[i]:
                moved.append(rows)
                continue
            fired = firing[projection.pre]
            if memories[i] is not None:
                memories[i], used = projection.synapse.release(memories[i], fired.spikes, self.plan.dt)
                fired = with_amplitude(fired, used)
            n_steps = fired.spikes.shape[0]
            if self.plan.off_grid[i]:
                moved.append(off_grid_arrivals(operator, rows, fired, self.plan.dt))
            elif isinstance(operator, GivenArrivals):
                moved.append(operator.timeline(rows, fired)[n_steps:])
            elif isinstance(operator, SparseOperator) and self.plan.delay_steps[i] is not None:
                scheduled = ScheduledOperator(operator, self.plan.delay_steps[i], rows.shape[0], n_steps)
                fresh = jnp.zeros((n_steps, rows.shape[1]), rows.dtype)
                moved.append(push(scheduled, jnp.concatenate([rows[n_steps:], fresh]), fired))
            else:
                moved.append(jnp.concatenate([rows[n_steps:], deliver(operator, fired)]))
        return tuple(moved), tuple(memories)
