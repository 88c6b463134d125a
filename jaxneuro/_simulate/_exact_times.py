"""Runs whose spikes have times inside their steps: the network with neurons and synapses that know of them."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._formulas import DecayingCurrent, Input
from .._network import Network, PoissonDrive
from .._numerics import Result
from ..connectivity import AbstractOperator
from ..models import LIF, AbstractNeuron, Exact, Firing, LeakyIntegrator, is_source
from ..reset import Hard
from ..surrogate import AbstractSurrogate
from ..synapses import AbstractSynapse, ExponentialCurrent, Received
from ._deliver import GivenArrivals, deliver
from ._within_step import Path, current_in


class CrossingState(eqx.Module):
    """Membrane potential [mV], what is left of refractoriness [ms], and whether a step ever held two spikes."""

    v: Float[Array, "n"]
    refractory: Float[Array, "n"]
    twice: Bool[Array, "n"]


class CrossingConstants(eqx.Module):
    """The step."""

    dt: float = eqx.field(static=True)


class CrossingNeuron(AbstractNeuron):
    """A LIF neuron that spikes when it reaches its threshold, or a read-out that never does."""

    model: LIF | LeakyIntegrator

    def init(self, v: Float[Array, "n"]) -> CrossingState:
        return CrossingState(v, jnp.zeros_like(v), jnp.zeros(v.shape, bool))

    def resting_potential(self) -> Float[Array, "*n"]:
        return self.model.v_rest

    def membrane_time_constant(self) -> Float[Array, "*n"]:
        return self.model.tau_m

    def default_solver(self) -> Exact:
        return Exact()

    def check_solver(self, solver: Any) -> None:
        if not isinstance(solver, Exact):
            raise ValueError(f"`solver` has to be `Exact()` with `spike_times=Exact()`; got {solver!r}.")

    def spikes_within_step(self) -> bool:
        return isinstance(self.model, LIF)

    def together(self) -> int:
        return 1

    def observe(self, y: CrossingState) -> dict[str, Array]:
        return {"v": y.v, "refractory": y.refractory}

    def prepare(self, dt: float, solver: Any, surrogate: AbstractSurrogate | None = None) -> CrossingConstants:
        return CrossingConstants(dt)

    def step(self, constants: CrossingConstants, state: CrossingState, inputs: Input) -> tuple[CrossingState, Firing]:
        model, dt = self.model, constants.dt
        v_inf = jnp.broadcast_to(model.v_rest, state.v.shape)
        if inputs.current is not None:
            v_inf = v_inf + inputs.current
        path = Path(v_inf, model.tau_m, tuple(current_in(c, dt) for c in inputs.decaying), dt)
        end = jnp.full_like(state.v, dt)
        begin = jnp.where(state.refractory < dt, state.refractory, end)
        v = path.moved(state.v, begin, end) + jnp.where(begin < end, path.rest_of_kick(), 0.0)
        left = jnp.where(begin < end, 0.0, state.refractory - dt)
        if isinstance(model, LeakyIntegrator):
            return CrossingState(v, left, state.twice), Firing(jnp.zeros(v.shape, bool))
        crossing = path.crossing(state.v, begin, model.v_th)
        spikes = crossing.reached
        free = crossing.at + model.t_ref
        again = jnp.where(free < end, free, end)
        reset = path.moved(jnp.broadcast_to(model.v_reset, v.shape), again, end)
        twice = state.twice | (spikes & (reset >= model.v_th))
        # v - v is 0, or NaN for a potential that is not finite, which a reset would hide.
        v = jnp.where(spikes, reset + (v - v), v)
        left = jnp.where(spikes, jnp.where(free < end, 0.0, free - dt), left)
        return CrossingState(v, left, twice), Firing(spikes, share=crossing.at / dt)


class OffGridCurrent(AbstractSynapse):
    """An exponential current whose spikes arrive inside the step."""

    synapse: ExponentialCurrent

    def init(self, n: int) -> Float[Array, "n"]:
        return self.synapse.init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> CrossingConstants:
        return CrossingConstants(dt)

    def step(
        self, constants: CrossingConstants, state: Float[Array, "n"], counts: Float[Array, "n *moments"],
        weight: Float[Array, "*n"],
    ) -> Received:  # fmt: skip
        """`counts` are (n, 3): the moments of what arrives in the step, or (n,) spikes that arrive at its end."""
        if counts.ndim == 1:
            current = DecayingCurrent(state, self.synapse.tau, None)
            return Received(current_in(current, constants.dt).at_end(constants.dt) + weight * counts, _only(current))
        current = DecayingCurrent(state, self.synapse.tau, jnp.reshape(weight, (-1, 1)) * counts)
        return Received(current_in(current, constants.dt).at_end(constants.dt), _only(current))


def _only(current: DecayingCurrent) -> Input:
    return Input(decaying=(current,))


def with_exact_times(net: Network, dt: float) -> Network:
    """The network whose neurons spike inside their steps.

    Raises `ValueError` where it has other than LIF neurons with a hard reset, read-outs and sources; other synapses
    than exponential currents; white noise; or a delay that is not a whole number of steps of `dt` [ms].
    """
    for name, population in net.populations.items():
        model = population.model
        if isinstance(model, LIF) and not isinstance(model.reset, Hard):
            raise ValueError(
                f"`spike_times`: {name!r} has a soft reset, which at the threshold is the hard one: take `Hard()`."
            )
        if not isinstance(model, LIF | LeakyIntegrator) and not is_source(model):
            raise ValueError(
                f"`spike_times`: {name!r} is of {type(model).__name__}; a crossing in closed form is that of `LIF`."
            )
    for index, drive in enumerate(net.drives):
        if not isinstance(drive, PoissonDrive) or not isinstance(drive.synapse, ExponentialCurrent):
            raise ValueError(f"`spike_times`: `drives[{index}]` has to be a PoissonDrive of an `ExponentialCurrent`.")
    for index, projection in enumerate(net.projections):
        if not isinstance(projection.synapse, ExponentialCurrent):
            raise ValueError(f"`spike_times`: `projections[{index}]` has to be of an `ExponentialCurrent`.")
        delay = projection.delay
        if not isinstance(delay, float) or abs(delay / dt - round(delay / dt)) > 1e-6:
            raise ValueError(
                f"`spike_times`: `projections[{index}].delay` has to be one number, of whole steps of {dt:g} ms; "
                f"got {delay}."
            )
    populations = {
        name: p if is_source(p.model) else eqx.tree_at(lambda p: p.model, p, CrossingNeuron(p.model))
        for name, p in net.populations.items()
    }
    connected = [
        tuple(eqx.tree_at(lambda c: c.synapse, c, replace_fn=OffGridCurrent) for c in connections)
        for connections in (net.projections, net.drives)
    ]
    return eqx.tree_at(lambda n: (n.populations, n.projections, n.drives), net, (populations, *connected))


def is_off_grid(net: Network, pre: str) -> bool:
    """Whether spikes of a population have times inside their steps that its targets feel."""
    return isinstance(net.populations[pre].model, CrossingNeuron)


def off_grid_arrivals(
    operator: AbstractOperator | GivenArrivals, pending: Float[Array, "rows n_post 3"], fired: Firing, dt: float
) -> Float[Array, "rows n_post 3"]:
    """`pending` after a block: what has arrived is taken off, the moments of the block's spikes are put at the back."""
    n_steps = fired.spikes.shape[0]
    assert fired.share is not None
    u = dt * (1.0 - fired.share)
    moved = []
    for k in range(3):
        amplitude = jnp.where(fired.spikes, u**k, 0.0)
        weighted = Firing(fired.spikes, amplitude, fired.spikes, weighted=True)
        rows = pending[:, :, k]
        if isinstance(operator, GivenArrivals):
            moved.append(operator.timeline(rows, weighted)[n_steps:])
        else:
            moved.append(jnp.concatenate([rows[n_steps:], deliver(operator, weighted)]))
    return jnp.stack(moved, axis=2)


def with_exact_result(result: Result, neurons: dict[str, Any]) -> Result:
    """`result`, or that a step held two spikes of a neuron."""
    for state in jax.tree_util.tree_leaves(neurons, is_leaf=lambda x: isinstance(x, CrossingState)):
        if isinstance(state, CrossingState):
            result = Result.where(jnp.any(state.twice), Result.two_spikes, result)
    return result
