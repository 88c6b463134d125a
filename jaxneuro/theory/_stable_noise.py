"""Input of infinite variance: the noise is stable, and the potential jumps."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._formulas import AbstractBoundary, StableNeuron, checked_boundary, stable_density, stable_log_rate
from .._network import SpikeStream
from .._numerics import violates, where_defined
from ..connectivity import StableTail
from ._afferents import Afferents
from ._effective_noise import EffectiveNoise
from ._noise import AbstractNoise, EffectiveInput
from ._noise_rate import hertz
from ._time_course import check_at_once


class StableNoise(AbstractNoise):
    """The fractional diffusion that heavy-tailed weights make of spikes: the default where weights have such tails.

    With K sources of rate r and the tail of `ParetoWeight(J, alpha)` in each stream,

        mu = v_rest + tau sum of K r <w> + constant currents,
        sigma^alpha = tau sum of K r |J|^alpha,    beta sigma^alpha = tau sum of K r |J|^alpha sgn J,

    and the rate is `stable_lif_rate`; that of white noise at alpha = 2. It is the limit of many sources; sums of a few
    thousand weights are not yet stable below alpha of about 1.15.

    **Arguments:** `boundary`: `JumpsOver()`, exact, by default, or `Leapover()`, a published closure.

    ```python
    >>> import jaxneuro as jn
    >>> seen = jn.theory.afferents(jn.networks.wardak_gong(alpha=1.2), {"E": 54.66, "I": 54.66})["E"]
    >>> f"{float(jn.theory.StableNoise().rate(seen)):.2f} Hz"
    '54.66 Hz'

    ```

    Source: Wardak and Gong (2021), doi:10.1103/PhysRevResearch.3.013083.
    """

    boundary: AbstractBoundary

    def __init__(self, boundary: AbstractBoundary | None = None):
        self.boundary = checked_boundary(boundary)

    def takes_heavy_tails(self) -> bool:
        return True

    def rate(self, seen: Afferents) -> Float[Array, ""]:
        return hertz(self.log_rate(seen))

    def log_rate(self, seen: Afferents) -> Float[Array, ""]:
        neuron = self.neuron(seen)
        one_exponent = jnp.all(jnp.stack([tail.alpha == neuron.alpha for tail in _tails(seen)]))
        return where_defined(one_exponent, stable_log_rate(neuron, self.boundary), neuron.alpha)

    def density(self, v: Float[Array, "..."], seen: Afferents) -> Float[Array, "..."]:
        return stable_density(v, self.neuron(seen), self.boundary)

    def summary(self, seen: Afferents) -> EffectiveInput:
        neuron = self.neuron(seen)
        return EffectiveInput(neuron.mu, neuron.sigma, neuron.tau)

    def neuron(self, seen: Afferents) -> StableNeuron:
        """The numbers of the potential without threshold, and the neuron."""
        membrane, tails = seen.membrane(), _tails(seen)
        alpha = tails[0].alpha
        mean, up, down = membrane.v_rest + seen.current(), jnp.zeros_like(alpha), jnp.zeros_like(alpha)
        for stream, tail in zip(seen.streams, tails, strict=True):
            drift = stream.synapse.spike_effect(stream.weight.moments().mean, membrane.tau_m).drift()
            jump = stream.synapse.spike_effect(tail.weight, membrane.tau_m).drift()
            spikes = membrane.tau_m * stream.per_ms()
            there = jump != 0.0
            size = spikes * jnp.where(there, jnp.abs(jnp.where(there, jump, 1.0)) ** alpha, 0.0)
            mean, up, down = (
                mean + spikes * drift,
                up + jnp.where(jump > 0, size, 0.0),
                down + jnp.where(jump < 0, size, 0.0),
            )
        whole = up + down
        noisy = whole > 0.0
        total = jnp.where(noisy, whole, 1.0)
        sigma = jnp.where(noisy, total ** (1.0 / alpha), 0.0)
        beta = jnp.where(noisy, (up - down) / total, 0.0)
        return StableNeuron(mean, sigma, alpha, beta, membrane.tau_m, membrane.v_th, membrane.v_reset, membrane.t_ref)

    def check(self, seen: Afferents) -> None:
        seen.membrane()
        check_at_once(seen)
        if violates(lambda square: square == 0.0, seen.current_noise()):
            raise ValueError(
                "`StableNoise` is of spikes with heavy-tailed weights; white noise beside them is not covered."
            )
        first = None
        for origin, stream in zip(seen.origins, seen.streams, strict=True):
            tail = _tail(stream)
            if tail is None:
                raise ValueError(
                    f"`{origin.name}`: `StableNoise` needs a law with a heavy tail everywhere, `ParetoWeight`; here "
                    "weights have a variance."
                )
            if stream.synapse.spike_effect(tail.weight, seen.tau_m()).reversal is not None:
                raise ValueError(f"`{origin.name}`: `StableNoise` is of currents; this stream is a conductance.")
            if first is not None and violates(lambda one, other: one == other, tail.alpha, first):
                raise ValueError(
                    f"`{origin.name}`: `StableNoise` is of one exponent; got `alpha` {float(tail.alpha):g} here and "
                    f"{float(first):g} before."
                )
            first = tail.alpha
        if first is None:
            raise ValueError("`StableNoise` needs streams of spikes with heavy-tailed weights, and there are none.")

    def cheap(self) -> "StableNoise | None":
        return StableNoise() if self.boundary.is_dear() else None

    def left_out(self, seen: Afferents) -> tuple[str, ...]:
        return ("how far sums of finitely many weights are from stable ones",)

    def most_rate(self, seen: Afferents) -> Float[Array, ""]:
        return EffectiveNoise().most_rate(seen)


def heavy_tailed(seen: Afferents) -> bool:
    """Whether any stream has weights of infinite variance."""
    return any(_tail(stream) is not None for stream in seen.streams)


def _tail(stream: SpikeStream) -> StableTail | None:
    return stream.law().tail()


def _tails(seen: Afferents) -> list[StableTail]:
    found = [_tail(stream) for stream in seen.streams]
    return [tail for tail in found if tail is not None]
