"""Neurons whose membrane carries channels."""

import abc
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from .._formulas import Input
from .._numerics import added, as_leaf, check_finite, check_positive, pointwise, remainder, told
from ..channels import AbstractChannel, Kinetics
from ..surrogate import AbstractSurrogate
from ._firing import Firing, crossing, fire
from ._lif import MEMBRANE_PARTS
from ._membrane import MembraneState
from ._membrane_rest import membrane_rest, membrane_start, quickest_channel
from ._neuron import AbstractNeuron
from ._ode import AbstractODE, RungeKutta4
from ._solver import AbstractMembraneSolver, ExponentialEuler

# A spike is an upward crossing this far above rest without bias [mV], unless the model says where.
_SPIKE = 50.0
# Shorter steps [ms] in float32 keep account of rounding: at 0.005 ms a gate of 100 ms moves by 5e-5 of its way.
_VERY_SHORT = 0.005


class MembraneConstants(eqx.Module):
    """What one step needs of the parameters, computed once outside the loop: each one number, or one a neuron."""

    dt: Float[Array, ""]
    dt_over_c: Float[Array, "*n"]
    dt_of_gates: Float[Array, "*m"]
    threshold: Float[Array, "*k"]
    solver: AbstractMembraneSolver | RungeKutta4
    surrogate: AbstractSurrogate | None


class Membrane(eqx.Module):
    """The conductance G of a membrane [mS/cm2], and the current GE [uA/cm2] it would pass at V = 0."""

    conductance: Float[Array, "*n"]
    driven: Float[Array, "*n"]


class AbstractConductanceNeuron(AbstractNeuron, AbstractODE):
    """A membrane with channels: C dV/dt = -sum of I_c(V, x) + I(t), dx/dt = phi (alpha (1 - x) - beta x).

    In a run of a population the gates step first, exactly at the potential of the moment (Rush and Larsen), from half
    a step before it to half a step behind; then the potential, over the whole step at these gates. That is of second
    order. As an `AbstractODE` it is one vector field for `diffrax`, `RungeKutta4()` and `jn.analysis`.
    """

    c_m: eqx.AbstractVar[Float[Array, "*n"]]
    phi: eqx.AbstractVar[Float[Array, "*n"]]
    bias: eqx.AbstractVar[Float[Array, "*n"]]
    v_th: eqx.AbstractVar[Float[Array, "*n"] | None]

    @abc.abstractmethod
    def channels(self) -> dict[str, AbstractChannel]:
        """The channels by name."""

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        """How every gate moves at the potential `v`, without the temperature factor; "m_na" is the m of "na"."""
        return {
            f"{gate}_{name}": moves
            for name, channel in self.channels().items()
            for gate, moves in channel.kinetics(v).items()
        }

    def conductances(self, v: Float[Array, "*n"], gates: dict[str, Array]) -> dict[str, Float[Array, "*n"]]:
        """The conductance of each channel [mS/cm2]."""
        found = {}
        for name, channel in self.channels().items():
            own = {key[: -len(name) - 1]: x for key, x in gates.items() if key.endswith(f"_{name}")}
            found[name] = channel.g * channel.open(v, own)
        return found

    def currents(self, v: Float[Array, "*n"], gates: dict[str, Array]) -> dict[str, Float[Array, "*n"]]:
        """The current out of the cell through each channel [uA/cm2]."""
        channels = self.channels()
        return {name: g * (v - channels[name].e) for name, g in self.conductances(v, gates).items()}

    def steady_gates(self, v: Float[Array, "*n"]) -> dict[str, Float[Array, "*n"]]:
        """The gates after a long time at the potential `v`."""
        return {name: moves.infinity() for name, moves in self.kinetics(v).items()}

    def steady_current(self, v: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """The current out of the cell after a long time at the potential `v`, the bias counted in [uA/cm2]."""
        return sum(self.currents(v, self.steady_gates(v)).values()) - self.bias

    def resting_potential(self) -> Float[Array, "*n"]:
        """The lowest potential [mV] at which the steady current is 0 and grows with V; NaN where there is none.

        Derivatives: implicit, forward and reverse mode.
        """
        return membrane_rest(self)

    def starting_potential(self) -> Float[Array, "*n"]:
        """Rest; where that is unstable, rest without the bias, as if that were switched on; else 5 mV beside rest."""
        return membrane_start(self)

    def without_bias(self) -> "AbstractConductanceNeuron":
        """The same neuron without its constant current."""
        return eqx.tree_at(lambda model: model.bias, self, jnp.zeros_like(self.bias))

    def default_solver(self) -> ExponentialEuler:
        """Exponential Euler."""
        return ExponentialEuler()

    def check_solver(self, solver: Any) -> None:
        """Takes every solver of a membrane, and `RungeKutta4()`."""

    def spikes_within_step(self) -> bool:
        """True: a spike is the upward crossing of a threshold."""
        return True

    def understands(self) -> tuple[str, ...]:
        """Every part but currents whose course through a step counts."""
        return MEMBRANE_PARTS

    def stimulus_share(self) -> float:
        """1/2: a step of second order takes the current of its middle."""
        return 0.5

    def kept_per_step(self) -> int:
        """8: the squid keeps 12 numbers beside the 4 of its state, twice that with the time that it is read back in."""
        return 8

    def resolves(self, dt: Float[Array, ""]) -> Bool[Array, ""]:
        """Whether `dt` [ms] is at most the time that the quickest channel takes, whose gates are steady in a step else.

        Of each channel counts its slowest gate, at the potentials between the reversal potentials where it is neither
        shut nor open to 1%. At that step firing rates are wrong by 5 to 20%.
        """
        return dt <= (1.0 + 1e-5) * quickest_channel(self)

    def init(self, v: Float[Array, "n"]) -> MembraneState:
        """The state with the potentials `v` [mV] and the gates that belong to them."""
        return _settled(self, v)

    def started(self, state: MembraneState, dt: float) -> MembraneState:
        """The state of a run in steps of `dt` [ms]: where they are very short it holds what rounding leaves out."""
        v = remainder(state.v, dt, _VERY_SHORT)
        return (
            state if v is None else MembraneState(state.v, state.gates, (v, jax.tree.map(jnp.zeros_like, state.gates)))
        )

    def threshold(self) -> Float[Array, "*n"]:
        """The potential whose upward crossing is a spike [mV]."""
        return self.without_bias().resting_potential() + _SPIKE if self.v_th is None else self.v_th

    def prepare(
        self,
        dt: float,
        solver: AbstractMembraneSolver | RungeKutta4,
        surrogate: AbstractSurrogate | None = None,
    ) -> MembraneConstants:
        """The constants of a step of `dt` [ms]."""
        step = as_leaf(dt, "dt")
        return MembraneConstants(step, step / self.c_m, step * self.phi, self.threshold(), solver, surrogate)

    def step(self, constants: MembraneConstants, state: MembraneState, inputs: Input) -> tuple[MembraneState, Firing]:
        """One step: the new state and who crossed the threshold upwards in it."""
        solver = constants.solver
        if not isinstance(solver, AbstractMembraneSolver):
            new = _runge_kutta(self, constants, state, inputs)
        elif state.left_out is None:
            gates = pointwise(_gates_after, self, state, constants.dt_of_gates)
            new = MembraneState(state.v + self._change(solver, constants, state.v, gates, inputs), gates)
        else:
            new = self._compensated(solver, constants, state, state.left_out, inputs)
        v = inputs.apply_jumps(new.v)
        below = state.v < constants.threshold
        firing = fire(v - constants.threshold, below, constants.surrogate)
        crossed = crossing(state.v, v, constants.threshold)
        return MembraneState(v, new.gates, new.left_out), Firing(
            crossed.spikes, firing.soft, firing.sensitive, crossed.share
        )

    def _change(
        self,
        solver: AbstractMembraneSolver,
        constants: MembraneConstants,
        v: Float[Array, "n"],
        gates: dict[str, Array],
        inputs: Input,
    ) -> Float[Array, "n"]:
        """What a step adds to the potential."""
        # What a derivative keeps of a step: of the gates their slopes, of the conductances nothing but the gates.
        membrane = eqx.filter_checkpoint(_membrane, prevent_cse=False)(self, v, gates, inputs)
        total = membrane.conductance
        change = solver.approach(v, membrane.driven, total, constants.dt_over_c)
        if inputs.noise is not None:
            gain = solver.propagator(constants.dt_over_c * total).noise_gain
            change = change + gain * inputs.noise / jnp.sqrt(self.c_m * total)
        return change

    def _compensated(
        self,
        solver: AbstractMembraneSolver,
        constants: MembraneConstants,
        state: MembraneState,
        left_out: tuple[Array, dict[str, Array]],
        inputs: Input,
    ) -> MembraneState:
        """The same step, with the account of what rounding leaves out."""
        moves, gates, left = self.kinetics(state.v), {}, {}
        for name, x in state.gates.items():
            change = moves[name].change(x, constants.dt_of_gates)
            gates[name], left[name] = added(x, left_out[1][name], change)
        pair: Any = added(state.v, left_out[0], self._change(solver, constants, state.v, gates, inputs))
        return MembraneState(pair[0], gates, (pair[1], left))

    def membrane_at(self, v: Float[Array, "*n"], gates: dict[str, Array], inputs: Input) -> Membrane:
        """The conductance of the membrane, and the current it would pass at V = 0, inputs counted in."""
        channels = self.channels()
        conductances = self.conductances(v, gates)
        total: Any = sum(conductances.values())
        driven: Any = sum(g * channels[name].e for name, g in conductances.items()) + self.bias
        if inputs.current is not None:
            driven = driven + inputs.current
        if inputs.conductance is not None and inputs.conductance_times_reversal is not None:
            total, driven = total + inputs.conductance, driven + inputs.conductance_times_reversal
        return Membrane(total, driven)

    def size(self) -> int:
        """How many neurons the parameters speak of; 1 where each is one number."""
        return max((leaf.shape[0] for leaf in jax.tree_util.tree_leaves(self) if leaf.ndim), default=1)

    def initial(self) -> MembraneState:
        """Rest, or where a run starts if that is unstable."""
        return self.init(jnp.broadcast_to(self.starting_potential(), (self.size(),)))

    def standing(self) -> MembraneState:
        """Rest, stable or not."""
        return self.init(jnp.broadcast_to(self.resting_potential(), (self.size(),)))

    def prepared(self) -> "AbstractConductanceNeuron":
        """Itself."""
        return self

    def observe(self, y: MembraneState) -> dict[str, Float[Array, "n"]]:
        """`v` and every gate."""
        return {"v": y.v, **y.gates}

    def variable_units(self) -> dict[str, str]:
        """V in mV, inputs of a cm2 of membrane; of gates none."""
        densities = {"input.current": "uA/cm2", "input.conductance": "mS/cm2"}
        return {"v": "mV", "input.kick": "mV", "input.conductance_times_reversal": "uA/cm2", **densities}

    def kicked(self, y: MembraneState, kick: Float[Array, "n"]) -> MembraneState:
        """y after jumps of the potential [mV]."""
        return MembraneState(y.v + kick, y.gates)

    def vector_field(self, t: Any, y: MembraneState, args: Any = None) -> MembraneState:
        """dy/dt [mV/ms and 1/ms]; `args` is the injected current [uA/cm2], or all of a neuron's `Input`."""
        inputs = args if isinstance(args, Input) else Input(current=args)
        membrane = self.membrane_at(y.v, y.gates, inputs)
        moves = self.kinetics(y.v)
        slopes = {name: self.phi * moves[name].slope(x) for name, x in y.gates.items()}
        return MembraneState((membrane.driven - membrane.conductance * y.v) / self.c_m, slopes)


def _gates_after(model: AbstractConductanceNeuron, state: MembraneState, dt: Float[Array, "*n"]) -> dict[str, Array]:
    moves = model.kinetics(state.v)
    return {name: moves[name].after(x, dt) for name, x in state.gates.items()}


def _membrane(
    model: AbstractConductanceNeuron, v: Float[Array, "*n"], gates: dict[str, Array], inputs: Input
) -> Membrane:
    return model.membrane_at(v, gates, inputs)


def _runge_kutta(
    model: AbstractConductanceNeuron, constants: MembraneConstants, state: MembraneState, inputs: Input
) -> MembraneState:
    if inputs.noise is not None:
        raise ValueError("`RungeKutta4()` has no noise; take `ExponentialEuler()` or `CrankNicolson()`.")
    now = MembraneState(state.v, state.gates)
    change = RungeKutta4().change(model, constants.dt * 0.0, now, lambda _: inputs, constants.dt)
    if state.left_out is None:
        return jax.tree.map(jnp.add, now, change)
    pairs = jax.tree.map(added, now, MembraneState(*state.left_out), change)
    new, left = jax.tree.transpose(jax.tree.structure(now), jax.tree.structure((0, 0)), pairs)
    return MembraneState(new.v, new.gates, (left.v, left.gates))


@eqx.filter_jit
def _settled(model: AbstractConductanceNeuron, v: Float[Array, "n"]) -> MembraneState:
    return MembraneState(v, model.steady_gates(v))


class ConductanceNeuron(AbstractConductanceNeuron):
    """A membrane with the channels it is given.

        C dV/dt = -sum over channels of g open(V, x) (V - E) + bias + I(t).

    **Arguments:**

    - `channels`: {name: channel of `jn.channels`}; a name holds no dot and no underscore.
    - `c_m`: capacitance [uF/cm2]; `phi`: factor of all rates (temperature).
    - `bias`: a constant current [uA/cm2]. A run starts at rest; where that is unstable, at the rest without bias, so
      that the neuron fires as under a `stimulus` of as much; where that is unstable too, 5 mV below.
    - `v_th`: a spike is an upward crossing of this potential [mV], by default 50 mV above rest without bias. Strong
      currents make spikes that stay below: look at a trace, and choose it lower.

    Raises `ValueError` where an argument is not as above.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jax, jaxneuro as jn
    >>> cell = jn.ConductanceNeuron({"na": jn.channels.Sodium(), "k": jn.channels.Potassium(), "l": jn.channels.Leak()})
    >>> sol = jn.simulate(jn.Population(cell, 1), 0.0, 50.0, dt=0.01, key=jax.random.key(0), stimulus=10.0)
    >>> sol.counts["rate"].tolist()
    [4]

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, chapters 5 and 6.
    """

    membrane: dict[str, AbstractChannel]
    c_m: Float[Array, "*n"]
    phi: Float[Array, "*n"]
    bias: Float[Array, "*n"]
    v_th: Float[Array, "*n"] | None

    def __init__(
        self,
        channels: Mapping[str, AbstractChannel],
        *,
        c_m: ArrayLike = 1.0,
        phi: ArrayLike = 1.0,
        bias: ArrayLike = 0.0,
        v_th: ArrayLike | None = None,
    ):
        if not isinstance(channels, Mapping) or not channels:
            raise ValueError("`channels` has to be a dict of at least one {name: channel}.")
        for name, channel in channels.items():
            if not isinstance(name, str) or not name or "." in name or "_" in name:
                raise ValueError(f"`channels`: a name has to be a string without dot or underscore; got {told(name)}.")
            if not isinstance(channel, AbstractChannel):
                raise ValueError(f"`channels[{name!r}]` has to be of `jn.channels`; got {told(channel)}.")
        # A channel of one's own may hold plain numbers.
        self.membrane = jax.tree.map(
            lambda x: as_leaf(x, "channels") if isinstance(x, float | int | np.generic) else x, dict(channels)
        )
        self.c_m, self.phi, self.bias = as_leaf(c_m, "c_m"), as_leaf(phi, "phi"), as_leaf(bias, "bias")
        self.v_th = None if v_th is None else as_leaf(v_th, "v_th")
        check_positive("phi", self.phi)
        check_membrane(self)

    def channels(self) -> dict[str, AbstractChannel]:
        """The channels by name."""
        return self.membrane


def check_membrane(model: AbstractConductanceNeuron) -> None:
    """Raises `ValueError` where a number of the membrane is not allowed."""
    check_positive("c_m", model.c_m)
    check_finite("bias", model.bias)
    if model.v_th is not None:
        check_finite("v_th", model.v_th)
