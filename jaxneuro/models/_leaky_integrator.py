"""A membrane without spikes: the read-out of a network."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._formulas import Input
from .._numerics import added, as_leaf, check_finite, check_positive, remainder, told
from ..surrogate import AbstractSurrogate
from ._crossing import CrossingNeuron
from ._firing import Firing
from ._lif import MEMBRANE_PARTS, membrane_change
from ._neuron import INPUT_UNITS, AbstractNeuron
from ._solver import AbstractMembraneSolver, Exact, Propagator


class LeakyState(eqx.Module):
    """Membrane potential [mV], and what rounding left out of it in float32."""

    v: Float[Array, "n"]
    left_out: Float[Array, "n"] | None


class LeakyConstants(eqx.Module):
    """What one step needs of the parameters, computed once outside the loop."""

    propagator: Propagator
    dt_over_tau: Float[Array, "*n"]
    solver: AbstractMembraneSolver


class LeakyIntegrator(AbstractNeuron):
    """A leaky membrane that never spikes, whose potential is read out.

        tau_m dV/dt = -(V - v_rest) + I(t).

    **Arguments**, each a number or an array (n,): `tau_m` [ms], `v_rest` [mV].

    Raises `ValueError` where a value is not finite or `tau_m` is not positive; at the network where a projection
    starts from it.

    Derivatives: forward and reverse mode, in every parameter.

    ```python
    >>> import jaxneuro as jn
    >>> readout = jn.Population(jn.LeakyIntegrator(tau_m=20.0), 10)

    ```
    """

    tau_m: Float[Array, "*n"]
    v_rest: Float[Array, "*n"]

    def __init__(self, *, tau_m: ArrayLike = 20.0, v_rest: ArrayLike = 0.0):
        self.tau_m, self.v_rest = as_leaf(tau_m, "tau_m"), as_leaf(v_rest, "v_rest")
        check_positive("tau_m", self.tau_m)
        check_finite("v_rest", self.v_rest)

    def init(self, v: Float[Array, "n"]) -> LeakyState:
        """The state with the potentials `v` [mV]."""
        return LeakyState(v, None)

    def started(self, state: LeakyState, dt: float) -> LeakyState:
        """The state of a run in steps of `dt` [ms]: where they are short it holds what rounding leaves out of v."""
        return LeakyState(state.v, remainder(state.v, dt))

    def resting_potential(self) -> Float[Array, "*n"]:
        """The potential without input [mV]."""
        return self.v_rest

    def membrane_time_constant(self) -> Float[Array, "*n"]:
        """tau_m [ms]."""
        return self.tau_m

    def default_solver(self) -> Exact:
        """The exact step."""
        return Exact()

    def check_solver(self, solver: Any) -> None:
        """Takes every solver of a membrane."""
        if not isinstance(solver, AbstractMembraneSolver):
            raise ValueError(
                f"`solver` of a LeakyIntegrator has to be `Exact()` or `EulerMaruyama()`; got {told(solver)}."
            )

    def understands(self) -> tuple[str, ...]:
        """Every part but currents whose course through a step counts."""
        return MEMBRANE_PARTS

    def sends_spikes(self) -> bool:
        """False."""
        return False

    def inside_steps(self, name: str) -> AbstractNeuron:
        """The same, which hears currents in their course."""
        return CrossingNeuron(self.tau_m, self.v_rest, None, None, None)

    def observe(self, y: LeakyState) -> dict[str, Array]:
        """`v`."""
        return {"v": y.v}

    def variable_units(self) -> dict[str, str]:
        """V in mV."""
        return {"v": "mV", **INPUT_UNITS}

    def prepare(
        self, dt: float, solver: AbstractMembraneSolver, surrogate: AbstractSurrogate | None = None
    ) -> LeakyConstants:
        """The constants of a step of `dt` [ms]."""
        dt_over_tau = dt / self.tau_m
        return LeakyConstants(solver.propagator(dt_over_tau), dt_over_tau, solver)

    def step(self, constants: LeakyConstants, state: LeakyState, inputs: Input) -> tuple[LeakyState, Firing]:
        """One step: the new state, and no spikes."""
        change = membrane_change(
            constants.propagator, constants.solver, constants.dt_over_tau, self.v_rest, state.v, inputs
        )
        v, left_out = added(state.v, state.left_out, change)
        v = inputs.apply_jumps(v)
        return LeakyState(v, left_out), Firing(jnp.zeros(v.shape, bool))
