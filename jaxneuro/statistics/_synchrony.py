"""How much a population fires together."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._numerics import Shown, as_leaf, is_concrete
from ._counts import LEAST_WINDOWS, WindowCounts, spike_counts
from ._trains import SpikeTrains


class Synchrony(Shown):
    """Synchrony of a population, from spike counts n_i in bins and their sum S over its N neurons.

    - `chi`: sqrt(Var(S) / (N sum_i Var(n_i))): 1 where all fire alike, 1/sqrt(N) for independent neurons.
    - `covariance`: (Var(S) - sum_i Var(n_i)) / (N (N - 1)), the mean covariance over all pairs.
    - `correlation`: `covariance` over the mean variance: the pairwise correlation, pairs weighted by
      their standard deviations. (N chi^2 - 1) / (N - 1).
    - `population_fano`: Var(S) / <S>: 1 for independent Poisson neurons, about N for synchronous ones.
    - `n_bins`: number of bins. NaN with fewer than two, or where nothing varies.

    Sources: Golomb and Hansel (2000), doi:10.1162/089976600300015529 (chi, there of potentials);
    Kriener et al. (2008), doi:10.1162/neco.2008.02-07-474 (correlations in a population's variance).
    """

    chi: Float[Array, "*batch"]
    covariance: Float[Array, "*batch"]
    correlation: Float[Array, "*batch"]
    population_fano: Float[Array, "*batch"]
    n_bins: Int[Array, "*batch"]

    def __str__(self) -> str:
        if not is_concrete(self.chi) or jnp.ndim(self.chi):
            return f"synchrony of shape {jnp.shape(self.chi)}"
        return f"chi {float(self.chi):.3g}, pairwise correlation {float(self.correlation):.3g} ({self.n_bins} bins)"


def synchrony_from(
    variances: Float[Array, "n"], total_variance: Float[Array, ""], total_mean: Float[Array, ""], n_bins: Int[Array, ""]
) -> Synchrony:
    """The measures from the variances of the neurons' counts, and variance and mean of their sum."""
    n, summed = variances.shape[0], jnp.sum(variances)
    varies = summed > 0
    safe = jnp.where(varies, summed, 1.0)
    covariance = (total_variance - summed) / (n * (n - 1)) if n > 1 else jnp.full_like(total_variance, jnp.nan)
    return Synchrony(
        chi=jnp.where(varies, jnp.sqrt(total_variance / (n * safe)), jnp.nan),
        covariance=covariance,
        correlation=jnp.where(varies, covariance * n / safe, jnp.nan),
        population_fano=jnp.where(varies, total_variance / jnp.where(varies, total_mean, 1.0), jnp.nan),
        n_bins=n_bins,
    )


def synchrony_of(counts: WindowCounts) -> Synchrony:
    """The measures of what was counted while a run went on."""
    return synchrony_from(counts.neurons.variance(), counts.total.variance(), counts.total.mean, counts.total.n)


def synchrony(
    trains: SpikeTrains | Sequence[np.ndarray], *, width: float, t0: float | None = None, t1: float | None = None
) -> Synchrony:
    """The synchrony of a population, from its spike counts in bins of `width`.

    See `Synchrony` for the equations.

    **Arguments:**

    - `trains`: `SpikeTrains` of one run, or one array of spike times [ms] a neuron.
    - `width`: of the bins [ms]; a multiple of dt for `SpikeTrains`.
    - `t0`, `t1`: [ms], needed with spike times. A last bin cut by `t1` is left out.

    **Returns:** a `Synchrony`.

    Raises `ValueError` as `spike_counts` does.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> together = [np.array([1.0, 12.0, 13.0])] * 4
    >>> found = jn.statistics.synchrony(together, width=5.0, t0=0.0, t1=20.0)
    >>> round(float(found.chi), 6), round(float(found.correlation), 6)
    (1.0, 1.0)

    ```

    Sources: as of `Synchrony`.
    """
    counts = spike_counts(trains, width=width, t0=t0, t1=t1)
    n_bins, degrees = counts.shape[0], max(1, counts.shape[0] - 1)
    total, dtype = counts.sum(axis=1), jnp.result_type(float)
    unknown = 1.0 if n_bins >= LEAST_WINDOWS else np.nan
    spread = unknown * ((counts - counts.mean(axis=0)) ** 2).sum(axis=0) / degrees
    total_spread = unknown * ((total - total.mean()) ** 2).sum() / degrees
    return synchrony_from(
        jnp.asarray(spread, dtype), jnp.asarray(total_spread, dtype), jnp.asarray(total.mean(), dtype),
        jnp.asarray(n_bins, jnp.int32),
    )  # fmt: skip


def pairwise_correlation(
    trains: SpikeTrains | Sequence[np.ndarray], *, width: float, t0: float | None = None, t1: float | None = None
) -> float:
    """The mean over all pairs of neurons of the correlation coefficient of their spike counts.

        rho = 1 / (N (N - 1)) sum_{i != j} Cov(n_i, n_j) / (s_i s_j) = (Var(sum_i n_i / s_i) - N) / (N - 1) / N

    with s_i the standard deviation of n_i. Every pair has the same weight, which takes the standard
    deviations before the sum and so cannot be gathered while a run goes on; `Synchrony.correlation` is
    the measure that can. Neurons whose count never varies are left out.

    **Arguments:** as of `synchrony`.

    **Returns:** the mean correlation, NaN with fewer than two neurons or bins that vary.

    Raises `ValueError` as `spike_counts` does.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> opposite = [np.array([1.0, 2.0]), np.array([7.0])]
    >>> round(jn.statistics.pairwise_correlation(opposite, width=5.0, t0=0.0, t1=10.0), 6)
    -1.0

    ```

    Source: Kriener et al. (2008), doi:10.1162/neco.2008.02-07-474.
    """
    counts = spike_counts(trains, width=width, t0=t0, t1=t1)
    deviation = counts.std(axis=0)
    scaled = counts[:, deviation > 0] / deviation[deviation > 0]
    n = scaled.shape[1]
    return float((scaled.sum(axis=1).var() - n) / (n * (n - 1))) if n > 1 else float("nan")


def chi(values: Any) -> Float[Array, ""]:
    """The population synchrony of a variable of the neurons, such as the potentials of a `Trace`.

        chi^2 = Var_t(<v_i>_i) / <Var_t(v_i)>_i

    between 1/sqrt(N) for independent neurons and 1 for neurons that move as one.

    **Arguments:** `values`, (time, n), in any unit.

    **Returns:** chi, NaN where nothing varies.

    Raises `ValueError` where `values` has not two axes. Both derivative modes.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> wave = jnp.sin(jnp.arange(100.0))
    >>> round(float(jn.statistics.chi(jnp.stack([wave, wave], axis=1))), 5)
    1.0

    ```

    Source: Golomb and Hansel (2000), doi:10.1162/089976600300015529.
    """
    values = as_leaf(values, "values")
    if values.ndim != 2:
        raise ValueError(f"`values` has to have the shape (time, n); got {values.shape}.")
    each = jnp.mean(jnp.var(values, axis=0))
    varies = each > 0
    return jnp.where(varies, jnp.sqrt(jnp.var(jnp.mean(values, axis=1)) / jnp.where(varies, each, 1.0)), jnp.nan)
