"""A run of a model that is a differential equation: rates, rings."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .._numerics import Result, as_leaf, is_concrete, role_key, run_steps, step_keys
from ..models import (
    AbstractMembraneSolver,
    AbstractODE,
    AbstractRelaxation,
    Cable,
    CrankNicolson,
    ExponentialEuler,
    RungeKutta4,
)
from ._progress import progress_line
from ._solution import Solution
from ._stimulus import Stimulus, make_stimulus
from .adjoint import AbstractAdjoint, Direct, Truncated, checked_adjoint
from .record import AbstractRecorder, Layout, Trace, Window

_NAME = "population"
# Steps whose noise is drawn, records are written and state is checked at once.
_BLOCK = 20

Solver = AbstractMembraneSolver | RungeKutta4


class ODEState(eqx.Module):
    """Steps since t = 0, and the variables."""

    step: Int[Array, ""]
    y: Any


class _Ran(eqx.Module):
    """What the compiled part of a run returns; the fields are those of `Solution`."""

    records: dict[str, Any]
    times: dict[str, Any]
    state: ODEState
    result: Result
    failed_step: Int[Array, ""]


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
    solver = _checked_solver(model, solver)
    noisy = isinstance(model, AbstractRelaxation) and model.noise is not None
    if noisy and key is None:
        raise ValueError("`key` has to be a key, such as jax.random.key(0): the model has noise.")
    state = _checked_state(model, state, first, t0, dt)
    layout = _layout(model, dt, n_steps, jnp.asarray(first, jnp.int32))
    recorders = _checked_recorders(record, layout, first)
    injected = (
        None
        if stimulus is None
        else make_stimulus(_NAME, stimulus, model.size(), n_steps, dt, 0.5 if isinstance(model, Cable) else 0.0)
    )
    if isinstance(adjoint, Truncated):
        raise ValueError("`adjoint=Truncated(...)` is of networks of neurons; take `Checkpoint()` or `Direct()`.")
    rows = tuple((name, recorder.rows(first, n_steps, dt)) for name, recorder in recorders.items())
    ran = _run(
        model, state, key if noisy else None, injected, recorders, solver, checked_adjoint(adjoint, Direct()),
        dt=dt, n_steps=n_steps, rows=rows, progress=progress,
    )  # fmt: skip
    records = {label: ran.records[label] for label in recorders}
    finite = (ran.failed_step < 0)[..., None]
    sol = Solution(
        records, {}, ran.times, {}, {}, ran.state, ran.result, ran.failed_step, finite,
        first * dt, (first + n_steps) * dt, dt, (_NAME,),
    )  # fmt: skip
    return _checked_solution(sol) if throw else sol


def _checked_solution(sol: Solution) -> Solution:
    message = "The rates became NaN or infinite. Take a smaller dt, or look for weights under which they grow for ever."
    if not is_concrete(sol.result):
        return eqx.error_if(sol, sol.result != Result.successful, message)
    if not bool(jnp.all(sol.result == Result.successful)):
        raise RuntimeError(f"By t = {int(sol.failed_step) * sol.dt:g} ms: {message}")
    return sol


def _checked_solver(model: AbstractODE, solver: Any) -> Solver:
    if isinstance(model, Cable):
        solver = CrankNicolson() if solver is None else solver
        model.check_solver(solver)
        return solver
    if solver is None:
        return ExponentialEuler() if isinstance(model, AbstractRelaxation) else RungeKutta4()
    if not isinstance(solver, Solver):
        raise ValueError(
            f"`solver` has to be `ExponentialEuler()`, `RungeKutta4()` or `EulerMaruyama()`; got {solver!r}."
        )
    if isinstance(solver, RungeKutta4) and isinstance(model, AbstractRelaxation) and model.noise is not None:
        raise ValueError("`RungeKutta4()` has no noise; take `ExponentialEuler()` or `EulerMaruyama()`.")
    return solver


def _checked_state(model: AbstractODE, state: Any, first: int, t0: float, dt: float) -> ODEState:
    if state is None:
        return ODEState(jnp.asarray(first, jnp.int32), model.initial())
    if not isinstance(state, ODEState):
        raise ValueError(f"`state` has to be the `state` of a rate model's Solution; got {type(state).__name__}.")
    shapes, structure = _shapes(state.y)
    if (shapes, structure) != _shapes(eqx.filter_eval_shape(model.initial)):
        raise ValueError("`state` comes from another model: its variables have other names or sizes.")
    if is_concrete(state.step) and int(state.step) != first:
        raise ValueError(f"`state` is at t = {int(state.step) * dt:g} ms and the run starts at `t0` = {t0:g} ms.")
    return state


def _shapes(y: Any) -> tuple[list, Any]:
    leaves, structure = jax.tree_util.tree_flatten(y)
    return [(leaf.shape, leaf.dtype) for leaf in leaves], structure


def _layout(model: AbstractODE, dt: float, n_steps: int, first: Int[Array, ""]) -> Layout:
    names = tuple(eqx.filter_eval_shape(lambda: model.observe(model.initial())))
    return Layout({_NAME: model.size()}, {_NAME: names}, (), (), dt, n_steps, first)


def _checked_recorders(record: Any, layout: Layout, first: int) -> dict[str, AbstractRecorder]:
    if record is None:
        record = {name: Trace(name) for name in layout.fields[_NAME]}
    if not isinstance(record, Mapping):
        raise ValueError(f"`record` has to be a dict of {{name: recorder}}; got {type(record).__name__}.")
    for name, recorder in record.items():
        if not isinstance(name, str) or not isinstance(recorder, Trace):
            known = ", ".join(layout.fields[_NAME])
            raise ValueError(
                f"`record[{name!r}]` has to be a `jn.record.Trace` of {known}, since the model has no spikes; "
                f"got {recorder!r}."
            )
        recorder.check(layout, first)
    return dict(record)


class _Carry(eqx.Module):
    """What goes from block to block."""

    state: ODEState
    recorders: dict[str, Any]
    failed_step: Int[Array, ""]


@eqx.filter_jit
def _run(
    model: AbstractODE,
    state: ODEState,
    key: PRNGKeyArray | None,
    stimulus: Stimulus | None,
    recorders: dict[str, AbstractRecorder],
    solver: Solver,
    adjoint: AbstractAdjoint,
    *,
    dt: float,
    n_steps: int,
    rows: tuple[tuple[str, int], ...],
    progress: bool,
) -> _Ran:
    layout = _layout(model, dt, n_steps, state.step)
    model = model.prepared()
    advance = _stepper(model, solver, stimulus, dt)
    blocks, rest = divmod(n_steps, _BLOCK)
    report = progress_line(blocks, n_steps * dt) if progress else None

    def block(carry: _Carry, length: int) -> _Carry:
        steps = carry.state.step + jnp.arange(length, dtype=jnp.int32)
        outside = (steps, _noise(model, key, steps), _injected(stimulus, steps, layout.first))

        def step(y: Any, now: Any) -> tuple[Any, dict[str, Array]]:
            y = advance(y, *now)
            seen = model.observe(y) if recorders else {}
            kept = {name: seen[r.target(layout)[1]][r.indices(model.size())] for name, r in traces.items()}
            return y, kept

        traces = {name: r for name, r in recorders.items() if isinstance(r, Trace)}
        y, kept = lax.scan(step, carry.state.y, outside)
        carries = {
            name: r.update(carry.recorders[name], Window(steps, {}, kept[name], {}), layout)
            for name, r in recorders.items()
        }
        end = carry.state.step + length
        failing = (carry.failed_step < 0) & ~_all_finite(y)
        return _Carry(ODEState(end, y), carries, jnp.where(failing, end, carry.failed_step))

    def body(carry: _Carry, index: Array) -> _Carry:
        if report is not None:
            report(index)
        return block(carry, _BLOCK)

    start = _Carry(state, {name: recorders[name].init(layout, n) for name, n in rows}, jnp.full((), -1, jnp.int32))
    carry = adjoint.loop(body, start, jnp.arange(blocks, dtype=jnp.int32))
    if rest:
        carry = block(carry, rest)
    finished = {name: recorder.finish(carry.recorders[name], layout) for name, recorder in recorders.items()}
    return _Ran(
        {name: r.values for name, r in finished.items()},
        {name: r.times for name, r in finished.items() if r.times is not None},
        carry.state,
        Result.where(carry.failed_step >= 0, Result.nonfinite_state, Result.successful),
        carry.failed_step,
    )


def _stepper(model: AbstractODE, solver: Solver, stimulus: Stimulus | None, dt: float) -> Any:
    """y after a step, from y, the step, the noise and what is injected."""

    def explicit(y: Any, step: Array, noise: Any, row: Any) -> Any:
        t = step.astype(jnp.result_type(float)) * dt

        def injected(share: float) -> Any:
            return row if stimulus is None else stimulus.within(row, t + share * dt)

        assert isinstance(solver, RungeKutta4)
        return solver.step(model, t, y, injected, dt)

    if not isinstance(solver, AbstractMembraneSolver):
        return explicit
    if isinstance(model, Cable):
        return lambda y, step, noise, row: model.advance(y, row, as_leaf(dt, "dt"), solver)
    if not isinstance(model, AbstractRelaxation):
        raise ValueError(f"`solver` of a {type(model).__name__} has to be `RungeKutta4()`; got {solver!r}.")
    coefficients = [solver.propagator(dt / tau) for tau in jax.tree.leaves(model.time_constants())]
    amplitudes = jax.tree.leaves(model.noise_amplitudes(), is_leaf=lambda x: x is None)

    def relax(y: Any, step: Array, noise: Any, row: Any) -> Any:
        t = step.astype(jnp.result_type(float)) * dt
        now, structure = jax.tree_util.tree_flatten(y)
        targets = jax.tree.leaves(model.target(t, y, row))
        new = [c.decay * v + c.gain * to for c, v, to in zip(coefficients, now, targets, strict=True)]
        if noise is not None:
            for k, (c, sigma) in enumerate(zip(coefficients, amplitudes, strict=True)):
                new[k] = new[k] if sigma is None else new[k] + c.noise_gain * sigma * noise[k]
        return jax.tree_util.tree_unflatten(structure, new)

    return relax


def _noise(model: AbstractODE, key: PRNGKeyArray | None, steps: Int[Array, "time"]) -> Any:
    """Standard normal numbers of a block, for each variable that has noise: (time, n)."""
    if key is None or not isinstance(model, AbstractRelaxation):
        return None
    amplitudes = jax.tree.leaves(model.noise_amplitudes(), is_leaf=lambda x: x is None)
    return [
        None if sigma is None else _normal(role_key(key, f"noise {k}"), steps, model.size(), sigma.dtype)
        for k, sigma in enumerate(amplitudes)
    ]


def _normal(key: PRNGKeyArray, steps: Int[Array, "time"], n: int, dtype: Any) -> Float[Array, "time n"]:
    return jax.vmap(lambda k: jax.random.normal(k, (n,), dtype))(step_keys(key, steps))


def _injected(stimulus: Stimulus | None, steps: Int[Array, "time"], first: Int[Array, ""]) -> Any:
    return None if stimulus is None else stimulus.rows(steps - first, steps)


def _all_finite(y: Any) -> Bool[Array, ""]:
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(y)]))
