"""A run of a binary network."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from ..._network import BinaryNetwork
from ..._numerics import PoissonTable, Result, is_concrete, role_key, run_steps
from ...connectivity import unpack_bits
from .._progress import progress_line
from .._solution import Solution
from .._stimulus import Stimulus, make_stimulus
from .._update import AbstractUpdate, Parallel, Sequential
from .._wire import Wiring, check_wiring, differs_from_wiring, size_of, wire
from ..record import ACTIVE, ActivityRecorder, Layout, MeanActivity, Window
from ._plan import BinaryPlan, BinaryState, check_parallel, initial_binary_state, make_plan, stimulus_field
from ._updates import parallel_step, sequential_step


class _Ran(eqx.Module):
    """What the compiled part of a run returns; the fields are those of `Solution`."""

    records: dict[str, Any]
    counts: dict[str, Any]
    times: dict[str, Any]
    state: BinaryState
    result: Result
    failed_step: Int[Array, ""]
    finite: Bool[Array, "populations"]


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
        raise ValueError(f"`update` has to be `Sequential()` or `Parallel()`; got {update!r}.")
    if isinstance(update, Parallel):
        check_parallel(net, dt)
    if wiring is None:
        wiring = wire(net, key=key)
    elif not isinstance(wiring, Wiring):
        raise ValueError(f"`wiring` has to come from `jn.wire`; got {type(wiring).__name__}.")
    check_wiring(net, wiring)
    state = _checked_state(net, state, first, t0, dt, key)
    layout = _layout(net, dt, n_steps, jnp.asarray(first, jnp.int32))
    recorders = _checked_recorders(record, layout, first)
    stimuli = _checked_stimuli(net, stimulus, n_steps, dt)
    rows = tuple((name, recorder.rows(first, n_steps, dt)) for name, recorder in recorders.items())
    ran = _run(
        net, wiring, state, key, stimuli, recorders, update, dt=dt, n_steps=n_steps, rows=rows, progress=progress
    )
    records = {label: ran.records[label] for label in recorders}
    sol = Solution(
        records,
        ran.counts,
        ran.times,
        {},
        {},
        ran.state,
        ran.result,
        ran.failed_step,
        ran.finite,
        t0,
        t1,
        dt,
        net.names,
    )
    return _checked_solution(sol) if throw else sol


def _checked_solution(sol: Solution) -> Solution:
    field = "The field of a unit became NaN or infinite: look at `stimulus`, `drives` and `weight`."
    if not is_concrete(sol.result):
        sol = eqx.error_if(sol, sol.result == Result.wrong_wiring, Result[Result.wrong_wiring])  # type: ignore[index]
        return eqx.error_if(sol, sol.result == Result.nonfinite_state, field)
    if bool(jnp.any(sol.result == Result.wrong_wiring)):
        raise RuntimeError(Result[Result.wrong_wiring])  # type: ignore[index]
    if not bool(jnp.all(sol.result == Result.successful)):
        names = [name for name, ok in zip(sol.names, sol.finite.tolist(), strict=True) if not ok]
        raise RuntimeError(f"By t = {int(sol.failed_step) * sol.dt:g} ms, in {', '.join(names)}: {field}")
    return sol


def _checked_state(net: BinaryNetwork, state: Any, first: int, t0: float, dt: float, key: PRNGKeyArray) -> BinaryState:
    if state is None:
        return initial_binary_state(net, t0, dt, key)
    if not isinstance(state, BinaryState):
        raise ValueError(f"`state` has to be the `state` of a binary network's Solution; got {type(state).__name__}.")
    expected = {name: (-(-size_of(net, name) // 32),) for name in net.names}
    if {name: words.shape for name, words in state.words.items()} != expected:
        raise ValueError("`state` comes from another network: its populations have other names or sizes.")
    if is_concrete(state.step) and int(state.step) != first:
        raise ValueError(f"`state` is at t = {int(state.step) * dt:g} ms and the run starts at `t0` = {t0:g} ms.")
    return state


def _layout(net: BinaryNetwork, dt: float, n_steps: int, first: Int[Array, ""]) -> Layout:
    sizes = {name: size_of(net, name) for name in net.names}
    return Layout(sizes, dict.fromkeys(net.names, (ACTIVE,)), (), (), dt, n_steps, first)


def _checked_recorders(record: Any, layout: Layout, first: int) -> dict[str, ActivityRecorder]:
    if record is None:
        record = {"activity": MeanActivity()}
    if not isinstance(record, Mapping):
        raise ValueError(f"`record` has to be a dict of {{name: recorder}}; got {type(record).__name__}.")
    for name, recorder in record.items():
        if not isinstance(name, str) or not isinstance(recorder, ActivityRecorder):
            raise ValueError(
                f"`record[{name!r}]` has to be a recorder of binary units, `jn.record.MeanActivity()`, "
                f"`PopulationActivity()` or `UnitStates()`; got {recorder!r}."
            )
        recorder.check(layout, first)
    return dict(record)


def _checked_stimuli(net: BinaryNetwork, stimulus: Any, n_steps: int, dt: float) -> dict[str, Stimulus]:
    if stimulus is None:
        return {}
    if not isinstance(stimulus, Mapping):
        raise ValueError("`stimulus` of a network has to be a dict of {population: field}.")
    for name in stimulus:
        if name not in net.names:
            raise ValueError(f"`stimulus` names {name!r}; there are {', '.join(net.names)}.")
    return {name: make_stimulus(name, value, size_of(net, name), n_steps, dt) for name, value in stimulus.items()}


class _Outcome(eqx.Module):
    """What the loop carries beside the state."""

    recorders: dict[str, Any]
    failed_step: Int[Array, ""]
    finite: Bool[Array, "populations"]


def _finite(plan: BinaryPlan, outside: Array, weights: Bool[Array, "n"]) -> Bool[Array, "populations"]:
    fine = jnp.isfinite(outside) & weights
    return jnp.stack([jnp.all(fine[span]) for span in plan.unit_spans])


def _finite_weights(plan: BinaryPlan) -> Bool[Array, "n"]:
    fine = jnp.isfinite(plan.temperature)
    for layer in plan.layers:
        fine = fine & jnp.all(jnp.isfinite(layer.weights), axis=1)
    return fine if plan.couplings is None else fine & jnp.all(jnp.isfinite(plan.couplings), axis=1)


@eqx.filter_jit
def _run(
    net: BinaryNetwork,
    wiring: Wiring,
    state: BinaryState,
    key: PRNGKeyArray,
    stimuli: dict[str, Stimulus],
    recorders: dict[str, ActivityRecorder],
    update: AbstractUpdate,
    *,
    dt: float,
    n_steps: int,
    rows: tuple[tuple[str, int], ...],
    progress: bool,
) -> _Ran:
    plan = make_plan(net, wiring, dt)
    table = PoissonTable(jnp.sum(plan.per_step))
    layout = _layout(net, dt, n_steps, state.step)
    report = progress_line(n_steps, n_steps * dt) if progress else None
    noise, sound = role_key(key, "update"), _finite_weights(plan)

    def body(carry: tuple[Array, _Outcome], index: Array) -> tuple[tuple[Array, _Outcome], None]:
        words, outcome = carry
        if report is not None:
            report(index)
        step = layout.first + index
        outside = plan.drive + stimulus_field(plan, stimuli, layout.first, step)
        step_key = jax.random.fold_in(noise, step)
        if isinstance(update, Parallel):
            words = parallel_step(plan, words, outside, step_key)
        else:
            words = sequential_step(plan, table, words, outside, step_key)
        seen = {
            name: unpack_bits(words[span], n)[None]
            for name, span, n in zip(plan.names, plan.word_spans, plan.sizes, strict=True)
        }
        window = Window(step[None], seen, None, {})
        carries = {name: r.update(outcome.recorders[name], window, layout) for name, r in recorders.items()}
        finite = _finite(plan, outside, sound)
        failing = (outcome.failed_step < 0) & ~jnp.all(finite)
        failed_step = jnp.where(failing, step + 1, outcome.failed_step)
        return (words, _Outcome(carries, failed_step, jnp.where(failing, finite, outcome.finite))), None

    carries = {name: recorders[name].init(layout, n) for name, n in rows}
    start = _Outcome(carries, jnp.full((), -1, jnp.int32), jnp.ones(len(plan.names), bool))
    words = jnp.concatenate([state.words[name] for name in plan.names])
    (words, outcome), _ = lax.scan(body, (words, start), jnp.arange(n_steps, dtype=jnp.int32))
    finished = {name: recorder.finish(outcome.recorders[name], layout) for name, recorder in recorders.items()}
    last = BinaryState(
        state.step + n_steps, {name: words[span] for name, span in zip(plan.names, plan.word_spans, strict=True)}
    )
    return _Ran(
        {name: r.values for name, r in finished.items()},
        {name: r.counts for name, r in finished.items() if r.counts is not None},
        {name: r.times for name, r in finished.items() if r.times is not None},
        last,
        Result.where(
            differs_from_wiring(net, wiring),
            Result.wrong_wiring,
            Result.where(outcome.failed_step >= 0, Result.nonfinite_state, Result.successful),
        ),
        outcome.failed_step,
        outcome.finite,
    )
