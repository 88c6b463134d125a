"""How the number of external spikes of a step is drawn."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .._numerics import PoissonTable, Shown, TwoFloat


class GaussianTable(eqx.Module):
    """Normal counts of given means, with the variance of a Poisson law."""

    mean: Float[Array, "*shape"]

    def sample(self, key: PRNGKeyArray, n: int) -> Float[Array, "n"]:
        """Counts of `n` neurons; element i depends on `key`, i and its mean only."""
        return self.mean + jnp.sqrt(self.mean) * jax.random.normal(key, (n,), self.mean.dtype)


CountTable = PoissonTable | GaussianTable


class AbstractCounts(Shown):
    """A law of the number of spikes that a neuron's sources make in one step."""

    @abc.abstractmethod
    def prepare(self, mean: TwoFloat) -> CountTable:
        """What draws counts of the given means, made once outside the loop."""

    def of_few(self) -> "AbstractCounts":
        """The same law where every mean is known to be at most 25."""
        return self


class PoissonCounts(AbstractCounts):
    """Poisson counts, their probabilities right to 2^-32: the sum of independent Poisson sources; the default.

    ```python
    >>> import jaxneuro as jn
    >>> counts = jn.counts.PoissonCounts()
    >>> drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=20.0, counts=counts)

    ```
    """

    def prepare(self, mean: TwoFloat) -> PoissonTable:
        return PoissonTable(mean)

    def of_few(self) -> AbstractCounts:
        return _FewCounts()


class _FewCounts(AbstractCounts):
    """Poisson counts whose means are known to be small enough for one draw."""

    def prepare(self, mean: TwoFloat) -> PoissonTable:
        return PoissonTable(mean, few=True)


class GaussianCounts(AbstractCounts):
    """Normal "counts" of the same mean and variance, neither whole nor bounded below: diffusion on the grid.

    ```python
    >>> import jaxneuro as jn
    >>> counts = jn.counts.GaussianCounts()
    >>> drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=20.0, counts=counts)

    ```
    """

    def prepare(self, mean: TwoFloat) -> GaussianTable:
        return GaussianTable(mean.high)
