"""The channels of the squid axon."""

import math

import equinox as eqx
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, bounded_exp, check_finite, linoid_from
from ._channel import AbstractChannel, Kinetics, checked_pair, rates


class _Exponentials(eqx.Module):
    """exp(-u/80) and its powers, for u the potential from rest; what all rates but beta_m are made of."""

    u_80: Float[Array, "*n"]
    u_20: Float[Array, "*n"]
    u_10: Float[Array, "*n"]


def _exponentials(u: Float[Array, "*n"]) -> _Exponentials:
    # Below -400 mV every gate has long reached its end, and powers stay finite.
    u_80 = bounded_exp(-u * (1.0 / 80.0), 5.0)
    u_40 = u_80 * u_80
    u_20 = u_40 * u_40
    return _Exponentials(u_80, u_20, u_20 * u_20)


class Sodium(AbstractChannel):
    """The sodium channel of the squid axon, m^3 h, with u = V - v_shift the potential from rest.

        alpha_m = (2.5 - 0.1 u)/(exp(2.5 - 0.1 u) - 1),   beta_m = 4 exp(-u/18),
        alpha_h = 0.07 exp(-u/20),                        beta_h = 1/(exp(3 - 0.1 u) + 1).

    **Arguments:** `g` [mS/cm2], `e` [mV], and `v_shift`, the potential [mV] that Hodgkin and Huxley count from.

    Raises `ValueError` where `g` is negative or a value is not finite.

    Derivatives: forward and reverse mode, also at u = 25 mV.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> m = jn.channels.Sodium().kinetics(jnp.asarray(-40.0))["m"]
    >>> f"{float(m.opening):.3f} /ms, {float(m.infinity()):.3f}"
    '1.000 /ms, 0.501'

    ```

    Source: source text 003; Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]
    v_shift: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 120.0, e: ArrayLike = 50.0, v_shift: ArrayLike = -65.0):
        self.g, self.e = checked_pair(g, e)
        self.v_shift = as_leaf(v_shift, "v_shift")
        check_finite("v_shift", self.v_shift)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        u = v - self.v_shift
        of = _exponentials(u)
        alpha_m = linoid_from(2.5 - 0.1 * u, math.exp(2.5) * of.u_10)
        beta_m = 4.0 * bounded_exp(-u * (1.0 / 18.0), 22.0)
        beta_h = 1.0 / (1.0 + math.exp(3.0) * of.u_10)
        return {"m": rates(alpha_m, beta_m), "h": rates(0.07 * of.u_20, beta_h)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return gates["m"] * gates["m"] * gates["m"] * gates["h"]


class Potassium(AbstractChannel):
    """The potassium channel of the squid axon, n^4, with u = V - v_shift the potential from rest.

        alpha_n = (0.1 - 0.01 u)/(exp(1 - 0.1 u) - 1),   beta_n = 0.125 exp(-u/80).

    **Arguments:** `g` [mS/cm2], `e` [mV], and `v_shift`, the potential [mV] that Hodgkin and Huxley count from.

    Raises `ValueError` where `g` is negative or a value is not finite.

    Derivatives: forward and reverse mode, also at u = 10 mV.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> n = jn.channels.Potassium().kinetics(jnp.asarray(-55.0))["n"]
    >>> f"{float(n.opening):.3f} /ms, {float(n.infinity()):.3f}"
    '0.100 /ms, 0.475'

    ```

    Source: source text 003; Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]
    v_shift: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 36.0, e: ArrayLike = -77.0, v_shift: ArrayLike = -65.0):
        self.g, self.e = checked_pair(g, e)
        self.v_shift = as_leaf(v_shift, "v_shift")
        check_finite("v_shift", self.v_shift)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        u = v - self.v_shift
        of = _exponentials(u)
        return {"n": rates(0.1 * linoid_from(1.0 - 0.1 * u, math.e * of.u_10), 0.125 * of.u_80)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        square = gates["n"] * gates["n"]
        return square * square
