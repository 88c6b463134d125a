"""Models that are ordinary differential equations, and the explicit step that any of them takes."""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float

from ._solver import AbstractSolver

# What is injected, as a function of the part of the step that has passed, 0 to 1.
Injected = Callable[[float], Any]


class AbstractODE(eqx.Module):
    """A model dy/dt = f(t, y), time in ms.

    `vector_field` has the signature that `diffrax` and other solvers of differential equations take, so that a model
    can be integrated adaptively as it is: `diffrax.ODETerm(model.vector_field)`.
    """

    @abc.abstractmethod
    def size(self) -> int:
        """How many units there are."""

    @abc.abstractmethod
    def initial(self) -> Any:
        """Where a run starts unless it is told: an array (n,), or a module of such arrays."""

    @abc.abstractmethod
    def vector_field(self, t: Any, y: Any, args: Any = None) -> Any:
        """dy/dt [1/ms] at time `t` [ms]; `args` is what is injected, a number or (n,), or None."""

    @abc.abstractmethod
    def prepared(self) -> Any:
        """The same model with what does not change over a run computed; called once, before the loop."""

    @abc.abstractmethod
    def observe(self, y: Any) -> dict[str, Float[Array, "n"]]:
        """The variables that can be recorded, by name."""


class AbstractRelaxation(AbstractODE):
    """A model tau dy/dt = -y + y_inf(t, y) + sigma sqrt(tau) xi, which all rate models are."""

    noise: eqx.AbstractVar[Float[Array, "*n"] | None]

    @abc.abstractmethod
    def time_constants(self) -> Any:
        """tau [ms], of the structure of y, each a number or (n,)."""

    @abc.abstractmethod
    def target(self, t: Any, y: Any, args: Any = None) -> Any:
        """y_inf, of the structure of y."""

    @abc.abstractmethod
    def noise_amplitudes(self) -> Any:
        """sigma, of the structure of y with None for what has no noise; None where `noise` is None."""

    def vector_field(self, t: Any, y: Any, args: Any = None) -> Any:
        """dy/dt [1/ms] at time `t` [ms], without noise."""
        return jax.tree.map(lambda now, to, tau: (to - now) / tau, y, self.target(t, y, args), self.time_constants())


class RungeKutta4(AbstractSolver):
    """The classical Runge-Kutta step, of fourth order; for models without noise.

    ```python
    >>> import jaxneuro as jn
    >>> solver = jn.RungeKutta4()

    ```
    """

    def step(self, model: AbstractODE, t: Any, y: Any, injected: Injected, dt: Any) -> Any:
        """y one step of `dt` [ms] after `t`."""

        def ahead(slope: Any, share: float) -> Any:
            return jax.tree.map(lambda now, k: now + share * dt * k, y, slope)

        first = model.vector_field(t, y, injected(0.0))
        second = model.vector_field(t + 0.5 * dt, ahead(first, 0.5), injected(0.5))
        third = model.vector_field(t + 0.5 * dt, ahead(second, 0.5), injected(0.5))
        fourth = model.vector_field(t + dt, ahead(third, 1.0), injected(1.0))
        return jax.tree.map(
            lambda now, a, b, c, d: now + dt / 6.0 * (a + 2.0 * b + 2.0 * c + d), y, first, second, third, fourth
        )
