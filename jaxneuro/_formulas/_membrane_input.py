"""What a neuron receives in one step, whatever the synapses were."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import Shown

_ALONE = ("current", "noise", "kick")
_IN_PAIRS = {"conductance": "conductance_times_reversal", "log_decay": "log_decay_times_reversal"}


class DecayingCurrent(Shown):
    """A current in a step, where it is not replaced by its mean: it decays with `tau` [ms] from `now` [mV].

    `moments`: of what arrives within the step, the sums of w, w u and w u^2, u [ms] the time from an arrival to the
    step's end; None where all arrives at the end.
    """

    now: Float[Array, "n"]
    tau: Float[Array, "*n"]
    moments: Float[Array, "n 3"] | None


class Input(Shown):
    """The summed input of one step; a part that nothing contributes to is None and costs nothing.

    **Arguments:**

    - `current`: (n,) constant over the step [mV for integrate-and-fire neurons].
    - `conductance`: (n,) relative to leak, constant over the step.
    - `conductance_times_reversal`: (n,) sum of conductance times reversal potential [mV].
    - `noise`: (n,) sigma times a standard normal variate [mV].
    - `kick`: (n,) jump of the potential at the end of the step [mV].
    - `log_decay`: (n,) sum L of a over the instantaneous conductances at the end of the step:
      V <- V exp(-L) + (1 - exp(-L)) (sum of a E) / L.
    - `log_decay_times_reversal`: (n,) the sum of a E [mV].
    - `decaying`: currents whose course through the step counts, each a `DecayingCurrent`.
    """

    current: Float[Array, "*n"] | None = None
    conductance: Float[Array, "*n"] | None = None
    conductance_times_reversal: Float[Array, "*n"] | None = None
    noise: Float[Array, "*n"] | None = None
    kick: Float[Array, "*n"] | None = None
    log_decay: Float[Array, "*n"] | None = None
    log_decay_times_reversal: Float[Array, "*n"] | None = None
    decaying: tuple[DecayingCurrent, ...] = ()

    def __add__(self, other: "Input") -> "Input":
        summed = {}
        for name in (*_ALONE, *_IN_PAIRS, *_IN_PAIRS.values()):
            mine, others = getattr(self, name), getattr(other, name)
            summed[name] = others if mine is None else mine if others is None else mine + others
        return Input(**summed, decaying=self.decaying + other.decaying)

    def parts(self) -> tuple[str, ...]:
        """The names of the parts that are there; of conductances and of `log_decay` that of the two together.

        Raises `ValueError` where one of two that belong together is missing.
        """
        there = []
        for name in _ALONE:
            there += [name] * (getattr(self, name) is not None)
        for name, times_reversal in _IN_PAIRS.items():
            of_pair = (getattr(self, name) is not None, getattr(self, times_reversal) is not None)
            if any(of_pair) and not all(of_pair):
                raise ValueError(f"`Input` has to have `{name}` and `{times_reversal}` both: the latter may be 0.")
            there += [name] * all(of_pair)
        return (*there, "decaying") if self.decaying else tuple(there)

    @staticmethod
    def names() -> tuple[str, ...]:
        """The names of all parts, as `understands` and `gives` use them."""
        return (*_ALONE, *_IN_PAIRS, "decaying")

    def apply_jumps(self, v: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """The potential [mV] after the jumps at the end of the step: kicks first, then conductances."""
        if self.kick is not None:
            v = v + self.kick
        if self.log_decay is not None and self.log_decay_times_reversal is not None:
            quiet = self.log_decay == 0
            exponent = jnp.where(quiet, 1.0, self.log_decay)
            share = jnp.where(quiet, 0.0, -jnp.expm1(-exponent))
            v = v + share * (self.log_decay_times_reversal / exponent - v)
        return v
