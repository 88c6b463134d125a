"""What a surrogate derivative is, and the spike that carries it."""

import abc
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._numerics import Shown, as_leaf, in_a_line


class AbstractSurrogate(Shown):
    """A derivative that stands for that of a spike."""

    @abc.abstractmethod
    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """s(x) [1/mV] at x = V - v_th [mV]."""

    @abc.abstractmethod
    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        """Where s(x) is not exactly 0."""

    @abc.abstractmethod
    def valid(self) -> Bool[Array, ""]:
        """Whether its numbers are allowed: what construction cannot say of a traced one, the result of a run does."""


def as_number(name: str, value: Any) -> Float[Array, ""]:
    """`value` as one number; raises `ValueError` for an array, since a surrogate is the same for all neurons."""
    leaf = as_leaf(value, name)
    if leaf.ndim:
        raise ValueError(
            f"`{name}` has to be one number; got shape {leaf.shape}. Populations may have surrogates of their own: "
            "`surrogate={population: ...}`."
        )
    return leaf


def are_valid(width: Float[Array, ""], scale: Float[Array, ""]) -> Bool[Array, ""]:
    """Whether numbers of a surrogate are what construction asks of known ones.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> bool(jn.surrogate.are_valid(jnp.asarray(-1.0), jnp.asarray(1.0)))
    False

    ```
    """
    return (width > 0) & jnp.isfinite(width) & (scale >= 0) & jnp.isfinite(scale)


def spike(surrogate: AbstractSurrogate, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """1 where x >= 0, else 0; its derivative is that of the surrogate, in forward and reverse mode.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> triangle = jn.surrogate.Triangular(1.0)
    >>> slope = jax.vmap(jax.grad(lambda x: jn.surrogate.spike(triangle, x[None])[0]))(jnp.asarray([-2.0, 0.0]))
    >>> jn.surrogate.spike(triangle, jnp.asarray([-0.5, 0.5])).tolist(), (slope > 0.0).tolist()
    ([0.0, 1.0], [False, True])

    ```
    """
    if not isinstance(surrogate, AbstractSurrogate):
        raise ValueError(
            f"`surrogate` has to be of `jn.surrogate`, such as `SuperSpike()`; got {in_a_line(surrogate)}."
        )
    return _spike(surrogate, x)


@jax.custom_jvp
def _spike(surrogate: AbstractSurrogate, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    return (x >= 0).astype(x.dtype)


@_spike.defjvp
def _spike_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    surrogate, x = primals
    return _spike(surrogate, x), surrogate.derivative(x) * tangents[1]
