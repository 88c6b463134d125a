"""How white noise that depends on the potential is read."""

import abc
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import Shown

Function = Callable[[Float[Array, "..."]], Float[Array, "..."]]


class AbstractConvention(Shown):
    """How the product B(V) dW of a noise that depends on the potential and white noise is read."""

    @abc.abstractmethod
    def drift(self, drift: Function, noise: Function) -> Function:
        """The drift of the same process in Ito's sense."""


class Ito(AbstractConvention):
    """B is taken before the noise acts: the limit of jumps of fixed shape whose size is read before they start.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> pull = jn.theory.Ito().drift(lambda v: -v, lambda v: 1.0 + v)
    >>> float(pull(jnp.asarray(2.0)))
    -2.0

    ```
    """

    def drift(self, drift: Function, noise: Function) -> Function:
        return drift


class Stratonovich(AbstractConvention):
    """B is taken in the middle of the change: the limit of noise with a short time course. B B'/2 drifts along.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> pull = jn.theory.Stratonovich().drift(lambda v: -v, lambda v: 1.0 + v)
    >>> float(pull(jnp.asarray(2.0)))
    -0.5

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (A3).
    """

    def drift(self, drift: Function, noise: Function) -> Function:
        def in_itos_sense(v: Float[Array, "..."]) -> Float[Array, "..."]:
            b, slope = jax.jvp(noise, (v,), (jnp.ones_like(v),))
            return drift(v) + 0.5 * b * slope

        return in_itos_sense
