"""A run of a network of neurons, or of a single population."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .._network import Network, PoissonDrive, Population
from .._numerics import Result, is_concrete, run_steps
from ..models import (
    AbstractConductanceNeuron,
    AbstractMembraneSolver,
    AbstractNeuron,
    Exact,
    LeakyIntegrator,
    Poisson,
    RungeKutta4,
    SpikeSource,
    is_source,
)
from ..surrogate import AbstractSurrogate
from . import record as record_module
from ._engine import Loop
from ._exact_times import with_exact_result, with_exact_times
from ._plan import NetworkState, drives_are_wrong, given_names, initial_state, make_plan, with_surrogates
from ._progress import progress_line
from ._solution import Solution, failure
from ._stimulus import GivenSpikes, Stimulus, make_spikes, make_stimulus
from ._wire import Wiring, check_wiring, differs_from_wiring, size_of, wire
from .adjoint import AbstractAdjoint, Checkpoint, Direct, checked_adjoint

_SINGLE = "population"
# Poisson counts are drawn in shares of a mean of 25: beyond this a step costs 400 draws a neuron.
_MOST_KICKS = 10_000


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
    state = _checked_state(net, wiring, state, first, t0, dt, key)
    layout = _layout(net, dt, n_steps, jnp.asarray(first, jnp.int32))
    recorders = _checked_recorders(record, layout, first)
    if spike_times is not None and any(
        isinstance(r, record_module.Spikes) and r.threshold is not None for r in recorders.values()
    ):
        raise ValueError(
            "`Spikes(threshold=...)` is of neurons with channels, and `spike_times=Exact()` of LIF neurons."
        )
    stimuli = _checked_stimuli(net, stimulus, single, n_steps, dt)
    _check_sources(net, dt)
    _check_drives(net, dt)
    rows = {name: recorder.rows(first, n_steps, dt) for name, recorder in recorders.items()}
    _check_solver(net, solver)
    surrogates = _checked_surrogates(net, surrogate)
    adjoint = checked_adjoint(adjoint, Checkpoint() if surrogates else Direct())
    ran = _run(
        net, wiring, state, key, stimuli, recorders, solver, surrogates, adjoint,
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
    leaves, structure = jax.tree_util.tree_flatten((tree.neurons, tree.synapses, tree.drive_synapses, tree.resources))
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves], [rows.shape for rows in tree.pending]


def _layout(
    net: Network, dt: float, n_steps: int, first: Int[Array, ""], differentiable: tuple[str, ...] = ()
) -> record_module.Layout:
    sizes = {name: size_of(net, name) for name in net.names}
    models = {name: net.populations[name].model for name in net.names}
    variables = {name: _variables(model, sizes[name]) for name, model in models.items()}
    within = tuple(n for n, m in models.items() if isinstance(m, AbstractNeuron) and m.spikes_within_step())
    return record_module.Layout(sizes, variables, differentiable, within, dt, n_steps, first)


def _variables(model: Any, n: int) -> tuple[str, ...]:
    if is_source(model):
        return ()
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


def _checked_stimuli(
    net: Network, stimulus: Any, single: bool, n_steps: int, dt: float
) -> dict[str, Stimulus | GivenSpikes]:
    by_name = {} if stimulus is None else {_SINGLE: stimulus} if single else stimulus
    if not isinstance(by_name, Mapping):
        raise ValueError("`stimulus` of a network has to be a dict of {population: current}.")
    for name in by_name:
        if name not in net.populations or isinstance(net.populations[name].model, Poisson):
            raise ValueError(f"`stimulus` names {name!r}, which is no population of neurons of this network.")
    for name in given_names(net):
        if name not in by_name:
            raise ValueError(f"`stimulus` has to give the spikes of {name!r}, (time, n), which is a `SpikeSource`.")
    # Steps of second order take the current of their middle.
    shares = {n: 0.5 if isinstance(p.model, AbstractConductanceNeuron) else 0.0 for n, p in net.populations.items()}
    return {
        name: make_spikes(name, value, size_of(net, name), n_steps, dt)
        if isinstance(net.populations[name].model, SpikeSource)
        else make_stimulus(name, value, size_of(net, name), n_steps, dt, shares[name])
        for name, value in by_name.items()
    }


def _with_spike_times(net: Network, spike_times: Any, surrogate: Any, dt: float) -> Network:
    if not isinstance(spike_times, Exact):
        raise ValueError(f"`spike_times` has to be `Exact()`, or None for the ends of steps; got {spike_times!r}.")
    if surrogate is not None:
        raise ValueError("`spike_times=Exact()` has the derivative of every spike's time: it takes no `surrogate`.")
    return with_exact_times(net, dt)


def _checked_surrogates(net: Network, surrogate: Any) -> dict[str, AbstractSurrogate]:
    silent = LeakyIntegrator
    neurons = [n for n, p in net.populations.items() if not is_source(p.model) and not isinstance(p.model, silent)]
    if surrogate is None:
        return {}
    by_name = surrogate if isinstance(surrogate, Mapping) else dict.fromkeys(neurons, surrogate)
    for name, given in by_name.items():
        if name not in neurons:
            raise ValueError(f"`surrogate` names {name!r}, which is no population of spiking neurons of this network.")
        if not isinstance(given, AbstractSurrogate):
            raise ValueError(f"`surrogate` has to be of `jn.surrogate`, such as `Triangular()`; got {given!r}.")
    return dict(by_name)


def _check_sources(net: Network, dt: float) -> None:
    for name, population in net.populations.items():
        if isinstance(population.model, Poisson) and is_concrete(population.model.rate):
            with jax.ensure_compile_time_eval():
                most = float(jnp.max(population.model.spike_probability(dt)))
            if most > 1:
                raise ValueError(f"The rate of {name!r} gives {most:g} spikes a step; a source makes at most one.")


def _check_solver(net: Network, solver: Any) -> None:
    if solver is None:
        return
    if not isinstance(solver, AbstractMembraneSolver | RungeKutta4):
        raise ValueError(
            f"`solver` has to be `Exact()`, `ExponentialEuler()`, `CrankNicolson()`, `EulerMaruyama()` or "
            f"`RungeKutta4()`; got {solver!r}."
        )
    for population in net.populations.values():
        if isinstance(population.model, AbstractNeuron):
            population.model.check_solver(solver)


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


def _check_drives(net: Network, dt: float) -> None:
    for index, drive in enumerate(net.drives):
        if isinstance(drive, PoissonDrive) and is_concrete(drive.n_sources, drive.rate):
            most = float(np.max(np.asarray(drive.n_sources) * np.asarray(drive.rate))) * dt / 1000.0
            if most > _MOST_KICKS:
                raise ValueError(
                    f"`drives[{index}]` gives every neuron {most:.3g} spikes a step, more than {_MOST_KICKS:,}: "
                    "check `n_sources` and `rate` [Hz], take a smaller dt, or a `WhiteNoiseDrive` of the same moments."
                )


@eqx.filter_jit
def _run(
    net: Network,
    wiring: Wiring,
    state: NetworkState,
    key: PRNGKeyArray,
    stimuli: dict[str, Stimulus | GivenSpikes],
    recorders: dict[str, record_module.AbstractRecorder],
    solver: AbstractMembraneSolver | RungeKutta4 | None,
    surrogates: dict[str, AbstractSurrogate],
    adjoint: AbstractAdjoint,
    *,
    dt: float,
    n_steps: int,
    rows: tuple[tuple[str, int], ...],
    progress: bool,
    single: bool,
) -> Ran:
    plan = make_plan(net, wiring, dt, n_steps, solver, surrogates)
    floats = tuple(n for n, s in stimuli.items() if isinstance(s, GivenSpikes) and s.has_amplitudes)
    state = with_surrogates(state, net, wiring, surrogates, floats)
    layout = _layout(net, dt, n_steps, state.step, (*surrogates, *floats))
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
        with_exact_result(_result(net, wiring, surrogates, failed), last.neurons),
        outcome.failed_step,
        outcome.finite,
    )


def _result(net: Network, wiring: Wiring, surrogates: dict[str, AbstractSurrogate], failed: Bool[Array, ""]) -> Result:
    """What became of the run: what cannot be refused while values are traced is said here."""
    ran = Result.where(failed, Result.nonfinite_state, Result.successful)
    ran = Result.where(drives_are_wrong(net), Result.wrong_drive, ran)
    for surrogate in surrogates.values():
        ran = Result.where(surrogate.valid(), ran, Result.wrong_surrogate)
    return Result.where(differs_from_wiring(net, wiring), Result.wrong_wiring, ran)
