"""The current that hyperpolarisation opens."""

from jaxtyping import Array, ArrayLike, Float

from .._numerics import bounded_exp
from ._channel import AbstractChannel, Kinetics, checked_pair, relaxation


class HCurrent(AbstractChannel):
    """The cation current H, opened by hyperpolarisation: sags and pacemaking.

        l_inf = 1/(1 + exp((V + 75)/5.5)),   tau_l = 1/(exp(-14.59 - 0.086 V) + exp(-1.87 + 0.0701 V)).

    **Arguments:** `g` [mS/cm2] and `e` [mV], a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> channel = jn.channels.HCurrent()

    ```

    Source: Huguenard and McCormick (1992), doi:10.1152/jn.1992.68.4.1373.
    """

    g: Float[Array, "*n"]
    e: Float[Array, "*n"]

    def __init__(self, g: ArrayLike = 0.02, e: ArrayLike = -43.0):
        self.g, self.e = checked_pair(g, e)

    def kinetics(self, v: Float[Array, "*n"]) -> dict[str, Kinetics]:
        tau = 1.0 / (bounded_exp(-14.59 - 0.086 * v) + bounded_exp(-1.87 + 0.0701 * v))
        return {"l": relaxation(1.0 / (1.0 + bounded_exp((v + 75.0) / 5.5)), tau)}

    def open(self, v: Float[Array, "*n"], gates: dict[str, Float[Array, "*n"]]) -> Float[Array, "*n"]:
        return gates["l"]
