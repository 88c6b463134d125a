"""Surrogate derivatives: what stands for the derivative of a spike, which is a step of the potential.

The forward pass is the same for all: a spike where x = V - v_th >= 0. In derivatives d spike / dx is replaced by a
function s(x) of unit area, times `scale`. Compact ones are exactly 0 beyond their width, so that only neurons near
threshold take part in a gradient, and delivery skips the others.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from ._numerics import as_leaf, check_nonnegative, check_positive


class AbstractSurrogate(eqx.Module):
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


class Triangular(AbstractSurrogate):
    """s(x) = scale / width * max(0, 1 - |x| / width).

    **Arguments:** `width` [mV], half of the base; `scale`, the area, 1 by default (below 1 it dampens).

    Raises `ValueError` where `width` is not positive or `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.Triangular(width=2.0).derivative(jnp.asarray([-1.0, 0.0, 3.0])).tolist()
    [0.25, 0.5, 0.0]

    ```

    Source: Esser et al. (2016), doi:10.1073/pnas.1604850113; dampening as in Bellec et al. (2018),
    arXiv:1803.09574.
    """

    width: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 1.0, *, scale: ArrayLike = 1.0):
        self.width, self.scale = as_leaf(width), as_leaf(scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.scale / self.width * jnp.maximum(0.0, 1.0 - jnp.abs(x) / self.width)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.abs(x) < self.width

    def valid(self) -> Bool[Array, ""]:
        return _are_valid(self.width, self.scale)


class Boxcar(AbstractSurrogate):
    """s(x) = scale / (2 width) where |x| < width, else 0.

    **Arguments:** `width` [mV], half of the base; `scale`, the area.

    Raises `ValueError` where `width` is not positive or `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.Boxcar(width=2.0).derivative(jnp.asarray([-1.0, 3.0])).tolist()
    [0.25, 0.0]

    ```

    Source: Neftci, Mostafa and Zenke (2019), doi:10.1109/MSP.2019.2931595, Fig. 3.
    """

    width: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 1.0, *, scale: ArrayLike = 1.0):
        self.width, self.scale = as_leaf(width), as_leaf(scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return jnp.where(self.reaches(x), self.scale / (2.0 * self.width), 0.0)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.abs(x) < self.width

    def valid(self) -> Bool[Array, ""]:
        return _are_valid(self.width, self.scale)


class FastSigmoid(AbstractSurrogate):
    """s(x) = scale / (2 width) / (1 + |x| / width)^2, the derivative of a fast sigmoid; never 0.

    Every neuron takes part in a gradient, so that delivery costs a whole matrix product.

    **Arguments:** `width` [mV]; `scale`, the area.

    Raises `ValueError` where `width` is not positive or `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.FastSigmoid(width=0.5).derivative(jnp.asarray([0.0, 0.5])).tolist()
    [1.0, 0.25]

    ```

    Source: Zenke and Ganguli (2018), doi:10.1162/neco_a_01086 (SuperSpike).
    """

    width: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 1.0, *, scale: ArrayLike = 1.0):
        self.width, self.scale = as_leaf(width), as_leaf(scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.scale / (2.0 * self.width) / (1.0 + jnp.abs(x) / self.width) ** 2

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.ones(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return _are_valid(self.width, self.scale)


def _are_valid(width: Float[Array, ""], scale: Float[Array, ""]) -> Bool[Array, ""]:
    return (width > 0) & jnp.isfinite(width) & (scale >= 0) & jnp.isfinite(scale)


@jax.custom_jvp
def spike(surrogate: AbstractSurrogate, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """1 where x >= 0, else 0; its derivative is that of the surrogate, in forward and reverse mode."""
    return (x >= 0).astype(x.dtype)


@spike.defjvp
def _spike_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    surrogate, x = primals
    return spike(surrogate, x), surrogate.derivative(x) * tangents[1]
