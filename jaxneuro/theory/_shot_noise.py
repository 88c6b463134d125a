"""Poisson spikes of fixed efficacy, without the diffusion approximation."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from .._formulas import ShotInput, log_rate_of, shot_density, shot_exponent, shot_log_time, shot_passage
from .._numerics import told, violates
from ..synapses import AbstractJump
from ._afferents import Afferents
from ._effective_noise import EffectiveNoise
from ._multiplicative_noise import check_multiplicative
from ._noise import AbstractNoise, EffectiveInput
from ._noise_rate import hertz

_NODES = 4
# How far rounding, by every spike, may move what the membrane forgets in one time constant.
_ROUNDING = 1e-3


class ShotNoise(AbstractNoise):
    """Poisson spikes that move the potential by a share of the way to a reversal potential: no diffusion.

    The mean time T from V to threshold obeys the backward equation

        -(V - v_rest)/tau_m T' + sum of R_j [T(V + b_j (E_j - V)) - T(V)] = -1,    T = 0 from the threshold on,

    with R_j the spikes a millisecond of stream j. The exponent of T is taken out before the equation is solved. Rates
    agree with an independent chain on a fine grid to 3e-4 from 29 Hz down to 1e-40 Hz, in float32 with float64 to
    2e-3 from 1e-9 Hz on; of rates below 1e-20 Hz, in float32 1e-9 Hz, it is said that they rest on the exponent.

    **Arguments:** `jump`: `FirstOrderJump()`, b = a, or `ExactJump()`, b = 1 - exp(-a); by default each synapse's own.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
    >>> rate = jn.theory.conductance_rate(20.0, **neuron, noise=jn.theory.ShotNoise(jn.FirstOrderJump()))
    >>> f"{float(rate):.2f} Hz"
    '29.14 Hz'

    ```

    Source: the equation of a jump process; it stands in place of the diffusion approximation of Sanzeni, Histed and
    Brunel (2022), doi:10.1103/PhysRevX.12.011044, section II, whose neuron this is.
    """

    jump: AbstractJump | None

    def __init__(self, jump: AbstractJump | None = None):
        if jump is not None and not isinstance(jump, AbstractJump):
            raise ValueError(f"`jump` has to be `ExactJump()` or `FirstOrderJump()`; got {told(jump)}.")
        self.jump = jump

    def rate(self, seen: Afferents) -> Float[Array, ""]:
        return hertz(self.log_rate(seen))

    def log_rate(self, seen: Afferents) -> Float[Array, ""]:
        made = self.input(seen)
        rising = _excited(made) & self.covers(seen)
        safe = jax.tree.map(lambda one, other: jnp.where(rising, one, other), made, _example(made))
        return jnp.where(rising, log_rate_of(shot_log_time(safe), seen.membrane().t_ref), -jnp.inf)

    def cv(self, seen: Afferents) -> Float[Array, ""]:
        membrane = seen.membrane()
        found = shot_passage(self.input(seen))
        refractory = hertz(log_rate_of(found.log_time, membrane.t_ref)) * membrane.t_ref / 1000.0
        return jnp.sqrt(jnp.maximum(found.variance, 0.0)) * (1.0 - refractory)

    def density(self, v: Float[Array, "..."], seen: Afferents) -> Float[Array, "..."]:
        return shot_density(v, self.input(seen), seen.membrane().t_ref)

    def continued(self, seen: Afferents) -> Bool[Array, ""]:
        made = self.input(seen)
        return shot_exponent(made).continued & _excited(made)

    def exponent(self, seen: Afferents) -> Float[Array, ""]:
        return shot_exponent(self.input(seen)).folds

    def summary(self, seen: Afferents) -> EffectiveInput:
        return EffectiveNoise().summary(seen)

    def check(self, seen: Afferents) -> None:
        check_multiplicative(seen)
        membrane = seen.membrane()
        if seen.currents:
            raise ValueError("`ShotNoise` is of spikes alone: white noise and constant currents are not covered.")
        if violates(lambda rest, top: rest < top, membrane.v_rest, membrane.v_th):
            raise ValueError("`ShotNoise` is of neurons that rest below threshold; `v_rest` is not below `v_th`.")
        total, pull = jnp.zeros_like(membrane.tau_m), 1.0 / membrane.tau_m
        for origin, stream in zip(seen.origins, seen.streams, strict=True):
            mean = stream.weight.moments().mean
            if stream.synapse.spike_effect(mean, membrane.tau_m).reversal is None:
                raise ValueError(f"`{origin.name}`: `ShotNoise` is of conductances; this stream is a current.")
            if violates(lambda b: (b >= 0.0) & (b < 1.0), self._share(mean, stream, membrane.tau_m)):
                raise ValueError(
                    f"`{origin.name}`: an efficacy has to lie in [0, 1) under `FirstOrderJump()`; got {mean}."
                )
            total, pull = total + stream.per_ms(), pull + stream.per_ms() * self._share(mean, stream, membrane.tau_m)
        if violates(lambda *known: _resolves(*map(jnp.asarray, known)), total, pull):
            raise ValueError(
                f"`ShotNoise` does not resolve spikes so many and so small in {pull.dtype}: "
                "take float64, or `ItoNoise()`."
            )

    def covers(self, seen: Afferents) -> Bool[Array, ""] | bool:
        made = self.input(seen)
        resolved = _resolves(jnp.sum(made.per_ms), 1.0 / made.tau_m + jnp.sum(made.per_ms * made.share))
        return (made.v_rest < made.v_th) & jnp.all((made.share >= 0.0) & (made.share < 1.0)) & resolved

    def left_out(self, seen: Afferents) -> tuple[str, ...]:
        return ()

    def most_rate(self, seen: Afferents) -> Float[Array, ""]:
        return EffectiveNoise().most_rate(seen)

    def cheap(self) -> AbstractNoise:
        return EffectiveNoise()

    def input(self, seen: Afferents) -> ShotInput:
        """The membrane and its spikes."""
        membrane = seen.membrane()
        per_ms, share, reversal = [], [], []
        for stream in seen.streams:
            values, probabilities = stream.law().nodes(_NODES)
            for value, probability in zip(values, probabilities, strict=True):
                per_ms.append(stream.per_ms() * probability)
                share.append(self._share(value, stream, membrane.tau_m))
                reversal.append(stream.synapse.spike_effect(value, membrane.tau_m).reversal)
        stacked = (jnp.stack(jnp.broadcast_arrays(*x)) for x in (per_ms, share, reversal))
        return ShotInput(membrane.tau_m, membrane.v_rest, membrane.v_th, membrane.v_reset, *stacked)

    def _share(self, weight: Float[Array, ""], stream, tau_m: Float[Array, ""]) -> Float[Array, ""]:
        if self.jump is None:
            return stream.synapse.spike_effect(weight, tau_m).share
        return -jnp.expm1(-self.jump.exponent(weight))


def _resolves(per_ms: Float[Array, "..."], pull: Float[Array, "..."]) -> Bool[Array, "..."]:
    """Whether rounding leaves enough of spikes so many that together pull by `pull` [1/ms]."""
    return ~(jnp.finfo(pull.dtype).eps * per_ms > _ROUNDING * pull)


def _excited(made: ShotInput) -> Bool[Array, ""]:
    """Whether any spike moves the neuron towards its threshold."""
    rate = made.per_ms * made.share
    return jnp.sum(jnp.where(made.reversal > made.v_th, rate, 0.0)) > 0.0


def _example(made: ShotInput) -> ShotInput:
    """Numbers that stand in where a neuron has no excitation, so that what is left out is finite."""
    like = jnp.ones_like(made.per_ms)
    fixed = lax.stop_gradient(made)
    return ShotInput(
        fixed.tau_m, fixed.v_rest, fixed.v_th, fixed.v_reset, like, 0.05 * like, (fixed.v_th + 50.0) * like
    )
