"""What a ring represents: where its bump is, and how well it stays there."""

import math

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Complex, Float

from .._numerics import Shown, as_leaf, check_finite, check_positive, told
from ..models import angles


class Decoded(Shown):
    """A bump: `angle` [rad], and `strength`, the length of the population vector over the mean rate.

    Rates of 0 have the strength 0.
    """

    angle: Float[Array, "..."]
    strength: Float[Array, "..."]


def decode(u: ArrayLike, *, n_angles: int = 1) -> Decoded:
    """Reads the angle of a bump off the rates of a ring, or both angles off a sheet, as the population vector.

        z = sum_i u_i exp(i theta_i) / sum_i u_i,   angle = arg z,   strength = |z|.

    **Arguments:** `u`, rates, (..., n), in the order of the units of a `Ring`, such as a recorded trace; `n_angles`, 1
    for a ring, 2 for a sheet, whose n is a square.

    **Returns:** a `Decoded` of shape (...), of a sheet (..., 2); `angle` in (-pi, pi].

    Raises `ValueError` where `u` has no axis of units, or `n_angles` does not fit. Derivatives: any, where there is a
    bump.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> theta = jn.Ring(64, j=[0.0]).angles()
    >>> print(f"{float(jn.analysis.decode(1.0 + jnp.cos(theta - 0.7)).angle):.3f}")
    0.700

    ```

    Source: Georgopoulos, Schwartz and Kettner (1986), doi:10.1126/science.3749885.
    """
    rates = as_leaf(u, "u")
    if rates.ndim == 0 or rates.shape[-1] == 0:
        raise ValueError(f"`u` has to hold the rates of a ring, (..., n); got shape {rates.shape}.")
    check_finite("u", rates)
    if isinstance(n_angles, bool) or n_angles not in (1, 2):
        raise ValueError(f"`n_angles` has to be 1, of a ring, or 2, of a sheet; got {told(n_angles)}.")
    if n_angles == 1:
        return _decoded(rates)
    n = math.isqrt(rates.shape[-1])
    if n * n != rates.shape[-1]:
        raise ValueError(f"`u` of a sheet has to have a square number of units; got {rates.shape[-1]}.")
    sheet = rates.reshape(*rates.shape[:-1], n, n)
    each = [_decoded(jnp.mean(sheet, axis=axis)) for axis in (-1, -2)]
    return Decoded(jnp.stack([d.angle for d in each], -1), jnp.stack([d.strength for d in each], -1))


def _decoded(rates: Float[Array, "... n"]) -> Decoded:
    z, mean = _vector(rates), jnp.mean(rates, axis=-1)
    active = mean != 0.0
    return Decoded(jnp.angle(z), jnp.where(active, jnp.abs(z) / jnp.where(active, mean, 1.0), 0.0))


def _vector(rates: Float[Array, "... n"]) -> Complex[Array, "..."]:
    theta = jnp.asarray(angles(rates.shape[-1]), rates.dtype)
    return lax.complex(jnp.mean(rates * jnp.cos(theta), axis=-1), jnp.mean(rates * jnp.sin(theta), axis=-1))


class Diffusion(Shown):
    """How a bump wanders: `coefficient` D [rad^2/s] and `drift` [rad/s], with <(dtheta)^2> = drift^2 t^2 + 2 D t."""

    coefficient: Float[Array, ""]
    drift: Float[Array, ""]


def bump_diffusion(angle: ArrayLike, *, every: float) -> Diffusion:
    """Drift and diffusion of a bump from its angle over time, in several runs.

        drift = <theta(T) - theta(0)> / T,   D = sum over steps of var(dtheta) / (2 dt).

    **Arguments:** `angle`, decoded, (runs, time); `every` [ms], the time between two samples, longer than the time
    constant of the units, since faster changes are those of the rates and not of the bump.

    **Returns:** a `Diffusion`.

    Raises `ValueError` where there are fewer than two samples, one is not finite, or `every` is not positive.

    Derivatives: any.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> steps = 0.1 * jax.random.normal(jax.random.key(0), (200, 500))
    >>> seen = jn.analysis.bump_diffusion(jnp.cumsum(steps, axis=1), every=10.0)
    >>> print(f"{float(seen.coefficient):.2f} rad^2/s")
    0.50 rad^2/s

    ```

    Source: Compte, Brunel, Goldman-Rakic and Wang (2000), doi:10.1093/cercor/10.9.910, for bumps that diffuse.
    """
    known = as_leaf(angle, "angle")
    check_positive("every", as_leaf(every, "every"))
    if known.ndim != 2 or known.shape[1] < 2:
        raise ValueError(f"`angle` has to be (runs, time) with two samples or more; got shape {known.shape}.")
    check_finite("angle", known)
    seconds = every / 1000.0
    moves = jnp.diff(jnp.unwrap(known, axis=1), axis=1)
    drift = jnp.mean(moves) / seconds
    return Diffusion(0.5 * jnp.mean(jnp.square(moves - jnp.mean(moves))) / seconds, drift)
