"""How the linear membrane equation is stepped: tau dV/dt = -(V - V_inf) + sigma sqrt(tau) xi."""

import abc
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import Shown, relaxation_change
from ._spike_times import AbstractSpikeTimes

# The part of a step of each implicit stage of `SDIRK2`.
SHARE = 1.0 - math.sqrt(0.5)


class Propagator(eqx.Module):
    """Coefficients of one step: V <- decay V + gain V_inf + noise_gain sigma z, z standard normal."""

    decay: Float[Array, "*n"]
    gain: Float[Array, "*n"]
    noise_gain: Float[Array, "*n"]


# Solves one implicit stage, by its share of the step and how far ahead of the start it begins.
Stage = Callable[[float, Any], Any]


class AbstractSolver(Shown):
    """A rule by which a run steps its model."""


class AbstractMembraneSolver(AbstractSolver):
    """A rule that turns dt/tau into the coefficients of one step of the membrane equation."""

    @abc.abstractmethod
    def propagator(self, dt_over_tau: Float[Array, "*n"]) -> Propagator:
        """The coefficients for `dt_over_tau`, dimensionless."""

    def approach(
        self,
        v: Float[Array, "*n"],
        driven: Float[Array, "*n"],
        total: Float[Array, "*n"],
        dt_over_c: Float[Array, "*m"],
    ) -> Float[Array, "*n"]:
        """What a step of C dV/dt = driven - total V, both held over it, adds to v."""
        return self.propagator(dt_over_c * total).gain * (driven / total - v)

    def is_implicit(self) -> bool:
        """Whether it steps potentials that are coupled, of a cable, by `linear_change`; False unless told."""
        return False

    def linear_change(self, stage: Stage) -> Float[Array, "*n"]:
        """What a step of a linear equation C dV/dt = f(V) adds to V, of a rule that is implicit.

        `stage(share, ahead)` solves (C/(share dt) - f') x = f(V) + ahead C/(share dt): an implicit Euler step of that
        share of dt, from V + ahead.
        """
        raise NotImplementedError(f"{type(self).__name__} has no implicit step.")


class Exact(AbstractMembraneSolver, AbstractSpikeTimes):
    """Exact stepping of the Ornstein-Uhlenbeck membrane; the default.

    decay = exp(-dt/tau), gain = 1 - decay, noise_gain^2 = (1 - decay^2)/2. Mean and covariance on
    the grid are exact for every dt; crossings of the threshold between two grid points are missed,
    which lowers rates by a term of order sqrt(dt/tau) under white noise.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> step = jn.Exact().propagator(jnp.asarray(0.5))                        # dt / tau
    >>> print(f"{float(step.decay):.4f}, {float(jnp.exp(-0.5)):.4f}")
    0.6065, 0.6065

    ```
    """

    def propagator(self, dt_over_tau: Float[Array, "*n"]) -> Propagator:
        decay = jnp.exp(-dt_over_tau)
        return Propagator(decay, -jnp.expm1(-dt_over_tau), jnp.sqrt(-jnp.expm1(-2.0 * dt_over_tau) / 2.0))

    def approach(
        self,
        v: Float[Array, "*n"],
        driven: Float[Array, "*n"],
        total: Float[Array, "*n"],
        dt_over_c: Float[Array, "*m"],
    ) -> Float[Array, "*n"]:
        return relaxation_change(v, driven, total, dt_over_c)

    def outdated(self) -> str:
        return "`spike_times=Exact()` is `spike_times=InsideSteps()` now, and goes with the next version."


class ExponentialEuler(AbstractMembraneSolver):
    """Exponential Euler: the decay is exact, the target is held over the step; the default of rate models.

    The step is that of `Exact`, but first order where the target depends on the state, as in a network of rates. So is
    noise: exact in a unit alone, in a mode that the network makes slow, as the place of a bump, its variance is too
    small by (1 - exp(-2 h))/(2 h), h = dt/tau. There `EulerMaruyama()` is exact.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.ExponentialEuler().propagator(jnp.asarray(0.5)).decay):.4f}")
    0.6065

    ```
    """

    def propagator(self, dt_over_tau: Float[Array, "*n"]) -> Propagator:
        return Exact().propagator(dt_over_tau)

    def approach(
        self,
        v: Float[Array, "*n"],
        driven: Float[Array, "*n"],
        total: Float[Array, "*n"],
        dt_over_c: Float[Array, "*m"],
    ) -> Float[Array, "*n"]:
        return Exact().approach(v, driven, total, dt_over_c)


class CrankNicolson(AbstractMembraneSolver):
    """Crank-Nicolson stepping, the mean of the slopes before and after: of second order, stable for every dt.

    decay = (1 - x/2)/(1 + x/2), gain = x/(1 + x/2), noise_gain = sqrt(x)/(1 + x/2) with x = dt/tau; the stationary
    variance is exact.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.CrankNicolson().propagator(jnp.asarray(0.5)).decay):.4f}")
    0.6000

    ```
    """

    def propagator(self, dt_over_tau: Float[Array, "*n"]) -> Propagator:
        half = 1.0 + 0.5 * dt_over_tau
        return Propagator((2.0 - half) / half, dt_over_tau / half, jnp.sqrt(dt_over_tau) / half)

    def is_implicit(self) -> bool:
        return True

    def linear_change(self, stage: Stage) -> Float[Array, "*n"]:
        return 2.0 * stage(0.5, 0.0)


class ImplicitEuler(AbstractMembraneSolver):
    """Backward Euler stepping: decay = 1/(1 + x), gain = x/(1 + x), x = dt/tau; of first order, damps for every dt.

    noise_gain^2 = (1 - decay^2)/2, so that the stationary variance is exact.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.ImplicitEuler().propagator(jnp.asarray(0.5)).decay):.4f}")
    0.6667

    ```
    """

    def propagator(self, dt_over_tau: Float[Array, "*n"]) -> Propagator:
        decay = 1.0 / (1.0 + dt_over_tau)
        return Propagator(decay, dt_over_tau * decay, jnp.sqrt(0.5 * (1.0 - decay * decay)))

    def is_implicit(self) -> bool:
        return True

    def linear_change(self, stage: Stage) -> Float[Array, "*n"]:
        return stage(1.0, 0.0)


class SDIRK2(AbstractMembraneSolver):
    """Two implicit Euler steps of g dt, g = 1 - 1/sqrt(2), extrapolated: of second order, and damps for every dt.

    decay = (1 - (1 - 2 g) x)/(1 + g x)^2, gain = 1 - decay, x = dt/tau; noise_gain^2 = (1 - decay^2)/2, so that the
    stationary variance is exact. What is much faster than a step is gone after it, where `CrankNicolson()` turns it
    round and round; the default of cables.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.SDIRK2().propagator(jnp.asarray(0.5)).decay):.4f}")
    0.6033

    ```

    Source: Alexander (1977), doi:10.1137/0714068, its strongly S-stable rule of two stages.
    """

    def propagator(self, dt_over_tau: Float[Array, "*n"]) -> Propagator:
        share = 1.0 + SHARE * dt_over_tau
        gain = dt_over_tau * (1.0 + SHARE * SHARE * dt_over_tau) / (share * share)
        decay = 1.0 - gain
        return Propagator(decay, gain, jnp.sqrt(0.5 * gain * (1.0 + decay)))

    def is_implicit(self) -> bool:
        return True

    def linear_change(self, stage: Stage) -> Float[Array, "*n"]:
        return stage(SHARE, (1.0 / SHARE - 1.0) * stage(SHARE, 0.0))


class EulerMaruyama(AbstractMembraneSolver):
    """Euler-Maruyama stepping: decay = 1 - dt/tau, gain = dt/tau, noise_gain^2 = dt/tau.

    First order in mean and variance: the stationary variance is sigma^2/2 / (1 - dt/(2 tau)).

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.EulerMaruyama().propagator(jnp.asarray(0.5)).decay):.4f}")
    0.5000

    ```
    """

    def propagator(self, dt_over_tau: Float[Array, "*n"]) -> Propagator:
        return Propagator(1.0 - dt_over_tau, dt_over_tau, jnp.sqrt(dt_over_tau))
