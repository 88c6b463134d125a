"""The rate of the LIF neuron in noise with a time course: white noise through one exponential filter."""

import abc
import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_positive, gauss_legendre, told, where_defined
from ._arguments import LifArguments
from ._rate import log_rate_kernel
from ._variability import cv_kernel

# sqrt(2) |zeta(1/2)| / 2: the shift of the limits per square root of tau_s/tau.
SHIFT = 1.0326265
_NODES = 80
_REACH = 6.5
# Between these tau_s/tau the default rule goes from one regime to the next; at 1 it is the middle one.
_SHORT, _LONG = 0.1, 10.0


class FilteredNeuron(eqx.Module):
    """The numbers of `lif_rate` and the time constant of the filter; arrays of one shape."""

    mu: Float[Array, "..."]
    sigma: Float[Array, "..."]
    tau: Float[Array, "..."]
    v_th: Float[Array, "..."]
    v_reset: Float[Array, "..."]
    t_ref: Float[Array, "..."]
    tau_s: Float[Array, "..."]

    def limits(self) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """v_min and v_max."""
        return (self.v_reset - self.mu) / self.sigma, (self.v_th - self.mu) / self.sigma

    def distance(self) -> Float[Array, "..."]:
        """v_max^2, 0 above threshold."""
        return jnp.square(jnp.maximum(self.limits()[1], 0.0))


class AbstractRegime(Shown):
    """A formula for the rate at short, middle or long time constants of the filter."""

    @abc.abstractmethod
    def log_rate(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        """log of the rate [Hz]."""

    def cv(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        """The CV of the interspike intervals; NaN where the formula has none."""
        return jnp.full_like(neuron.mu, jnp.nan)

    def exponent(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        """The exponent of the rate to leading order, 0 above threshold; `ValueError` where there is none."""
        raise ValueError(
            "The rule between regimes has no exponent: take `ShortFilter()`, `Crossings()`, `LongFilter()`."
        )


class ShortFilter(AbstractRegime):
    """tau_s << tau: both limits of the rate in white noise are shifted up, equation (G9), corrected.

        1/nu = t_ref + tau sqrt(pi) int exp(x^2) (1 + erf x) dx    from v_min + s exp(-t_ref/tau_s) to v_max + s,
        s = |zeta(1/2)|/sqrt(2) sqrt(tau_s/tau) = 1.03263 sqrt(tau_s/tau).

    The source lacks exp(x^2) and t_ref, and has another shift with the other sign; the noise forgets during t_ref. The
    CV is that of white noise between the same limits.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0, tau_s=0.5)
    >>> rate = jn.theory.lif_rate_filtered(15.0, 5.0, regime=jn.theory.ShortFilter(), **neuron)

    ```
    """

    def log_rate(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        return log_rate_kernel(*_shifted(neuron))

    def cv(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        return cv_kernel(*_shifted(neuron))

    def exponent(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        return neuron.distance()


def _shifted(neuron: FilteredNeuron) -> tuple[Float[Array, "..."], ...]:
    """The six numbers of the neuron in white noise that stands for it."""
    shift = SHIFT * neuron.sigma * jnp.sqrt(neuron.tau_s / neuron.tau)
    top, low = neuron.v_th + shift, neuron.v_reset + shift * jnp.exp(-neuron.t_ref / neuron.tau_s)
    return neuron.mu, neuron.sigma, neuron.tau, top, low, neuron.t_ref


class Crossings(AbstractRegime):
    """tau_s near tau, below threshold: upward crossings of the threshold by the potential without reset, (G10).

    nu = exp(-v_max^2 (1 + tau_s/tau)) / (2 pi sqrt(tau tau_s)); NaN above threshold, where crossings are no spikes.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0, tau_s=20.0)
    >>> rate = jn.theory.lif_rate_filtered(15.0, 5.0, regime=jn.theory.Crossings(), **neuron)

    ```
    """

    def log_rate(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        return where_defined(neuron.mu <= neuron.v_th, _log_crossings(neuron))

    def exponent(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        return neuron.distance() * (1.0 + neuron.tau_s / neuron.tau)


def _log_crossings(neuron: FilteredNeuron) -> Float[Array, "..."]:
    _, top = neuron.limits()
    front = -jnp.log(2.0 * math.pi / 1000.0 * jnp.sqrt(neuron.tau * neuron.tau_s))
    return front - jnp.square(top) * (1.0 + neuron.tau_s / neuron.tau)


class LongFilter(AbstractRegime):
    """tau_s >> tau: the neuron follows a slow input, and fires where that is above threshold, equation (G11).

        nu = int_(v_max/e)^inf dw exp(-w^2)/sqrt(pi) / (t_ref + tau log((e w - v_min)/(e w - v_max))),  e^2 = tau/tau_s.

    For tau << t_ref it tends to erfc(v_max sqrt(tau_s/tau))/(2 t_ref), equation (G12) with the factor 1/2 it lacks.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0, tau_s=200.0)
    >>> rate = jn.theory.lif_rate_filtered(15.0, 5.0, regime=jn.theory.LongFilter(), **neuron)

    ```
    """

    def log_rate(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        low, top = neuron.limits()
        slow = jnp.sqrt(neuron.tau / neuron.tau_s)
        start = top / slow
        rule = gauss_legendre(_NODES, start.dtype)
        # w = first + reach u^3, with exp(-start^2) outside where start > 0. Below -_REACH the density is nothing.
        above, first = jnp.maximum(start, 0.0), jnp.maximum(start, -_REACH)
        reach = jnp.sqrt(jnp.square(above) + _REACH**2) - above + jnp.maximum(-first, 0.0)
        w = first[..., None] + reach[..., None] * rule.nodes**3
        beyond = (first - start)[..., None] + reach[..., None] * rule.nodes**3
        weight = jnp.exp(-jnp.square(w) + jnp.square(above)[..., None])
        climb = jnp.log1p(((top - low) / slow)[..., None] / beyond)
        share = weight / (neuron.t_ref[..., None] + neuron.tau[..., None] * climb)
        integral = reach * jnp.sum(3.0 * rule.weights * rule.nodes**2 * share, axis=-1) / math.sqrt(math.pi)
        return math.log(1000.0) - jnp.square(above) + jnp.log(integral)

    def exponent(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        return neuron.distance() * neuron.tau_s / neuron.tau


class Between(AbstractRegime):
    """The rule where no regime is given."""

    def log_rate(self, neuron: FilteredNeuron) -> Float[Array, "..."]:
        short, long = ShortFilter().log_rate(neuron), LongFilter().log_rate(neuron)
        _, top = neuron.limits()
        crossing = jnp.clip(2.0 * top, 0.0, 1.0)
        middle = crossing * _log_crossings(neuron) + (1.0 - crossing) * 0.5 * (short + long)
        place = jnp.log(neuron.tau_s / neuron.tau)
        before = jnp.clip(1.0 + place / -math.log(_SHORT), 0.0, 1.0)
        after = jnp.clip(place / math.log(_LONG), 0.0, 1.0)
        return jnp.where(place < 0.0, short + before * (middle - short), middle + after * (long - middle))


def lif_rate_filtered(
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    tau: ArrayLike,
    tau_s: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    regime: AbstractRegime | None = None,
) -> Float[Array, "..."]:
    """Returns the rate of a LIF neuron in noise with the time constant tau_s.

        tau dV/dt = -(V - mu) + sigma sqrt(tau/tau_s) z,    tau_s dz/dt = -z + sqrt(tau_s) xi.

    Without a `regime` the logarithm of the rate is interpolated over log tau_s/tau: `ShortFilter` up to 0.1, the middle
    form at 1, `LongFilter` from 10 on. The middle form is `Crossings` from v_max = (v_th - mu)/sigma = 1/2 on, half
    `ShortFilter` and half `LongFilter`, in the logarithm, from v_max = 0 down, and interpolated between. Against runs
    it is within 3% at 0.1 and within 20% at 1 and 10.

    **Arguments:** `tau_s` [ms] positive; `regime`: `ShortFilter()`, `Crossings()` or `LongFilter()`; the others as
    `lif_rate`, with `sigma` positive. All broadcast together.

    **Returns:** the rate [Hz], in the broadcast shape.

    Raises `ValueError` as `lif_rate`, and where `tau_s` or `sigma` is not positive; NaN under jit.

    Derivatives: forward and reverse mode.

    ```python
    >>> from jaxneuro.theory import lif_rate_filtered
    >>> neuron = dict(tau=10.0, v_th=1.0, v_reset=0.0, t_ref=2.0)
    >>> [f"{lif_rate_filtered(0.0, 1.0, tau_s=tau_s, **neuron):.3f}" for tau_s in (1.0, 10.0)]
    ['11.678', '2.154']

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (G8)-(G12), (G9) and (G12)
    corrected; Fourcaud, Brunel (2002), doi:10.1162/089976602320264015.
    """
    arguments = LifArguments(mu, sigma, tau, v_th, v_reset, t_ref)
    filtered = as_leaf(tau_s, "tau_s")
    check_positive("sigma", arguments.sigma)
    check_positive("tau_s", filtered)
    return _rate(arguments, filtered, checked_regime(regime))


def checked_regime(regime: AbstractRegime | None) -> AbstractRegime:
    """The regime, the rule where none is given."""
    if not isinstance(regime, AbstractRegime | None):
        raise ValueError(f"`regime` has to be `ShortFilter()`, `Crossings()` or `LongFilter()`; got {told(regime)}.")
    return Between() if regime is None else regime


@eqx.filter_jit
def _rate(arguments: LifArguments, tau_s: Float[Array, "..."], regime: AbstractRegime) -> Float[Array, "..."]:
    valid = arguments.valid() & (arguments.sigma > 0.0) & (tau_s > 0.0)
    values = jnp.broadcast_arrays(*arguments.values(), tau_s, valid)[:-1]
    stand_in = (0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0)
    safe = [jnp.where(valid, value, other) for value, other in zip(values, stand_in, strict=True)]
    return where_defined(valid, jnp.exp(regime.log_rate(FilteredNeuron(*safe))), *values)
