"""Drives of a network from outside."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Moments, as_leaf, check_finite, check_nonnegative
from ..connectivity import ConstantWeight
from ..synapses import AbstractSynapse, ShortTermPlasticity, StochasticRelease
from ._afferent import Afferent, SpikeStream, WhiteCurrent
from ._arguments import checked_targets, checked_weight
from ._counts import AbstractCounts, PoissonCounts


class PoissonDrive(eqx.Module):
    """Independent Poisson input to every neuron: the sum of `n_sources` sources of `rate` each.

    **Arguments:**

    - `targets`: name of a population, or a tuple of names.
    - `synapse`, `weight`: as in `Projection`.
    - `n_sources`: sources for each neuron.
    - `rate`: of one source [Hz], a number or one a target neuron.
    - `counts`: the law of the number of spikes in a step, `PoissonCounts()`, or `GaussianCounts()`.

    Raises `ValueError` where an argument is not as above.

    ```python
    >>> import jaxneuro as jn
    >>> drive = jn.PoissonDrive(("E", "I"), jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=20.0)

    ```
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    synapse: AbstractSynapse
    weight: Float[Array, "*n"]
    n_sources: Float[Array, ""]
    rate: Float[Array, "*n"]
    counts: AbstractCounts

    def __init__(
        self,
        targets: str | tuple[str, ...] | list[str],
        synapse: AbstractSynapse,
        *,
        weight: ArrayLike,
        n_sources: ArrayLike,
        rate: ArrayLike,
        counts: AbstractCounts | None = None,
    ):
        self.targets = checked_targets("targets", targets)
        if isinstance(synapse, ShortTermPlasticity | StochasticRelease):
            raise ValueError(
                f"`synapse` of a drive cannot be {type(synapse).__name__}, since it has no presynaptic neurons: use a "
                "`Projection` from a population of `Poisson` sources."
            )
        self.synapse = synapse
        self.weight = checked_weight(weight, synapse)
        self.n_sources = as_leaf(n_sources, "n_sources")
        self.rate = as_leaf(rate, "rate")
        check_nonnegative("n_sources", self.n_sources)
        check_nonnegative("rate", self.rate)
        if not isinstance(counts, AbstractCounts | None):
            raise ValueError(f"`counts` has to be `PoissonCounts()` or `GaussianCounts()`; got {counts!r}.")
        self.counts = PoissonCounts() if counts is None else counts

    def afferent(self) -> Afferent:
        """One stream of spikes, for theory."""
        in_degree = Moments(self.n_sources, jnp.zeros_like(self.n_sources))
        return Afferent((SpikeStream(self.rate, in_degree, ConstantWeight(self.weight), self.synapse),))


class WhiteNoiseDrive(eqx.Module):
    """White-noise input: tau_m dV/dt = -(V - v_rest) + mu + sigma sqrt(tau_m) xi.

    **Arguments:**

    - `targets`: name of a population, or a tuple of names.
    - `mu`: mean input [mV], a number or one a target neuron.
    - `sigma`: noise amplitude [mV]; the free potential has the standard deviation sigma/sqrt(2).

    Raises `ValueError` where `sigma` is negative or a value is not finite.

    ```python
    >>> import jaxneuro as jn
    >>> drive = jn.WhiteNoiseDrive("E", mu=15.0, sigma=5.0)

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (4).
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    mu: Float[Array, "*n"]
    sigma: Float[Array, "*n"]

    def __init__(self, targets: str | tuple[str, ...] | list[str], *, mu: ArrayLike, sigma: ArrayLike):
        self.targets = checked_targets("targets", targets)
        self.mu, self.sigma = as_leaf(mu, "mu"), as_leaf(sigma, "sigma")
        check_finite("mu", self.mu)
        check_nonnegative("sigma", self.sigma)

    def afferent(self) -> Afferent:
        """A mean and a white noise, for theory."""
        return Afferent(currents=(WhiteCurrent(self.mu, self.sigma),))
