"""Kramers' escape rate: the LIF rate in weak noise."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import (
    as_leaf,
    check_broadcast,
    check_finite,
    check_nonnegative,
    check_positive,
    violates,
    where_defined,
)


def kramers_rate(
    mu: ArrayLike, sigma: ArrayLike, *, tau: ArrayLike, v_th: ArrayLike, t_ref: ArrayLike
) -> Float[Array, "..."]:
    """Returns the escape rate that the LIF rate tends to where the threshold is many noise widths away.

        1 / nu = t_ref + tau sqrt(pi) exp(b^2) / b,  b = (v_th - mu) / sigma >> 1.

    The relative error of its second term is 1 / (2 b^2) to leading order; the reset potential no longer matters.
    In the source, b is v_bar / sqrt(a) and tau is tau_bar / (a K nu_X), which gives Omega / nu_X for the second term.

    **Arguments:** `mu`, `sigma`, `v_th` [mV], with mu < v_th and sigma > 0; `tau`, `t_ref` [ms]; broadcast together.

    **Returns:** the rate [Hz], in the broadcast shape.

    Raises `ValueError` where a known argument is not finite, `sigma` or `tau` is not positive, `t_ref` is
    negative, or `mu` is not below `v_th`. Under jit, where values are not known, these give NaN.

    Derivatives: forward and reverse mode, any order.

    ```python
    >>> from jaxneuro.theory import kramers_rate
    >>> print(f"{kramers_rate(10.0, 4.0, tau=20.0, v_th=20.0, t_ref=2.0):.4f} Hz")
    0.1361 Hz

    ```

    Source: Sanzeni, Histed, Brunel (2022), Phys Rev X 12, 011044, doi:10.1103/PhysRevX.12.011044, equation (12);
    Kramers (1940), Physica 7, 284, doi:10.1016/S0031-8914(40)90098-2.
    """
    given = {"mu": mu, "sigma": sigma, "tau": tau, "v_th": v_th, "t_ref": t_ref}
    values = [as_leaf(x, name) for name, x in given.items()]
    check_broadcast(dict(zip(("mu", "sigma", "tau", "v_th", "t_ref"), values, strict=True)))
    check_finite("mu", values[0])
    check_positive("sigma", values[1])
    check_positive("tau", values[2])
    check_finite("v_th", values[3])
    check_nonnegative("t_ref", values[4])
    if violates(lambda mu, v_th: mu < v_th, values[0], values[3]):
        raise ValueError(f"`mu` has to lie below `v_th` (use `lif_rate` elsewhere); got {mu} and {v_th}.")
    return _kramers(*values)


@jax.jit
def _kramers(
    mu: Float[Array, "..."],
    sigma: Float[Array, "..."],
    tau: Float[Array, "..."],
    v_th: Float[Array, "..."],
    t_ref: Float[Array, "..."],
) -> Float[Array, "..."]:
    valid = jnp.isfinite(v_th) & jnp.isfinite(t_ref) & (mu < v_th) & (sigma > 0.0) & (tau > 0.0) & (t_ref >= 0.0)
    b = jnp.where(valid, v_th - mu, 1.0) / jnp.where(valid, sigma, 1.0)
    # In two factors, so that a rate above the smallest float does not vanish with exp(-b^2).
    half = jnp.exp(-0.5 * jnp.square(b))
    interval = t_ref * jnp.square(half) + tau * math.sqrt(math.pi) / b
    return where_defined(valid, 1000.0 * half / interval * half, mu, sigma, tau, v_th, t_ref)
