"""Neurons whose spikes have times inside their steps: the leaky membrane in closed form."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._formulas import Input, MembraneStep, current_in
from .._numerics import Result, added, remainder, told
from ..surrogate import AbstractSurrogate
from ._firing import Firing
from ._neuron import INPUT_UNITS, AbstractNeuron
from ._solver import Exact


class CrossingState(eqx.Module):
    """Membrane potential [mV], what is left of refractoriness [ms], whether a step ever held two spikes, and what
    rounding left out of the potential in float32."""

    v: Float[Array, "n"]
    refractory: Float[Array, "n"]
    twice: Bool[Array, "n"]
    left_out: Float[Array, "n"] | None


class CrossingNeuron(AbstractNeuron):
    """A leaky membrane that spikes when it reaches its threshold, and is held at `v_reset` for `t_ref`; the numbers
    are those of `LIF`. Without a threshold it never spikes.
    """

    tau_m: Float[Array, "..."]
    v_rest: Float[Array, "..."]
    v_th: Float[Array, "..."] | None
    v_reset: Float[Array, "..."] | None
    t_ref: Float[Array, "..."] | None

    def init(self, v: Float[Array, "n"]) -> CrossingState:
        return CrossingState(v, jnp.zeros_like(v), jnp.zeros(v.shape, bool), None)

    def started(self, state: CrossingState, dt: float) -> CrossingState:
        return CrossingState(state.v, state.refractory, state.twice, remainder(state.v, dt))

    def resting_potential(self) -> Float[Array, "*n"]:
        return self.v_rest

    def membrane_time_constant(self) -> Float[Array, "*n"]:
        return self.tau_m

    def check_solver(self, solver: Any) -> None:
        if not isinstance(solver, Exact):
            raise ValueError(f"`solver` has to be `Exact()` with spikes inside steps; got {told(solver)}.")

    def understands(self) -> tuple[str, ...]:
        return ("current", "decaying")

    def sends_spikes(self) -> bool:
        return self.v_th is not None

    def spikes_within_step(self) -> bool:
        return self.v_th is not None

    def observe(self, y: CrossingState) -> dict[str, Array]:
        return {"v": y.v, "refractory": y.refractory}

    def variable_units(self) -> dict[str, str]:
        """V in mV, `refractory` in ms."""
        return {"v": "mV", "refractory": "ms", **INPUT_UNITS}

    def prepare(self, dt: float, solver: Any, surrogate: AbstractSurrogate | None = None) -> float:
        return dt

    def step(self, constants: float, state: CrossingState, inputs: Input) -> tuple[CrossingState, Firing]:
        dt = constants
        v_inf = jnp.broadcast_to(self.v_rest, state.v.shape)
        if inputs.current is not None:
            v_inf = v_inf + inputs.current
        path = MembraneStep(v_inf, self.tau_m, tuple(current_in(c, dt) for c in inputs.decaying), dt)
        end = jnp.full_like(state.v, dt)
        begin = jnp.where(state.refractory < dt, state.refractory, end)
        change = path.change(state.v, begin, end) + jnp.where(begin < end, path.rest_of_kick(), 0.0)
        v, left_out = added(state.v, state.left_out, change)
        left = jnp.where(begin < end, 0.0, state.refractory - dt)
        if self.v_th is None or self.v_reset is None or self.t_ref is None:
            return CrossingState(v, left, state.twice, left_out), Firing(jnp.zeros(v.shape, bool))
        crossing = path.crossing(state.v, begin, self.v_th)
        spikes = crossing.reached
        free = crossing.at + self.t_ref
        again = jnp.where(free < end, free, end)
        reset = path.moved(jnp.broadcast_to(self.v_reset, v.shape), again, end)
        twice = state.twice | (spikes & (reset >= self.v_th))
        # v - v is 0, or NaN for a potential that is not finite, which a reset would hide.
        v = jnp.where(spikes, reset + (v - v), v)
        left = jnp.where(spikes, jnp.where(free < end, 0.0, free - dt), left)
        return CrossingState(v, left, twice, left_out), Firing(spikes, share=crossing.at / dt)

    def outcome(self, state: CrossingState) -> Result:
        """Whether a step held two spikes of a neuron."""
        return Result.where(jnp.any(state.twice), Result.two_spikes, Result.successful)
