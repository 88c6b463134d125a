"""The density of the potential under shot noise: from the adjoint of the backward equation, and from the forward one.

The mean of any function over a passage is a sum over the points of the panels, whose weights solve the transposed
system of the backward equation: the polynomials with these integrals are a fit, off where the true density has an edge.
Put into

    d/dV [(V - v_rest)/tau_m P] = R P - sum of R_j/(1 - b_j) P(V_j) - nu delta(V - v_reset),

V = V_j + b_j (E_j - V_j), where spikes come from, it gives the density one spike later. What has not had a spike since
the reset is known, P_0, and holds the only jump; each round adds what one more spike makes of it.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from ._from_passage import log_rate_of
from ._shot import ShotInput, ShotSystem, equations, shot_log_time, shot_system
from ._shot_panels import PANELS, POINTS, chebyshev, panel_of

# Cells on each side of the resting potential, and how often the equation is applied.
_ABOVE, _BENEATH, _ROUNDS = 16_384, 4_096, 64
# A reset so near to rest, in the range above it, leaves an atom there: the fit stays.
_AT_REST = 1e-3


@jax.jit
def shot_density(v: Float[Array, "..."], seen: ShotInput, t_ref: Float[Array, ""]) -> Float[Array, "..."]:
    """The density [1/mV] at `v`."""
    system = shot_system(seen)
    # Both the times and the rate are long and low by exp(`most`).
    log_rate = log_rate_of(shot_log_time(seen), t_ref)
    rate = jnp.exp(log_rate) / 1000.0
    series = jnp.exp(log_rate + system.most) / 1000.0 * _fit(system)
    flat = v.reshape(-1)
    inside = (flat < seen.v_th) & (flat > system.edges[0])
    at = jnp.where(inside, flat, seen.v_reset)
    fine = _polished(seen, system, series, rate, 1.0 - rate * t_ref, at)
    apart = jnp.abs(seen.v_reset - seen.v_rest) > _AT_REST * jnp.abs(seen.v_th - seen.v_rest)
    driven = apart & (jnp.sum(seen.per_ms) > 0.0) & (seen.v_rest < seen.v_th)
    found = jnp.where(driven, fine, _read(system, series, at))
    return jnp.where(inside, found, 0.0).reshape(v.shape)


def _fit(system: ShotSystem) -> Float[Array, "panels degrees"]:
    """On each panel Legendre's series of the polynomial whose integrals are the times spent, over exp(`most`)."""
    dtype = system.edges.dtype
    reads = jnp.concatenate([system.reset, jnp.ones(1, dtype)])
    weights = jnp.linalg.solve(system.bordered().T, reads)[:-1]
    spent = -weights * jnp.exp(system.folds - system.most) * equations(dtype)
    # The times at the points of one panel are those of Legendre's polynomials: their sum is an integral.
    legendre = np.polynomial.legendre.legvander(chebyshev()[0], POINTS - 2)
    moments = spent.reshape(PANELS, POINTS) @ jnp.asarray(legendre, dtype)
    return moments * jnp.asarray(2.0 * np.arange(POINTS - 1) + 1.0, dtype) / jnp.diff(system.edges)[:, None]


def _read(system: ShotSystem, series: Float[Array, "panels degrees"], at: Float[Array, "n"]) -> Float[Array, "n"]:
    """The fit at potentials."""
    panel, width = panel_of(system.edges, at), jnp.diff(system.edges)
    y = 2.0 * (at - system.edges[panel]) / width[panel] - 1.0
    total, now, before = series[panel, 0] + series[panel, 1] * y, y, jnp.ones_like(y)
    for k in range(2, POINTS - 1):
        now, before = ((2 * k - 1) * y * now - (k - 1) * before) / k, now
        total = total + series[panel, k] * now
    return total


class _Grid(eqx.Module):
    """Potentials that lie evenly on the ways of the drift: from the threshold down to rest, and from `low` up to it."""

    low: Float[Array, ""]
    rest: Float[Array, ""]
    high: Float[Array, ""]

    def places(self) -> Float[Array, "cells"]:
        """The potentials, each way without its end at rest."""
        down = 1.0 - jnp.arange(_ABOVE).astype(self.low.dtype) / _ABOVE
        up = 1.0 - jnp.arange(_BENEATH).astype(self.low.dtype) / _BENEATH
        return jnp.concatenate([self.rest + (self.high - self.rest) * down, self.rest + (self.low - self.rest) * up])

    def spaces(self) -> Float[Array, "cells"]:
        """What stands for dv in a sum."""
        above = jnp.broadcast_to((self.high - self.rest) / _ABOVE, (_ABOVE,))
        return jnp.concatenate([above, jnp.broadcast_to((self.rest - self.low) / _BENEATH, (_BENEATH,))])

    def read(self, values: Float[Array, "cells"], v: Float[Array, "n"]) -> Float[Array, "n"]:
        """Values at the places, read at potentials: linearly, and 0 outside."""
        above = v > self.rest
        end, cells = jnp.where(above, self.high, self.low), jnp.where(above, _ABOVE, _BENEATH)
        place = (end - v) / (end - self.rest) * cells.astype(v.dtype)
        # Between the last place and rest the value is the last one.
        index = jnp.clip(lax.stop_gradient(place).astype(jnp.int32), 0, cells - 2)
        part = jnp.minimum(place - index.astype(v.dtype), 1.0)
        first = index + jnp.where(above, 0, _ABOVE)
        found = values[first] * (1.0 - part) + values[first + 1] * part
        return jnp.where((v < self.high) & (v > self.low), found, 0.0)


class _Fresh(eqx.Module):
    """P_0: who has not had a spike since the reset."""

    seen: ShotInput
    rate: Float[Array, ""]

    def density(self, v: Float[Array, "n"]) -> Float[Array, "n"]:
        """P_0 [1/mV]."""
        way = self._way(v)
        passed = (way > 0.0) & (way < 1.0)
        power = jnp.where(passed, way, 0.5) ** (jnp.sum(self.seen.per_ms) * self.seen.tau_m - 1.0)
        height = self.rate * self.seen.tau_m / jnp.abs(self.seen.v_reset - self.seen.v_rest)
        return jnp.where(passed, height * power, 0.0)

    def between(self, v: Float[Array, "n m"], w: Float[Array, "n m"]) -> Float[Array, "n m"]:
        """The integral of P_0 between two potentials."""
        total = jnp.sum(self.seen.per_ms)
        ends = [jnp.clip(self._way(x), 0.0, 1.0) for x in (v, w)]
        first, last = (jnp.where(x > 0.0, jnp.where(x > 0.0, x, 1.0) ** (total * self.seen.tau_m), 0.0) for x in ends)
        return self.rate / total * jnp.abs(first - last)

    def _way(self, v: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return (v - self.seen.v_rest) / (self.seen.v_reset - self.seen.v_rest)


def _polished(
    seen: ShotInput,
    system: ShotSystem,
    series: Float[Array, "panels degrees"],
    rate: Float[Array, ""],
    mass: Float[Array, ""],
    at: Float[Array, "n"],
) -> Float[Array, "n"]:
    """The density after `_ROUNDS` of the forward equation, of the `mass` that it has to have."""
    grid, fresh = _Grid(system.edges[0], seen.v_rest, seen.v_th), _Fresh(seen, rate)
    v, total = grid.places(), jnp.sum(seen.per_ms)
    speed = jnp.abs(v - seen.v_rest) / seen.tau_m
    # From each place the drift comes to the next in `wait`; those on two ways do not belong together.
    follows = (jnp.arange(1, v.size) != _ABOVE).astype(v.dtype)
    wait = jnp.where(follows > 0.0, seen.tau_m * jnp.log(speed[:-1] / speed[1:]), 1.0)
    stays = follows * jnp.exp(-total * wait)
    mean = -jnp.expm1(-total * wait) / total
    later = (wait - mean) / (total * wait)  # int of exp(-R (w - t)) t/w
    before = (v[:, None] - seen.share * seen.reversal) / (1.0 - seen.share)
    new = jnp.sum(seen.per_ms * fresh.between(before[1:], before[:-1]), axis=1) * follows * mean / wait

    def again(others: Float[Array, "cells"], _: None) -> tuple[Float[Array, "cells"], None]:
        """Those with a spike, from where spikes bring them and along the drift, s(t) linear between places."""
        brought = jnp.stack([grid.read(others, before[:, j]) for j in range(before.shape[1])], axis=1)
        flow = jnp.sum(seen.per_ms / (1.0 - seen.share) * brought, axis=1) * speed
        gained = follows * (flow[:-1] * (mean - later) + flow[1:] * later) + new
        zero = jnp.zeros(1, v.dtype)
        begun = jnp.concatenate([zero, stays]), jnp.concatenate([zero, gained])
        _, flux = lax.associative_scan(lambda x, y: (x[0] * y[0], x[1] * y[0] + y[1]), begun)
        return flux / speed, None

    others, _ = lax.scan(again, _read(system, series, v) - fresh.density(v), None, length=_ROUNDS)
    spiked = jnp.sum(grid.spaces() * others)
    some = spiked > 1e-6 * mass
    scale = jnp.where(some, (mass - rate / total) / jnp.where(some, spiked, 1.0), 1.0)
    return scale * grid.read(others, at) + fresh.density(at)
