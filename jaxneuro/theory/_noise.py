"""A theory of one neuron in its afferents: how it answers noise."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from .._formulas import LifResponse
from .._numerics import Shown
from ._afferents import Afferents


class EffectiveInput(Shown):
    """The diffusion tau dV/dt = -V + mu + sigma sqrt(tau) xi that stands for all of a neuron's input.

    `mu` [mV, absolute], `sigma` [mV], `tau` [ms].
    """

    mu: Float[Array, ""]
    sigma: Float[Array, ""]
    tau: Float[Array, ""]


class AbstractNoise(Shown):
    """A theory of a neuron in its afferents. One of your own is `rate`; all else has a default.

    Every method takes `Afferents` (of one neuron, numbers traced); it is mapped over populations and differentiated.

    ```python
    >>> import jaxneuro as jn
    >>> class Noiseless(jn.theory.AbstractNoise):
    ...     def rate(self, seen):
    ...         neuron, at = seen.membrane(), jn.theory.EffectiveNoise().summary(seen)
    ...         numbers = dict(v_th=neuron.v_th, v_reset=neuron.v_reset, t_ref=neuron.t_ref)
    ...         return jn.theory.lif_rate(at.mu, 1e-3, tau=at.tau, **numbers)
    >>> drive = jn.WhiteNoiseDrive("E", mu=30.0, sigma=5.0)
    >>> net = jn.Network({"E": jn.Population(jn.LIF())}, drives=[drive])
    >>> f"{float(jn.theory.mean_field(net, noise=Noiseless()).rate['E']):.2f} Hz"
    '63.04 Hz'

    ```
    """

    @abc.abstractmethod
    def rate(self, seen: Afferents) -> Float[Array, ""]:
        """The stationary rate [Hz]."""

    def log_rate(self, seen: Afferents) -> Float[Array, ""]:
        """Its natural logarithm, which a mean field solves for: -inf for a silent neuron."""
        rate = self.rate(seen)
        if not eqx.is_array(rate) or rate.shape:
            got = f"shape {rate.shape}" if eqx.is_array(rate) else f"{rate!r}"
            raise ValueError(f"`noise`: {type(self).__name__}.rate has to return one rate [Hz], an array; got {got}.")
        positive = rate > 0.0
        return jnp.where(positive, jnp.log(jnp.where(positive, rate, 1.0)), -jnp.inf)

    def cv(self, seen: Afferents) -> Float[Array, ""]:
        """The coefficient of variation of the interspike intervals; NaN where the theory has none."""
        return jnp.full_like(seen.current(), jnp.nan)

    def density(self, v: Float[Array, "..."], seen: Afferents) -> Float[Array, "..."]:
        """The stationary density of the potential `v` [1/mV]; `ValueError` where the theory has none."""
        raise ValueError(f"`{type(self).__name__}` has no density of the potential: take another theory of the noise.")

    def response(self, growth: Complex[Array, ""], seen: Afferents) -> LifResponse:
        """How the rate answers a modulation exp(`growth` t), [1/ms]; `ValueError` where the theory has none."""
        raise ValueError(f"`{type(self).__name__}` has no linear response: take another theory of the noise.")

    def summary(self, seen: Afferents) -> EffectiveInput:
        """Mean, noise and time constant where the theory sums the input up so; else NaN."""
        return EffectiveInput(*(jnp.full_like(seen.current(), jnp.nan),) * 3)

    def check(self, seen: Afferents) -> None:
        """Raises `ValueError` where the theory does not cover the neuron or a stream; `seen` has its `origins`."""

    def covers(self, seen: Afferents) -> Bool[Array, ""] | bool:
        """Where the numbers of a neuron of a kind that passes `check` are covered too: elsewhere rates are NaN."""
        return True

    def left_out(self, seen: Afferents) -> tuple[str, ...]:
        """What the theory of this neuron leaves out, in a few words each, for print."""
        return ()

    def most_rate(self, seen: Afferents) -> Float[Array, ""]:
        """An upper bound of the rate [Hz], to which a mean field is searched."""
        return jnp.full_like(seen.current(), 1e5)

    def continued(self, seen: Afferents) -> Bool[Array, ""] | bool:
        """Whether the rate is so low that it is continued from a higher one."""
        return False

    def asymptotics(self, seen: Afferents) -> Any:
        """What the theory tends to where the threshold is far: `Asymptotics`; `ValueError` where it has none."""
        raise ValueError(f"`{type(self).__name__}` has no strong-coupling form: take another theory of the noise.")

    def exponent(self, seen: Afferents) -> Float[Array, ""]:
        """The exponent of the passage time to leading order, 0 above threshold; `ValueError` where it has none."""
        raise ValueError(f"`{type(self).__name__}` has no exponent: take another theory of the noise.")

    def takes_heavy_tails(self) -> bool:
        """Whether weights may have an infinite variance; where not, a network with such weights is refused."""
        return False

    def cheap(self) -> "AbstractNoise | None":
        """A theory by which states are searched, if this one is too dear for that; from there it polishes."""
        return None
