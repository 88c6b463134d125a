"""The one call that runs a model."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import PRNGKeyArray

from .._network import BinaryNetwork, Network, Population
from .._numerics import check_dt, check_key, check_precision, check_yes_or_no, told
from ..models import AbstractODE, AbstractRunnable, AbstractRunner, AbstractSolver, AbstractSpikeTimes
from ..surrogate import AbstractSurrogate
from . import record as record_module
from ._binary import AbstractUpdate, simulate_binary
from ._driver import SINGLE
from ._ode import simulate_ode
from ._solution import Solution
from ._spiking import simulate_spiking
from ._wire import Wiring
from .adjoint import AbstractAdjoint


def simulate(
    model: AbstractRunnable,
    t0: float,
    t1: float,
    *,
    dt: float,
    key: PRNGKeyArray | None = None,
    record: Mapping[str, record_module.AbstractRecorder] | None = None,
    stimulus: Any = None,
    state: Any = None,
    wiring: Wiring | None = None,
    solver: AbstractSolver | None = None,
    surrogate: AbstractSurrogate | Mapping[str, AbstractSurrogate] | None = None,
    adjoint: AbstractAdjoint | None = None,
    update: AbstractUpdate | None = None,
    spike_times: AbstractSpikeTimes | None = None,
    progress: bool = False,
    throw: bool = True,
) -> Solution:
    """Runs a network, a single population or a rate model from `t0` to `t1`.

    The loop goes in blocks of the shortest delay: inside one every neuron is stepped without
    hearing of another, between two all spikes of the block are delivered. A spike of a step is
    emitted at its end and acts one delay later. Noise is a function of key, role, step and neuron
    alone, so that a run cut anywhere equals the run in one, bitwise. A run under `jax.vmap` has
    the wiring and the random numbers of the run alone, but the compiler may round it otherwise: potentials then
    differ in their last digits (by 4e-6 mV in float32, 7e-15 mV in float64), until one neuron spikes a step
    earlier or later for it, and a chaotic network has another raster of the same statistics.

    **Arguments:**

    - `model`: a `Network` or a `BinaryNetwork`; a `Population` or a rate model (`RateNetwork`, `Ring`, `EIRate`, any
      `AbstractODE`), whose records are then arrays and not dicts.
    - `t0`, `t1`: [ms], multiples of `dt`.
    - `dt`: step [ms]. Delays and refractory periods are rounded to whole steps.
    - `key`: a `jax.random.key`; the wiring is drawn from it too, unless it is given. A rate model without noise
      needs none.
    - `record`: {name: recorder} of `jn.record`; default {"rate": `Rate()`}, or of binary units
      {"activity": `MeanActivity()`}, of a rate model a `Trace` of each variable.
    - `stimulus`: injected current (mV of LIF, uA/cm2 of neurons with channels), a binary unit's field or the input of
      a rate: a number, (n,), (time, n) or a function of time [ms]; or, where there is a membrane, a `Clamp`: also
      conductances, a voltage clamp and kicks of the potential; {population: one of these} for a network. A function
      that is a pytree, as `jax.tree_util.Partial(f, v)`, holds numbers that are changed without compiling again.
    - `state`: where to start, such as `sol.state` of the run before; default the initial state.
    - `wiring`: from `jn.wire(net, key=)`.
    - `solver`: of LIF neurons `Exact()` by default, or `EulerMaruyama()`; of neurons with channels `ExponentialEuler()`
      by default, `CrankNicolson()` or `RungeKutta4()`; of a cable `SDIRK2()` by default, `CrankNicolson()` or
      `ImplicitEuler()`; of a rate model `ExponentialEuler()`, `RungeKutta4()` or `EulerMaruyama()`; a binary network
      takes none.
    - `surrogate`: of `jn.surrogate`, for all populations or {population: one}: the derivative that stands
      for that of a spike. The run itself is the same to the bit.
    - `adjoint`: of `jn.adjoint`, how derivatives are taken: `Direct()`, or `Checkpoint()` with a surrogate.
    - `update`: of a binary network alone: `Sequential()` by default, or `Parallel()`, which wants
      dt = tau.
    - `spike_times`: `InsideSteps()` finds in closed form where within a step a LIF neuron reaches its threshold;
      the spike
      arrives as late in the step in which it arrives, refractoriness is not rounded, and times have derivatives (see
      below). Default: the ends of the steps.
    - `progress`: shows a line on standard error.
    - `throw`: whether a run that goes non-finite raises; if not, `sol.result` says so, as vmap needs.

    **Returns:** a `Solution`.

    Raises `ValueError` where an argument does not fit, `RuntimeError` where the run went
    non-finite and `throw` is true. Warns with `ShortRunWarning` of a run that ends before any spike can arrive or
    any membrane or rate can settle.

    Changing a number never compiles again; sizes, delays, `dt` and the number of steps do. Works
    under jit and vmap with `wiring=` given; a batch over one wiring does not copy it. A batch of rate
    networks makes one matrix product of many, whose sums go in another order: each step of it equals
    that of a run alone within n roundings of the sum of |M| |v|, and not to the bit. Derivatives:
    forward and reverse mode through the potentials. A spike has derivative 0, and so have rates,
    unless a `surrogate` is given: then `Rate` and `PopulationRate` are differentiable through spikes
    and synapses, a CV is not. The counts of a `PoissonDrive` have the derivative by its rate that is
    right for their mean and variance; the spikes of `Poisson` sources have none. A surrogate counts a
    neuron that lingers at threshold once a step, while it spikes once: its derivatives are those of
    differences over a single step and several times larger over some milliseconds (`python -m
    benchmarks gradient`), and over long runs those of a chaotic system: for stationary rates
    differentiate `jn.theory.mean_field`.

    With `spike_times=InsideSteps()` a run has the exact derivatives of its spike times, and through them of its
    potentials
    and of what `record.SpikeTimes` keeps: those of `simulate_events`, at the cost of the clock. For LIF neurons with
    a hard reset, `ExponentialCurrent`s, delays of whole steps and constant or Poisson input. Of several arrivals of
    one projection at a neuron in a step the first three moments of their times are kept, an error of order
    (dt/tau)^3 of their weight. A neuron that crosses in that very step hears them together, at their mean time: its
    spike is then wrong by a fraction of dt, and has a derivative by those too that came after it. Take a smaller dt,
    or `simulate_events`, where that matters. A neuron that would spike twice in a step makes the run fail.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=400, n_i=100, c_e=40, c_i=10)
    >>> sol = jn.simulate(net, 0.0, 20.0, dt=0.1, key=jax.random.key(0))
    >>> sol["rate"]["E"].shape
    (400,)
    >>> more = jn.simulate(net, sol.t1, 40.0, dt=0.1, key=jax.random.key(0), state=sol.state)

    ```

    Source of the scheme: Morrison et al. (2005), doi:10.1162/0899766054026648; of spikes off its grid: Morrison et al.
    (2007), doi:10.1162/neco.2007.19.1.47.
    """
    if not isinstance(model, AbstractRunnable):
        raise ValueError(
            f"`model` has to be a Network, a Population, a BinaryNetwork or a rate model; got {told(model)}."
        )
    check_precision("model", model)
    throw, progress = check_yes_or_no("throw", throw), check_yes_or_no("progress", progress)
    shared = dict(key=key, record=record, stimulus=stimulus, state=state, progress=progress, throw=throw)
    own = dict(
        wiring=wiring, solver=solver, surrogate=surrogate, adjoint=adjoint, update=update, spike_times=spike_times
    )
    return model.run_by(_Runner(t0, t1, dt, shared, own))


class _Runner(AbstractRunner):
    """The call, to be answered by the machine of the model's kind."""

    def __init__(self, t0: float, t1: float, dt: float, shared: dict[str, Any], own: dict[str, Any]):
        """`shared` are arguments of every kind of model; of the `own` ones a kind takes some and refuses the others."""
        self.t0, self.t1, self.dt, self.shared, self.own = t0, t1, dt, shared, own

    def network(self, net: Network) -> Solution:
        return self._spiking(net, "a Network", False)

    def population(self, population: Population) -> Solution:
        return self._spiking(Network({SINGLE: population}), "a Population", True)

    def _spiking(self, net: Network, what: str, single: bool) -> Solution:
        takes = ("wiring", "solver", "surrogate", "adjoint", "spike_times")
        own = self._taken(takes, f"is of a BinaryNetwork; {what} of neurons takes none")
        check_key(self.shared["key"])
        return simulate_spiking(net, self.t0, self.t1, dt=check_dt(self.dt), single=single, **own, **self.shared)

    def binary(self, net: BinaryNetwork) -> Solution:
        own = self._taken(("wiring", "update"), "is of neurons with a membrane; a BinaryNetwork takes `update`")
        check_key(self.shared["key"])
        return simulate_binary(net, self.t0, self.t1, dt=check_dt(self.dt), **own, **self.shared)

    def equation(self, model: AbstractODE) -> Solution:
        own = self._taken(("solver", "adjoint"), "is of a network of neurons; a rate model takes none")
        if self.shared["key"] is not None:
            check_key(self.shared["key"])
        return simulate_ode(model, self.t0, self.t1, dt=check_dt(self.dt), **own, **self.shared)

    def _taken(self, names: tuple[str, ...], reason: str) -> dict[str, Any]:
        """These of the `own` arguments; `ValueError` where another is given, for this reason."""
        for argument, given in self.own.items():
            if given is not None and argument not in names:
                raise ValueError(f"`{argument}` {reason}.")
        return {name: self.own[name] for name in names}
