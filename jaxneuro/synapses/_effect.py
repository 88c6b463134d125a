"""What one spike does to a leaky membrane: what theory reads of a synapse."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import Shown


class SpikeEffect(Shown):
    """The effect of one spike on a leaky membrane, of a current or of a conductance.

    - `jump` [mV]: by how much a current moves the potential, V <- V + jump, were it instantaneous; 0 of a conductance.
    - `share`: by which part of the way a conductance moves it to the reversal potential, V <- V + share (reversal - V).
    - `integral`: of the conductance over time, relative to leak and in units of tau_m; times the spikes a ms it is what
      the conductance adds to the leak, 1/tau_m [1/ms]. Where the conductance acts at once,
      share = 1 - exp(-integral), or to first order the integral itself.
    - `reversal` [mV]; None of a current.
    - `time_constants` [ms]: of the exponentials that the time course is made of, in the order of the stages; none where
      the effect comes at once.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> effect = jn.DeltaCurrent().spike_effect(jnp.asarray([0.5]), jnp.asarray([20.0]))
    >>> float(effect.jump[0]), effect.reversal
    (0.5, None)

    ```
    """

    jump: Float[Array, "*n"]
    share: Float[Array, "*n"]
    integral: Float[Array, "*n"]
    reversal: Float[Array, "*n"] | None
    time_constants: tuple[Float[Array, "*n"], ...]

    def drift(self) -> Float[Array, "*n"]:
        """What a spike adds to the drift beside the leak [mV]: jump + integral reversal."""
        return self.jump if self.reversal is None else self.integral * self.reversal

    def pull(self, v: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """The integral of a spike's current at the potential `v` [mV]: jump + integral (reversal - v)."""
        return self.jump if self.reversal is None else self.integral * (self.reversal - v)

    def moved(self, v: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """How far a spike moves the potential from `v` [mV]: jump + share (reversal - v)."""
        return self.jump if self.reversal is None else self.share * (self.reversal - v)


class Released(Shown):
    """By what a spike multiplies the weight of a synapse that does not always act alike, and with which probability."""

    values: Float[Array, "count"]
    probabilities: Float[Array, "count"]


def current_effect(jump: Float[Array, "*n"], time_constants: tuple[Float[Array, "*n"], ...] = ()) -> SpikeEffect:
    """The effect of a current that alone moves the potential by `jump` [mV]."""
    nothing = jnp.zeros_like(jump)
    return SpikeEffect(jump, nothing, nothing, None, time_constants)


def conductance_effect(
    integral: Float[Array, "*n"], reversal: Float[Array, "*n"], time_constants: tuple[Float[Array, "*n"], ...] = ()
) -> SpikeEffect:
    """The effect of a conductance of the given integral."""
    return SpikeEffect(jnp.zeros_like(integral), -jnp.expm1(-integral), integral, reversal, time_constants)
