"""The law of a binary unit's field: Poisson counts of active inputs, or their Gaussian limit."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float, Int

from .._numerics import check_count, is_concrete, violates
from ._binary_law import AbstractField, BinaryInputs, active, poisson_window, two_at_least
from ._binary_staircase import StaircaseField

# Counts of a window reach five standard deviations to either side at an activity of 1, sixteen at 0.1.
_DEVIATIONS, _LEAST_COUNTS, _OPEN_COUNTS, _MOST_COUNTS = 10.0, 48, 512, 2_048
# Windows of these sizes serve all smaller ones, so that a new in-degree is no new program.
_SIZES = (128, 384)
# A window that reaches less far to either side, in standard deviations, loses more than 1e-6 of its counts.
_LEAST_DEVIATIONS = 5.0
# Of more than two populations the counts of all are a table: so many populations, and so many places, 128 MiB.
_MOST_POPULATIONS, _LARGEST_TABLE = 4, 2**24
_FAR, _STEP = 9.0, 0.1  # of the trapezoidal rule for normal integrals: its error is exp(-2 pi^2 / 0.1^2)
_LOGISTIC_FAR, _LOGISTIC_STEP = 40.0, 0.25


class PoissonField(AbstractField):
    """The numbers of active inputs are independent Poisson numbers of means K_kl m_l, summed exactly:

        m_k = sum over n_E, n_I of Poisson(n_E; K m_E) Poisson(n_I; K m_I) P(active | u),
        u = J_kE n_E + J_kI n_I + drive,

    the mean field at finite K of a network of N >> K units connected at random with probability
    K / N. The quenched order parameter splits each number in two: inputs active at both of two
    distant times, of mean K q, and at one of them, of mean K (m - q).

    At T = 0 the sums are staircases in weights and drives, and so are the activities, by 2% at
    K = 1,000 and commensurate weights; their derivatives are those of the lines through the treads,
    to about that accuracy. Derivatives with respect to activities and in-degrees are exact.

    Three and four populations are summed in the same way, over a table of all counts: it limits them to 128 and 32
    counts, which serve K m up to 160 and 10.

    **Arguments:**

    - `n_counts`: how many counts each sum has; by default enough for the largest in-degree that is
      known, 512 where none is, which serves K m up to about 1,000. The overlaps cost its third power:
      for large in-degrees and low activities fewer serve, and too few are a result code. One and two populations that
      are known to have T = 0 need none: without it they are summed along one kind of input after the other, K m up to
      600,000, and any in-degree is one program.

    Raises `ValueError` where `n_counts` is no integer above 1; at the solve for a network with more
    than four populations, a rule other than `Bernoulli`, an in-degree above 40,000 at T > 0, or more `n_counts` than
    the table of three or four populations holds.

    ```python
    >>> import jaxneuro as jn
    >>> law = jn.theory.PoissonField()

    ```

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, section 3 and
    appendix A.
    """

    n_counts: int | None = eqx.field(static=True)

    def __init__(self, n_counts: int | None = None):
        if n_counts is not None:
            check_count("n_counts", n_counts, "an integer above 1", least=2)
        self.n_counts = n_counts

    def prepare(self, inputs: BinaryInputs) -> AbstractField:
        populations = inputs.weight.shape[0]
        if populations > _MOST_POPULATIONS:
            raise ValueError(
                f"`PoissonField()` sums over at most {_MOST_POPULATIONS} populations; there are {populations}: take "
                "`field=GaussianField()`."
            )
        if violates(lambda spread: spread == 0, inputs.spread):
            raise ValueError("`PoissonField()` is for `Bernoulli` connectivity: take `field=GaussianField()`.")
        # Of overlaps a table has twice as many places as counts to every side.
        most = math.floor(_LARGEST_TABLE ** (1.0 / populations) + 1e-9) // 2 if populations > 2 else _MOST_COUNTS
        if self.n_counts is not None:
            if populations > 2 and self.n_counts > most:
                raise ValueError(
                    f"`n_counts` = {self.n_counts} of {populations} populations makes too large a table; at most "
                    f"{most} fit: lower it, or take `field=GaussianField()`."
                )
            return self
        if populations > 2:
            return PoissonField(most)
        if is_concrete(inputs.temperature) and not np.any(np.asarray(inputs.temperature)):
            return StaircaseField()
        if not is_concrete(inputs.in_degree):
            return PoissonField(_OPEN_COUNTS)
        largest = float(np.max(np.asarray(inputs.in_degree)))
        n = math.ceil(_DEVIATIONS * largest**0.5) + _LEAST_COUNTS
        if n > most:
            raise ValueError(
                f"An in-degree of {largest:g} at a `temperature` above 0 needs sums over {n} "
                f"counts, more than {most}: take `field=GaussianField()`, which is close there."
            )
        return PoissonField(next((size for size in _SIZES if n <= size), n))

    def _window(self, mean: Float[Array, ""], n: int) -> "_Window":
        middle = jnp.floor(lax.stop_gradient(mean)).astype(jnp.int32)
        first = jnp.maximum(middle - n // 2, 0)
        return _Window(first, poisson_window(mean, first, jnp.zeros(n, mean.dtype)))

    def covers(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Bool[Array, ""]:
        assert self.n_counts is not None
        return jnp.all(_LEAST_DEVIATIONS * jnp.sqrt(inputs.in_degree * m) <= 0.5 * self.n_counts)

    def _windows(self, means: Float[Array, "n"]) -> "list[_Window]":
        assert self.n_counts is not None
        return [self._window(mean, self.n_counts) for mean in two_at_least(means)]

    def _table(self, one: BinaryInputs, first: list[Int[Array, ""]], n: int) -> Float[Array, "..."]:
        """P(active) of one population for counts from `first` on, `n` of each of the sources, an axis a source."""
        weight, u = two_at_least(one.weight), one.drive
        for each, at in zip(weight, first, strict=True):
            u = jnp.expand_dims(u, -1) + each * (at + jnp.arange(n, dtype=jnp.int32)).astype(weight.dtype)
        return active(u, one.temperature, lax.stop_gradient(jnp.max(jnp.abs(weight))))

    def activity(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n"]:
        def row(one: BinaryInputs) -> Float[Array, ""]:
            windows = self._windows(one.in_degree * m)
            return _mean(windows, self._table(one, [w.first for w in windows], windows[0].p.shape[0]))

        return _by_row(row, inputs)

    def overlap(self, inputs: BinaryInputs, m: Float[Array, "n"], q: Float[Array, "n"]) -> Float[Array, "n"]:
        def row(one: BinaryInputs) -> Float[Array, ""]:
            shared = self._windows(one.in_degree * q)
            own = self._windows(one.in_degree * jnp.maximum(m - q, 0.0))
            first = [a.first + b.first for a, b in zip(shared, own, strict=True)]
            given = self._table(one, first, 2 * own[0].p.shape[0])
            for window in own:  # the axis in front is averaged and goes to the end: after all, the order is the first
                given = jnp.moveaxis(jnp.tensordot(window.toeplitz(), given, 1), 0, -1)
            return _mean(shared, given**2)

        return _by_row(row, inputs)

    def offspring(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n n"]:
        def row(one: BinaryInputs) -> Float[Array, "n"]:
            windows = self._windows(one.in_degree * m)
            n = windows[0].p.shape[0]
            table = self._table(one, [w.first for w in windows], n + 1)
            chances = []
            for axis in range(m.shape[0]):
                changed = jnp.abs(jnp.diff(table, axis=axis))
                kept = tuple(slice(n) for _ in windows)
                chances.append(_mean(windows, changed[kept]))
            return one.in_degree * jnp.stack(chances)

        return _by_row(row, inputs)


def _mean(windows: "list[_Window]", table: Float[Array, "..."]) -> Float[Array, ""]:
    """The mean of a table over the counts of every source."""
    for window in windows:
        table = jnp.tensordot(window.p, table, 1)
    return table


def _by_row(row: Callable[[BinaryInputs], Array], inputs: BinaryInputs) -> Float[Array, "n *rest"]:
    """`row` of every population: at once, and one after another where tables are large."""
    return jax.vmap(row)(inputs) if inputs.weight.shape[0] <= 2 else lax.map(row, inputs)


class _Window(eqx.Module):
    """The law of a count on consecutive numbers from `first` on."""

    first: Int[Array, ""]
    p: Float[Array, "counts"]

    def toeplitz(self) -> Float[Array, "counts twice"]:
        """Row c holds the law moved up by c."""
        n = self.p.shape[0]
        lag = jnp.arange(2 * n, dtype=jnp.int32) - jnp.arange(n, dtype=jnp.int32)[:, None]
        return jnp.where((lag >= 0) & (lag < n), self.p[jnp.clip(lag, 0, n - 1)], 0.0)


class GaussianField(AbstractField):
    """The field is Gaussian, which it is for large K:

        m_k = H((theta_k - u_k) / sqrt(alpha_k)) at T = 0,
        u_k = sum_l J_kl K_kl m_l + drive,  alpha_k = sum_l J_kl^2 K_kl m_l,

    with H the upper tail of the normal law and J the efficacy of one connection. The part
    beta_k = sum_l J_kl^2 K_kl q_l of the variance is quenched, one draw a unit:

        q_k = integral Dx H((theta_k - u_k - sqrt(beta_k) x) / sqrt(alpha_k - beta_k))^2.

    At T > 0 the tail is averaged over the logistic noise of the threshold. For `FixedInDegree` the
    variances hold (1 - m) m and q - m^2 in place of m and q.

    Smooth in every argument. The map of overlaps has an infinite slope at q = m: damage grows
    faster than any exponential, the Lyapunov exponent is infinite.

    ```python
    >>> import jaxneuro as jn
    >>> law = jn.theory.GaussianField()

    ```

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, equations (3.2)-(3.11),
    (5.7)-(5.9) and section 8.
    """

    def prepare(self, inputs: BinaryInputs) -> "GaussianField":
        return self

    def covers(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Bool[Array, ""]:
        return jnp.ones((), bool)

    def activity(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n"]:
        u, alpha = field_mean(inputs, m), field_variance(inputs, m)
        return jax.vmap(_blurred)(u, alpha, inputs.temperature)

    def overlap(self, inputs: BinaryInputs, m: Float[Array, "n"], q: Float[Array, "n"]) -> Float[Array, "n"]:
        u, alpha, beta = field_mean(inputs, m), field_variance(inputs, m), quenched_variance(inputs, m, q)
        x = jnp.asarray(np.arange(-_FAR, _FAR + _STEP / 2, _STEP), m.dtype)
        density = jnp.exp(-0.5 * x**2)
        density = density / jnp.sum(density)

        def one(u_k: Array, alpha_k: Array, beta_k: Array, temperature: Array) -> Array:
            known = beta_k > 0
            sd = jnp.where(known, jnp.sqrt(jnp.where(known, beta_k, 1.0)), 0.0)
            rest = jnp.maximum(alpha_k - beta_k, 0.0)
            given = jax.vmap(lambda at: _blurred(u_k + sd * at, rest, temperature))(x)
            return jnp.sum(density * given**2)

        return jax.vmap(one)(u, alpha, beta, inputs.temperature)

    def offspring(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n n"]:
        return jnp.where((inputs.weight != 0) & (inputs.in_degree > 0), jnp.inf, 0.0)


def field_mean(inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n"]:
    """Mean field of each population, less its threshold."""
    return inputs.drive + jnp.sum(inputs.weight * inputs.in_degree * m, axis=1)


def field_variance(inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n"]:
    """Variance of the field over units and time."""
    return jnp.sum(inputs.weight**2 * inputs.in_degree * m * (1.0 - inputs.spread * m), axis=1)


def quenched_variance(inputs: BinaryInputs, m: Float[Array, "n"], q: Float[Array, "n"]) -> Float[Array, "n"]:
    """Variance over units of the field's mean over time."""
    return jnp.sum(inputs.weight**2 * inputs.in_degree * (q - inputs.spread * m**2), axis=1)


def _blurred(u: Float[Array, ""], variance: Float[Array, ""], temperature: Float[Array, ""]) -> Float[Array, ""]:
    """P(u + sqrt(variance) z + T l > 0) with z normal and l logistic.

    The sum over the narrower law's own grid would alias: it goes over the law of the smaller width,
    the other enters in closed form.
    """
    random = variance > 0
    sd = jnp.sqrt(jnp.where(random, variance, 1.0))
    cold = temperature == 0
    warmth = jnp.where(cold, 1.0, temperature)

    z = jnp.asarray(np.arange(-_FAR, _FAR + _STEP / 2, _STEP), u.dtype)
    normal = jnp.exp(-0.5 * z**2)
    shift = jnp.where(random, sd, 0.0)
    wide_noise = jnp.sum(normal / jnp.sum(normal) * jax.nn.sigmoid((u + shift * z) / warmth))

    l = jnp.asarray(np.arange(-_LOGISTIC_FAR, _LOGISTIC_FAR + _LOGISTIC_STEP / 2, _LOGISTIC_STEP), u.dtype)
    logistic = jax.nn.sigmoid(l) * jax.nn.sigmoid(-l)
    wide_field = jnp.sum(logistic / jnp.sum(logistic) * ndtr((u - jnp.where(cold, 0.0, temperature) * l) / sd))

    frozen = (u > 0).astype(u.dtype)
    at_zero = jnp.where(random, ndtr(u / sd), frozen)
    return jnp.where(cold, at_zero, jnp.where(random & (sd > temperature), wide_field, wide_noise))
