"""What a spike does to the membrane potential, and what of it derivatives see."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from ._numerics import Shown, check_yes_or_no


class AbstractReset(Shown):
    """A rule for the potential after a spike."""

    @abc.abstractmethod
    def after(
        self,
        v: Float[Array, "n"],
        v_th: Float[Array, "..."],
        v_reset: Float[Array, "..."],
        spikes: Bool[Array, "n"],
        soft: Float[Array, "n"] | None,
    ) -> Float[Array, "n"]:
        """The potential [mV] after the step's spikes; `soft` are the spikes with their surrogate derivative."""

    @abc.abstractmethod
    def held(self, before: Float[Array, "n"], v_reset: Float[Array, "..."]) -> Float[Array, "..."]:
        """The potential [mV] during refractoriness, `before` that at the start of the step."""


class Hard(AbstractReset):
    """V = v_reset at a spike, and during refractoriness; the default.

        V <- V + S (v_reset - V), S the spike.

    **Arguments:** `detached`, whether S counts as a number in derivatives (the default: the jump has none), or carries
    the surrogate derivative of the run.

    Raises `ValueError` where `detached` is neither True nor False.

    ```python
    >>> import jaxneuro as jn
    >>> lif = jn.LIF(reset=jn.reset.Hard(detached=False))

    ```

    Source: Zenke and Vogels (2021), doi:10.1162/neco_a_01367, on what the derivative of the jump does to learning.
    """

    detached: bool = eqx.field(static=True)

    def __init__(self, *, detached: bool = True):
        self.detached = check_yes_or_no("detached", detached)

    def after(
        self,
        v: Float[Array, "n"],
        v_th: Float[Array, "..."],
        v_reset: Float[Array, "..."],
        spikes: Bool[Array, "n"],
        soft: Float[Array, "n"] | None,
    ) -> Float[Array, "n"]:
        # v - v is 0, or NaN for a potential that is not finite, which a reset would hide.
        down = jnp.where(spikes, v_reset + (v - v), v)
        if self.detached or soft is None:
            return down
        return down + (soft - lax.stop_gradient(soft)) * (v_reset - v)

    def held(self, before: Float[Array, "n"], v_reset: Float[Array, "..."]) -> Float[Array, "..."]:
        return v_reset


class Soft(AbstractReset):
    """V falls by v_th - v_reset at a spike, so that what it had above threshold is kept; refractoriness holds it.

        V <- V - S (v_th - v_reset), S the spike.

    **Arguments:** `detached`, as of `Hard`.

    Raises `ValueError` where `detached` is neither True nor False.

    ```python
    >>> import jaxneuro as jn
    >>> lif = jn.LIF(v_reset=0.0, t_ref=0.0, reset=jn.reset.Soft())

    ```

    Source: Rueckauer et al. (2017), doi:10.3389/fnins.2017.00682, equation (2), reset by subtraction.
    """

    detached: bool = eqx.field(static=True)

    def __init__(self, *, detached: bool = True):
        self.detached = check_yes_or_no("detached", detached)

    def after(
        self,
        v: Float[Array, "n"],
        v_th: Float[Array, "..."],
        v_reset: Float[Array, "..."],
        spikes: Bool[Array, "n"],
        soft: Float[Array, "n"] | None,
    ) -> Float[Array, "n"]:
        spike = spikes.astype(v.dtype) if self.detached or soft is None else soft
        return v - spike * (v_th - v_reset)

    def held(self, before: Float[Array, "n"], v_reset: Float[Array, "..."]) -> Float[Array, "..."]:
        return before
