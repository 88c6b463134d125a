"""The channels of the crab axon: a delayed rectifier, sodium, and the transient potassium current A."""

from jaxtyping import Array, ArrayLike, Float

from .._numerics import bounded_exp, linoid
from ._channel import AbstractChannel, Kinetics, checked_pair, rates, relaxation


class ConnorStevensSodium(AbstractChannel):
    """The sodium channel of Connor and Stevens, m^3 h.

        alpha_m = 0.38 (V + 29.7)/(1 - exp(-0.1 (V + 29.7))),   beta_m = 15.2 exp(-0.0556 (V + 54.7)),
        alpha_h = 0.266 exp(-0.05 (V + 48)),                    beta_h = 3.8/(1 + exp(-0.1 (V + 18))).

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.ConnorStevensSodium()

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, appendix of chapter 6; Connor, Walter and McKown (1977),
    doi:10.1016/S0006-3495(77)85598-7.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 120.0, e: ArrayLike = 55.0):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        m = rates(3.8 * linoid(-0.1 * (v + 29.7)), 15.2 * bounded_exp(-0.0556 * (v + 54.7)))
        h = rates(0.266 * bounded_exp(-0.05 * (v + 48.0)), 3.8 / (1.0 + bounded_exp(-0.1 * (v + 18.0))))
        return {"m": m, "h": h}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return gates["m"] * gates["m"] * gates["m"] * gates["h"]


class ConnorStevensPotassium(AbstractChannel):
    """The delayed rectifier of Connor and Stevens, n^4.

        alpha_n = 0.02 (V + 45.7)/(1 - exp(-0.1 (V + 45.7))),   beta_n = 0.25 exp(-0.0125 (V + 55.7)).

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.ConnorStevensPotassium()

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, appendix of chapter 6.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 20.0, e: ArrayLike = -72.0):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        return {"n": rates(0.2 * linoid(-0.1 * (v + 45.7)), 0.25 * bounded_exp(-0.0125 * (v + 55.7)))}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        square = gates["n"] * gates["n"]
        return square * square


class AType(AbstractChannel):
    """The transient potassium current A of Connor and Stevens, a^3 b: it delays spikes and allows low rates.

        a_inf = (0.0761 exp(0.0314 (V + 94.22))/(1 + exp(0.0346 (V + 1.17))))^(1/3),
        tau_a = 0.3632 + 1.158/(1 + exp(0.0497 (V + 55.96))),
        b_inf = (1 + exp(0.0688 (V + 53.3)))^-4,   tau_b = 1.24 + 2.678/(1 + exp(0.0624 (V + 50))).

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.AType()

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, appendix of chapter 6.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 47.7, e: ArrayLike = -75.0):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        # The cube root taken inside: the exponentials' own powers have no singular derivative where they vanish.
        a = 0.0761 ** (1 / 3) * bounded_exp(0.0314 / 3.0 * (v + 94.22))
        a = a * (1.0 + bounded_exp(0.0346 * (v + 1.17))) ** (-1.0 / 3.0)
        tau_a = 0.3632 + 1.158 / (1.0 + bounded_exp(0.0497 * (v + 55.96)))
        b = (1.0 / (1.0 + bounded_exp(0.0688 * (v + 53.3)))) ** 4
        tau_b = 1.24 + 2.678 / (1.0 + bounded_exp(0.0624 * (v + 50.0)))
        return {"a": relaxation(a, tau_a), "b": relaxation(b, tau_b)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return gates["a"] * gates["a"] * gates["a"] * gates["b"]
