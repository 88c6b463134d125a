"""A population of Poisson sources."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray

from .._numerics import as_leaf, below_probability, check_nonnegative, is_concrete, random_bits, step_keys
from ._source import AbstractSource


class Poisson(AbstractSource):
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

    def spikes(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, state: Any
    ) -> tuple[Bool[Array, "time n"], Any]:
        """Spikes with probability `rate` dt in each step."""
        bits = jax.vmap(lambda k: random_bits(k, n))(step_keys(key, steps))
        return below_probability(bits, self.spike_probability(dt)), state

    def check(self, name: str, dt: float) -> None:
        """Raises `ValueError` where a step would hold more than one spike."""
        if is_concrete(self.rate):
            with jax.ensure_compile_time_eval():
                most = float(jnp.max(self.spike_probability(dt)))
            if most > 1:
                raise ValueError(f"The rate of {name!r} gives {most:g} spikes a step; a source makes at most one.")

    def valid(self) -> Bool[Array, ""]:
        """Whether the rate is one."""
        return jnp.all((self.rate >= 0) & jnp.isfinite(self.rate))

    def mean_rate(self) -> Float[Array, "*n"]:
        """`rate` [Hz]."""
        return self.rate
