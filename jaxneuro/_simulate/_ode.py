"""A run of a model that is a differential equation: rates, rings, cables."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .._numerics import Result, added, as_leaf, distinguishes_steps, remainder, run_steps, uses_first
from ..models import AbstractODE, AbstractSolver
from ._driver import SINGLE, drive
from ._machine import (
    AbstractMachine,
    AbstractProgram,
    AbstractRunState,
    Cut,
    Emitted,
    Look,
    finite_and_resolved,
)
from ._short_run import warn_of_short_ode
from ._solution import Solution
from ._stimulus import Stimulus, as_input, check_late_times, make_stimuli
from .adjoint import Direct, checked_adjoint
from .record import AbstractRecorder, Layout, Trace

# Steps whose noise is drawn, records are written and state is checked at once.
_BLOCK = 20


class ODEState(AbstractRunState):
    """Steps since t = 0, the variables, and what rounding left out of each in float32; None of steps that are long."""

    step: Int[Array, ""]
    y: Any
    left_out: list[Float[Array, "..."] | None]


def simulate_ode(
    model: AbstractODE,
    t0: float,
    t1: float,
    *,
    dt: float,
    key: PRNGKeyArray | None,
    record: Any,
    stimulus: Any,
    state: Any,
    solver: Any,
    adjoint: Any,
    progress: bool,
    throw: bool,
) -> Solution:
    """Runs a differential equation; the arguments are those of `simulate`, checked there as far as they are shared."""
    first, n_steps = run_steps(t0, t1, dt)
    solver = model.checked_solver(solver)
    if model.is_noisy() and key is None:
        raise ValueError("`key` has to be a key, such as jax.random.key(0): the model has noise.")
    if not distinguishes_steps((first + n_steps) * dt, dt) and uses_first(model.vector_field, 0.0, model.initial()):
        check_late_times("`model` has a right side that is a function of time", first + n_steps, dt)
    if state is None:
        warn_of_short_ode(model, n_steps, dt)
    injected = {} if stimulus is None else make_stimuli(SINGLE, stimulus, model, model.size(), first, n_steps, dt)
    machine = ode_machine(model, solver, injected, key, dt)
    return drive(
        machine, first, n_steps, dt=dt, record=record, state=state, adjoint=checked_adjoint(adjoint, Direct()),
        progress=progress, throw=throw, single=True,
    )  # fmt: skip


def ode_machine(
    model: AbstractODE, solver: AbstractSolver, injected: dict[str, Stimulus], key: PRNGKeyArray | None, dt: float
) -> "ODEMachine":
    """What runs a model in steps of `dt` [ms]."""
    return ODEMachine(model, solver, injected, key if model.is_noisy() else None, model.resolves(as_leaf(dt)), dt)


class ODEMachine(AbstractMachine):
    """A differential equation with its solver and what is injected."""

    model: AbstractODE
    solver: AbstractSolver
    stimulus: dict[str, Stimulus]
    key: PRNGKeyArray | None
    resolved: Bool[Array, ""] | None
    dt: float = eqx.field(static=True)

    def init(self, first: int) -> ODEState:
        """Where the model starts."""
        y = self.model.initial()
        left_out = [remainder(x, self.dt) for x in jax.tree.leaves(y)]
        return ODEState(step=jnp.asarray(first, jnp.int32), y=y, left_out=left_out)

    def layout(self, n_steps: int, first: Int[Array, ""]) -> Layout:
        """One population, without spikes."""
        names = tuple(eqx.filter_eval_shape(lambda: self.model.observe(self.model.initial())))
        return Layout({SINGLE: self.model.size()}, {SINGLE: names}, (), (), (), self.dt, n_steps, first)

    def program(self, n_steps: int, first: Int[Array, ""], timed: bool) -> "ODEProgram":
        """With what does not change over the run computed."""
        model = self.model.prepared()
        coefficients = model.coefficients(self.solver, self.dt)
        return ODEProgram(
            model=model, coefficients=coefficients, stimulus=self.stimulus, key=self.key, first=first,
            resolved=self.resolved, dt=self.dt, block_steps=_BLOCK, group_steps=_BLOCK, kept=1,
        )  # fmt: skip

    def default_record(self, layout: Layout) -> dict[str, AbstractRecorder]:
        """Every variable over time."""
        return {name: Trace(name) for name in layout.fields[SINGLE]}

    def units(self) -> dict[str, Mapping[str, str]]:
        """Those of the model."""
        return {SINGLE: self.model.variable_units()}

    def finite_names(self) -> tuple[str, ...]:
        """The one population."""
        return (SINGLE,)

    def whose(self) -> str:
        """A rate model's."""
        return "a rate model's Solution"

    def advice(self) -> str:
        """What grew."""
        return (
            "The rates became NaN or infinite. Take a smaller dt, or look for weights under which they grow for ever."
        )


class ODEProgram(AbstractProgram):
    """A differential equation made ready for its run."""

    model: AbstractODE
    coefficients: Any
    stimulus: dict[str, Stimulus]
    key: PRNGKeyArray | None
    first: Int[Array, ""]
    resolved: Bool[Array, ""] | None
    dt: float = eqx.field(static=True)
    block_steps: int = eqx.field(static=True)
    group_steps: int = eqx.field(static=True)
    kept: int = eqx.field(static=True)

    def start(self, state: ODEState) -> ODEState:
        """As it is."""
        return state

    def observe(self, state: ODEState, name: str) -> dict[str, Any]:
        """The variables of the model."""
        return self.model.observe(state.y)

    def block(self, state: ODEState, n_steps: int, look: Look, cut: Cut) -> tuple[ODEState, Emitted]:
        """Steps one after another; noise is drawn for all of them."""
        steps = state.step + jnp.arange(n_steps, dtype=jnp.int32)
        drawn = None if self.key is None else self.model.draw(self.key, steps)
        rows = {part: own.rows(steps - self.first, steps) for part, own in self.stimulus.items()}

        def step(before: tuple[Any, list], now: tuple[Array, Any, Any]) -> tuple[tuple[Any, list], dict[str, tuple]]:
            (y, left_out), (at, noise, row) = before, now
            t = at.astype(jnp.result_type(float)) * self.dt
            change = self.model.change(self.coefficients, t, y, self._given(row), self._injected(t, row), noise)
            old, structure = jax.tree_util.tree_flatten(y)
            moved = [added(*one) for one in zip(old, left_out, jax.tree.leaves(change), strict=True)]
            y = jax.tree_util.tree_unflatten(structure, [x for x, _ in moved])
            if "kick" in row:
                y = self.model.kicked(y, jnp.broadcast_to(row["kick"], (self.model.size(),)))
            return (y, [left for _, left in moved]), look(lambda _: self.model.observe(y))

        begin = cut(state, n_steps)
        (y, left_out), seen = lax.scan(step, (begin.y, begin.left_out), (steps, drawn, rows))
        finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(y)]))
        return ODEState(step=state.step + n_steps, y=y, left_out=left_out), Emitted({}, seen, finite[None, None])

    def _given(self, row: dict[str, Array]) -> Any:
        """What is injected, as a model takes it: None, a current alone, or all of an `Input`."""
        parts = {part: value for part, value in row.items() if part != "kick"}
        if not parts or tuple(parts) == ("current",):
            return parts.get("current")
        return as_input(parts, self.model.size())

    def _injected(self, t: Float[Array, ""], row: dict[str, Array]) -> Callable[[float], Any]:
        """What is injected when a part of the step from `t` [ms] on has passed."""
        return lambda share: self._given(
            {part: own.within(row[part], t + share * self.dt) for part, own in self.stimulus.items()}
        )

    def failed(self, state: ODEState, nonfinite: Bool[Array, ""]) -> Result:
        """Finite or not, and whether the steps were short enough."""
        return finite_and_resolved(nonfinite, self.resolved)
