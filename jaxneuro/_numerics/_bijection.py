"""Bijections between the real line and the range a bounded parameter may take."""

from abc import abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from ._leaf import as_leaf, violates
from ._shown import Shown


class AbstractBijection(Shown):
    """A smooth, increasing map from an unbounded coordinate to a parameter's range."""

    @abstractmethod
    def forward(self, coordinate: Float[Array, "..."]) -> Float[Array, "..."]:
        """The parameter at an unbounded coordinate."""

    @abstractmethod
    def inverse(self, value: Float[Array, "..."]) -> Float[Array, "..."]:
        """The unbounded coordinate of a parameter inside its range; NaN outside."""


class Unbounded(AbstractBijection):
    """Leaves a parameter free on the whole real line.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(jn.bounds.Unbounded().forward(jnp.asarray(-2.0)))
    -2.0

    ```
    """

    def forward(self, coordinate: Float[Array, "..."]) -> Float[Array, "..."]:
        return coordinate

    def inverse(self, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return value


class Positive(AbstractBijection):
    """Keeps a parameter positive: its coordinate is its logarithm.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(jn.bounds.Positive().forward(jnp.asarray(0.0)))
    1.0

    ```
    """

    def forward(self, coordinate: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.exp(coordinate)

    def inverse(self, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.log(value)


class Interval(AbstractBijection):
    """Keeps a parameter between two ends: its coordinate is the logit of its place between them.

    **Arguments:** `lower` and `upper`, shapes that broadcast, in the parameter's unit.

    Raises `ValueError` where `lower` is not below `upper`.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(jn.bounds.Interval(0.0, 4.0).forward(jnp.asarray(0.0)))
    2.0

    ```
    """

    lower: Float[Array, "..."]
    upper: Float[Array, "..."]

    def __init__(self, lower: ArrayLike, upper: ArrayLike):
        self.lower, self.upper = as_leaf(lower, "lower"), as_leaf(upper, "upper")

    def __check_init__(self):
        if violates(lambda lower, upper: lower < upper, self.lower, self.upper):
            raise ValueError(f"`lower` has to be below `upper`; got {self.lower} and {self.upper}.")

    def forward(self, coordinate: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.lower + (self.upper - self.lower) * jax.nn.sigmoid(coordinate)

    def inverse(self, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.log(value - self.lower) - jnp.log(self.upper - value)


class Dale(AbstractBijection):
    """Keeps weights at the sign of their source, as Dale's law wants: w_ij = s_j exp(s_j x_ij).

    **Arguments:** `signs`, (n_pre,), 1 for an excitatory and -1 for an inhibitory source; columns are sources.

    Raises `ValueError` where a sign is neither.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.bounds.Dale([1, -1]).forward(jnp.zeros((2, 2))).tolist()
    [[1.0, -1.0], [1.0, -1.0]]
    >>> jn.bounds.Dale([1, -1]).allows(jnp.asarray([[1.0, -2.0], [0.0, 3.0]])).tolist()
    [True, False]

    ```
    """

    signs: Float[Array, "pre"]

    def __init__(self, signs: Any):
        self.signs = as_leaf(signs, "signs")

    def __check_init__(self):
        if self.signs.ndim != 1 or violates(lambda s: jnp.abs(s) == 1.0, self.signs):
            raise ValueError(f"`signs` has to hold 1 or -1 for each source; got {self.signs}.")

    def forward(self, coordinate: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.signs * jnp.exp(self.signs * coordinate)

    def inverse(self, value: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.signs * jnp.log(self.signs * value)

    def allows(self, weights: Float[Array, "post pre"]) -> Bool[Array, "pre"]:
        """For each source, whether no weight has the other sign; a weight of 0 is no connection."""
        return jnp.all(self.signs * weights >= 0.0, axis=0)
