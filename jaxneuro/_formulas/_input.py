"""Summed Poisson input, and the membrane it drives without a threshold."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import (
    Shown,
    as_leaf,
    check_broadcast,
    check_finite,
    check_nonnegative,
    check_positive,
    where_defined,
)


class PoissonInput(Shown):
    """Moments of the summed synaptic input, and the white noise that has the same."""

    mean: Float[Array, "..."]
    """Mean of the input integrated over the window [mV ms]."""
    variance: Float[Array, "..."]
    """Its variance [mV^2 ms^2]."""
    mu: Float[Array, "..."]
    """mean / t, the `mu` of `lif_rate` [mV]."""
    sigma: Float[Array, "..."]
    """sqrt(variance / (tau_m t)), the `sigma` of `lif_rate` [mV]."""


def poisson_input(
    c_e: ArrayLike, c_i: ArrayLike, j: ArrayLike, g: ArrayLike, rate: ArrayLike, tau_m: ArrayLike, t: ArrayLike
) -> PoissonInput:
    """Returns mean and variance of the input that independent Poisson synapses deliver in a window of length `t`.

    A spike of synapse k is a current i_k = tau_m J_k delta(t - t_0), with J_k = j or -g j; summed and integrated,

        mean = tau_m j (c_e - g c_i) rate t,    variance = tau_m^2 j^2 (c_e + g^2 c_i) rate t.

    **Arguments:** numbers or arrays that broadcast together.

    - `c_e`, `c_i`: numbers of excitatory and inhibitory synapses [1].
    - `j`: amplitude of an excitatory postsynaptic potential [mV].
    - `g`: ratio of inhibitory to excitatory amplitudes [1].
    - `rate`: rate of each presynaptic neuron [Hz].
    - `tau_m`: membrane time constant [ms].
    - `t`: length of the window [ms].

    **Returns:** a `PoissonInput` with `mean` [mV ms], `variance` [mV^2 ms^2], and `mu`, `sigma` [mV] of the white noise
    with the same moments, as `lif_rate` takes them.

    Raises `ValueError` where a known argument is not finite, `c_e`, `c_i`, `rate` or `t` is negative, or `tau_m`
    is not positive.

    Derivatives: forward and reverse mode, any order, except of `sigma` where the variance is 0.

    ```python
    >>> from jaxneuro.theory import poisson_input
    >>> drive = poisson_input(1_000, 250, j=0.1, g=3.0, rate=20.0, tau_m=20.0, t=100.0)
    >>> print(f"mu {drive.mu:.2f} mV, sigma {drive.sigma:.3f} mV")
    mu 10.00 mV, sigma 3.606 mV

    ```

    Source: tutorial "Balanced networks", equation (1), questions 6 and 7; Brunel (2000), J Comput Neurosci 8, 183,
    doi:10.1023/A:1008925309027, equation (4).
    """
    n_e, n_i, psp, ratio = as_leaf(c_e, "c_e"), as_leaf(c_i, "c_i"), as_leaf(j, "j"), as_leaf(g, "g")
    frequency, time_constant, window = as_leaf(rate, "rate"), as_leaf(tau_m, "tau_m"), as_leaf(t, "t")
    check_broadcast(dict(c_e=n_e, c_i=n_i, j=psp, g=ratio, rate=frequency, tau_m=time_constant, t=window))
    for name, value in (("c_e", n_e), ("c_i", n_i), ("rate", frequency), ("t", window)):
        check_nonnegative(name, value)
    for name, value in (("j", psp), ("g", ratio)):
        check_finite(name, value)
    check_positive("tau_m", time_constant)
    per_ms = frequency / 1000.0
    mu = time_constant * psp * (n_e - ratio * n_i) * per_ms
    power = time_constant * jnp.square(psp) * (n_e + jnp.square(ratio) * n_i) * per_ms
    # Of values that only a transformation knows, what the checks above refuse is NaN.
    valid = (n_e >= 0) & (n_i >= 0) & (frequency >= 0) & (time_constant > 0)
    mu, power = where_defined(valid, mu), where_defined(valid, power)
    window = where_defined(window >= 0, window)
    return PoissonInput(mean=mu * window, variance=time_constant * power * window, mu=mu, sigma=jnp.sqrt(power))


class OUMoments(Shown):
    """Moments of the free membrane potential."""

    mean: Float[Array, "..."]
    """Mean of V(t) [mV]."""
    variance: Float[Array, "..."]
    """Variance of V(t) [mV^2]."""
    autocovariance: Float[Array, "..."]
    """Covariance of V(t) and V(t + lag) [mV^2]."""


def ou_moments(
    t: ArrayLike,
    *,
    mu: ArrayLike,
    sigma: ArrayLike,
    tau: ArrayLike,
    v_0: ArrayLike,
    e_l: ArrayLike = 0.0,
    lag: ArrayLike = 0.0,
) -> OUMoments:
    """Returns mean, variance and autocovariance of a membrane without threshold in white noise, from V(0) = `v_0` on.

    `tau dV/dt = e_l - V + mu + sigma sqrt(tau) xi` is an Ornstein-Uhlenbeck process:

        mean(t) = v_0 exp(-t / tau) + (e_l + mu) (1 - exp(-t / tau)),
        variance(t) = sigma^2 / 2 (1 - exp(-2 t / tau)),
        autocovariance(t, lag) = exp(-lag / tau) variance(t).

    **Arguments:** numbers or arrays that broadcast together.

    - `t`: time since V was `v_0` [ms].
    - `mu`, `sigma`: mean and strength of the noise [mV].
    - `tau`: membrane time constant [ms].
    - `v_0`: initial potential [mV].
    - `e_l`: resting potential [mV].
    - `lag`: the autocovariance is that of V(t) and V(t + lag) [ms].

    **Returns:** an `OUMoments` with `mean` [mV], `variance` and `autocovariance` [mV^2].

    Raises `ValueError` where a known argument is not finite, `t`, `sigma` or `lag` is negative, or `tau` is not
    positive.

    Derivatives: forward and reverse mode, any order.

    ```python
    >>> from jaxneuro.theory import ou_moments
    >>> v = ou_moments(10.0, mu=15.0, sigma=5.0, tau=20.0, v_0=0.0, lag=20.0)
    >>> print(f"{v.mean:.3f} mV, {v.variance:.3f} mV^2, {v.autocovariance:.3f} mV^2")
    5.902 mV, 7.902 mV^2, 2.907 mV^2

    ```

    Source: tutorial "Balanced networks", equations (2) and (3), corrected: (3) as printed drops E_l of (2)
    (the variance is its question 9); Uhlenbeck, Ornstein (1930), Phys Rev 36, 823,
    doi:10.1103/PhysRev.36.823.
    """
    time, shift, mean_input = as_leaf(t, "t"), as_leaf(lag, "lag"), as_leaf(mu, "mu")
    noise, time_constant, start, rest = (
        as_leaf(sigma, "sigma"),
        as_leaf(tau, "tau"),
        as_leaf(v_0, "v_0"),
        as_leaf(e_l, "e_l"),
    )
    given = dict(t=time, lag=shift, mu=mean_input, sigma=noise, tau=time_constant, v_0=start, e_l=rest)
    check_broadcast(given)
    for name, value in (("t", time), ("sigma", noise), ("lag", shift)):
        check_nonnegative(name, value)
    for name, value in (("mu", mean_input), ("v_0", start), ("e_l", rest)):
        check_finite(name, value)
    check_positive("tau", time_constant)
    # Of values that only a transformation knows, what the checks above refuse is NaN.
    time, shift = where_defined(time >= 0, time), where_defined(shift >= 0, shift)
    noise, time_constant = where_defined(noise >= 0, noise), where_defined(time_constant > 0, time_constant)
    reached = -jnp.expm1(-time / time_constant)
    variance = -0.5 * jnp.square(noise) * jnp.expm1(-2.0 * time / time_constant)
    return OUMoments(
        mean=start + (rest + mean_input - start) * reached,
        variance=variance,
        autocovariance=jnp.exp(-shift / time_constant) * variance,
    )
