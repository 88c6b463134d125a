"""Firing rate of the leaky integrate-and-fire neuron in white noise."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import exponential, where_defined
from ._arguments import LifArguments
from ._passage import Limits, passage, passage_slopes, silent

LOG_1000 = math.log(1000.0)  # from 1/ms to Hz


def lif_rate(
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    tau: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
) -> Float[Array, "..."]:
    """Returns the firing rate of a leaky integrate-and-fire neuron driven by white noise.

    The membrane obeys `tau dV/dt = -V + mu + sigma sqrt(tau) xi`, spikes at `v_th`, and stays at `v_reset` for `t_ref`:

        1 / nu = t_ref + tau sqrt(pi) int_a^b exp(x^2) (1 + erf x) dx,
        a = (v_reset - mu) / sigma,  b = (v_th - mu) / sigma.

    The integral is taken in closed form, from Dawson's integral and an antiderivative of erfcx, with no cancellation.

    **Arguments:** numbers or arrays that broadcast against each other.

    - `mu`: mean input, measured like `v_th` [mV].
    - `sigma`: input noise, so that the free standard deviation of V is sigma / sqrt(2) [mV]. At 0 the rate is the
      noiseless one: 0 for mu <= v_th (with derivatives 0), else 1 / (t_ref + tau log((mu - v_reset) / (mu - v_th))).
      Below 1e-30 (float32: 1e-12) of `v_th - v_reset` it acts like that fraction.
    - `tau`: membrane time constant [ms].
    - `v_th`, `v_reset`: threshold and reset potential [mV].
    - `t_ref`: refractory period [ms].

    **Returns:** the rate [Hz], in the broadcast shape; 0 where it is below the smallest float (see `lif_log_rate`).

    Raises `ValueError` where a known argument is not finite, `sigma` or `t_ref` is negative, `tau` is not positive
    or `v_reset` is not below `v_th`. Under jit, where values are not known, these give NaN.

    Derivatives: forward and reverse mode, any order, from the end points of the integral.

    ```python
    >>> from jaxneuro.theory import lif_rate
    >>> print(f"{lif_rate(18.0, 5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0):.4f} Hz")
    19.6203 Hz

    ```

    Source: Sanzeni, Histed, Brunel (2022), Phys Rev X 12, 011044, doi:10.1103/PhysRevX.12.011044, equation (10);
    Siegert (1951), Phys Rev 81, 617, doi:10.1103/PhysRev.81.617.
    """
    arguments = LifArguments(mu, sigma, tau, v_th, v_reset, t_ref)
    return _rate(arguments)


def lif_log_rate(
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    tau: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
) -> Float[Array, "..."]:
    """Returns the natural logarithm of the firing rate in Hz, where the rate itself would be too small for a float.

        log nu = -log(t_ref + tau sqrt(pi) int_a^b exp(x^2) (1 + erf x) dx)

    The exponent b^2 of the integral is never exponentiated, so values such as -1e6 come with full relative accuracy.

    **Arguments:** as `lif_rate`: `mu`, `sigma`, `v_th`, `v_reset` [mV], `tau`, `t_ref` [ms], broadcast together.

    **Returns:** log(rate / Hz), in the broadcast shape. -inf, with derivatives 0, where `sigma` is 0 and mu <= v_th.

    Raises as `lif_rate`.

    Derivatives: forward and reverse mode, any order; gradient and Hessian are finite for valid arguments.

    ```python
    >>> from jaxneuro.theory import lif_log_rate
    >>> print(f"{lif_log_rate(-30.0, 0.5, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0):.1f}")
    -9992.1

    ```

    Source: Sanzeni, Histed, Brunel (2022), Phys Rev X 12, 011044, doi:10.1103/PhysRevX.12.011044, equation (10).
    """
    arguments = LifArguments(mu, sigma, tau, v_th, v_reset, t_ref)
    return _log_rate(arguments)


@jax.jit
def _rate(arguments: LifArguments) -> Float[Array, "..."]:
    return where_defined(arguments.valid(), rate_kernel(*arguments.values()), *arguments.values())


@jax.jit
def _log_rate(arguments: LifArguments) -> Float[Array, "..."]:
    return where_defined(arguments.valid(), log_rate_kernel(*arguments.values()), *arguments.values())


@jax.custom_jvp
def log_rate_kernel(
    mu: Float[Array, "..."],
    sigma: Float[Array, "..."],
    tau: Float[Array, "..."],
    v_th: Float[Array, "..."],
    v_reset: Float[Array, "..."],
    t_ref: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Natural logarithm of the rate in Hz."""
    at = Limits(mu, sigma, v_th, v_reset)
    interval = t_ref * exponential(-at.exponent) + tau * passage(at)
    return jnp.where(silent(mu, sigma, v_th), -jnp.inf, LOG_1000 - at.exponent - jnp.log(interval))


@log_rate_kernel.defjvp
def _log_rate_jvp(primals, tangents):
    return log_rate_kernel(*primals), log_rate_tangent(primals, tangents)


@jax.custom_jvp
def rate_kernel(
    mu: Float[Array, "..."],
    sigma: Float[Array, "..."],
    tau: Float[Array, "..."],
    v_th: Float[Array, "..."],
    v_reset: Float[Array, "..."],
    t_ref: Float[Array, "..."],
) -> Float[Array, "..."]:
    """The rate in Hz."""
    at = Limits(mu, sigma, v_th, v_reset)
    # In two factors, so that a rate above the smallest float does not vanish with exp(-b^2).
    half = exponential(-0.5 * at.exponent)
    interval = t_ref * jnp.square(half) + tau * passage(at)
    return jnp.where(silent(mu, sigma, v_th), 0.0, 1000.0 * half / interval * half)


@rate_kernel.defjvp
def _rate_jvp(primals, tangents):
    rate = rate_kernel(*primals)
    return rate, rate * log_rate_tangent(primals, tangents)


def log_rate_tangent(primals: Sequence[Array], tangents: Sequence[Array]) -> Float[Array, "..."]:
    # With T = t_ref + tau I and f(x) = sqrt(pi) erfcx(-x):
    # d log nu = -(dt_ref + I dtau + tau dI) / T,
    # sigma dI = f(b) dv_th - f(a) dv_reset - (f(b) - f(a)) dmu - (b f(b) - a f(a)) dsigma.
    mu, sigma, tau, v_th, v_reset, t_ref = primals
    dmu, dsigma, dtau, dv_th, dv_reset, dt_ref = tangents
    at = Limits(mu, sigma, v_th, v_reset)
    f = passage_slopes(at)
    scaled = passage(at)
    scale = exponential(-at.exponent)
    interval = t_ref * scale + tau * scaled
    change = f.at_b * dv_th - f.at_a * dv_reset - f.difference * dmu - f.weighted * dsigma
    tangent = -(scale * dt_ref + scaled * dtau + tau / at.sigma * change) / interval
    return jnp.where(silent(mu, sigma, v_th), 0.0, tangent)
