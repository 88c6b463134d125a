"""What a channel is."""

import abc

import equinox as eqx
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_finite, check_nonnegative, relaxation_change, relaxed


class Kinetics(Shown):
    """How a gate x moves at a potential: dx/dt = opening - total x [1/ms].

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> gate = jn.channels.Kinetics(opening=jnp.asarray(0.2), total=jnp.asarray(0.5))
    >>> print(f"{float(gate.infinity()):.2f}")
    0.40

    ```
    """

    opening: Float[Array, "..."]
    total: Float[Array, "..."]

    def infinity(self) -> Float[Array, "..."]:
        """The steady state."""
        return self.opening / self.total

    def slope(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """dx/dt [1/ms]."""
        return self.opening - self.total * x

    def after(self, x: Float[Array, "..."], dt: Float[Array, "..."]) -> Float[Array, "..."]:
        """x after `dt` [ms] at the same potential: the Rush-Larsen step."""
        return relaxed(x, self.opening, self.total, dt)

    def change(self, x: Float[Array, "..."], dt: Float[Array, "..."]) -> Float[Array, "..."]:
        """What the same step adds to x."""
        return relaxation_change(x, self.opening, self.total, dt)


def rates(alpha: Float[Array, "..."], beta: Float[Array, "..."]) -> Kinetics:
    """A gate that opens at the rate `alpha` and closes at the rate `beta` [1/ms]: dx/dt = alpha (1 - x) - beta x.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.channels.rates(jnp.asarray(0.3), jnp.asarray(0.9)).infinity()):.2f}")
    0.25

    ```
    """
    return Kinetics(alpha, alpha + beta)


def relaxation(infinity: Float[Array, "..."], tau: Float[Array, "..."]) -> Kinetics:
    """A gate that relaxes to `infinity` with the time constant `tau` [ms].

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.channels.relaxation(jnp.asarray(0.3), jnp.asarray(2.0)).slope(jnp.asarray(0.0))):.2f} /ms")
    0.15 /ms

    ```
    """
    return Kinetics(infinity / tau, 1.0 / tau)


class AbstractChannel(Shown):
    """A channel of maximal conductance g [mS/cm2] and reversal potential E [mV]: I = g open(V, x) (V - E).

    A channel of one's own says how its gates move and what share of it they leave open:

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> from jaxneuro.channels import AbstractChannel, checked_pair, relaxation
    >>> class PersistentSodium(AbstractChannel):
    ...     g: object
    ...     e: object
    ...     def __init__(self, g=0.01, e=50.0):
    ...         self.g, self.e = checked_pair(g, e)
    ...     def kinetics(self, v):
    ...         return {"p": relaxation(1.0 / (1.0 + jnp.exp(-(v + 48.0) / 5.0)), 1.0 + 0.0 * v)}
    ...     def open(self, v, gates):
    ...         return gates["p"]
    >>> cell = jn.ConductanceNeuron({"nap": PersistentSodium(), "leak": jn.channels.Leak(g=0.1, e=-65.0)})
    >>> f"{float(cell.resting_potential()):.3f} mV"
    '-64.600 mV'

    ```
    """

    g: eqx.AbstractVar[Float[Array, "*n"]]
    e: eqx.AbstractVar[Float[Array, "*n"]]

    @abc.abstractmethod
    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        """The gates that have a time course, at the potential `v` [mV]."""

    @abc.abstractmethod
    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        """The share of the channels that is open, 0 to 1."""


def checked_pair(g: ArrayLike, e: ArrayLike) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """A conductance [mS/cm2] that is not negative and a reversal potential [mV], as leaves.

    ```python
    >>> import jaxneuro as jn
    >>> g, e = jn.channels.checked_pair(120.0, 50.0)
    >>> float(g), float(e)
    (120.0, 50.0)

    ```
    """
    conductance, reversal = as_leaf(g, "g"), as_leaf(e, "e")
    check_nonnegative("g", conductance)
    check_finite("e", reversal)
    return conductance, reversal
