"""A population of Poisson sources."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_nonnegative


class Poisson(eqx.Module):
    """Independent Poisson sources, such as an external population with shared wiring.

    In each step a source spikes with probability `rate` dt, at most once: the mean is exact and
    the Fano factor is 1 - rate dt. For drives that no two neurons share use `PoissonDrive`.

    **Arguments:**

    - `rate`: [Hz], a number or one value a source, (n,); at most one spike a step.

    Raises `ValueError` where `rate` is negative or not finite, and at the run where rate dt > 1.

    Derivatives: none, a spike is a random step.

    ```python
    >>> import jaxneuro as jn
    >>> external = jn.Population(jn.Poisson(rate=20.0), 1_000)

    ```

    Source: the external population of Sanzeni, Histed and Brunel (2022),
    doi:10.1103/PhysRevX.12.011044, section II.
    """

    rate: Float[Array, "*n"]

    def __init__(self, rate: ArrayLike):
        self.rate = as_leaf(rate, "rate")
        check_nonnegative("rate", self.rate)

    def spike_probability(self, dt: float) -> Float[Array, "*n"]:
        """Probability of a spike in a step of `dt` [ms]."""
        return self.rate * (jnp.asarray(dt, self.rate.dtype) / 1000.0)

    def mean_rate(self) -> Float[Array, "*n"]:
        """The rate [Hz], for theory."""
        return self.rate

    def cv(self) -> Float[Array, "*n"]:
        """The coefficient of variation of the intervals, for theory."""
        return as_leaf(1.0)
