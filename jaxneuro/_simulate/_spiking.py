"""A run of a network of neurons, or of a single population."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .._network import Network, Population
from .._numerics import Result, is_concrete, run_steps
from ..models import AbstractSolver, Exact
from ..surrogate import AbstractSurrogate
from . import record as record_module
from ._engine import Loop
from ._exact_times import with_exact_times
from ._plan import NetworkState, drives_are_wrong, initial_state, make_plan, with_surrogates
from ._progress import progress_line
from ._solution import Solution, failure
from ._stimulus import Stimulus, make_stimulus
from ._wire import Wiring, check_wiring, differs_from_wiring, size_of, wire
from .adjoint import AbstractAdjoint, Checkpoint, Direct, checked_adjoint

_SINGLE = "population"


def simulate_spiking(
    model: Network | Population,
    t0: float,
    t1: float,
    *,
    dt: float,
    key: PRNGKeyArray,
    record: Any,
    stimulus: Any,
    state: Any,
    wiring: Wiring | None,
    solver: Any,
    surrogate: Any,
    adjoint: Any,
    spike_times: Any,
    progress: bool,
    throw: bool,
) -> Solution:
    """Runs a network of neurons; the arguments are those of `simulate`, checked there as far as they are shared."""
    single = isinstance(model, Population)
    net = Network({_SINGLE: model}) if isinstance(model, Population) else model
    first, n_steps = run_steps(t0, t1, dt)
    wiring = _checked_wiring(net, wiring, key)
    if spike_times is not None:
        net = _with_spike_times(net, spike_times, surrogate, dt)
    net, stimuli = _with_stimuli(net, stimulus, single, first, n_steps, dt)
    amplitudes = _check_spikes(net, key, dt)
    state = _checked_state(net, wiring, state, first, t0, dt, key)
    layout = _layout(net, dt, n_steps, jnp.asarray(first, jnp.int32))
    recorders = _checked_recorders(record, layout, first)
    if spike_times is not None and any(
        isinstance(r, record_module.Spikes) and r.threshold is not None for r in recorders.values()
    ):
        raise ValueError(
            "`Spikes(threshold=...)` is of neurons with channels, and `spike_times=Exact()` of LIF neurons."
        )
    for index, drive in enumerate(net.drives):
        drive.check(f"`drives[{index}]`", dt)
    rows = {name: recorder.rows(first, n_steps, dt) for name, recorder in recorders.items()}
    _check_solver(net, solver)
    surrogates = _checked_surrogates(net, surrogate)
    adjoint = checked_adjoint(adjoint, Checkpoint() if surrogates else Direct())
    ran = _run(
        net, wiring, state, key, stimuli, recorders, solver, surrogates, adjoint, amplitudes=amplitudes,
        dt=dt, n_steps=n_steps, rows=tuple(rows.items()), progress=bool(progress), single=single,
    )  # fmt: skip
    # The ends are not the program's business: a run that goes on compiles nothing.
    sol = _solution(ran, tuple(recorders), first * dt, (first + n_steps) * dt, dt, net.names)
    if not throw:
        return sol
    if is_concrete(sol.result):
        if not bool(jnp.all(sol.result == Result.successful)):
            raise RuntimeError(failure(sol))
        return sol
    return eqx.error_if(
        sol,
        sol.result != Result.successful,
        "The run failed (non-finite, or the wiring is of another in-degree); `throw=False` returns it.",
    )


def _checked_wiring(net: Network, wiring: Wiring | None, key: PRNGKeyArray) -> Wiring:
    if wiring is None:
        return wire(net, key=key)
    if not isinstance(wiring, Wiring):
        raise ValueError(f"`wiring` has to come from `jn.wire`; got {type(wiring).__name__}.")
    check_wiring(net, wiring)
    return wiring


def _checked_state(
    net: Network, wiring: Wiring, state: NetworkState | None, first: int, t0: float, dt: float, key: PRNGKeyArray
) -> NetworkState:
    fresh = eqx.filter_eval_shape(initial_state, net, wiring, t0, dt, key)
    if state is None:
        return initial_state(net, wiring, t0, dt, key)
    if not isinstance(state, NetworkState):
        raise ValueError(f"`state` has to be the `state` of a Solution; got {type(state).__name__}.")
    if _shapes(state) != _shapes(fresh):  # what is on its way may be counts or floats
        raise ValueError("`state` comes from another network, another dt or another float precision.")
    if is_concrete(state.step) and int(state.step) != first:
        raise ValueError(f"`state` is at t = {int(state.step) * dt:g} ms and the run starts at `t0` = {t0:g} ms.")
    return state


def _shapes(tree: NetworkState) -> Any:
    leaves, structure = jax.tree_util.tree_flatten(
        (tree.neurons, tree.synapses, tree.drives, tree.presynaptic, tree.sources)
    )
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves], [rows.shape for rows in tree.pending]


def _layout(
    net: Network, dt: float, n_steps: int, first: Int[Array, ""], differentiable: tuple[str, ...] = ()
) -> record_module.Layout:
    sizes = {name: size_of(net, name) for name in net.names}
    models = {name: net.populations[name].model for name in net.names}
    variables = {n: _variables(m, sizes[n]) if n in net.neuron_names else () for n, m in models.items()}
    within = tuple(name for name in net.neuron_names if models[name].spikes_within_step())
    return record_module.Layout(sizes, variables, differentiable, within, dt, n_steps, first)


def _variables(model: Any, n: int) -> tuple[str, ...]:
    names: list[str] = []  # the result of eval_shape has its keys sorted
    eqx.filter_eval_shape(lambda: names.extend(model.observe(model.init(jnp.zeros(n)))))
    return tuple(names)


def _checked_recorders(record: Any, layout: record_module.Layout, first: int) -> dict:
    if record is None:
        record = {"rate": record_module.Rate()}
    if not isinstance(record, Mapping):
        raise ValueError(f"`record` has to be a dict of {{name: recorder}}; got {type(record).__name__}.")
    for name, recorder in record.items():
        if not isinstance(name, str) or not isinstance(recorder, record_module.AbstractRecorder):
            raise ValueError(f"`record[{name!r}]` has to be a recorder such as `jn.record.Rate()`; got {recorder!r}.")
        recorder.check(layout, first)
    return dict(record)


def _with_stimuli(
    net: Network, stimulus: Any, single: bool, first: int, n_steps: int, dt: float
) -> tuple[Network, dict[str, Stimulus]]:
    """The network whose sources have what they are given, and what is injected into its neurons."""
    by_name = {} if stimulus is None else {_SINGLE: stimulus} if single else stimulus
    if not isinstance(by_name, Mapping):
        raise ValueError("`stimulus` of a network has to be a dict of {population: current}.")
    for name in by_name:
        if name not in net.populations:
            raise ValueError(f"`stimulus` names {name!r}, which is no population of neurons of this network.")
    models = {name: net.populations[name].model for name in net.names}
    begin = jnp.asarray(first, jnp.int32)
    sources = [
        models[name].given(name, by_name.get(name), size_of(net, name), begin, n_steps, dt) for name in net.source_names
    ]
    injected = {
        name: make_stimulus(name, by_name[name], size_of(net, name), n_steps, dt, models[name].stimulus_share())
        for name in net.neuron_names
        if name in by_name
    }
    net = eqx.tree_at(lambda n: [n.populations[name].model for name in n.source_names], net, sources)
    return net, injected


def _check_spikes(net: Network, key: PRNGKeyArray, dt: float) -> tuple[str, ...]:
    """The sources whose spikes have amplitudes. Raises `ValueError` where one makes no spikes of the right shape."""
    with_amplitudes = []
    for name in net.source_names:
        model, n = net.populations[name].model, size_of(net, name)
        model.check(name, dt)
        steps = jax.ShapeDtypeStruct((1,), jnp.int32)
        rows, _ = eqx.filter_eval_shape(
            lambda k, steps, model=model, n=n: model.spikes(k, steps, dt, n, model.init(n, k)), key, steps
        )
        shape, dtype = jnp.shape(rows), jnp.result_type(rows)
        if shape != (1, n) or not (dtype == jnp.bool_ or jnp.issubdtype(dtype, jnp.floating)):
            raise ValueError(
                f"`spikes` of {type(model).__name__}, the source {name!r}, has to return (time, n) bools, or floats "
                f"that are amplitudes, here (1, {n}); got shape {shape} of {dtype}."
            )
        if dtype != jnp.bool_:
            with_amplitudes.append(name)
    return tuple(with_amplitudes)


def _with_spike_times(net: Network, spike_times: Any, surrogate: Any, dt: float) -> Network:
    if not isinstance(spike_times, Exact):
        raise ValueError(f"`spike_times` has to be `Exact()`, or None for the ends of steps; got {spike_times!r}.")
    if surrogate is not None:
        raise ValueError("`spike_times=Exact()` has the derivative of every spike's time: it takes no `surrogate`.")
    return with_exact_times(net, dt)


def _checked_surrogates(net: Network, surrogate: Any) -> dict[str, AbstractSurrogate]:
    neurons = [name for name in net.neuron_names if net.populations[name].model.sends_spikes()]
    if surrogate is None:
        return {}
    by_name = surrogate if isinstance(surrogate, Mapping) else dict.fromkeys(neurons, surrogate)
    for name, given in by_name.items():
        if name not in neurons:
            raise ValueError(f"`surrogate` names {name!r}, which is no population of spiking neurons of this network.")
        if not isinstance(given, AbstractSurrogate):
            raise ValueError(f"`surrogate` has to be of `jn.surrogate`, such as `Triangular()`; got {given!r}.")
    return dict(by_name)


def _check_solver(net: Network, solver: Any) -> None:
    if solver is None:
        return
    if not isinstance(solver, AbstractSolver):
        raise ValueError(
            f"`solver` has to be `Exact()`, `ExponentialEuler()`, `CrankNicolson()`, `EulerMaruyama()` or "
            f"`RungeKutta4()`; got {solver!r}."
        )
    for name in net.neuron_names:
        net.populations[name].model.check_solver(solver)


class Ran(eqx.Module):
    """What the compiled part of a run returns; the fields are those of `Solution`."""

    records: dict[str, Any]
    counts: dict[str, Any]
    times: dict[str, Any]
    frequencies: dict[str, Any]
    lags: dict[str, Any]
    state: NetworkState
    result: Result
    failed_step: Int[Array, ""]
    finite: Bool[Array, "populations"]


def _solution(ran: Ran, labels: tuple[str, ...], t0: float, t1: float, dt: float, names: tuple[str, ...]) -> Solution:
    records = {label: ran.records[label] for label in labels}  # in the order asked for, which jit sorts
    return Solution(
        records, ran.counts, ran.times, ran.frequencies, ran.lags,
        ran.state, ran.result, ran.failed_step, ran.finite, t0, t1, dt, names,
    )  # fmt: skip


@eqx.filter_jit
def _run(
    net: Network,
    wiring: Wiring,
    state: NetworkState,
    key: PRNGKeyArray,
    stimuli: dict[str, Stimulus],
    recorders: dict[str, record_module.AbstractRecorder],
    solver: AbstractSolver | None,
    surrogates: dict[str, AbstractSurrogate],
    adjoint: AbstractAdjoint,
    *,
    amplitudes: tuple[str, ...],
    dt: float,
    n_steps: int,
    rows: tuple[tuple[str, int], ...],
    progress: bool,
    single: bool,
) -> Ran:
    plan = make_plan(net, wiring, dt, n_steps, solver, surrogates)
    state = with_surrogates(state, net, wiring, surrogates, amplitudes)
    layout = _layout(net, dt, n_steps, state.step, (*surrogates, *amplitudes))
    report = progress_line(n_steps // (plan.block * plan.together), n_steps * dt) if progress else None
    loop = Loop(net, plan, key, stimuli, recorders, layout, adjoint, report)
    carries = {name: recorders[name].init(layout, n) for name, n in rows}
    last, outcome = loop.run(state, carries)
    finished = {name: recorder.finish(outcome.recorders[name], layout) for name, recorder in recorders.items()}

    def unwrap(value: Any) -> Any:
        return value[_SINGLE] if single and isinstance(value, dict) else value

    failed = outcome.failed_step >= 0
    return Ran(
        {name: unwrap(r.values) for name, r in finished.items()},
        {name: unwrap(r.counts) for name, r in finished.items() if r.counts is not None},
        {name: r.times for name, r in finished.items() if r.times is not None},
        {name: r.frequencies for name, r in finished.items() if r.frequencies is not None},
        {name: r.lags for name, r in finished.items() if r.lags is not None},
        last,
        _result(net, wiring, surrogates, failed, last.neurons),
        outcome.failed_step,
        outcome.finite,
    )


def _result(
    net: Network,
    wiring: Wiring,
    surrogates: dict[str, AbstractSurrogate],
    failed: Bool[Array, ""],
    neurons: dict[str, Any],
) -> Result:
    """What became of the run: what cannot be refused while values are traced is said here."""
    ran = Result.where(failed, Result.nonfinite_state, Result.successful)
    ran = Result.where(drives_are_wrong(net), Result.wrong_drive, ran)
    for surrogate in surrogates.values():
        ran = Result.where(surrogate.valid(), ran, Result.wrong_surrogate)
    ran = Result.where(differs_from_wiring(net, wiring), Result.wrong_wiring, ran)
    for name, state in neurons.items():
        outcome = net.populations[name].model.outcome(state)
        ran = ran if outcome is None else Result.where(outcome == Result.successful, ran, outcome)
    return ran
