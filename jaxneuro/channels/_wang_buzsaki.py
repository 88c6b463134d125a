"""The channels of a fast-spiking interneuron."""

from jaxtyping import Array, ArrayLike, Float

from .._numerics import bounded_exp, linoid
from ._channel import AbstractChannel, Kinetics, checked_pair, rates

_PHI = 5.0


class WangBuzsakiSodium(AbstractChannel):
    """The sodium channel of Wang and Buzsaki, m_inf(V)^3 h: m follows at once, h five times as fast as written.

        alpha_m = 0.1 (V + 35)/(1 - exp(-0.1 (V + 35))),   beta_m = 4 exp(-(V + 60)/18),
        alpha_h = 0.07 exp(-(V + 58)/20),                  beta_h = 1/(1 + exp(-0.1 (V + 28))).

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.WangBuzsakiSodium()

    ```

    Source: Wang and Buzsaki (1996), doi:10.1523/JNEUROSCI.16-20-06402.1996.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 35.0, e: ArrayLike = 55.0):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        alpha, beta = 0.07 * bounded_exp(-(v + 58.0) / 20.0), 1.0 / (1.0 + bounded_exp(-0.1 * (v + 28.0)))
        return {"h": rates(_PHI * alpha, _PHI * beta)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        m = rates(linoid(-0.1 * (v + 35.0)), 4.0 * bounded_exp(-(v + 60.0) / 18.0)).infinity()
        return m * m * m * gates["h"]


class WangBuzsakiPotassium(AbstractChannel):
    """The delayed rectifier of Wang and Buzsaki, n^4, five times as fast as written.

        alpha_n = 0.01 (V + 34)/(1 - exp(-0.1 (V + 34))),   beta_n = 0.125 exp(-(V + 44)/80).

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.WangBuzsakiPotassium()

    ```

    Source: Wang and Buzsaki (1996), doi:10.1523/JNEUROSCI.16-20-06402.1996.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 9.0, e: ArrayLike = -90.0):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        alpha, beta = 0.1 * linoid(-0.1 * (v + 34.0)), 0.125 * bounded_exp(-(v + 44.0) / 80.0)
        return {"n": rates(_PHI * alpha, _PHI * beta)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        square = gates["n"] * gates["n"]
        return square * square
