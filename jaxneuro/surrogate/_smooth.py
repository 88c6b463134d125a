"""Surrogate derivatives that reach every potential."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from .._numerics import check_nonnegative, check_positive
from ._surrogate import AbstractSurrogate, are_valid, as_number


class FastSigmoid(AbstractSurrogate):
    """s(x) = scale / (2 width) / (1 + |x| / width)^2, the derivative of a fast sigmoid; never 0.

    Every neuron takes part in a gradient, so that delivery costs a whole matrix product.

    **Arguments:** `width` [mV]; `scale`, the area.

    Raises `ValueError` where `width` is not one positive number or `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.FastSigmoid(width=0.5).derivative(jnp.asarray([0.0, 0.5])).tolist()
    [1.0, 0.25]

    ```

    Source: Zenke and Ganguli (2018), doi:10.1162/neco_a_01086, at unit area; `SuperSpike` is the
    same at unit height.
    """

    width: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 1.0, *, scale: ArrayLike = 1.0):
        self.width, self.scale = as_number("width", width), as_number("scale", scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.scale / (2.0 * self.width) / (1.0 + jnp.abs(x) / self.width) ** 2

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.ones(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return are_valid(self.width, self.scale)


class SuperSpike(AbstractSurrogate):
    """s(x) = scale / (1 + |x| / width)^2, of height `scale` and area 2 width scale; never 0.

    **Arguments:** `width` [mV], the 1/beta of the source; `scale` [1/mV], the height.

    Raises `ValueError` where `width` is not one positive number or `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.SuperSpike(width=0.5).derivative(jnp.asarray([0.0, 0.5])).tolist()
    [1.0, 0.25]

    ```

    Source: Zenke and Ganguli (2018), doi:10.1162/neco_a_01086.
    """

    width: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 1.0, *, scale: ArrayLike = 1.0):
        self.width, self.scale = as_number("width", width), as_number("scale", scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.scale / (1.0 + jnp.abs(x) / self.width) ** 2

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.ones(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return are_valid(self.width, self.scale)


class ArcTan(AbstractSurrogate):
    """s(x) = scale / (pi width) / (1 + (x / width)^2), the derivative of an arcus tangens; never 0.

    **Arguments:** `width` [mV], where s is half as high, 2/(pi alpha) of the source; `scale`, the area.

    Raises `ValueError` where `width` is not one positive number or `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.ArcTan(width=2.0, scale=jnp.pi).derivative(jnp.asarray([0.0, 2.0])).tolist()
    [0.5, 0.25]

    ```

    Source: Fang et al. (2021), arXiv:2007.05785, section 3.
    """

    width: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 1.0, *, scale: ArrayLike = 1.0):
        self.width, self.scale = as_number("width", width), as_number("scale", scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.scale / (jnp.pi * self.width) / (1.0 + (x / self.width) ** 2)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.ones(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return are_valid(self.width, self.scale)


class Exponential(AbstractSurrogate):
    """s(x) = scale / (2 width) exp(-|x| / width).

    **Arguments:** `width` [mV]; `scale`, the area.

    Raises `ValueError` where `width` is not one positive number or `scale` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.surrogate.Exponential(width=0.5).derivative(jnp.asarray([0.0, 1.0])).round(3).tolist()
    [1.0, 0.135]

    ```

    Source: Shrestha and Orchard (2018), arXiv:1810.08646, equation (7).
    """

    width: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 1.0, *, scale: ArrayLike = 1.0):
        self.width, self.scale = as_number("width", width), as_number("scale", scale)
        check_positive("width", self.width)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.scale / (2.0 * self.width) * jnp.exp(-jnp.abs(x) / self.width)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.ones(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return are_valid(self.width, self.scale)


class MultiGaussian(AbstractSurrogate):
    """A Gaussian with two wide, negative side lobes; never 0 but where it crosses it.

        s(x) = scale ((1 + h) N(x; 0, width) - h N(x; width, r width) - h N(x; -width, r width)),

    N(x; m, sd) the normal density; the area is scale (1 - h).

    **Arguments:** `width` [mV], the standard deviation of the centre; `h`, the weight of a lobe; `r`, how many times
    wider a lobe is; `scale`.

    Raises `ValueError` where `width` or `r` is not positive, `h` or `scale` negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> [f"{s:.4f}" for s in jn.surrogate.MultiGaussian(width=0.5).derivative(jnp.asarray([0.0, 2.0]))]
    ['0.8782', '-0.0314']

    ```

    Source: Yin, Corradi and Bohte (2021), doi:10.1038/s42256-021-00397-w, equation (7); h = 0.15, r = 6.
    """

    width: Float[Array, ""]
    h: Float[Array, ""]
    r: Float[Array, ""]
    scale: Float[Array, ""]

    def __init__(self, width: ArrayLike = 0.5, *, h: ArrayLike = 0.15, r: ArrayLike = 6.0, scale: ArrayLike = 1.0):
        self.width, self.scale = as_number("width", width), as_number("scale", scale)
        self.h, self.r = as_number("h", h), as_number("r", r)
        check_positive("width", self.width)
        check_nonnegative("h", self.h)
        check_positive("r", self.r)
        check_nonnegative("scale", self.scale)

    def derivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        wide = self.r * self.width
        lobes = _normal(x - self.width, wide) + _normal(x + self.width, wide)
        return self.scale * ((1.0 + self.h) * _normal(x, self.width) - self.h * lobes)

    def reaches(self, x: Float[Array, "*n"]) -> Bool[Array, "*n"]:
        return jnp.ones(x.shape, bool)

    def valid(self) -> Bool[Array, ""]:
        return are_valid(self.width, self.scale) & are_valid(self.r, self.h)


def _normal(x: Float[Array, "*n"], sd: Float[Array, ""]) -> Float[Array, "*n"]:
    return jnp.exp(-0.5 * (x / sd) ** 2) / (jnp.sqrt(2.0 * jnp.pi) * sd)
