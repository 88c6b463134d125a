"""Models that are ordinary differential equations, and the explicit step that any of them takes."""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .._numerics import role_key, step_keys, told
from ._runnable import AbstractRunnable, AbstractRunner, AbstractStimulated
from ._solver import AbstractMembraneSolver, AbstractSolver, ExponentialEuler

# What is injected, as a function of the part of the step that has passed, 0 to 1.
Injected = Callable[[float], Any]


class AbstractODE(AbstractRunnable, AbstractStimulated):
    """A model dy/dt = f(t, y), time in ms.

    `vector_field` has the signature that `diffrax` and other solvers of differential equations take, so that a model
    can be integrated adaptively as it is: `diffrax.ODETerm(model.vector_field)`.
    """

    def run_by(self, runner: AbstractRunner) -> Any:
        """As a differential equation."""
        return runner.equation(self)

    @abc.abstractmethod
    def size(self) -> int:
        """How many units there are."""

    @abc.abstractmethod
    def initial(self) -> Any:
        """Where a run starts unless it is told: an array (n,), or a module of such arrays."""

    def standing(self) -> Any:
        """Where fixed points are sought first: where a run starts, unless the model knows where it stands still."""
        return self.initial()

    @abc.abstractmethod
    def vector_field(self, t: Any, y: Any, args: Any = None) -> Any:
        """dy/dt [1/ms] at time `t` [ms]; `args` is what is injected: a number or (n,), or None.

        A model that understands more than a current is given the `Input` of a `Clamp`.
        """

    @abc.abstractmethod
    def prepared(self) -> Any:
        """The same model with what does not change over a run computed; called once, before the loop."""

    @abc.abstractmethod
    def observe(self, y: Any) -> dict[str, Float[Array, "n"]]:
        """The variables that can be recorded, by name."""

    def variable_units(self) -> dict[str, str]:
        """The units of variables of `observe`, such as {"v": "mV"}; none unless told."""
        return {}

    def checked_solver(self, solver: Any) -> AbstractSolver:
        """The solver of a run that is given `solver`, or None. Raises `ValueError` where it cannot be stepped so."""
        if solver is not None and not isinstance(solver, RungeKutta4):
            raise ValueError(f"`solver` of a {type(self).__name__} has to be `RungeKutta4()`; got {told(solver)}.")
        return RungeKutta4()

    def is_noisy(self) -> bool:
        """Whether a step has random numbers, for which a run needs a key."""
        return False

    def kicked(self, y: Any, kick: Float[Array, "n"]) -> Any:
        """y after jumps of the potential [mV], of a model that understands a `kick`."""
        raise ValueError(f"{type(self).__name__} understands a `kick` and has to have `kicked`.")

    def time_constants(self) -> Any:
        """How quickly each of the variables moves [ms]; None where it does not know."""
        return None

    def resolves(self, dt: Float[Array, ""]) -> Bool[Array, ""] | None:
        """Whether steps of `dt` [ms] are short enough to follow it; None where it does not know."""
        return None

    def coefficients(self, solver: AbstractSolver, dt: float) -> Any:
        """What `change` needs, computed once."""
        return solver, dt

    def draw(self, key: PRNGKeyArray, steps: Int[Array, "time"]) -> Any:
        """The random numbers of the successive `steps`, by one key a step; arrays (time, n)."""
        return None

    def change(self, coefficients: Any, t: Any, y: Any, row: Any, injected: Injected, drawn: Any) -> Any:
        """What one step from `t` [ms] on adds to y: `row` is injected, `injected` the same by the part of it passed."""
        solver, dt = coefficients
        return solver.change(self, t, y, injected, dt)


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

    def checked_solver(self, solver: Any) -> AbstractSolver:
        """`ExponentialEuler()` by default."""
        if solver is None:
            return ExponentialEuler()
        if not isinstance(solver, AbstractMembraneSolver | RungeKutta4):
            raise ValueError(
                f"`solver` has to be `ExponentialEuler()`, `RungeKutta4()` or `EulerMaruyama()`; got {told(solver)}."
            )
        if isinstance(solver, RungeKutta4) and self.is_noisy():
            raise ValueError("`RungeKutta4()` has no noise; take `ExponentialEuler()` or `EulerMaruyama()`.")
        return solver

    def is_noisy(self) -> bool:
        """Whether there is `noise`."""
        return self.noise is not None

    def coefficients(self, solver: AbstractSolver, dt: float) -> Any:
        """The propagator of each variable; of `RungeKutta4()` the step."""
        if not isinstance(solver, AbstractMembraneSolver):
            return solver, dt
        return [solver.propagator(dt / tau) for tau in jax.tree.leaves(self.time_constants())]

    def resolves(self, dt: Float[Array, ""]) -> Bool[Array, ""]:
        """Whether no time constant is shorter: a target that is held for longer than one is not that of the model."""
        shortest = jnp.stack([jnp.min(tau) for tau in jax.tree.leaves(self.time_constants())])
        return dt <= (1.0 + 1e-5) * jnp.min(shortest)

    def draw(self, key: PRNGKeyArray, steps: Int[Array, "time"]) -> Any:
        """Standard normal numbers for each variable that has noise."""
        n, keys = self.size(), {}
        for k, sigma in enumerate(self._amplitudes()):
            keys[k] = None if sigma is None else (step_keys(role_key(key, f"noise {k}"), steps), sigma.dtype)
        return [
            None if own is None else jax.vmap(lambda one, dtype=own[1]: jax.random.normal(one, (n,), dtype))(own[0])
            for own in keys.values()
        ]

    def change(self, coefficients: Any, t: Any, y: Any, row: Any, injected: Injected, drawn: Any) -> Any:
        """The exact step of each variable towards its target, which is held, or that of `RungeKutta4()`."""
        if isinstance(coefficients, tuple):
            solver, dt = coefficients
            return solver.change(self, t, y, injected, dt)
        now, structure = jax.tree_util.tree_flatten(y)
        targets = jax.tree.leaves(self.target(t, y, row))
        # decay = 1 - gain of every solver.
        new = [c.gain * (to - v) for c, v, to in zip(coefficients, now, targets, strict=True)]
        if drawn is not None:
            for k, (c, sigma) in enumerate(zip(coefficients, self._amplitudes(), strict=True)):
                new[k] = new[k] if sigma is None else new[k] + c.noise_gain * sigma * drawn[k]
        return jax.tree_util.tree_unflatten(structure, new)

    def _amplitudes(self) -> list[Array | None]:
        return jax.tree.leaves(self.noise_amplitudes(), is_leaf=lambda x: x is None)


class RungeKutta4(AbstractSolver):
    """The classical Runge-Kutta step, of fourth order; for models without noise.

    ```python
    >>> import jaxneuro as jn
    >>> solver = jn.RungeKutta4()

    ```
    """

    def step(self, model: AbstractODE, t: Any, y: Any, injected: Injected, dt: Any) -> Any:
        """y one step of `dt` [ms] after `t`."""
        return jax.tree.map(jnp.add, y, self.change(model, t, y, injected, dt))

    def change(self, model: AbstractODE, t: Any, y: Any, injected: Injected, dt: Any) -> Any:
        """What one step of `dt` [ms] after `t` adds to y."""

        def ahead(slope: Any, share: float) -> Any:
            return jax.tree.map(lambda now, k: now + share * dt * k, y, slope)

        first = model.vector_field(t, y, injected(0.0))
        second = model.vector_field(t + 0.5 * dt, ahead(first, 0.5), injected(0.5))
        third = model.vector_field(t + 0.5 * dt, ahead(second, 0.5), injected(0.5))
        fourth = model.vector_field(t + dt, ahead(third, 1.0), injected(1.0))
        return jax.tree.map(lambda a, b, c, d: dt / 6.0 * (a + 2.0 * b + 2.0 * c + d), first, second, third, fourth)
