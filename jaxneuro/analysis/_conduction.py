"""How fast a spike runs along a cable."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._numerics import as_leaf, check_positive
from .._simulate import record, simulate
from ..models import Cable


def conduction_velocity(
    cable: Cable, *, current: Any, pulse: float = 0.5, duration: float = 10.0, dt: float = 0.01, threshold: float = 50.0
) -> Float[Array, ""]:
    """The velocity of a spike between a quarter and three quarters of an unbranched cable [m/s].

    **Arguments:**

    - `cable`: of one section.
    - `current` into its first compartment [nA], for `pulse` [ms].
    - `duration` and `dt` [ms]; a spike passes where V crosses `threshold` mV above rest, interpolated.

    **Returns:** the velocity; NaN where no spike passes both places.

    Raises `ValueError` where the cable is branched or has fewer than 4 compartments. Derivatives: forward and reverse
    mode, through the crossings.

    ```python
    >>> import jaxneuro as jn
    >>> axon = jn.Section(length=40_000.0, diameter=476.0, n=200)
    >>> cable = jn.Cable(jn.HodgkinHuxley(temperature=18.5), axon, r_a=35.4)
    >>> f"{float(jn.analysis.conduction_velocity(cable, current=20_000.0, duration=4.0)):.1f} m/s"
    '18.7 m/s'

    ```

    Source: Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764, part III.
    """
    if not isinstance(cable, Cable) or len(cable.sections) != 1:
        raise ValueError(f"`cable` has to be a Cable of one section; got {type(cable).__name__}.")
    for name, value in (("pulse", pulse), ("duration", duration), ("dt", dt)):
        check_positive(name, value)
    n = cable.size()
    if n < 4:
        raise ValueError(f"`cable` has to have at least 4 compartments, to time a spike at two places; it has {n}.")
    places = np.array([n // 4, (3 * n) // 4])
    density = cable.current_density({0: current})
    sol = simulate(
        cable, 0.0, duration, dt=dt, record={"v": record.Trace("v", neurons=places.tolist())},
        stimulus=lambda t: jnp.where(t < pulse, density, 0.0 * density),
    )  # fmt: skip
    level = cable.membrane.resting_potential() + as_leaf(threshold, "threshold")
    times = _crossing(sol["v"], jnp.broadcast_to(level, (n,))[places], dt)
    distance = cable.positions()[places]
    return 1e-3 * (distance[1] - distance[0]) / (times[1] - times[0])


@eqx.filter_jit
def _crossing(v: Float[Array, "time places"], level: Float[Array, "places"], dt: float) -> Float[Array, "places"]:
    """The first time [ms] after the start at which each crosses its level upwards; NaN for never."""
    crosses = (v[:-1] < level) & (v[1:] >= level)
    step = jnp.argmax(crosses, axis=0)
    columns = np.arange(v.shape[1])
    before, after = v[step, columns], v[step + 1, columns]
    some = jnp.any(crosses, axis=0)
    share = (level - before) / jnp.where(some, after - before, 1.0)
    return jnp.where(some, (step.astype(v.dtype) + 1.0 + share) * dt, jnp.nan)
