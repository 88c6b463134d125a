"""Transfer functions: the rate of a unit as a function of its input."""

import abc
import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._formulas import lif_rate
from ._numerics import Shown, as_leaf, check_finite, check_nonnegative, check_positive


class AbstractTransfer(Shown):
    """The rate F(x) of a unit at input x."""

    @abc.abstractmethod
    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """F(x)."""

    @abc.abstractmethod
    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """An integral of F up to x, which an energy is made of; `ValueError` where there is no closed one."""


class Linear(AbstractTransfer):
    """F(x) = gain (x - threshold), without rectification, so that rates may be negative.

    **Arguments:** `gain`; `threshold`, in the units of the input.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.transfer.Linear(gain=2.0)(jnp.asarray([-1.0, 3.0])).tolist()
    [-2.0, 6.0]

    ```
    """

    gain: Float[Array, "*n"]
    threshold: Float[Array, "*n"]

    def __init__(self, *, gain: Any = 1.0, threshold: Any = 0.0):
        self.gain, self.threshold = as_leaf(gain, "gain"), as_leaf(threshold, "threshold")
        check_finite("gain", self.gain)
        check_finite("threshold", self.threshold)

    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.gain * (x - self.threshold)

    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return 0.5 * self.gain * jnp.square(x - self.threshold)


class ThresholdLinear(AbstractTransfer):
    """F(x) = gain [x - threshold]_+; the derivative at the threshold is 0.

    **Arguments:** `gain`; `threshold` (gamma), in the units of the input.

    Raises `ValueError` where a value is not finite or `gain` is negative.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.transfer.ThresholdLinear(threshold=1.0)(jnp.asarray([0.0, 3.0])).tolist()
    [0.0, 2.0]

    ```
    """

    gain: Float[Array, "*n"]
    threshold: Float[Array, "*n"]

    def __init__(self, *, gain: Any = 1.0, threshold: Any = 0.0):
        self.gain, self.threshold = as_leaf(gain, "gain"), as_leaf(threshold, "threshold")
        check_nonnegative("gain", self.gain)
        check_finite("threshold", self.threshold)

    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.gain * _rectified(x - self.threshold)

    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return 0.5 * self.gain * jnp.square(_rectified(x - self.threshold))


class PowerLaw(AbstractTransfer):
    """F(x) = gain [x - threshold]_+^exponent, of the supralinear stabilised network.

    **Arguments:** `gain`; `exponent`, above 0; `threshold`, in the units of the input.

    Raises `ValueError` where a value is not finite, `gain` is negative or `exponent` is not positive.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.transfer.PowerLaw(gain=0.5, exponent=2.0)(jnp.asarray([-1.0, 4.0])).tolist()
    [0.0, 8.0]

    ```

    Source: Ahmadian, Rubin and Miller (2013), doi:10.1162/NECO_a_00472.
    """

    gain: Float[Array, "*n"]
    exponent: Float[Array, "*n"]
    threshold: Float[Array, "*n"]

    def __init__(self, *, gain: Any = 1.0, exponent: Any = 2.0, threshold: Any = 0.0):
        self.gain, self.exponent, self.threshold = (
            as_leaf(gain, "gain"),
            as_leaf(exponent, "exponent"),
            as_leaf(threshold, "threshold"),
        )
        check_nonnegative("gain", self.gain)
        check_positive("exponent", self.exponent)
        check_finite("threshold", self.threshold)

    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.gain * _power(x - self.threshold, self.exponent)

    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        power = self.exponent + 1.0
        return self.gain / power * _power(x - self.threshold, power)


class Sigmoid(AbstractTransfer):
    """F(x) = most / (1 + exp(-(x - midpoint) / width)).

    **Arguments:** `most`, the rate at saturation; `midpoint` and `width`, in the units of the input.

    Raises `ValueError` where a value is not finite, `most` is negative or `width` is not positive.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.transfer.Sigmoid(most=100.0, midpoint=5.0)(jnp.asarray([5.0, 1e4])).tolist()
    [50.0, 100.0]

    ```
    """

    most: Float[Array, "*n"]
    midpoint: Float[Array, "*n"]
    width: Float[Array, "*n"]

    def __init__(self, *, most: Any = 1.0, midpoint: Any = 0.0, width: Any = 1.0):
        self.most, self.midpoint, self.width = (
            as_leaf(most, "most"),
            as_leaf(midpoint, "midpoint"),
            as_leaf(width, "width"),
        )
        check_nonnegative("most", self.most)
        check_finite("midpoint", self.midpoint)
        check_positive("width", self.width)

    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.most * jax.nn.sigmoid((x - self.midpoint) / self.width)

    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.most * self.width * jax.nn.softplus((x - self.midpoint) / self.width)


class Tanh(AbstractTransfer):
    """F(x) = most tanh(x / width), of random and Hopfield networks; rates may be negative.

    **Arguments:** `most`, the largest rate; `width`, in the units of the input.

    Raises `ValueError` where a value is not finite, `most` is negative or `width` is not positive.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.transfer.Tanh(most=2.0)(jnp.asarray([0.0, 50.0])).tolist()
    [0.0, 2.0]

    ```
    """

    most: Float[Array, "*n"]
    width: Float[Array, "*n"]

    def __init__(self, *, most: Any = 1.0, width: Any = 1.0):
        self.most, self.width = as_leaf(most, "most"), as_leaf(width, "width")
        check_nonnegative("most", self.most)
        check_positive("width", self.width)

    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.most * jnp.tanh(x / self.width)

    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        # log cosh z = z + log(1 + exp(-2 z)) - log 2, even in z.
        z = x / self.width
        return self.most * self.width * (z + jax.nn.softplus(-2.0 * z) - math.log(2.0))


class Softplus(AbstractTransfer):
    """F(x) = gain width log(1 + exp((x - threshold) / width)), a smooth threshold-linear function.

    **Arguments:** `gain`; `threshold` and `width`, in the units of the input.

    Raises `ValueError` where a value is not finite, `gain` is negative or `width` is not positive.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.transfer.Softplus(width=0.1)(jnp.asarray([-500.0, 50.0])).tolist()
    [0.0, 50.0]

    ```
    """

    gain: Float[Array, "*n"]
    threshold: Float[Array, "*n"]
    width: Float[Array, "*n"]

    def __init__(self, *, gain: Any = 1.0, threshold: Any = 0.0, width: Any = 1.0):
        self.gain, self.threshold, self.width = (
            as_leaf(gain, "gain"),
            as_leaf(threshold, "threshold"),
            as_leaf(width, "width"),
        )
        check_nonnegative("gain", self.gain)
        check_finite("threshold", self.threshold)
        check_positive("width", self.width)

    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.gain * self.width * jax.nn.softplus((x - self.threshold) / self.width)

    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.gain * jnp.square(self.width) * _softplus_integral((x - self.threshold) / self.width)


class LIFRate(AbstractTransfer):
    """The rate [Hz] of a LIF neuron in white noise at mean input x [mV], so that rate models match spiking ones.

    F(x) = nu(x, sigma) of `jn.theory.lif_rate`.

    **Arguments:** `sigma`: noise [mV]; `tau`: membrane time constant [ms]; `v_th`, `v_reset` [mV]; `t_ref` [ms].

    Raises `ValueError` as `lif_rate` does.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> print(f"{float(jn.transfer.LIFRate(sigma=5.0)(jnp.asarray(18.0))):.4f} Hz")
    19.6203 Hz

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (10).
    """

    sigma: Float[Array, "*n"]
    tau: Float[Array, "*n"]
    v_th: Float[Array, "*n"]
    v_reset: Float[Array, "*n"]
    t_ref: Float[Array, "*n"]

    def __init__(
        self,
        *,
        sigma: Any,
        tau: Any = 20.0,
        v_th: Any = 20.0,
        v_reset: Any = 10.0,
        t_ref: Any = 2.0,
    ):
        self.sigma, self.tau, self.t_ref = as_leaf(sigma, "sigma"), as_leaf(tau, "tau"), as_leaf(t_ref, "t_ref")
        self.v_th, self.v_reset = as_leaf(v_th, "v_th"), as_leaf(v_reset, "v_reset")
        self(jnp.zeros_like(self.sigma))  # its arguments are checked there

    def __call__(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return lif_rate(x, self.sigma, tau=self.tau, v_th=self.v_th, v_reset=self.v_reset, t_ref=self.t_ref)

    def antiderivative(self, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        raise ValueError("The integral of the LIF rate over its input has no closed form: `LIFRate` has no energy.")


def _rectified(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    return jnp.where(x > 0.0, x, 0.0)


def _power(x: Float[Array, "..."], exponent: Float[Array, "..."]) -> Float[Array, "..."]:
    """[x]_+^exponent with finite derivatives; the base is guarded, since 0^p has none in p."""
    above = x > 0.0
    return jnp.where(above, jnp.where(above, x, 1.0) ** exponent, 0.0)


@jax.custom_jvp
def _softplus_integral(z: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """The integral of log(1 + exp(z)) from minus infinity, -Li_2(-exp(z))."""
    # Li_2(-exp(z)) = -pi^2/6 - z^2/2 - Li_2(-exp(-z)), so that only exp(-|z|) is taken.
    small = jax.scipy.special.spence(1.0 + jnp.exp(-jnp.abs(z)))
    return jnp.where(z > 0.0, math.pi**2 / 6.0 + 0.5 * z * z + small, -small)


@_softplus_integral.defjvp
def _softplus_integral_jvp(primals, tangents):
    (z,), (dz,) = primals, tangents
    return _softplus_integral(z), jax.nn.softplus(z) * dz
