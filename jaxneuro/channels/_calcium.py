"""Calcium currents of low and high threshold."""

from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, bounded_exp, check_finite, linoid
from ._channel import AbstractChannel, Kinetics, checked_pair, rates, relaxation


class CalciumT(AbstractChannel):
    """The low-threshold calcium current T, s_inf(V)^2 u, with v = V + v_x: rebound bursts.

        s_inf = 1/(1 + exp(-(v + 57)/6.2)),   u_inf = 1/(1 + exp((v + 81)/4)),
        tau_u = (30.8 + 211.4 + exp((v + 113.2)/5))/(3.7 (1 + exp((v + 84)/3.2))).

    **Arguments:** `g` [mS/cm2], `e` [mV] and the shift `v_x` [mV].

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.CalciumT()

    ```

    Source: Pospischil et al. (2008), doi:10.1007/s00422-008-0263-8, after Destexhe et al. (1996).
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]
    v_x: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 0.4, e: ArrayLike = 120.0, v_x: ArrayLike = 2.0):
        self.g, self.e = checked_pair(g, e)
        self.v_x = as_leaf(v_x, "v_x")
        check_finite("v_x", self.v_x)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        u = v + self.v_x
        tau = (242.2 + bounded_exp((u + 113.2) / 5.0)) / (3.7 * (1.0 + bounded_exp((u + 84.0) / 3.2)))
        return {"u": relaxation(1.0 / (1.0 + bounded_exp((u + 81.0) / 4.0)), tau)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        s = 1.0 / (1.0 + bounded_exp(-(v + self.v_x + 57.0) / 6.2))
        return s * s * gates["u"]


class CalciumL(AbstractChannel):
    """The high-threshold calcium current L, q^2 r.

        alpha_q = 0.055 (-27 - V)/(exp((-27 - V)/3.8) - 1),   beta_q = 0.94 exp((-75 - V)/17),
        alpha_r = 0.000457 exp((-13 - V)/50),                 beta_r = 0.0065/(exp((-15 - V)/28) + 1).

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.CalciumL()

    ```

    Source: Pospischil et al. (2008), doi:10.1007/s00422-008-0263-8, after Reuveni et al. (1993).
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 0.1, e: ArrayLike = 120.0):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        q = rates(0.209 * linoid((-27.0 - v) / 3.8), 0.94 * bounded_exp((-75.0 - v) / 17.0))
        r = rates(0.000457 * bounded_exp((-13.0 - v) / 50.0), 0.0065 / (bounded_exp((-15.0 - v) / 28.0) + 1.0))
        return {"q": q, "r": r}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return gates["q"] * gates["q"] * gates["r"]
