"""What a record over time runs over."""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ..._numerics import Shown


class TimeAxis(Shown):
    """The times of the rows of a record: (first + shift + i) width for the row i of `count`, [ms].

    They are no part of the compiled program, and in double precision whatever the run is in: float32 holds no two
    neighbouring steps of 0.1 ms after an hour.

    ```python
    >>> import jaxneuro as jn
    >>> jn.extend.TimeAxis(1, 3, 0.5).times().tolist()
    [0.5, 1.0, 1.5]

    ```
    """

    first: int = eqx.field(static=True)
    count: int = eqx.field(static=True)
    width: float = eqx.field(static=True)
    shift: float = eqx.field(static=True, default=0.0)

    def times(self) -> Float[np.ndarray, "time"]:
        """The times [ms], float64."""
        return (self.first + self.shift + np.arange(self.count)) * self.width
