"""A leaky membrane inside one step, in closed form: where it is, and when it reaches its threshold."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .._numerics import phi
from ._membrane_input import DecayingCurrent

# Newton's steps inside a bracket: a handful, and as many as halvings need where a threshold is grazed.
_MOST_STEPS = 60


class Crossing(eqx.Module):
    """When [ms] each neuron reaches its threshold in a step, with its derivatives, and whether it does."""

    at: Float[Array, "n"]
    reached: Bool[Array, "n"]


class Current(eqx.Module):
    """A current that decays from `now`, and jumps once, at `arrival`: all arrivals of the step at their mean time.

    `rest`: the moments w, w u and w u^2 that this leaves out, u from an arrival to the mean time.
    """

    tau: Float[Array, "*k"]
    now: Float[Array, "n"]
    jump: Float[Array, "n"]
    arrival: Float[Array, "n"]
    rest: Float[Array, "3 n"]

    def value(self, at: Float[Array, "n"]) -> Float[Array, "n"]:
        """I at `at` ms of the step."""
        since = jnp.where(at >= self.arrival, at - self.arrival, 0.0)
        jumped = jnp.where(at >= self.arrival, self.jump * jnp.exp(-since / self.tau), 0.0)
        return self.now * jnp.exp(-at / self.tau) + jumped

    def at_end(self, dt: float) -> Float[Array, "n"]:
        """I after the step of `dt` [ms]."""
        rest = self.rest[0] - self.rest[1] / self.tau + 0.5 * self.rest[2] / self.tau**2
        since = dt - self.arrival
        return self.now + self.now * jnp.expm1(-dt / self.tau) + (self.jump + rest) * jnp.exp(-since / self.tau)

    def kick(self, begin: Float[Array, "n"], end: Float[Array, "n"], tau_m: Float[Array, "*m"]) -> Float[Array, "n"]:
        """What the current adds to V between `begin` and `end`."""
        first = jnp.where(self.arrival >= begin, self.arrival, begin)
        left = jnp.where(end > first, end - first, 0.0)
        jumped = self.jump * jnp.exp(-(first - self.arrival) / self.tau) * _response(left, tau_m, self.tau)
        return self.now * jnp.exp(-begin / self.tau) * _response(end - begin, tau_m, self.tau) + jumped

    def rest_of_kick(self, tau_m: Float[Array, "*m"]) -> Float[Array, "n"]:
        """What the arrivals add to V by the end of the step beyond the one jump."""
        return (self.rest[1] - 0.5 * self.rest[2] * (1.0 / tau_m + 1.0 / self.tau)) / tau_m


def current_in(step: DecayingCurrent, dt: float) -> Current:
    """The current of a step of `dt` [ms]."""
    if step.moments is None:
        nothing = jnp.zeros_like(step.now)
        return Current(step.tau, step.now, nothing, jnp.full_like(nothing, dt), jnp.stack([nothing] * 3))
    total, first, second = (step.moments[:, k] for k in range(3))
    known = total != 0
    u = jnp.where(known, first / jnp.where(known, total, 1.0), 0.0)
    # Weights of both signs may have no mean time within the step: then all counts from its end, to second order.
    known = known & (u >= 0) & (u <= dt)
    u = jnp.where(known, u, 0.0)
    rest = jnp.stack([jnp.where(known, 0.0, total), jnp.where(known, 0.0, first), second - u * first])
    return Current(step.tau, step.now, jnp.where(known, total, 0.0), dt - u, rest)


class MembraneStep(eqx.Module):
    """A membrane over one step of `dt` [ms].

    tau_m dV/dt = -(V - v_inf) + the sum of the currents.
    """

    v_inf: Float[Array, "n"]
    tau_m: Float[Array, "*m"]
    currents: tuple[Current, ...]
    dt: float = eqx.field(static=True)

    def moved(self, v: Float[Array, "n"], begin: Float[Array, "n"], end: Float[Array, "n"]) -> Float[Array, "n"]:
        """V at `end` of a neuron that is at `v` at `begin`."""
        return v + self.change(v, begin, end)

    def change(self, v: Float[Array, "n"], begin: Float[Array, "n"], end: Float[Array, "n"]) -> Float[Array, "n"]:
        """How far V moves until `end`: of a short step the change, as V times what is left of it would be rounding."""
        change = (v - self.v_inf) * jnp.expm1(-(end - begin) / self.tau_m)
        return change + sum(c.kick(begin, end, self.tau_m) for c in self.currents)

    def rest_of_kick(self) -> Float[Array, "n"]:
        """What V has more at the end of the step, since several arrivals are not one."""
        nothing = jnp.zeros_like(self.v_inf)
        return nothing + sum(c.rest_of_kick(self.tau_m) for c in self.currents)

    def slope(self, v: Float[Array, "n"], at: Float[Array, "n"]) -> Float[Array, "n"]:
        """dV/dt [mV/ms] where V is `v`."""
        return (self.v_inf - v + sum(c.value(at) for c in self.currents)) / self.tau_m

    def bend(self, v: Float[Array, "n"], at: Float[Array, "n"]) -> Float[Array, "n"]:
        """The second derivative of V [mV/ms^2] where V is `v`."""
        return -(self.slope(v, at) + sum(c.value(at) / c.tau for c in self.currents)) / self.tau_m

    def crossing(self, v: Float[Array, "n"], begin: Float[Array, "n"], v_th: Float[Array, "*j"]) -> Crossing:
        """The first crossing of `v_th` from `begin` on of a neuron that is at `v` there.

        V has one extremum in a step, or more where several currents differ in sign: the first is looked at. A neuron
        that is above already, since several arrivals of the step before coincided, crossed just before.
        """
        path, v0, q, th = lax.stop_gradient((self, v, begin, jnp.broadcast_to(v_th, v.shape)))
        end = jnp.full_like(q, self.dt)
        already, able = v0 >= th, q < end

        def fall(s: Array) -> tuple[Array, Array]:
            now = path.moved(v0, q, s)
            return -path.slope(now, s), -path.bend(now, s)

        def height(s: Array) -> tuple[Array, Array]:
            now = path.moved(v0, q, s)
            return now - th, path.slope(now, s)

        at_end = path.moved(v0, q, end)
        peaks = able & (at_end < th) & (path.slope(v0, q) > 0) & (path.slope(at_end, end) < 0)
        top = _root(fall, q, end, peaks)
        crosses = able & ~already & (jnp.where(peaks, path.moved(v0, q, top), at_end) >= th)
        root = _root(height, q, jnp.where(peaks, top, end), crosses)
        root = jnp.where(crosses, root, q)
        steepness = jnp.where(crosses, path.slope(th, root), path.slope(v0, q))
        steepness = jnp.where(steepness > 0, steepness, jnp.inf)
        # The derivative of a root, by the implicit function theorem: what is subtracted is rounding.
        at = root - (self.moved(v, begin, root) - v_th) / steepness
        just_before = (q == 0) & (lax.stop_gradient(at) > -self.dt)
        at = jnp.where(crosses, at, jnp.where(already & just_before, at, begin))
        return Crossing(jnp.where(crosses | already, at, end), crosses | (already & able))


def _response(u: Float[Array, "n"], tau_m: Float[Array, "*m"], tau: Float[Array, "*k"]) -> Float[Array, "n"]:
    """V after `u` ms of a current exp(-t/tau), from 0."""
    return (u / tau_m) * jnp.exp(-u / tau_m) * phi(u * (1.0 / tau_m - 1.0 / tau))


def _root(
    f: Callable[[Array], tuple[Array, Array]], low: Float[Array, "n"], high: Float[Array, "n"], wanted: Bool[Array, "n"]
) -> Float[Array, "n"]:
    """Where `f`, which gives value and slope, rises through 0 between `low` and `high`, of the neurons `wanted`."""
    smallest = 2.0 * jnp.finfo(low.dtype).eps * jnp.max(high)

    def unfinished(state: tuple[Array, Array, Array, Bool[Array, "n"], Int[Array, ""]]) -> Bool[Array, ""]:
        return jnp.any(state[3]) & (state[4] < _MOST_STEPS)

    def improved(state: tuple) -> tuple:
        x, below, above, going, n = state
        value, slope = f(x)
        below, above = jnp.where(value < 0, x, below), jnp.where(value < 0, above, x)
        newton = x - value / jnp.where(slope == 0, 1.0, slope)
        inside = (slope != 0) & (newton >= below) & (newton <= above)
        new = jnp.where(going, jnp.where(inside, newton, 0.5 * (below + above)), x)
        return new, below, above, going & (jnp.abs(new - x) > smallest), n + 1

    start = (0.5 * (low + high), low, high, wanted, jnp.zeros((), jnp.int32))
    return lax.while_loop(unfinished, improved, start)[0]
