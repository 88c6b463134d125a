"""The network, what it should do, and three ways to say what it does.

The unknowns are x = (log J, log g, log nu_ext/nu_thr). Two targets leave one direction of them free: among all networks
that meet both, the one nearest to the start is wanted, and a weak penalty says so.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

import jaxneuro as jn

NAMES = ("J", "g", "nu_ext/nu_thr")
DT = 0.1


class Problem(eqx.Module):
    """Targets, tolerances, and the lengths [ms] of the runs that a method may make.

    A run is of `duration`, one that is differentiated of `differentiated`, for its cost. A short run lacks the longest
    intervals, so that its CV is below that of a long one.

    `tolerance` is that of log rate, of CV and of x: the last is a factor e, so that the penalty moves a target by some
    hundredths of its own tolerance for each unit of x, and decides along the free direction alone.
    """

    start: Float[Array, "3"]
    rate: float = 30.0
    cv: float = 0.5
    tolerance: tuple[float, float, float] = (0.02, 0.01, 1.0)
    n_e: int = eqx.field(static=True, default=1_000)
    transient: float = eqx.field(static=True, default=100.0)
    duration: float = eqx.field(static=True, default=2_100.0)
    differentiated: float = eqx.field(static=True, default=600.0)

    def network(self, x: Float[Array, "3"]) -> jn.Network:
        """Brunel's network with a tenth of its neurons and of their synapses."""
        j, g, drive = jnp.exp(x)
        n_i, c_e = self.n_e // 4, self.n_e // 10
        return jn.networks.brunel(g, drive, j=j, n_e=self.n_e, n_i=n_i, c_e=c_e, c_i=c_e // 4)

    def residuals(self, seen: Float[Array, "2"], x: Float[Array, "3"]) -> Float[Array, "5"]:
        """What is left of (log rate, CV) and of x, each in its tolerance."""
        target = jnp.asarray([jnp.log(self.rate), self.cv])
        scale = jnp.asarray(self.tolerance)
        return jnp.concatenate([(seen - target) / scale[:2], (x - self.start) / scale[2]])

    def loss(self, seen: Float[Array, "2"], x: Float[Array, "3"]) -> Float[Array, ""]:
        return jnp.sum(self.residuals(seen, x) ** 2)

    def theory(self, x: Float[Array, "3"]) -> Float[Array, "2"]:
        """(log rate, CV) in mean field."""
        solved = jn.theory.mean_field(self.network(x), throw=False)
        return jnp.stack([jnp.log(solved.rate["E"]), solved.cv["E"]])

    def simulated(self, x: Float[Array, "3"], key: PRNGKeyArray, wiring: jn.Wiring) -> Float[Array, "2"]:
        """(log rate, CV) of the excitatory neurons of one run."""
        record = {"rate": jn.record.Rate("E", start=self.transient), "cv": jn.record.CV("E", start=self.transient)}
        sol = jn.simulate(
            self.network(x), 0.0, self.duration, dt=DT, key=key, wiring=wiring, record=record, throw=False
        )
        return jnp.stack([jnp.log(jnp.mean(sol["rate"]["E"])), _mean_known(sol["cv"]["E"])])

    def soft(
        self, x: Float[Array, "3"], key: PRNGKeyArray, wiring: jn.Wiring, horizon: float | None, width: float
    ) -> Float[Array, "2"]:
        """The same numbers as `simulated`, with surrogate derivatives that go no further back than the horizon [ms]."""
        sol = jn.simulate(
            self.network(x), 0.0, self.differentiated, dt=DT, key=key, wiring=wiring, throw=False,
            record={"spikes": jn.record.Raster("E")}, surrogate=jn.surrogate.Triangular(width),
            adjoint=jn.adjoint.Checkpoint() if horizon is None else jn.adjoint.Truncated(horizon),
        )  # fmt: skip
        spikes = sol["spikes"][round(self.transient / DT) :]
        rate = jnp.mean(spikes) / (DT / 1000.0)
        return jnp.stack([jnp.log(rate), _mean_known(jn.learning.interval_cv(spikes, dt=DT))])

    def wire(self, key: PRNGKeyArray) -> jn.Wiring:
        return jn.wire(self.network(self.start), key=key)


def starting_at(j: float = 0.1, g: float = 5.0, drive: float = 2.0) -> Float[Array, "3"]:
    """Brunel's standard numbers, at which a network of this size is far too regular and too fast."""
    return jnp.log(jnp.asarray([j, g, drive]))


def differences(
    f: Callable[[Float[Array, "3"]], Float[Array, "2"]], x: Float[Array, "3"], step: float
) -> Float[Array, "2 3"]:
    """df/dx by central differences."""
    moves = step * jnp.eye(x.size, dtype=x.dtype)
    return jnp.stack([(f(x + h) - f(x - h)) / (2.0 * step) for h in moves], axis=1)


def _mean_known(values: Float[Array, "n"]) -> Float[Array, ""]:
    known = jnp.isfinite(values)
    return jnp.sum(jnp.where(known, values, 0.0)) / jnp.sum(known, dtype=values.dtype)


def jitted(problem: Problem, wiring: jn.Wiring) -> Callable[[Float[Array, "3"], PRNGKeyArray], Float[Array, "2"]]:
    """One run of the network with a given wiring, compiled once for all wirings."""
    return lambda x, key: _simulated(problem, x, key, wiring)


def theory_of(problem: Problem) -> tuple[Callable, Callable]:
    """Theory's (log rate, CV), and its derivative."""
    return lambda x: _theory(problem, x)[1], lambda x: _theory(problem, x)[0]


@eqx.filter_jit
def _simulated(problem: Problem, x: Array, key: PRNGKeyArray, wiring: jn.Wiring) -> Array:
    return problem.simulated(x, key, wiring)


@eqx.filter_jit
def _theory(problem: Problem, x: Array) -> tuple[Array, Array]:
    """Derivative and value, in one program, for most of the time is compilation."""

    def twice(x: Array) -> tuple[Array, Array]:
        seen = problem.theory(x)
        return seen, seen

    return jax.jacfwd(twice, has_aux=True)(x)
