"""Integrate-and-fire neurons whose spikes start by themselves, with adaptation: EIF, QIF, AdEx, Izhikevich."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from .._formulas import Input
from .._numerics import (
    added,
    as_leaf,
    check_finite,
    check_nonnegative,
    check_positive,
    gauss_legendre,
    in_a_line,
    remainder,
    told,
    violates,
)
from ..surrogate import AbstractSurrogate
from ._curves import AbstractCurve
from ._firing import Firing, fire
from ._lif import MEMBRANE_PARTS
from ._neuron import INPUT_UNITS, AbstractNeuron, CurvedMembrane, LeakyMembrane
from ._rest import first_rest
from ._solver import Exact, ExponentialEuler, Propagator

# Of the integral over the potential.
_NODES = 400


class AdaptingState(eqx.Module):
    """Membrane potential [mV], adaptation [mV], the steps of refractoriness that are left, and what rounding left out
    of potential and adaptation in float32."""

    v: Float[Array, "n"]
    w: Float[Array, "n"]
    refractory: Int[Array, "n"]
    left_out: Float[Array, "n"] | None
    left_out_of_w: Float[Array, "n"] | None


class AdaptingConstants(eqx.Module):
    """What one step needs of the parameters, computed once outside the loop."""

    dt_over_tau: Float[Array, "*n"]
    noise: Propagator
    adaptation: Propagator
    refractory_steps: Int[Array, "*m"]
    surrogate: AbstractSurrogate | None


class IntegrateAndFire(AbstractNeuron):
    """An integrate-and-fire neuron with its own spike onset and one adaptation variable.

        tau_m dV/dt = F(V) - w + I(t),   tau_w dw/dt = a (V - v_w) - w;
        V >= v_peak: a spike, V = v_reset for t_ref, w = w + b.

    Exponential, adaptive exponential, quadratic and Izhikevich neurons are this with other numbers: `jn.neurons.eif`,
    `adex`, `qif`, `izhikevich`. The step is exponential Euler about the slope of F, of second order between spikes; a
    spike is at the end of its step. The adaptation lags half a step. White noise is exact beside the slope -1 of a leak
    and of first order beside another: under a conductance g its variance is too large by the share g dt/tau_m, under
    which `LIF` is exact.

    **Arguments**, each but the curve a number or an array (n,):

    - `curve`: F, `ExponentialCurve`, `QuadraticCurve`, `LinearCurve`, or a sum with `InwardRectifierCurve`.
    - `tau_m` [ms]; `v_peak`, `v_reset` [mV]; `t_ref` [ms], rounded to whole steps of dt.
    - `a` [1], `b` [mV], `tau_w` [ms], `v_w` [mV]: adaptation, none by default.
    - `v_floor` [mV]: below it V is put back to it at the end of a step; None, the default, is no floor.

    Raises `ValueError` where a value is not finite, a time constant is not positive, `t_ref` is negative, `v_reset`
    is not below `v_peak` or `v_floor` is above `v_reset`.

    Derivatives: as of `LIF`, with a detached reset; the jump of the adaptation carries the derivative of the surrogate.

    ```python
    >>> import jax, jaxneuro as jn
    >>> cells = jn.Population(jn.neurons.adex(), 1)
    >>> sol = jn.simulate(cells, 0.0, 300.0, dt=0.05, key=jax.random.key(0), stimulus=25.0)
    >>> int(sol.counts["rate"][0]) > 3
    True

    ```

    Source: Brette and Gerstner (2005), doi:10.1152/jn.00686.2005; Izhikevich (2003), doi:10.1109/TNN.2003.820440.
    """

    curve: AbstractCurve
    tau_m: Float[Array, "*n"]
    v_peak: Float[Array, "*n"]
    v_reset: Float[Array, "*n"]
    t_ref: Float[Array, "*n"]
    a: Float[Array, "*n"]
    b: Float[Array, "*n"]
    tau_w: Float[Array, "*n"]
    v_w: Float[Array, "*n"]
    v_floor: Float[Array, "*n"] | None

    def __init__(
        self,
        curve: AbstractCurve,
        *,
        tau_m: ArrayLike = 20.0,
        v_peak: ArrayLike = 0.0,
        v_reset: ArrayLike = -60.0,
        t_ref: ArrayLike = 0.0,
        a: ArrayLike = 0.0,
        b: ArrayLike = 0.0,
        tau_w: ArrayLike = 100.0,
        v_w: ArrayLike = 0.0,
        v_floor: ArrayLike | None = None,
    ):
        if not isinstance(curve, AbstractCurve):
            raise ValueError(f"`curve` has to be a curve such as `ExponentialCurve`; got {in_a_line(curve)}.")
        self.curve, self.tau_m, self.v_peak = curve, as_leaf(tau_m, "tau_m"), as_leaf(v_peak, "v_peak")
        self.v_reset, self.t_ref = as_leaf(v_reset, "v_reset"), as_leaf(t_ref, "t_ref")
        self.a, self.b, self.tau_w, self.v_w = (
            as_leaf(a, "a"),
            as_leaf(b, "b"),
            as_leaf(tau_w, "tau_w"),
            as_leaf(v_w, "v_w"),
        )
        check_positive("tau_m", self.tau_m)
        check_positive("tau_w", self.tau_w)
        check_nonnegative("t_ref", self.t_ref)
        for name in ("v_peak", "v_reset", "a", "b", "v_w"):
            check_finite(name, getattr(self, name))
        if violates(lambda below, above: below < above, self.v_reset, self.v_peak):
            raise ValueError(f"`v_reset` has to lie below `v_peak`; got {self.v_reset} and {self.v_peak} mV.")
        self.v_floor = None if v_floor is None else as_leaf(v_floor, "v_floor")
        if self.v_floor is not None:
            check_finite("v_floor", self.v_floor)
            if violates(lambda floor, reset: floor <= reset, self.v_floor, self.v_reset):
                raise ValueError(f"`v_floor` must not be above `v_reset`; got {self.v_floor}, {self.v_reset} mV.")

    def init(self, v: Float[Array, "n"]) -> AdaptingState:
        """The state with the potentials `v` [mV], the adaptation that belongs to them and nobody refractory."""
        w = jnp.broadcast_to(self.a * (v - self.v_w), v.shape)
        return AdaptingState(v, w, jnp.zeros(v.shape, jnp.int32), None, None)

    def started(self, state: AdaptingState, dt: float) -> AdaptingState:
        """The state of a run in steps of `dt` [ms]: where they are short it holds what rounding leaves out."""
        return AdaptingState(state.v, state.w, state.refractory, remainder(state.v, dt), remainder(state.w, dt))

    def resting_potential(self) -> Float[Array, "*n"]:
        """The lowest stable potential without input [mV]; NaN where there is none."""
        return _rest(self)

    def starting_potential(self) -> Float[Array, "*n"]:
        """Rest; the reset potential where there is none, or adaptation makes it oscillate until it fires."""
        return _start(self)

    def default_solver(self) -> ExponentialEuler:
        """Exponential Euler."""
        return ExponentialEuler()

    def check_solver(self, solver: Any) -> None:
        """Takes `ExponentialEuler()` alone."""
        if not isinstance(solver, ExponentialEuler):
            raise ValueError(
                f"`solver` of `IntegrateAndFire` neurons has to be `ExponentialEuler()`; got {told(solver)}."
            )

    def understands(self) -> tuple[str, ...]:
        """Every part but currents whose course through a step counts."""
        return MEMBRANE_PARTS

    def observe(self, y: AdaptingState) -> dict[str, Array]:
        """`v`, `w` and `refractory`."""
        return {"v": y.v, "w": y.w, "refractory": y.refractory}

    def variable_units(self) -> dict[str, str]:
        """Potentials in mV, `refractory` in steps."""
        return {"v": "mV", "w": "mV", "refractory": "1", **INPUT_UNITS}

    def settling_time(self) -> Float[Array, "*n"]:
        """tau_m [ms], also of a membrane that is curved."""
        return self.tau_m

    def diffusion_parameters(self) -> LeakyMembrane:
        """The numbers of the leaky neuron that it is with a `LinearCurve` alone; else `ValueError`."""
        rest = self.curve.leak_potential()
        if rest is None:
            raise ValueError(
                "this theory is of leaky integrate-and-fire neurons such as `LIF`, and IntegrateAndFire is none: take "
                "`EffectiveNoise()`, which covers it without adaptation, or simulate it."
            )
        return LeakyMembrane(self.tau_m, rest, self.v_peak, self.v_reset, self._without_adaptation())

    def curved_membrane(self) -> CurvedMembrane | None:
        """The curve and the numbers; `ValueError` where it adapts."""
        t_ref = self._without_adaptation()
        if self.curve.leak_potential() is not None:
            return None
        return CurvedMembrane(self.tau_m, self.curve, self.v_peak, self.v_reset, t_ref)

    def _without_adaptation(self) -> Float[Array, "*n"]:
        """t_ref; `ValueError` where the neuron adapts, NaN where only a transformation knows that."""
        if self.v_floor is not None:
            raise ValueError("theory leaves out the floor `v_floor` of the potential: give None, or simulate it.")
        if violates(lambda a, b: (a == 0.0) & (b == 0.0), self.a, self.b):
            raise ValueError("theory leaves out adaptation, and this neuron adapts (`a` or `b` is not 0): simulate it.")
        return jnp.where((self.a == 0.0) & (self.b == 0.0), self.t_ref, jnp.nan)

    def rate_under(self, current: Float[Array, "*m"]) -> Float[Array, "*m"]:
        """1/(t_ref + tau_m (integral of dV/(F(V) + I) from v_reset to v_peak)), of a neuron that does not adapt."""
        if any(leaf.ndim for leaf in jax.tree_util.tree_leaves(self)):
            raise ValueError(
                "`model` has to be a LIF or an IntegrateAndFire neuron of single numbers; got some a neuron."
            )
        if violates(lambda a, b: (a == 0.0) & (b == 0.0), self.a, self.b):
            raise ValueError("`model` adapts (`a` or `b` is not 0): its rate has no closed form; simulate it.")
        return _rate_under(self, current)

    def prepare(self, dt: float, solver: Any, surrogate: AbstractSurrogate | None = None) -> AdaptingConstants:
        """The constants of a step of `dt` [ms]."""
        ratio, steps = dt / self.tau_m, jnp.round(self.t_ref / dt).astype(jnp.int32)
        return AdaptingConstants(
            ratio, Exact().propagator(ratio), Exact().propagator(dt / self.tau_w), steps, surrogate
        )

    def step(self, constants: AdaptingConstants, state: AdaptingState, inputs: Input) -> tuple[AdaptingState, Firing]:
        """One step: the new state and who spiked at its end."""
        moves = constants.adaptation
        toward = moves.gain * (self.a * (state.v - self.v_w) - state.w)
        w, left_out_of_w = added(state.w, state.left_out_of_w, toward)
        drive, slope = jax.jvp(self.curve, (state.v,), (jnp.ones_like(state.v),))
        drive = drive - w
        if inputs.current is not None:
            drive = drive + inputs.current
        if inputs.conductance is not None and inputs.conductance_times_reversal is not None:
            drive = drive + inputs.conductance_times_reversal - inputs.conductance * state.v
            slope = slope - inputs.conductance
        change = constants.dt_over_tau * _mean_growth(constants.dt_over_tau * slope) * drive
        if inputs.noise is not None:
            change = change + constants.noise.noise_gain * inputs.noise
        v, left_out = added(state.v, state.left_out, change)
        v = inputs.apply_jumps(v)
        if self.v_floor is not None:
            v = jnp.maximum(v, self.v_floor)
        refractory = state.refractory > 0
        # v - v is 0, or NaN for a potential that is not finite, which a reset would hide.
        reset = self.v_reset + (v - v)
        v = jnp.where(refractory, reset, v)
        firing = fire(v - self.v_peak, ~refractory, constants.surrogate)
        left = jnp.where(firing.spikes, constants.refractory_steps, jnp.maximum(state.refractory - 1, 0))
        # Unlike the reset, adaptation carries the surrogate derivative of its spike.
        w = jnp.where(firing.spikes, w + self.b, w) if firing.soft is None else w + self.b * firing.soft
        v = jnp.where(firing.spikes, reset, v)
        return AdaptingState(v, w, left, left_out, left_out_of_w), firing


def _rate_under(model: IntegrateAndFire, i: Float[Array, "*m"]) -> Float[Array, "*m"]:
    rest = model.curve.leak_potential()
    if rest is not None:  # a leaky neuron rests where its drive is 0
        above = rest + i - model.v_peak
        fires = above > 0
        climb = jnp.log1p((model.v_peak - model.v_reset) / jnp.where(fires, above, 1.0))
        return jnp.where(fires, 1000.0 / (model.t_ref + model.tau_m * climb), 0.0)
    lowest = model.curve.lowest()
    excess = i + model.curve(lowest)
    fires = excess > 0
    width = jnp.sqrt(jnp.where(fires, excess, 1.0)) + 1e-3
    # V = lowest + width sinh(s): nodes crowd where the neuron is slow.
    ends = [jnp.arcsinh((v - lowest) / width) for v in (model.v_reset, model.v_peak)]
    rule = gauss_legendre(_NODES)
    share, weight = (as_leaf(x) for x in (rule.nodes, rule.weights))
    length = ends[1] - ends[0]
    s = ends[0][..., None] + length[..., None] * share
    v = lowest + width[..., None] * jnp.sinh(s)
    speed = model.curve(v) + jnp.where(fires, i, 1.0 - model.curve(lowest))[..., None]
    integral = jnp.sum(weight * width[..., None] * jnp.cosh(s) / speed, axis=-1) * length
    return jnp.where(fires, 1000.0 / (model.t_ref + model.tau_m * integral), 0.0)


def _mean_growth(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """(exp(x) - 1)/x, 1 at x = 0; constant above 5, where a step is a spike."""
    near = jnp.abs(x) < 1e-3
    safe = jnp.where(near, 1.0, jnp.minimum(x, 5.0))
    return jnp.where(near, 1.0 + x * (0.5 + x / 6.0), jnp.expm1(safe) / safe)


@eqx.filter_jit
def _rest(model: IntegrateAndFire) -> Float[Array, "*n"]:
    def steady(m: Any, v: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return m.a * (v - m.v_w) - m.curve(v)

    leaves = jax.tree_util.tree_leaves(model)
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves))
    high = jnp.broadcast_to(model.curve.lowest(), shape)
    return first_rest(steady, model, jax.lax.stop_gradient(high) - 100.0, jax.lax.stop_gradient(high) + 20.0)


@eqx.filter_jit
def _start(model: IntegrateAndFire) -> Float[Array, "*n"]:
    rest = _rest(model)
    slope = jax.jvp(model.curve, (rest,), (jnp.ones_like(rest),))[1]
    # Of (V, w) the determinant is positive at rest; the trace is slope/tau_m - 1/tau_w. NaN compares as false.
    return jnp.where(slope / model.tau_m < 1.0 / model.tau_w, rest, model.v_reset)
