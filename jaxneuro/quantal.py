"""Quantal release: amplitudes of synaptic responses as a mixture over the number of quanta."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln, log_ndtr, logsumexp
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PyTree

from ._numerics import (
    AbstractBijection,
    Positive,
    Shown,
    as_leaf,
    check_count,
    check_finite,
    check_key,
    check_nonnegative,
    check_positive,
    is_concrete,
    read_numbers,
    violates,
)

_LEAST_QUANTA = 200
_MOST_LEFT_OUT = 1e-6
# Beyond, the number of terms would be a slip of units.
_MOST_MEAN = 1e5


class AmplitudeHistogram(Shown):
    """Counts of response amplitudes in bins, and of failures.

    **Arguments:** `lower`, `upper` (n,) the edges of the bins, in the unit of the amplitudes, and `counts` (n,);
    `n_failures` the number of trials without a response, or None where failures were not recorded, as with
    spontaneous events.

    Raises `ValueError` where edges are out of order or a count is negative.

    ```python
    >>> import jaxneuro as jn
    >>> data = jn.quantal.AmplitudeHistogram([0.25, 0.35], [0.35, 0.45], [11, 20], n_failures=18)
    >>> print(data.counts)
    [18. 11. 20.]

    ```
    """

    lower: Float[Array, " n"]
    upper: Float[Array, " n"]
    counts: Float[Array, " n"]
    has_failures: bool = eqx.field(static=True)

    def __init__(self, lower: Any, upper: Any, counts: Any, *, n_failures: ArrayLike | None):
        lower, upper, counts = as_leaf(lower, "lower"), as_leaf(upper, "upper"), as_leaf(counts, "counts")
        if not lower.shape == upper.shape == counts.shape or lower.ndim != 1:
            raise ValueError(
                f"`lower`, `upper` and `counts` have to be as long as each other; got {lower.shape}, {upper.shape} "
                f"and {counts.shape}."
            )
        check_nonnegative("counts", counts)
        check_finite("lower", lower)
        check_finite("upper", upper)
        if violates(lambda lower, upper: lower < upper, lower, upper):
            raise ValueError("`lower` has to be below `upper` in every bin.")
        if n_failures is not None:  # the failures are the first row, an empty bin at 0
            check_nonnegative("n_failures", n_failures)
            zero = jnp.zeros_like(counts, shape=(1,))
            lower, upper = jnp.concatenate([zero, lower]), jnp.concatenate([zero, upper])
            counts = jnp.concatenate([zero + as_leaf(n_failures, "n_failures"), counts])
        self.lower, self.upper, self.counts = lower, upper, counts
        self.has_failures = n_failures is not None

    @classmethod
    def from_amplitudes(
        cls, amplitudes: Any, *, bin_width: float, n_failures: ArrayLike | None
    ) -> "AmplitudeHistogram":
        """Bins `amplitudes` (n,) about multiples of `bin_width`, the resolution they were written down with."""
        check_positive("bin_width", bin_width)
        known = np.asarray(read_numbers(amplitudes, "amplitudes"), float)
        check_finite("amplitudes", known)
        index, counts = np.unique(np.round(known / bin_width), return_counts=True)
        return cls((index - 0.5) * bin_width, (index + 0.5) * bin_width, counts, n_failures=n_failures)


class Release(Shown):
    """Simulated trials: the amplitude (n,) and the number of quanta (n,) of each.

    ```python
    >>> import jax, jaxneuro as jn
    >>> trials = jn.quantal.QuantalRelease(m=2.0, u=0.4, sigma_1=0.08).sample(100, key=jax.random.key(0))
    >>> bool((trials.amplitude[trials.quanta == 0] == 0.0).all())
    True

    ```
    """

    amplitude: Float[Array, " n"]
    quanta: Int[Array, " n"]


class QuantalRelease(Shown):
    """A response made of k quanta with probability m^k exp(-m) / k!, each of size u with its own scatter.

    P(v) = sum_k P(k) N(v; xi_0 + k u, sigma_0^2 + k sigma_1^2). Trials of no quantum are failures, a point mass.
    In the source the mean for k quanta is printed k u, without the baseline xi_0 (corrected).

    **Arguments:** `m` the mean number of quanta; `u` the size of one; `sigma_1` its standard deviation; `sigma_0`
    that of the baseline, and `xi_0` its mean. `max_quanta`, above which probability is left out: by default at
    least 200, and more where `m` asks for it; a fit that moves to where they leave out anything says so.
    Unit of all but `m`: that of the amplitudes.

    Raises `ValueError` where `m`, `u` or `sigma_1` is not positive, `sigma_0` is negative, or more than 1e-6 of the
    probability of a known `m` lies above `max_quanta`.

    Derivatives: forward and reverse, every order.

    ```python
    >>> import jaxneuro as jn
    >>> model = jn.quantal.QuantalRelease(m=2.0, u=0.4, sigma_1=0.08)
    >>> print(f"{float(model.density(0.4)):.3f} per mV")
    1.352 per mV

    ```

    Source: equations 1-4 of Q. Wen's notes on synaptic transmission (2022), corrected; del Castillo and Katz
    (1954), doi:10.1113/jphysiol.1954.sp005129; Boyd and Martin (1956), doi:10.1113/jphysiol.1956.sp005512.
    """

    m: Float[Array, ""]
    u: Float[Array, ""]
    sigma_1: Float[Array, ""]
    sigma_0: Float[Array, ""]
    xi_0: Float[Array, ""]
    max_quanta: int = eqx.field(static=True)

    def __init__(
        self,
        m: ArrayLike = 2.0,
        u: ArrayLike = 0.4,
        sigma_1: ArrayLike = 0.1,
        sigma_0: ArrayLike = 0.0,
        xi_0: ArrayLike = 0.0,
        max_quanta: int | None = None,
    ):
        self.m, self.u, self.sigma_1 = as_leaf(m, "m"), as_leaf(u, "u"), as_leaf(sigma_1, "sigma_1")
        self.sigma_0, self.xi_0 = as_leaf(sigma_0, "sigma_0"), as_leaf(xi_0, "xi_0")
        if max_quanta is None:
            known = is_concrete(self.m) and self.m.ndim == 0 and 0 < float(self.m) < _MOST_MEAN
            max_quanta = _enough_quanta(float(self.m) if known else 0.0)
        self.max_quanta = max_quanta

    def __check_init__(self):
        for name in ("m", "u", "sigma_1", "sigma_0", "xi_0"):
            if getattr(self, name).ndim:
                raise ValueError(f"`{name}` has to be one number; got shape {getattr(self, name).shape}: use jax.vmap.")
        check_positive("m", self.m)
        check_positive("u", self.u)
        check_positive("sigma_1", self.sigma_1)
        check_nonnegative("sigma_0", self.sigma_0)
        check_finite("xi_0", self.xi_0)
        check_count("max_quanta", self.max_quanta, "a whole number of at least 1")
        for sentence in self.concerns():
            raise ValueError(sentence)

    def concerns(self) -> tuple[str, ...]:
        """A sentence where more than 1e-6 of the probability lies above `max_quanta`; empty where `m` is not known."""
        if not is_concrete(self.m):
            return ()
        mean = float(self.m)
        lost = _left_out(mean, self.max_quanta)
        if not lost > _MOST_LEFT_OUT:
            return ()
        return (
            f"`max_quanta` of {self.max_quanta} leaves out {lost:.2g} of the probability at m = {mean:.4g}: take "
            f"{_enough_quanta(mean)}.",
        )

    def fit_concerns(self, data: PyTree) -> tuple[str, ...]:
        """The same, which a fit warns of."""
        return self.concerns()

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"m": Positive(), "u": Positive(), "sigma_1": Positive()}

    def _quanta(self) -> Float[Array, " quanta"]:
        return jnp.arange(1, self.max_quanta + 1).astype(self.m.dtype)

    def _log_weights(self) -> Float[Array, " quanta"]:
        k = self._quanta()
        return k * jnp.log(self.m) - self.m - gammaln(k + 1.0)

    def _spread(self) -> Float[Array, " quanta"]:
        return jnp.sqrt(self.sigma_0**2 + self._quanta() * self.sigma_1**2)

    def log_likelihood(self, data: AmplitudeHistogram) -> Float[Array, " n"]:
        """Log-probability of a trial to fall in each row: of a failure, or of a response in the bin."""
        failures = jnp.zeros(data.lower.shape, bool).at[0].set(data.has_failures)
        mean, spread = self.xi_0 + self._quanta() * self.u, self._spread()
        low = (data.lower[:, None] - mean) / spread
        high = (jnp.where(failures, data.lower + 1.0, data.upper)[:, None] - mean) / spread  # no empty bin
        in_bin = logsumexp(self._log_weights() + log_normal_mass(low, high), axis=1)
        if not data.has_failures:  # given that there was a response at all
            in_bin = in_bin - jnp.log(-jnp.expm1(-self.m))
        return jnp.where(failures, -self.m, in_bin)

    def density(self, v: ArrayLike) -> Float[Array, "..."]:
        """Probability density of a response of amplitude `v`, failures apart; integrates to 1 - exp(-m).

        The point mass exp(-m) of the failures is left out; `mixture` spreads it over the baseline's noise.
        """
        z = (as_leaf(v, "v")[..., None] - self.xi_0 - self._quanta() * self.u) / self._spread()
        log_normal = -0.5 * jnp.square(z) - jnp.log(self._spread()) - 0.5 * jnp.log(2.0 * jnp.pi)
        return jnp.exp(logsumexp(self._log_weights() + log_normal, axis=-1))

    def mixture(self, v: ArrayLike) -> Float[Array, "..."]:
        """Probability density of all trials, a failure having the noise of its baseline; integrates to 1.

            P(v) = sum_{k >= 0} m^k exp(-m) / k! N(v; xi_0 + k u, sigma_0^2 + k sigma_1^2)

        Raises `ValueError` where `sigma_0` is 0, for which the failures have no density.

        ```python
        >>> import jaxneuro as jn
        >>> model = jn.quantal.QuantalRelease(m=0.5, u=0.4, sigma_1=0.1, sigma_0=0.03, xi_0=0.05)
        >>> print(f"{float(model.mixture(0.1)):.4f}")
        2.0154

        ```

        Source: equation 2 of Q. Wen's notes on synaptic transmission (2022), corrected.
        """
        if violates(lambda s: s > 0, self.sigma_0):
            raise ValueError("`sigma_0` is 0: failures are a point mass and have no density; see `density`.")
        z = (as_leaf(v, "v") - self.xi_0) / self.sigma_0
        failures = jnp.exp(-self.m - 0.5 * jnp.square(z)) / (self.sigma_0 * jnp.sqrt(2.0 * jnp.pi))
        return failures + self.density(v)

    def sample(self, n_trials: int, *, key: Array) -> Release:
        """Simulates `n_trials` trials; a failure has the amplitude of its baseline, 0 without noise."""
        check_key(key)
        check_count("n_trials", n_trials)
        quanta_key, noise_key = jax.random.split(key)
        quanta = jax.random.poisson(quanta_key, self.m, (n_trials,))
        k = quanta.astype(self.m.dtype)
        noise = jax.random.normal(noise_key, (n_trials,), dtype=self.m.dtype)
        amplitude = self.xi_0 + k * self.u + jnp.sqrt(self.sigma_0**2 + k * self.sigma_1**2) * noise
        return Release(amplitude, quanta)


def _enough_quanta(m: float) -> int:
    """A number of quanta above which a Poisson law of mean `m` has no weight; for fits that start low at least 200."""
    return max(_LEAST_QUANTA, math.ceil(m + 10.0 * math.sqrt(m) + 20.0))


def _left_out(m: float, most: int) -> float:
    """The probability of more than `most` quanta."""
    k = np.arange(most + 1)
    return max(0.0, 1.0 - float(np.sum(np.exp(k * math.log(m) - m - np.array([math.lgamma(i + 1.0) for i in k])))))


def log_normal_mass(low: Float[Array, "..."], high: Float[Array, "..."]) -> Float[Array, "..."]:
    """log(Phi(high) - Phi(low)) for low < high, to rounding in either tail.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jnp.exp(jn.quantal.log_normal_mass(jnp.asarray(-1.0), jnp.asarray(1.0)))):.4f}")
    0.6827

    ```
    """
    above = low + high > 0  # there both ends are mirrored into the lower tail, where log Phi keeps its digits
    a, b = jnp.where(above, -high, low), jnp.where(above, -low, high)
    log_b = log_ndtr(b)
    gap = log_ndtr(a) - log_b
    return log_b + _log1mexp(gap)


def _log1mexp(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """log(1 - exp(x)) for x < 0 (Maechler 2012)."""
    near: Bool[Array, "..."] = x > -jnp.log(2.0)
    return jnp.where(near, jnp.log(-jnp.expm1(jnp.where(near, x, -1.0))), jnp.log1p(-jnp.exp(jnp.where(near, -1.0, x))))
