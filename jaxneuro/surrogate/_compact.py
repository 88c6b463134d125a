"""Surrogate derivatives that are 0 beyond a width, and the two that have no width."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from .._numerics import check_nonnegative, check_positive
from ._surrogate import AbstractSurrogate, are_valid, as_number


class Triangular(AbstractSurrogate):
    """s(x) = scale / width * max(0, 1 - |x| / width).

    **Arguments:** `width` [mV], half of the base; `scale`, the area, 1 by default (below 1 it dampens).

    Raises `ValueError` where `width` is not one positive number or `scale` is negative.

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
        self.width, self.scale = as_number("width", width), as_number("scale", scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.scale / self.width * jnp.maximum(0.0, 1.0 - jnp.abs(x) / self.width)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.abs(x) < self.width

    def valid(self) -> Bool[Array, ""]:
        return are_valid(self.width, self.scale)


class Boxcar(AbstractSurrogate):
    """s(x) = scale / (2 width) where |x| < width, else 0.

    **Arguments:** `width` [mV], half of the base; `scale`, the area.

    Raises `ValueError` where `width` is not one positive number or `scale` is negative.

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
        self.width, self.scale = as_number("width", width), as_number("scale", scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return jnp.where(self.reaches(x), self.scale / (2.0 * self.width), 0.0)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.abs(x) < self.width

    def valid(self) -> Bool[Array, ""]:
        return are_valid(self.width, self.scale)


class StraightThrough(AbstractSurrogate):
    """s(x) = scale everywhere: the spike is differentiated as if it were its argument. It has no width.

    **Arguments:** `scale` [1/mV], 1 by default.

    Raises `ValueError` where `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.StraightThrough(scale=0.5).derivative(jnp.asarray([-9.0, 0.0])).tolist()
    [0.5, 0.5]

    ```

    Source: Bengio, Leonard and Courville (2013), arXiv:1308.3432, section 4.
    """

    scale: Float[Array, ""]

    def __init__(self, *, scale: ArrayLike = 1.0):
        self.scale = as_number("scale", scale)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return jnp.broadcast_to(self.scale, x.shape)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.ones(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return are_valid(jnp.ones_like(self.scale), self.scale)


class Zero(AbstractSurrogate):
    """s(x) = 0: the derivative that a step has everywhere but at the step. It has no width.

    What a gradient with it holds came by the potentials alone.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.Zero().derivative(jnp.asarray([-1.0, 0.0])).tolist()
    [0.0, 0.0]

    ```
    """

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return jnp.zeros_like(x)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.zeros(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return jnp.ones((), bool)
