"""A run of a network of neurons, or of a single population."""

import warnings
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .._network import Network
from .._numerics import Result, as_leaf, run_steps, told
from ..connectivity import StepRange
from ..models import AbstractSolver, AbstractSpikeTimes
from ..surrogate import AbstractSurrogate
from ._driver import SINGLE, drive as drive_machine
from ._engine import SpikingProgram
from ._exact_times import with_exact_times
from ._heard import input_names
from ._heavy_tails import warn_of_tails
from ._machine import AbstractMachine
from ._own import check_observed, check_spikes
from ._plan import NetworkState, delays_of, initial_state, make_plan
from ._short_run import warn_of_short_run
from ._solution import Solution, sentence
from ._stimulus import Stimulus, make_stimuli
from ._wire import Wiring, drawn_wiring, sizes_of
from .adjoint import Checkpoint, Direct, checked_adjoint
from .record import AbstractRecorder, Layout, Rate


def simulate_spiking(
    net: Network,
    t0: float,
    t1: float,
    *,
    dt: float,
    single: bool,
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
    """Runs a network of neurons; where it is a `single` population, records are arrays. The other arguments are those
    of `simulate`, checked there as far as they are shared."""
    first, n_steps = run_steps(t0, t1, dt)
    warn_of_tails(net, record)
    machine = spiking_machine(
        net, first, n_steps, dt=dt, single=single, key=key, stimulus=stimulus, wiring=wiring, solver=solver,
        surrogate=surrogate, spike_times=spike_times,
    )  # fmt: skip
    if state is None:
        warn_of_short_run(machine.net, machine.delays, n_steps, dt)
    return drive_machine(
        machine, first, n_steps, dt=dt, record=record, state=state, progress=progress, throw=throw, single=single,
        adjoint=checked_adjoint(adjoint, Checkpoint() if machine.surrogates else Direct()),
    )  # fmt: skip


def spiking_machine(
    net: Network,
    first: int,
    n_steps: int,
    *,
    dt: float,
    single: bool,
    key: PRNGKeyArray,
    stimulus: Any = None,
    wiring: Wiring | None = None,
    solver: Any = None,
    surrogate: Any = None,
    spike_times: Any = None,
) -> "SpikingMachine":
    """What runs a network from step `first` on for `n_steps` steps; raises `ValueError` where an argument is wrong."""
    wiring, wrong_wiring = drawn_wiring(net, wiring, key)
    if spike_times is not None:
        net = _with_spike_times(net, spike_times, surrogate, dt)
    net, stimuli = _with_stimuli(net, stimulus, single, first, n_steps, dt)
    amplitudes = _check_spikes(net, key, dt)
    drives = []
    for index, drive in enumerate(net.drives):
        drive.check(f"`drives[{index}]`", dt)
        drives.append(drive.in_steps(dt))
    net = eqx.tree_at(attrgetter("drives"), net, tuple(drives)) if drives else net
    _check_solver(net, solver)
    surrogates = _checked_surrogates(net, surrogate)
    variables, within_step = [], []
    for name, n in sizes_of(net, net.neuron_names).items():
        model = net.populations[name].model
        variables.append(_variables(name, model, n))
        within_step += [name] if model.spikes_within_step() else []
    return SpikingMachine(
        net=net, wiring=wiring, wrong_wiring=wrong_wiring, key=key, stimuli=stimuli, solver=solver,
        surrogates=surrogates, resolved=_resolved(net, dt), variables=tuple(variables),
        heard=input_names(net, stimuli), within_step=tuple(within_step), amplitudes=amplitudes,
        delays=delays_of(net, dt), dt=dt,
    )  # fmt: skip


class SpikingMachine(AbstractMachine):
    """A network of neurons with its wiring, its stimuli and how it is stepped."""

    net: Network
    wiring: Wiring
    wrong_wiring: Bool[Array, ""] | None
    key: PRNGKeyArray
    stimuli: dict[str, dict[str, Stimulus]]
    solver: AbstractSolver | None
    surrogates: dict[str, AbstractSurrogate]
    resolved: Bool[Array, ""] | None
    variables: tuple[tuple[str, ...], ...] = eqx.field(static=True)
    """The names of what can be recorded, for each population of neurons."""
    heard: tuple[tuple[str, ...], ...] = eqx.field(static=True)
    """The names of what can be recorded of its input, for each population of neurons."""
    within_step: tuple[str, ...] = eqx.field(static=True)
    """The populations whose spikes come at a time inside a step, and not at its end."""
    amplitudes: tuple[str, ...] = eqx.field(static=True)
    """The sources whose spikes are floats: their amplitudes."""
    delays: tuple[StepRange, ...] = eqx.field(static=True)
    dt: float = eqx.field(static=True)

    def init(self, first: int) -> NetworkState:
        """Potentials as each population says, nothing on its way."""
        return initial_state(self.net, self.wiring, self.delays, first, self.dt, self.key)

    def layout(self, n_steps: int, first: Int[Array, ""]) -> Layout:
        """What recorders are told of the run: sizes, names of variables, its steps."""
        net = self.net
        fields: dict[str, tuple[str, ...]] = dict.fromkeys(net.names, ())
        for name, own, heard in zip(net.neuron_names, self.variables, self.heard, strict=True):
            fields[name] = (*own, *heard)
        soft, sizes = (*self.surrogates, *self.amplitudes), sizes_of(net, net.names)
        grids = {}
        for name, population in net.populations.items():
            if population.positions is not None:
                grids[name] = population.positions.grid()
        return Layout(sizes, fields, soft, self.within_step, net.names, self.dt, n_steps, first, grids)

    def units(self) -> dict[str, Mapping[str, str]]:
        """Those of the model of each population of neurons."""
        return {name: self.net.populations[name].model.variable_units() for name in self.net.neuron_names}

    def program(self, n_steps: int, first: Int[Array, ""], timed: bool) -> SpikingProgram:
        """The network with the constants of a step, computed once before the loop."""
        plan = make_plan(
            self.net,
            self.wiring,
            self.delays,
            self.dt,
            n_steps,
            self.solver,
            self.surrogates,
            self.amplitudes,
            self.within_step,
        )
        return SpikingProgram(
            net=self.net, plan=plan, key=self.key, stimulus=self.stimuli, first=first,
            wrong_wiring=self.wrong_wiring, surrogates=self.surrogates, resolved=self.resolved, heard=self.heard,
            timed=timed,
            block_steps=plan.block, group_steps=plan.block * plan.blocks_per_draw, kept=plan.kept,
        )  # fmt: skip

    def default_record(self, layout: Layout) -> dict[str, AbstractRecorder]:
        """Rates."""
        return {"rate": Rate()}

    def finite_names(self) -> tuple[str, ...]:
        """The populations of neurons."""
        return self.net.neuron_names

    def whose(self) -> str:
        """Whose `state` continues a run: a Solution's."""
        return "a Solution"

    def advice(self) -> str:
        """What to do where the run went non-finite: the sentence of that result code."""
        return sentence(Result.nonfinite_state)


def _variables(population: str, model: Any, n: int) -> tuple[str, ...]:
    """What can be recorded of a neuron, in the order in which it says it."""
    names: list[str] = []  # the result of eval_shape has its keys sorted

    def observed() -> None:
        seen = model.observe(model.init(jnp.zeros(n)))
        check_observed(model, population, seen, n)
        names.extend(seen)

    eqx.filter_eval_shape(observed)
    return tuple(names)


def _with_stimuli(
    net: Network, stimulus: Any, single: bool, first: int, n_steps: int, dt: float
) -> tuple[Network, dict[str, dict[str, Stimulus]]]:
    """The network whose sources have what they are given, and what is injected into its neurons."""
    by_name = {} if stimulus is None else {SINGLE: stimulus} if single else stimulus
    if not isinstance(by_name, Mapping):
        raise ValueError("`stimulus` of a network has to be a dict of {population: current}.")
    for name in by_name:
        if name not in net.populations:
            raise ValueError(f"`stimulus` names {name!r}, which is no population of neurons of this network.")
    begin, sizes = jnp.asarray(first, jnp.int32), sizes_of(net, net.names)
    sources, injected = [], {}
    for name in net.source_names:
        given = by_name.get(name)
        sources.append(net.populations[name].model.given(name, given, sizes[name], begin, n_steps, dt))
    for name in net.neuron_names:
        if name in by_name:
            model = net.populations[name].model
            injected[name] = make_stimuli(name, by_name[name], model, sizes[name], first, n_steps, dt)
    if sources:
        net = eqx.tree_at(lambda n: [n.populations[name].model for name in n.source_names], net, sources)
    return net, injected


def _check_spikes(net: Network, key: PRNGKeyArray, dt: float) -> tuple[str, ...]:
    """The sources whose spikes have amplitudes. Raises `ValueError` where one makes no spikes of the right shape."""
    with_amplitudes = []
    for name in net.source_names:
        model, n = net.populations[name].model, sizes_of(net, (name,))[name]
        model.check(name, dt)
        steps = jax.ShapeDtypeStruct((1,), jnp.int32)
        whose = f"`spikes` of {type(model).__name__}, the source {name!r},"

        def amplitudes(key: PRNGKeyArray, steps: Array, model: Any = model, n: int = n, whose: str = whose) -> None:
            start = model.init(n, key)
            made = model.spikes(key, steps, dt, n, start)
            found.append(check_spikes(whose, made, start, n))

        found: list[bool] = []
        eqx.filter_eval_shape(amplitudes, key, steps)
        if found[0]:
            with_amplitudes.append(name)
            for projection in [p for p in net.projections if p.pre == name]:
                projection.check_amplitudes()
    return tuple(with_amplitudes)


def _with_spike_times(net: Network, spike_times: Any, surrogate: Any, dt: float) -> Network:
    if not isinstance(spike_times, AbstractSpikeTimes):
        raise ValueError(
            f"`spike_times` has to be `InsideSteps()`, or None for the ends of steps; got {told(spike_times)}."
        )
    message = spike_times.outdated()
    if message is not None:
        warnings.warn(message, DeprecationWarning, stacklevel=8)
    if surrogate is not None:
        raise ValueError(
            "`spike_times=InsideSteps()` has the derivative of every spike's time: it takes no `surrogate`."
        )
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
            raise ValueError(f"`surrogate` has to be of `jn.surrogate`, such as `Triangular()`; got {told(given)}.")
    return dict(by_name)


def _resolved(net: Network, dt: float) -> Bool[Array, ""] | None:
    """Whether steps of `dt` [ms] follow every population; None where none knows."""
    step = as_leaf(dt)
    known = [net.populations[name].model.resolves(step) for name in net.neuron_names]
    said = [one for one in known if one is not None]
    return jnp.all(jnp.stack(said)) if said else None


def _check_solver(net: Network, solver: Any) -> None:
    if solver is None:
        return
    if not isinstance(solver, AbstractSolver):
        raise ValueError(
            f"`solver` has to be `Exact()`, `ExponentialEuler()`, `CrankNicolson()`, `EulerMaruyama()` or "
            f"`RungeKutta4()`; got {told(solver)}."
        )
    for name in net.neuron_names:
        net.populations[name].model.check_solver(solver)
