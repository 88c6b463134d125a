"""The leak."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ._channel import AbstractChannel, Kinetics, checked_pair


class Leak(AbstractChannel):
    """A channel that is always open.

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> leak = jn.channels.Leak(g=0.1, e=-65.0)

    ```
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 0.3, e: ArrayLike = -54.4):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        return {}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return jnp.ones_like(v)
