"""The binary unit: active or not, by a threshold or at a temperature."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_finite, check_nonnegative, check_positive


class Binary(Shown):
    """A unit that is active (1) or not (0), set anew at its updates by its field u and its threshold theta:

        T = 0:  active where u - theta > 0,
        T > 0:  active with probability 1 / (1 + exp(-(u - theta) / T)).

    A field that differs from the threshold by no more than rounding, 4 eps times the sizes of its
    terms, lies on it: at T = 0 the unit is inactive. Both are one rule: active where u - theta exceeds
    T times a number drawn from the logistic law.
    For symmetric weights J without self-couplings, updated one at a time, the stationary law of the
    states s in {0, 1} is Boltzmann's, P(s) ~ exp(-H / T) with H = -1/2 s J s + (theta - drive) s.
    In the convention of spins of +-1 the temperature is half of this one where fields are doubled.

    **Arguments:**

    - `threshold`: theta, in the units of the weights; a number or one a unit, (n,).
    - `tau`: mean time between two updates of a unit [ms].
    - `temperature`: T, in the units of the weights; a number or one a unit, (n,).

    Raises `ValueError` where `tau` is not one positive number or `temperature` is negative.

    Derivatives: `probability` is smooth at T > 0; a state has derivative 0.

    ```python
    >>> import jaxneuro as jn
    >>> unit = jn.Binary(threshold=1.0, tau=10.0, temperature=0.5)
    >>> round(float(unit.probability(1.5)), 3)
    0.731

    ```

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, equations (2.1), (2.2);
    Glauber (1963), doi:10.1063/1.1703954.
    """

    threshold: Float[Array, "*n"]
    tau: Float[Array, ""]
    temperature: Float[Array, "*n"]

    def __init__(self, threshold: ArrayLike = 1.0, *, tau: ArrayLike = 10.0, temperature: ArrayLike = 0.0):
        self.threshold, self.temperature = as_leaf(threshold, "threshold"), as_leaf(temperature, "temperature")
        tau = as_leaf(tau, "tau")
        check_finite("threshold", self.threshold)
        check_nonnegative("temperature", self.temperature)
        check_positive("tau", tau)
        if tau.ndim:
            raise ValueError(f"`tau` has to be one number for the population; got shape {tau.shape}.")
        self.tau = tau

    def probability(self, field: ArrayLike) -> Float[Array, "..."]:
        """The probability to be active after an update at the field `field`."""
        excess = as_leaf(field, "field") - self.threshold
        cold = self.temperature == 0
        warm = jax.nn.sigmoid(excess / jnp.where(cold, 1.0, self.temperature))
        return jnp.where(cold, (excess > 0).astype(warm.dtype), warm)
