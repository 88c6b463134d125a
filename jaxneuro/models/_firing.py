"""Who spiked in a step, and the differentiable stand-in of the spikes where one was asked for."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._numerics import Shown
from ..surrogate import AbstractSurrogate, spike


class Firing(Shown):
    """The spikes of one step, or of the steps of a block.

    `soft` equals `spikes` as floats and carries the surrogate derivative, which is not 0 only where
    `sensitive`; both are None where no surrogate was asked for. `share` is the part of the step that had passed at the
    spike, where it does not come at the end.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.extend.fire(jnp.asarray([-1.0, 0.5]), jnp.asarray([True, True]), None).spikes.tolist()
    [False, True]

    ```
    """

    spikes: Bool[Array, "*time n"]
    soft: Float[Array, "*time n"] | None = None
    sensitive: Bool[Array, "*time n"] | None = None
    share: Float[Array, "*time n"] | None = None
    weighted: bool = eqx.field(static=True, default=False)
    """Whether `soft` holds amplitudes, which are then what is delivered."""


def crossing(before: Float[Array, "*time n"], after: Float[Array, "*time n"], threshold: Float[Array, "..."]) -> Firing:
    """Who crossed a threshold upwards between two potentials, and after what share of the step, by a straight line.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> fired = jn.extend.crossing(jnp.asarray([19.0, 19.0]), jnp.asarray([21.0, 19.5]), jnp.asarray(20.0))
    >>> fired.spikes.tolist(), float(fired.share[0])
    ([True, False], 0.5)

    ```
    """
    crossed = (after >= threshold) & (before < threshold)
    return Firing(crossed, share=(threshold - before) / jnp.where(crossed, after - before, 1.0))


def fire(x: Float[Array, "n"], able: Bool[Array, "n"], surrogate: AbstractSurrogate | None) -> Firing:
    """Spikes where `x` = V - v_th >= 0, of the neurons that are `able` to (others are never at threshold)."""
    spikes = x >= 0
    if surrogate is None:
        return Firing(spikes)
    sensitive = surrogate.reaches(x) & able
    return Firing(spikes, jnp.where(able, spike(surrogate, x), 0.0), sensitive)
