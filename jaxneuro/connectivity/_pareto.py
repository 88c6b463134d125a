"""Weights with a tail so heavy that the sum of many is stable and not normal."""

import math
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Moments, OutsideTheoryWarning, check_finite, check_yes_or_no, gauss_legendre, violates
from ._weight_laws import AbstractWeightLaw, Nodes, StableTail, one_number

# Below this alpha x0 + x1 < 0: the smallest weights have the other sign.
_LEAST_POSITIVE = 1.34945


class ParetoWeight(AbstractWeightLaw):
    """Weights with a power-law tail, so that the summed input of many spikes is stable with the exponent alpha.

        w = mean (x1 P + x0),   P(P > x) = x^-alpha for x >= 1,
        x1^alpha = Gamma(1 + alpha) sin(pi alpha/2)/(pi alpha),   x0 = 1 - x1 alpha/(alpha - 1).

    x1 is such that spikes of a rate R in a membrane of tau make a noise of sigma^alpha = tau R |mean|^alpha, as
    constant weights do at alpha = 2, where all weights are `mean`. A negative mean mirrors the law.

    **Arguments:**

    - `mean`: of the weights, in the units of `Projection`'s `weight`.
    - `alpha`: of the tail, 1 < alpha <= 2.
    - `positive`: below alpha = 1.34945 the smallest weights have the other sign than `mean` (74% of them at 1.2). True
      takes x1 = alpha - 1 there, so that weights begin at 0: the mean is kept, and the tail is lighter.

    Raises `ValueError` where an argument is not as above. Warns where weights of the other sign are drawn.

    Derivatives: of a simulation by `mean`; of theory by both.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> law = jn.ParetoWeight(0.02, alpha=1.5)
    >>> print(", ".join(f"{float(law.exceeded(share)):.4f}" for share in jnp.array([1.0, 0.5, 0.001])))
    0.0063, 0.0104, 0.6823

    ```

    Source: Wardak and Gong (2021), doi:10.1103/PhysRevResearch.3.013083.
    """

    mean: Float[Array, ""]
    alpha: Float[Array, ""]
    positive: bool = eqx.field(static=True)

    def __init__(self, mean: ArrayLike, alpha: ArrayLike, *, positive: bool = False):
        self.mean, self.alpha = one_number("mean", mean), one_number("alpha", alpha)
        self.positive = check_yes_or_no("positive", positive)
        check_tail_exponent("alpha", self.alpha)
        if not positive and violates(lambda x: x >= _LEAST_POSITIVE, self.alpha):
            with jax.ensure_compile_time_eval():
                x1, x0 = (float(x) for x in self._parts())
            share = 1.0 - (-x0 / x1) ** -float(self.alpha)
            warnings.warn(
                f"`alpha`: at {float(self.alpha):g}, below {_LEAST_POSITIVE}, {share:.1%} of the weights have the "
                "other sign than `mean`: take `positive=True`, whose weights keep it and have a lighter tail.",
                OutsideTheoryWarning,
                stacklevel=2,
            )

    def _parts(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """x1 and x0."""
        x1 = pareto_size(self.alpha)
        if self.positive:
            x1 = jnp.minimum(x1, self.alpha - 1.0)
        return x1, 1.0 - x1 * self.alpha / (self.alpha - 1.0)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        alpha = float(self.alpha)
        x1, x0 = (float(x) for x in self._parts())
        values = 1.0 - rng.random(shape)  # in (0, 1]
        np.power(values, -1.0 / alpha, out=values)
        values *= float(self.mean) * x1
        values += float(self.mean) * x0
        return values

    def moments(self) -> Moments:
        return Moments(self.mean, jnp.where(self.alpha < 2.0, jnp.inf, jnp.zeros_like(self.mean)))

    def nodes(self, count: int) -> Nodes:
        # With P = u^(-1/(alpha - 1)) the mean is that of a constant, and exact.
        rule, power = gauss_legendre(count), self.alpha / (self.alpha - 1.0)
        u = jnp.asarray(rule.nodes, self.alpha.dtype)
        density = jnp.asarray(rule.weights, u.dtype) * power * u ** (power - 1.0)
        x1, x0 = self._parts()
        return Nodes(self.mean * (x1 * u ** (-1.0 / (self.alpha - 1.0)) + x0), density / jnp.sum(density))

    def exceeded(self, share: Float[Array, "..."]) -> Float[Array, "..."]:
        x1, x0 = self._parts()
        return self.mean * (x1 * share ** (-1.0 / self.alpha) + x0)

    def tail(self) -> StableTail:
        full, own = pareto_size(self.alpha), self._parts()[0]
        same = own >= full
        ratio = jnp.where(same, 1.0, own / jnp.where(same, 1.0, full))
        return StableTail(self.mean * ratio, self.alpha)

    @property
    def scale(self) -> Float[Array, ""]:
        return self.mean

    def unit(self) -> "ParetoWeight":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OutsideTheoryWarning)  # said once, where the law was made
            return ParetoWeight(1.0, self.alpha, positive=self.positive)


def pareto_size(alpha: Float[Array, ""]) -> Float[Array, ""]:
    """x1 of `ParetoWeight`: 0 at alpha = 2."""
    heavy = alpha < 2.0
    below = jnp.where(heavy, alpha, 1.5)
    log_power = gammaln(below) + jnp.log(jnp.sin(0.5 * math.pi * below)) - math.log(math.pi)
    return jnp.where(heavy, jnp.exp(log_power / below), 0.0)


def check_tail_exponent(name: str, alpha: Float[Array, ""]) -> None:
    """Raises `ValueError` where a known exponent is not in (1, 2]."""
    check_finite(name, alpha)
    if violates(lambda x: (x > 1.0) & (x <= 2.0), alpha):
        raise ValueError(
            f"`{name}` has to lie in (1, 2], where weights have a mean; got {alpha}: at 2 all weights are equal, and "
            "of a larger exponent sums are normal: take `LogNormalWeight`."
        )
