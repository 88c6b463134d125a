"""A run of a binary network."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from ..._network import BinaryNetwork
from ..._numerics import Result, role_key, run_steps, told
from ...connectivity import unpack_bits
from .._driver import drive
from .._machine import AbstractMachine, AbstractProgram, Cut, Emitted, Look
from .._solution import Solution
from .._stimulus import AbstractInjection, Stimulus, make_stimulus
from .._wire import Wiring, drawn_wiring, sizes_of
from ..adjoint import Direct
from ..record import ACTIVE, AbstractRecorder, Layout, MeanActivity
from ._order import AbstractAdvance, AbstractUpdate, Sequential
from ._plan import BinaryPlan, BinaryState, initial_binary_state, make_plan, stimulus_field


def simulate_binary(
    net: BinaryNetwork,
    t0: float,
    t1: float,
    *,
    dt: float,
    key: PRNGKeyArray,
    record: Any,
    stimulus: Any,
    state: Any,
    wiring: Wiring | None,
    update: Any,
    progress: bool,
    throw: bool,
) -> Solution:
    """Runs a binary network; the arguments are those of `simulate`, checked there as far as they are shared."""
    first, n_steps = run_steps(t0, t1, dt)
    update = Sequential() if update is None else update
    if not isinstance(update, AbstractUpdate):
        raise ValueError(f"`update` has to be `Sequential()` or `Parallel()`; got {told(update)}.")
    update.check([(name, net.populations[name].model.tau) for name in net.names], dt)
    wiring, wrong_wiring = drawn_wiring(net, wiring, key)
    stimuli = _checked_stimuli(net, stimulus, first, n_steps, dt)
    machine = BinaryMachine(net, wiring, wrong_wiring, key, stimuli, update, dt)
    return drive(
        machine, first, n_steps, dt=dt, record=record, state=state, adjoint=Direct(), progress=progress, throw=throw,
        single=False,
    )  # fmt: skip


class BinaryMachine(AbstractMachine):
    """A binary network with its wiring, its stimuli and the order of its updates."""

    net: BinaryNetwork
    wiring: Wiring
    wrong_wiring: Bool[Array, ""] | None
    key: PRNGKeyArray
    stimuli: dict[str, Stimulus]
    update: AbstractUpdate
    dt: float = eqx.field(static=True)

    def init(self, first: int) -> BinaryState:
        """Each unit active with the probability that the network gives."""
        return initial_binary_state(self.net, first * self.dt, self.dt, self.key)

    def layout(self, n_steps: int, first: Int[Array, ""]) -> Layout:
        """The one variable of a unit is whether it is active."""
        sizes = sizes_of(self.net, self.net.names)
        fields = dict.fromkeys(self.net.names, (ACTIVE,))
        placed = {name: p.positions for name, p in self.net.populations.items() if p.positions is not None}
        grids = {name: positions.grid() for name, positions in placed.items()}
        return Layout(sizes, fields, (), (), (), self.dt, n_steps, first, grids)

    def program(self, n_steps: int, first: Int[Array, ""], timed: bool) -> "BinaryProgram":
        """With the connections laid out."""
        plan = make_plan(self.net, self.wiring, self.dt)
        advance = self.update.prepare(plan)
        key, sound = role_key(self.key, "update"), _finite_weights(plan)
        return BinaryProgram(
            plan=plan, advance=advance, key=key, stimuli=self.stimuli, sound=sound, wrong_wiring=self.wrong_wiring,
            first=first, block_steps=1, group_steps=1, kept=1,
        )  # fmt: skip

    def default_record(self, layout: Layout) -> dict[str, AbstractRecorder]:
        """Mean activities."""
        return {"activity": MeanActivity()}

    def finite_names(self) -> tuple[str, ...]:
        """All."""
        return self.net.names

    def whose(self) -> str:
        """A binary network's."""
        return "a binary network's Solution"

    def advice(self) -> str:
        """What grew."""
        return "The field of a unit became NaN or infinite: look at `stimulus`, `drives` and `weight`."


class BinaryProgram(AbstractProgram):
    """A binary network made ready for its run."""

    plan: BinaryPlan
    advance: AbstractAdvance
    key: PRNGKeyArray
    stimuli: dict[str, Stimulus]
    sound: Bool[Array, "n"]
    wrong_wiring: Bool[Array, ""] | None
    first: Int[Array, ""]
    block_steps: int = eqx.field(static=True)
    group_steps: int = eqx.field(static=True)
    kept: int = eqx.field(static=True)

    def start(self, state: BinaryState) -> BinaryState:
        """As it is."""
        return state

    def observe(self, state: BinaryState, name: str) -> dict[str, Any]:
        """Who is active."""
        return {ACTIVE: unpack_bits(state.words[name], self.plan.sizes[self.plan.names.index(name)])}

    def block(self, state: BinaryState, n_steps: int, look: Look, cut: Cut) -> tuple[BinaryState, Emitted]:
        """One step."""
        plan = self.plan
        outside = plan.drive + stimulus_field(plan, self.stimuli, self.first, state.step)
        words = jnp.concatenate([state.words[name] for name in plan.names])
        words = self.advance.step(plan, words, outside, jax.random.fold_in(self.key, state.step))
        parts = {name: words[span] for name, span in zip(plan.names, plan.word_spans, strict=True)}
        after = BinaryState(state.step + 1, parts)
        seen = jax.tree_util.tree_map(lambda x: x[None], look(lambda name: self.observe(after, name)))
        return after, Emitted({}, seen, _finite(plan, outside, self.sound)[None])

    def failed(self, state: BinaryState, nonfinite: Bool[Array, ""]) -> Result:
        """Not finite, or drawn for another network."""
        ran = Result.where(nonfinite, Result.nonfinite_state, Result.successful)
        return ran if self.wrong_wiring is None else Result.where(self.wrong_wiring, Result.wrong_wiring, ran)


def _checked_stimuli(net: BinaryNetwork, stimulus: Any, first: int, n_steps: int, dt: float) -> dict[str, Stimulus]:
    if stimulus is None:
        return {}
    if not isinstance(stimulus, Mapping):
        raise ValueError("`stimulus` of a network has to be a dict of {population: field}.")
    for name in stimulus:
        if name not in net.names:
            raise ValueError(f"`stimulus` names {name!r}; there are {', '.join(net.names)}.")
        if isinstance(stimulus[name], AbstractInjection):
            raise ValueError(
                f"`stimulus` of {name!r} is a `{type(stimulus[name]).__name__}`, of neurons with a membrane; a binary "
                "unit has a field: give a number, (n,), (time, n) or a function of time."
            )
    sizes = sizes_of(net, stimulus)
    return {name: make_stimulus(name, value, sizes[name], first, n_steps, dt) for name, value in stimulus.items()}


def _finite(plan: BinaryPlan, outside: Array, weights: Bool[Array, "n"]) -> Bool[Array, "populations"]:
    fine = jnp.isfinite(outside) & weights
    return jnp.stack([jnp.all(fine[span]) for span in plan.unit_spans])


def _finite_weights(plan: BinaryPlan) -> Bool[Array, "n"]:
    fine = jnp.isfinite(plan.temperature)
    for layer in plan.layers:
        fine = fine & jnp.all(jnp.isfinite(layer.weights), axis=1)
    return fine if plan.couplings is None else fine & jnp.all(jnp.isfinite(plan.couplings), axis=1)
