"""Drives that are Ornstein-Uhlenbeck processes."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int, PRNGKeyArray

from .._formulas import Input
from .._numerics import as_leaf, check_finite, check_nonnegative, check_positive
from ..synapses import Received
from ._arguments import checked_targets
from ._drive import AbstractDrive, normal_numbers


class OUCurrentDrive(AbstractDrive):
    """A current that is an Ornstein-Uhlenbeck process, of its own in every neuron.

        tau dI/dt = -(I - mean) + sigma sqrt(2 tau) xi:  mean `mean`, standard deviation `sigma`, correlation
        sigma^2 exp(-|t|/tau). A run starts in the stationary state.

    The law of the values at the starts of steps is exact for every dt; each is held for its step.

    **Arguments:**

    - `targets`: name of a population, or a tuple of names.
    - `mean`, `sigma`: [mV of integrate-and-fire neurons, uA/cm2 of neurons with channels], numbers or one a target.
    - `tau`: correlation time [ms].

    Raises `ValueError` where `sigma` is negative, `tau` is not positive or a value is not finite.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jaxneuro as jn
    >>> drive = jn.OUCurrentDrive("E", mean=15.0, sigma=5.0, tau=5.0)

    ```

    Source: Uhlenbeck and Ornstein (1930), doi:10.1103/PhysRev.36.823; the exact update: Gillespie (1996),
    doi:10.1103/PhysRevE.54.2084, equation (1.6).
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    mean: Float[Array, "*n"]
    sigma: Float[Array, "*n"]
    tau: Float[Array, "*n"]

    def __init__(
        self, targets: str | tuple[str, ...] | list[str], *, mean: ArrayLike, sigma: ArrayLike, tau: ArrayLike
    ):
        self.targets = checked_targets("targets", targets)
        self.mean, self.sigma, self.tau = as_leaf(mean, "mean"), as_leaf(sigma, "sigma"), as_leaf(tau, "tau")
        check_finite("mean", self.mean)
        check_nonnegative("sigma", self.sigma)
        check_positive("tau", self.tau)

    def gives(self) -> tuple[str, ...]:
        """Current."""
        return ("current",)

    def init(self, n: int, key: PRNGKeyArray) -> Float[Array, "n"]:
        """Deviations from the mean, in units of sigma."""
        return jax.random.normal(key, (n,), self.sigma.dtype)

    def draw(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, table: None
    ) -> Float[Array, "time n"]:
        """Standard normal numbers."""
        return normal_numbers(key, steps, n, self.sigma.dtype)

    def input(self, constants: float, state: Array, drawn: Array, v: Float[Array, "n"] | None) -> Received:
        """The current of the step, and the deviation at its end."""
        return Received(_moved(constants / self.tau, state, drawn), Input(current=self.mean + self.sigma * state))


class OUConductanceDrive(AbstractDrive):
    """A conductance that is an Ornstein-Uhlenbeck process, of its own in every neuron: many synapses in one.

        tau dg/dt = -(g - mean) + sd sqrt(2 tau) xi;   current into the membrane: g (reversal - V).

    g is normal with mean `mean`, standard deviation `sd` and correlation sd^2 exp(-|t|/tau), so that it is negative for
    a share Phi(-mean/sd) of the time: a model of synapses needs mean above about 3 sd. A run starts in the stationary
    state. The law of the values at the starts of steps is exact for every dt; each is held for its step.

    **Arguments:**

    - `targets`: name of a population, or a tuple of names.
    - `reversal`: reversal potential [mV].
    - `mean`, `sd`: relative to leak of integrate-and-fire neurons, mS/cm2 of neurons with channels; numbers or one a
      target.
    - `tau`: correlation time [ms].

    Raises `ValueError` where `mean` or `sd` is negative, `tau` is not positive or a value is not finite.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jaxneuro as jn
    >>> excitation = jn.OUConductanceDrive("E", reversal=0.0, mean=0.5, sd=0.1, tau=3.0)

    ```

    Source: Destexhe, Rudolph, Fellous and Sejnowski (2001), doi:10.1016/S0306-4522(01)00344-X, equations (2), (3).
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    reversal: Float[Array, "*n"]
    mean: Float[Array, "*n"]
    sd: Float[Array, "*n"]
    tau: Float[Array, "*n"]

    def __init__(
        self,
        targets: str | tuple[str, ...] | list[str],
        *,
        reversal: ArrayLike,
        mean: ArrayLike,
        sd: ArrayLike,
        tau: ArrayLike,
    ):
        self.targets = checked_targets("targets", targets)
        self.reversal, self.tau = as_leaf(reversal, "reversal"), as_leaf(tau, "tau")
        self.mean, self.sd = as_leaf(mean, "mean"), as_leaf(sd, "sd")
        check_finite("reversal", self.reversal)
        check_nonnegative("mean", self.mean)
        check_nonnegative("sd", self.sd)
        check_positive("tau", self.tau)

    def gives(self) -> tuple[str, ...]:
        """Conductance."""
        return ("conductance",)

    def init(self, n: int, key: PRNGKeyArray) -> Float[Array, "n"]:
        """Deviations from the mean, in units of sd."""
        return jax.random.normal(key, (n,), self.sd.dtype)

    def draw(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, table: None
    ) -> Float[Array, "time n"]:
        """Standard normal numbers."""
        return normal_numbers(key, steps, n, self.sd.dtype)

    def input(self, constants: float, state: Array, drawn: Array, v: Float[Array, "n"] | None) -> Received:
        """The conductance of the step, and the deviation at its end."""
        g = self.mean + self.sd * state
        given = Input(conductance=g, conductance_times_reversal=g * self.reversal)
        return Received(_moved(constants / self.tau, state, drawn), given)


def _moved(ratio: Float[Array, "*n"], state: Float[Array, "n"], drawn: Float[Array, "n"]) -> Float[Array, "n"]:
    """A process of variance 1 after `ratio` of its correlation times."""
    return jnp.exp(-ratio) * state + jnp.sqrt(-jnp.expm1(-2.0 * ratio)) * drawn
