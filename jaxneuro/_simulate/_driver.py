"""The one driver of runs: state checks, recorders, adjoints, progress, result codes."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from .._numerics import MOST, Result, is_concrete, told
from ._machine import AbstractMachine, AbstractProgram, AbstractRunState, Emitted
from ._own import check_watched
from ._progress import progress_line
from ._solution import Solution, sentence
from .adjoint import AbstractAdjoint
from .record import AbstractRecorder, Layout, Lookout, Window
from .record._recorder import unit_of_watched

# The name of the one population of a model that is no network.
SINGLE = "population"


def drive(
    machine: AbstractMachine,
    first: int,
    n_steps: int,
    *,
    dt: float,
    record: Any,
    state: Any,
    adjoint: AbstractAdjoint,
    progress: bool,
    throw: bool,
    single: bool,
) -> Solution:
    """Runs a machine for `n_steps` steps of `dt` [ms]; where it is `single`, records are arrays and not dicts."""
    state = _checked_state(machine, state, first, dt)
    layout = machine.layout(n_steps, jnp.asarray(first, jnp.int32))
    recorders = _checked_recorders(machine, record, layout, first)
    rows = tuple([(name, recorder.rows(first, n_steps, dt)) for name, recorder in recorders.items()])
    _check_sizes(recorders, dict(rows), layout)
    with jax.debug_nans(False):  # a CV of too few intervals is NaN, which is no fault; what is one has its result code
        ran = _run(
            machine, state, recorders, adjoint, dt=dt, n_steps=n_steps, rows=rows, progress=progress, single=single
        )
    # The ends are not the program's business: a run that goes on compiles nothing. Records in the order asked for.
    records, axes, units = {}, {}, []
    for label, recorder in recorders.items():
        records[label] = ran["records"][label]
        axis, unit = recorder.time_axis(first, n_steps, dt), recorder.unit
        axes |= {} if axis is None else {label: axis}
        if unit is not None and "{}" in unit:
            unit = unit_of_watched(recorder, layout, machine.units())
        units += [] if unit is None else [(label, unit)]
    ran |= {"records": records, "axes": axes, "named_units": tuple(units)}
    sol = Solution(**ran, t0=first * dt, t1=(first + n_steps) * dt, dt=dt, names=tuple(layout.sizes))
    return _checked_solution(sol, machine, single) if throw else sol


def _checked_state(machine: AbstractMachine, state: Any, first: int, dt: float) -> Any:
    if state is None:
        return machine.init(first)
    if not isinstance(state, AbstractRunState):
        raise ValueError(f"`state` has to be the `state` of {machine.whose()}; got {type(state).__name__}.")
    fresh = eqx.filter_eval_shape(machine.init, first)
    mine, theirs = (jax.tree_util.tree_flatten(tree) for tree in (fresh, state))
    alike = mine[1] == theirs[1] and all(map(_alike, mine[0], theirs[0]))
    if not alike:
        raise ValueError(
            "`state` comes from another network or another model, with other variables or sizes, another dt or another "
            "float precision."
        )
    if is_concrete(state.step) and int(state.step) != first:
        raise ValueError(
            f"`state` is at t = {int(state.step) * dt:g} ms and the run starts at `t0` = {first * dt:g} ms."
        )
    return state


def _alike(mine: Any, theirs: Any) -> bool:
    floats = [jnp.issubdtype(x.dtype, jnp.inexact) for x in (mine, theirs)]
    # What is on its way may be counts or floats.
    return mine.shape == theirs.shape and (mine.dtype == theirs.dtype or not all(floats))


def _checked_recorders(
    machine: AbstractMachine, record: Any, layout: Layout, first: int
) -> dict[str, AbstractRecorder]:
    if record is None:
        record = machine.default_record(layout)
    if not isinstance(record, Mapping):
        raise ValueError(f"`record` has to be a dict of {{name: recorder}}; got {type(record).__name__}.")
    for name, recorder in record.items():
        if not isinstance(name, str) or not isinstance(recorder, AbstractRecorder):
            raise ValueError(
                f"`record[{name!r}]` has to be a recorder such as `jn.record.Rate()`; got {told(recorder)}."
            )
        check_watched(f"`record[{name!r}]`: `{type(recorder).__name__}.watch`", recorder.watch(layout))
        recorder.check(layout, first)
        for watch in recorder.watch(layout):
            watch.check(f"record[{name!r}]", layout)
    return dict(record)


def _check_sizes(recorders: dict[str, AbstractRecorder], rows: dict[str, int], layout: Layout) -> None:
    """Raises `ValueError` where a record is longer than an array that can be numbered."""
    for name, recorder in recorders.items():
        if rows[name] * max(1, *layout.sizes.values()) <= MOST:  # of most runs: nothing is to be traced
            continue
        for leaf in jax.tree.leaves(eqx.filter_eval_shape(recorder.init, layout, rows[name])):
            if leaf.size > MOST:
                raise ValueError(
                    f"`record[{name!r}]` would hold {leaf.size:.2g} numbers, more than the {MOST:,} of an array: "
                    "record fewer neurons or steps, or begin later with `start`."
                )


class _Carry(eqx.Module):
    """What goes from turn to turn: the state, recorders, and the first block that went non-finite."""

    state: Any
    recorders: dict[str, Any]
    failed_step: Int[Array, ""]
    finite: Bool[Array, "populations"]


class _Loop(eqx.Module):
    """Everything that stays the same from turn to turn."""

    program: AbstractProgram
    recorders: dict[str, AbstractRecorder]
    lookout: Lookout
    layout: Layout
    adjoint: AbstractAdjoint
    report: Callable[[Array], None] | None = eqx.field(static=True)

    def run(self, carry: _Carry) -> _Carry:
        """All steps: whole turns, then whole blocks, then what is left over."""
        program = self.program
        turns, rest = divmod(self.layout.n_steps, program.group_steps)
        left = rest % program.block_steps

        def turn(now: _Carry, index: Array) -> _Carry:
            if self.report is not None:
                self.report(index)
            return self.steps(now, program.group_steps)

        carry = self.adjoint.loop(turn, carry, jnp.arange(turns, dtype=jnp.int32), program.kept)
        for n_steps in (rest - left, left):
            carry = self.steps(carry, n_steps) if n_steps else carry
        return carry

    def steps(self, carry: _Carry, n_steps: int) -> _Carry:
        """Some steps in a row, recorded at once."""
        state = carry.state
        before = self.lookout.look(lambda name: self.program.observe(state, name))
        after, emitted = self.program.block(state, n_steps, self.lookout.look, self._cut)
        wrong = ~jnp.all(emitted.finite, axis=1)
        at = jnp.argmax(wrong)
        ends = (at.astype(jnp.int32) + 1) * (n_steps // wrong.shape[0])
        failing = (carry.failed_step < 0) & jnp.any(wrong)
        return _Carry(
            after,
            self._recorded(carry.recorders, state.step + jnp.arange(n_steps, dtype=jnp.int32), emitted, before),
            jnp.where(failing, state.step + ends, carry.failed_step),
            jnp.where(failing, emitted.finite[at], carry.finite),
        )

    def _cut(self, state: Any, n_steps: int) -> Any:
        return self.adjoint.cut(state, state.step, n_steps, self.layout.dt)

    def _recorded(
        self, carries: dict[str, Any], steps: Int[Array, "time"], emitted: Emitted, before: dict[str, tuple]
    ) -> dict[str, Any]:
        spikes, soft, shares = {}, {}, {}
        for name, fired in emitted.firing.items():
            spikes[name] = fired.spikes
            soft |= {} if fired.soft is None else {name: fired.soft}
            shares |= {} if fired.share is None else {name: fired.share}
        updated = {}
        for label, recorder in self.recorders.items():
            window = Window(steps, spikes, soft, shares, emitted.seen.get(label, ()), before.get(label, ()))
            updated[label] = recorder.update(carries[label], window, self.layout)
        return updated


@eqx.filter_jit
def _run(
    machine: AbstractMachine,
    state: Any,
    recorders: dict[str, AbstractRecorder],
    adjoint: AbstractAdjoint,
    *,
    dt: float,
    n_steps: int,
    rows: tuple[tuple[str, int], ...],
    progress: bool,
    single: bool,
) -> dict[str, Any]:
    """The compiled part of a run; what it returns are fields of `Solution`."""
    layout = machine.layout(n_steps, state.step)
    watches, carries, timed = {}, {}, False
    for name, n in rows:
        watches[name] = recorders[name].watch(layout)
        carries[name] = recorders[name].init(layout, n)
        timed = timed or recorders[name].wants_times()
    program = machine.program(n_steps, state.step, timed)
    report = progress_line(n_steps // program.group_steps, n_steps * dt) if progress else None
    loop = _Loop(program, recorders, Lookout(watches), layout, adjoint, report)
    finite = jnp.ones(max(1, len(machine.finite_names())), bool)
    end = loop.run(_Carry(program.start(state), carries, jnp.full((), -1, jnp.int32), finite))
    gathered: dict[str, Any] = {"records": {}, "counts": {}, "frequencies": {}, "lags": {}}
    for name, recorder in recorders.items():
        recorded = recorder.finish(end.recorders[name], layout)
        for part, found in gathered.items():
            value = recorded.values if part == "records" else getattr(recorded, part)
            if value is not None:
                found[name] = value[SINGLE] if single and isinstance(value, dict) else value
    return gathered | {
        "state": end.state,
        "result": program.failed(end.state, end.failed_step >= 0),
        "failed_step": end.failed_step,
        "finite": end.finite,
    }


def _checked_solution(sol: Solution, machine: AbstractMachine, single: bool) -> Solution:
    if not is_concrete(sol.result):
        sol = eqx.error_if(sol, sol.result == Result.nonfinite_state, f"The run went non-finite. {machine.advice()}")
        message = "The run failed, for the reason that `sol.result` gives with `throw=False`: such as a wrong wiring."
        return eqx.error_if(sol, sol.result != Result.successful, message)
    if bool(jnp.all(sol.result == Result.successful)):
        return sol
    if bool(jnp.any(sol.result != Result.nonfinite_state)):
        raise RuntimeError(sentence(sol.result))
    names = [name for name, fine in zip(machine.finite_names(), np.asarray(sol.finite), strict=True) if not fine]
    where = "" if single else f", in {', '.join(names)}"
    raise RuntimeError(f"By t = {int(sol.failed_step) * sol.dt:g} ms{where}: {machine.advice()}")
