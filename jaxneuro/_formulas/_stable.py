"""The LIF neuron in stable noise: its rate, and how its threshold is met."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float

from .._numerics import as_leaf, check_broadcast, check_finite, check_positive, told, violates, where_defined
from ._arguments import LifArguments
from ._density import lif_density
from ._from_passage import log_rate_of
from ._rate import log_rate_kernel
from ._stable_passage import mean_passage, occupancy_of

# A noise below this share of the distance from reset to threshold acts like that share.
_LEAST_SIGMA = 1e-4
# The longest mean time to threshold that is told from infinity, in units of tau.
_LONGEST = {8: 1e8, 4: 1e4}
_AT_ONCE = 64


class StableNeuron(eqx.Module):
    """The numbers of `lif_rate`, the stable exponent `alpha` and the skewness `beta`; arrays of one shape."""

    mu: Float[Array, "..."]
    sigma: Float[Array, "..."]
    alpha: Float[Array, "..."]
    beta: Float[Array, "..."]
    tau: Float[Array, "..."]
    v_th: Float[Array, "..."]
    v_reset: Float[Array, "..."]
    t_ref: Float[Array, "..."]

    def scale(self) -> Float[Array, "..."]:
        """s = sigma/2^(1/alpha): log E exp(iqL)/t = -(s^alpha/tau) |q|^alpha (1 - i beta sgn q tan(pi alpha/2))."""
        least = _LEAST_SIGMA * (self.v_th - self.v_reset)
        return jnp.maximum(self.sigma, least) * jnp.exp2(-1.0 / self.alpha)


class AbstractBoundary(eqx.Module):
    """How a potential with jumps meets its threshold."""

    def is_dear(self) -> bool:
        """Whether states of a network are better searched with `JumpsOver()` first."""
        return False

    @abc.abstractmethod
    def log_rate(self, neuron: StableNeuron) -> Float[Array, ""]:
        """log of the rate [Hz] of one neuron at 1 < alpha < 2 and sigma > 0; NaN where it is not resolved."""

    def density(self, v: Float[Array, "..."], neuron: StableNeuron) -> Float[Array, "..."]:
        """The stationary density of the potential [1/mV] of that neuron; `ValueError` where there is none."""
        raise ValueError(f"`boundary`: {type(self).__name__} has no density of the potential: take `JumpsOver()`.")


class JumpsOver(AbstractBoundary):
    """The potential is absorbed at the threshold and beyond it, where jumps take it: the exact condition.

        T(V) = 0 for V >= v_th,    (mu - V) T' + tau A T = -tau below,    1/nu = t_ref + T(v_reset),

    A the generator of the stable noise, an integral over all jumps. It is solved on a logarithmic grid of the distance
    to the threshold to about 1e-5, in float32 to 2e-3; to 1e-3 where alpha is below 1.1 and sigma below 0.05 of
    |mu - v_th|.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(alpha=1.5, beta=0.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> rate = jn.theory.stable_lif_rate(15.0, 5.0, **neuron, boundary=jn.theory.JumpsOver())
    >>> f"{float(rate):.3f} Hz"
    '7.270 Hz'

    ```
    """

    def log_rate(self, neuron: StableNeuron) -> Float[Array, ""]:
        s = neuron.scale()
        b, log_reset = (neuron.v_th - neuron.mu) / s, jnp.log((neuron.v_th - neuron.v_reset) / s)
        time = mean_passage(b, log_reset, neuron.alpha, neuron.beta)
        resolved = (time > 0.0) & (time < _LONGEST[time.dtype.itemsize])
        log_time = jnp.log(neuron.tau * jnp.where(resolved, time, 1.0))
        return where_defined(resolved, log_rate_of(log_time, neuron.t_ref), *jax.tree.leaves(neuron))

    def density(self, v: Float[Array, "..."], neuron: StableNeuron) -> Float[Array, "..."]:
        s = neuron.scale()
        b, log_reset = (neuron.v_th - neuron.mu) / s, jnp.log((neuron.v_th - neuron.v_reset) / s)
        found = occupancy_of(b, log_reset, neuron.alpha, neuron.beta)
        z = (neuron.v_th - v) / s
        below = z > 0.0
        u = jnp.log(jnp.where(below, z, 1.0))
        # Below the last point the density falls like the tail of the jumps.
        inside = jnp.interp(u, jnp.asarray(found.u, u.dtype), found.density)
        tail = jnp.exp(-(1.0 + neuron.alpha) * jnp.maximum(u - float(found.u[-1]), 0.0))
        per_ms = jnp.exp(self.log_rate(neuron)) / 1000.0
        return jnp.where(below, jnp.maximum(inside, 0.0) * tail, 0.0) * per_ms * neuron.tau / s


def checked_boundary(boundary: Any) -> AbstractBoundary:
    """The boundary, `JumpsOver()` where none is given."""
    if boundary is None:
        return JumpsOver()
    if not isinstance(boundary, AbstractBoundary):
        raise ValueError(f"`boundary` has to be `JumpsOver()` or `Leapover()`; got {told(boundary)}.")
    return boundary


def stable_lif_rate(
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    alpha: ArrayLike,
    beta: ArrayLike,
    tau: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    boundary: Any = None,
) -> Float[Array, "..."]:
    """Returns the firing rate of a leaky integrate-and-fire neuron in stable noise, which has jumps of every size.

        dV = (mu - V)/tau dt + dL,
        log E exp(i q L)/t = -(sigma^alpha/(2 tau)) |q|^alpha (1 - i beta sgn(q) tan(pi alpha/2)).

    At alpha = 2 it is white noise, and the rate is `lif_rate`. With t_ref and reset as there.

    **Arguments:** numbers or arrays that broadcast against each other.

    - `mu`, `sigma` [mV]: mean input and noise; a `sigma` below 1e-4 of `v_th - v_reset` acts like that share, and 0 is
      no noise.
    - `alpha`: exponent of the tails of the jumps, 1 < alpha <= 2.
    - `beta`: their skewness, from -1 (only downward) to 1 (only upward).
    - `tau`, `t_ref` [ms], `v_th`, `v_reset` [mV]: as in `lif_rate`.
    - `boundary`: `JumpsOver()`, exact, by default, or `Leapover()`, a published closure.

    **Returns:** the rate [Hz], in the broadcast shape. NaN where it is below 1e-8/tau (float32: 1e-4/tau) and alpha <
    2, which the equation does not resolve.

    Raises `ValueError` where `alpha` is not in (1, 2], `beta` not in [-1, 1], or as `lif_rate`. Under jit these give
    NaN.

    Derivatives: forward and reverse mode. At alpha = 2 that by alpha is the one from the left.

    ```python
    >>> from jaxneuro.theory import stable_lif_rate
    >>> neuron = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> print(f"{stable_lif_rate(20.0, 10.0, alpha=1.2, beta=0.0, **neuron):.3f} Hz")
    25.742 Hz

    ```

    Source: the first-passage equation of the process of Wardak and Gong (2021), doi:10.1103/PhysRevResearch.3.013083.
    """
    neuron, valid = stable_neuron(mu, sigma, alpha, beta, LifArguments(mu, sigma, tau, v_th, v_reset, t_ref))
    return _rate(neuron, valid, checked_boundary(boundary))


def stable_lif_density(
    v: ArrayLike,
    mu: ArrayLike,
    sigma: ArrayLike,
    *,
    alpha: ArrayLike,
    beta: ArrayLike,
    tau: ArrayLike,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    boundary: Any = None,
) -> Float[Array, "..."]:
    """Returns the stationary density of the membrane potential of a LIF neuron in stable noise.

    It is the time that is spent at V on the way from reset to threshold, times the rate, from the adjoint of the
    equation of `JumpsOver`, and integrates to 1 - nu t_ref. At alpha = 2 it is `lif_density`.

    **Arguments:** `v`: potential [mV]; the others as `stable_lif_rate`, one number each, with `sigma` > 0.

    **Returns:** the density [1/mV], of the shape of `v`; to 2% of its largest value, which is at the cusp at the reset.

    Raises as `stable_lif_rate`, and `ValueError` where `v` is not finite, `sigma` is 0, an argument is more than one
    number, or the boundary has no density.

    Derivatives: forward and reverse mode; by `v` between grid points.

    ```python
    >>> from jaxneuro.theory import stable_lif_density
    >>> neuron = dict(alpha=1.5, beta=0.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> print(f"{float(stable_lif_density(15.0, 15.0, 5.0, **neuron)):.3f} per mV")
    0.124 per mV

    ```

    Source: as of `stable_lif_rate`.
    """
    neuron, valid = stable_neuron(mu, sigma, alpha, beta, LifArguments(mu, sigma, tau, v_th, v_reset, t_ref))
    if neuron.mu.ndim:
        raise ValueError(
            f"A density is of one neuron: give one number each; got shape {neuron.mu.shape}, or use `vmap`."
        )
    check_positive("sigma", neuron.sigma)
    potential = as_leaf(v, "v")
    check_finite("v", potential)
    return _density_of(potential, neuron, valid, checked_boundary(boundary))


@eqx.filter_jit
def _density_of(
    v: Float[Array, "..."], neuron: StableNeuron, valid: Bool[Array, ""], boundary: AbstractBoundary
) -> Float[Array, "..."]:
    safe = jax.tree.map(lambda x, instead: jnp.where(valid, x, instead), neuron, _example(neuron))
    return where_defined(valid & jnp.isfinite(v), stable_density(v, safe, boundary), v, *jax.tree.leaves(neuron))


def stable_density(v: Float[Array, "..."], neuron: StableNeuron, boundary: AbstractBoundary) -> Float[Array, "..."]:
    """The density of one neuron, at alpha = 2 that in white noise."""
    white = lif_density(
        v, neuron.mu, neuron.sigma, tau=neuron.tau, v_th=neuron.v_th, v_reset=neuron.v_reset, t_ref=neuron.t_ref
    )
    return jnp.where(neuron.alpha == 2.0, white, boundary.density(v, neuron))


def stable_neuron(
    mu: ArrayLike, sigma: ArrayLike, alpha: ArrayLike, beta: ArrayLike, lif: LifArguments
) -> tuple[StableNeuron, Bool[Array, "..."]]:
    """The neuron with arrays of one shape, and where its numbers are allowed."""
    exponent, skewness = as_leaf(alpha, "alpha"), as_leaf(beta, "beta")
    check_broadcast(vars(lif) | {"alpha": exponent, "beta": skewness})
    check_exponent("alpha", exponent)
    check_finite("beta", skewness)
    if violates(lambda x: abs(x) <= 1.0, skewness):
        raise ValueError(f"`beta` is a skewness between -1 and 1; got {skewness}.")
    values = jnp.broadcast_arrays(lif.mu, lif.sigma, exponent, skewness, *lif.values()[2:])
    valid = lif.valid() & (exponent > 1.0) & (exponent <= 2.0) & (jnp.abs(skewness) <= 1.0)
    return StableNeuron(*values), jnp.broadcast_to(valid, values[0].shape)


def check_exponent(name: str, alpha: Float[Array, "..."]) -> None:
    """Raises `ValueError` where a known exponent is not in (1, 2]."""
    check_finite(name, alpha)
    if violates(lambda x: (x > 1.0) & (x <= 2.0), alpha):
        raise ValueError(
            f"`{name}` has to lie in (1, 2], where the noise has a mean; got {alpha}: 2 is white noise, and tails of a "
            "smaller exponent are heavier."
        )


@eqx.filter_jit
def _rate(neuron: StableNeuron, valid: Bool[Array, "..."], boundary: AbstractBoundary) -> Float[Array, "..."]:
    safe = jax.tree.map(lambda x, instead: jnp.where(valid, x, instead), neuron, _example(neuron))
    log_rate = stable_log_rate(safe, boundary)
    silent = jnp.isneginf(log_rate)
    rate = jnp.where(silent, 0.0, jnp.exp(jnp.where(silent, 0.0, log_rate)))
    return where_defined(valid, rate, *jax.tree.leaves(neuron))


def _example(neuron: StableNeuron) -> StableNeuron:
    numbers = (15.0, 5.0, 1.5, 0.0, 20.0, 20.0, 10.0, 2.0)
    return StableNeuron(*(jnp.full_like(neuron.mu, x) for x in numbers))


def stable_log_rate(neuron: StableNeuron, boundary: AbstractBoundary) -> Float[Array, "..."]:
    """log of the rate [Hz], at alpha = 2 that of white noise; -inf where there is no noise and no spike."""
    shape = neuron.mu.shape
    if shape:
        flat = jax.tree.map(lambda x: x.reshape(-1), neuron)
        return lax.map(lambda one: stable_log_rate(one, boundary), flat, batch_size=_AT_ONCE).reshape(shape)
    gaussian, noisy = neuron.alpha == 2.0, neuron.sigma > 0.0
    white = log_rate_kernel(neuron.mu, neuron.sigma, neuron.tau, neuron.v_th, neuron.v_reset, neuron.t_ref)
    # Of white noise the equation gives the slope in alpha alone.
    held = jax.tree.map(lambda x: jnp.where(gaussian, lax.stop_gradient(x), x), neuron)
    alpha = jnp.where(noisy, neuron.alpha, 1.5)
    sigma = jnp.where(noisy, held.sigma, 0.1 * (held.v_th - held.v_reset))
    found = boundary.log_rate(eqx.tree_at(lambda n: (n.alpha, n.sigma), held, (alpha, sigma)))
    known = jnp.isfinite(found)
    slope = jnp.where(known, found, 0.0)
    return jnp.where(noisy & ~gaussian, found, white + jnp.where(noisy, slope - lax.stop_gradient(slope), 0.0))
