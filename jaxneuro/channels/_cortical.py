"""The channels of cortical and hippocampal pyramidal cells."""

from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, bounded_exp, check_finite, check_positive, linoid
from ._channel import AbstractChannel, Kinetics, checked_pair, rates, relaxation


class TraubSodium(AbstractChannel):
    """The sodium channel of Traub and Miles, m^3 h, with u = V - v_t.

        alpha_m = 0.32 (u - 13)/(1 - exp(-(u - 13)/4)),   beta_m = 0.28 (u - 40)/(exp((u - 40)/5) - 1),
        alpha_h = 0.128 exp(-(u - 17)/18),                beta_h = 4/(1 + exp(-(u - 40)/5)).

    **Arguments:** `g` [mS/cm2], `e` [mV], and `v_t` [mV], which moves the spike threshold.

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.TraubSodium(v_t=-56.2)

    ```

    Source: Pospischil et al. (2008), doi:10.1007/s00422-008-0263-8, after Traub and Miles (1991).
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]
    v_t: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 100.0, e: ArrayLike = 50.0, v_t: ArrayLike = -67.0):
        self.g, self.e = checked_pair(g, e)
        self.v_t = as_leaf(v_t, "v_t")
        check_finite("v_t", self.v_t)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        u = v - self.v_t
        m = rates(1.28 * linoid(-(u - 13.0) / 4.0), 1.4 * linoid((u - 40.0) / 5.0))
        h = rates(0.128 * bounded_exp(-(u - 17.0) / 18.0), 4.0 / (1.0 + bounded_exp(-(u - 40.0) / 5.0)))
        return {"m": m, "h": h}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return gates["m"] * gates["m"] * gates["m"] * gates["h"]


class TraubPotassium(AbstractChannel):
    """The delayed rectifier of Traub and Miles, n^4, with u = V - v_t.

        alpha_n = 0.032 (u - 15)/(1 - exp(-(u - 15)/5)),   beta_n = 0.5 exp(-(u - 10)/40).

    **Arguments:** `g` [mS/cm2], `e` [mV], and `v_t` [mV].

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.TraubPotassium(v_t=-56.2)

    ```

    Source: Pospischil et al. (2008), doi:10.1007/s00422-008-0263-8, after Traub and Miles (1991).
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]
    v_t: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 80.0, e: ArrayLike = -100.0, v_t: ArrayLike = -67.0):
        self.g, self.e = checked_pair(g, e)
        self.v_t = as_leaf(v_t, "v_t")
        check_finite("v_t", self.v_t)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        u = v - self.v_t
        return {"n": rates(0.16 * linoid(-(u - 15.0) / 5.0), 0.5 * bounded_exp(-(u - 10.0) / 40.0))}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        square = gates["n"] * gates["n"]
        return square * square


class MType(AbstractChannel):
    """The slow potassium current M, p: spike-frequency adaptation.

        p_inf = 1/(1 + exp(-(V + 35)/10)),   tau_p = tau_max/(3.3 exp((V + 35)/20) + exp(-(V + 35)/20)).

    **Arguments:** `g` [mS/cm2], `e` [mV] and `tau_max` [ms].

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.MType()

    ```

    Source: Pospischil et al. (2008), doi:10.1007/s00422-008-0263-8, after Yamada, Koch and Adams (1989).
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]
    tau_max: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 0.075, e: ArrayLike = -90.0, tau_max: ArrayLike = 608.0):
        self.g, self.e = checked_pair(g, e)
        self.tau_max = as_leaf(tau_max, "tau_max")
        check_positive("tau_max", self.tau_max)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        rise, fall = bounded_exp((v + 35.0) / 20.0), bounded_exp(-(v + 35.0) / 20.0)
        tau = self.tau_max / (3.3 * rise + fall)
        return {"p": relaxation(1.0 / (1.0 + bounded_exp(-(v + 35.0) / 10.0)), tau)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return gates["p"]
