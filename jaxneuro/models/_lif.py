"""The leaky integrate-and-fire neuron."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from .._formulas import Input
from .._numerics import (
    Shown,
    added,
    as_leaf,
    check_broadcast,
    check_finite,
    check_nonnegative,
    check_positive,
    in_a_line,
    remainder,
    told,
    violates,
)
from ..reset import AbstractReset, Hard
from ..surrogate import AbstractSurrogate
from ._crossing import CrossingNeuron
from ._firing import Firing, fire
from ._neuron import INPUT_UNITS, AbstractNeuron, LeakyMembrane
from ._solver import AbstractMembraneSolver, Exact, Propagator


class LIFState(Shown):
    """Membrane potential [mV], steps of refractoriness that are left, and what rounding left out of v in float32."""

    v: Float[Array, "n"]
    refractory: Int[Array, "n"]
    left_out: Float[Array, "n"] | None


class LIFConstants(eqx.Module):
    """What one step needs of the parameters, computed once outside the loop."""

    propagator: Propagator
    dt_over_tau: Float[Array, "*n"]
    refractory_steps: Int[Array, "*m"]
    solver: AbstractMembraneSolver
    surrogate: AbstractSurrogate | None


class LIF(AbstractNeuron):
    """The leaky integrate-and-fire neuron with refractoriness.

        tau_m dV/dt = -(V - v_rest) + I(t);   V >= v_th: a spike, V = v_reset for t_ref.

    Input during refractoriness is lost. The step is exact where the input is constant over it and
    carries no conductance, and exponential Euler where a synaptic conductance varies.

    **Arguments**, each a number or an array (n,), one value a neuron:

    - `tau_m`: membrane time constant [ms].
    - `v_rest`: resting (leak reversal) potential [mV].
    - `v_th`: threshold [mV].
    - `v_reset`: reset potential [mV], below the threshold.
    - `t_ref`: absolute refractory period [ms], rounded to whole steps of dt.
    - `reset`: what a spike does to the potential, of `jn.reset`: `Hard()` by default, V = v_reset; or `Soft()`, V falls
      by v_th - v_reset.

    Raises `ValueError` where a value is not finite, `tau_m` is not positive, `t_ref` is negative,
    `v_reset` is not below `v_th` or `reset` is none.

    Derivatives: the potential between spikes is differentiable in every parameter but `t_ref`, in
    forward and reverse mode; a spike is a step and has derivative 0, or that of the surrogate that
    `simulate` is given. The jump to the reset potential carries one where `reset` is not detached.

    ```python
    >>> import jaxneuro as jn
    >>> lif = jn.LIF(tau_m=20.0, v_rest=0.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> float(lif.v_th)
    20.0

    ```

    Defaults are those of Brunel (2000), doi:10.1023/A:1008925309027. Equation: Sanzeni, Histed and
    Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (1).
    """

    tau_m: Float[Array, "*n"]
    v_rest: Float[Array, "*n"]
    v_th: Float[Array, "*n"]
    v_reset: Float[Array, "*n"]
    t_ref: Float[Array, "*n"]
    reset: AbstractReset

    def __init__(
        self,
        *,
        tau_m: ArrayLike = 20.0,
        v_rest: ArrayLike = 0.0,
        v_th: ArrayLike = 20.0,
        v_reset: ArrayLike = 10.0,
        t_ref: ArrayLike = 2.0,
        reset: AbstractReset | None = None,
    ):
        self.tau_m = as_leaf(tau_m, "tau_m")
        self.v_rest = as_leaf(v_rest, "v_rest")
        self.v_th = as_leaf(v_th, "v_th")
        self.v_reset = as_leaf(v_reset, "v_reset")
        self.t_ref = as_leaf(t_ref, "t_ref")
        if not isinstance(reset, AbstractReset | None):
            raise ValueError(f"`reset` has to be `jn.reset.Hard()` or `jn.reset.Soft()`; got {in_a_line(reset)}.")
        self.reset = Hard() if reset is None else reset
        check_positive("tau_m", self.tau_m)
        check_finite("v_rest", self.v_rest)
        check_finite("v_th", self.v_th)
        check_finite("v_reset", self.v_reset)
        check_nonnegative("t_ref", self.t_ref)
        if violates(lambda below, above: below < above, self.v_reset, self.v_th):
            raise ValueError(f"`v_reset` has to lie below `v_th`; got {self.v_reset} and {self.v_th} mV.")

    def init(self, v: Float[Array, "n"]) -> LIFState:
        """The state with the potentials `v` [mV] and nobody refractory."""
        return LIFState(v, jnp.zeros(v.shape, jnp.int32), None)

    def started(self, state: LIFState, dt: float) -> LIFState:
        """The state of a run in steps of `dt` [ms]: where they are short it holds what rounding leaves out of v."""
        return LIFState(state.v, state.refractory, remainder(state.v, dt))

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
            raise ValueError(f"`solver` of LIF neurons has to be `Exact()` or `EulerMaruyama()`; got {told(solver)}.")

    def understands(self) -> tuple[str, ...]:
        """Every part but currents whose course through a step counts."""
        return MEMBRANE_PARTS

    def inside_steps(self, name: str) -> AbstractNeuron:
        """The neuron that spikes when it reaches its threshold."""
        if not isinstance(self.reset, Hard):
            raise ValueError(
                f"`spike_times`: {name!r} has a soft reset, which at the threshold is the hard one: take `Hard()`."
            )
        return CrossingNeuron(self.tau_m, self.v_rest, self.v_th, self.v_reset, self.t_ref)

    def observe(self, y: LIFState) -> dict[str, Array]:
        """`v` and `refractory`."""
        return {"v": y.v, "refractory": y.refractory}

    def variable_units(self) -> dict[str, str]:
        """Potentials in mV, `refractory` in steps."""
        return {"v": "mV", "refractory": "1", **INPUT_UNITS}

    def diffusion_parameters(self) -> LeakyMembrane:
        """The parameters; `ValueError` for another reset than `Hard()`."""
        if not isinstance(self.reset, Hard):
            raise ValueError(f"this theory is of neurons with `jn.reset.Hard()`; got {told(self.reset)}.")
        return LeakyMembrane(self.tau_m, self.v_rest, self.v_th, self.v_reset, self.t_ref)

    def rate_under(self, current: Float[Array, "*m"]) -> Float[Array, "..."]:
        """1/(t_ref + tau_m log((v_rest + I - v_reset)/(v_rest + I - v_th))), 0 where the threshold is not reached."""
        numbers = ("tau_m", "v_rest", "v_th", "v_reset", "t_ref")
        check_broadcast({"current": current} | {name: getattr(self, name) for name in numbers})
        above = self.v_rest + current - self.v_th
        fires = above > 0
        period = self.t_ref + self.tau_m * jnp.log1p((self.v_th - self.v_reset) / jnp.where(fires, above, 1.0))
        return jnp.where(fires, 1000.0 / period, 0.0)

    def prepare(
        self, dt: float, solver: AbstractMembraneSolver, surrogate: AbstractSurrogate | None = None
    ) -> LIFConstants:
        """The constants of a step of `dt` [ms]."""
        dt_over_tau = dt / self.tau_m
        steps = jnp.round(self.t_ref / dt).astype(jnp.int32)
        return LIFConstants(solver.propagator(dt_over_tau), dt_over_tau, steps, solver, surrogate)

    def step(self, constants: LIFConstants, state: LIFState, inputs: Input) -> tuple[LIFState, Firing]:
        """One step: the new state and who spiked at its end."""
        change = membrane_change(
            constants.propagator, constants.solver, constants.dt_over_tau, self.v_rest, state.v, inputs
        )
        v, left_out = added(state.v, state.left_out, change)
        v = inputs.apply_jumps(v)
        refractory = state.refractory > 0
        # v - v is 0, or NaN for a potential that is not finite, which a reset would hide.
        v = jnp.where(refractory, self.reset.held(state.v, self.v_reset) + (v - v), v)
        firing = fire(v - self.v_th, ~refractory, constants.surrogate)
        v = self.reset.after(v, self.v_th, self.v_reset, firing.spikes, firing.soft)
        left = jnp.where(firing.spikes, constants.refractory_steps, jnp.maximum(state.refractory - 1, 0))
        return LIFState(v, left, left_out), firing


# What a linear membrane hears.
MEMBRANE_PARTS = ("current", "conductance", "noise", "kick", "log_decay")


def membrane_change(
    coefficients: Propagator,
    solver: AbstractMembraneSolver,
    dt_over_tau: Float[Array, "*m"],
    v_rest: Float[Array, "*k"],
    v: Float[Array, "n"],
    inputs: Input,
) -> Float[Array, "n"]:
    """By how much [mV] the potential of a leaky membrane moves in one step, jumps at its end and spikes left out.

    The change is taken, not the new potential: decay v + gain v_inf holds rounding of the size of v, which is more than
    the change itself where dt is a small part of the time constant.
    """
    v_inf = v_rest
    noise_scale = jnp.ones_like(v_rest)
    if inputs.current is not None:
        v_inf = v_inf + inputs.current
    if inputs.conductance is not None and inputs.conductance_times_reversal is not None:
        total = 1.0 + inputs.conductance
        v_inf = (v_inf + inputs.conductance_times_reversal) / total
        coefficients = solver.propagator(dt_over_tau * total)
        # sigma refers to tau_m; the step's own time constant is tau_m / total.
        noise_scale = 1.0 / jnp.sqrt(total)
    change = coefficients.gain * (v_inf - v)
    if inputs.noise is not None:
        change = change + coefficients.noise_gain * noise_scale * inputs.noise
    return change
