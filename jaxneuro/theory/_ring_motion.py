"""A bump that moves: behind a moving stimulus, under heterogeneity and under noise."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .._numerics import (
    Result,
    Shown,
    as_leaf,
    check_finite,
    check_positive,
    implicit_roots,
    is_concrete,
    violates,
    where_defined,
)
from ..models import Ring
from ._ring import area, falling_zero, half_width, result_of, share, together

# How many points a unit the integrals over a bump have.
_FINE = 16
# A bump that is given has to stand still to this, relative to its peak.
_STILL = 1e-3


class RingTracking(Shown):
    """The state of a ring that follows a stimulus of constant velocity.

    - `lag` [rad]: by how much the population vector is behind the stimulus; of the sign of the velocity.
    - `half_width` (theta_c) [rad] of the part that is driven, pi where all units are.
    - `mean` (a_0) and `modulation` (a_1): the rates' Fourier components 0 and 1, in the units of the input.
    - `most_velocity` [rad/ms]: a faster stimulus leaves the bump behind; infinite where any is followed.
    - `result`: successful, or no_fixed_point, where the first four are NaN.
    """

    lag: Float[Array, "..."]
    half_width: Float[Array, "..."]
    mean: Float[Array, "..."]
    modulation: Float[Array, "..."]
    most_velocity: Float[Array, "..."]
    result: Result


def ring_tracking(
    *, j0: Any, j1: Any, i1: Any, velocity: Any, i0: Any = 1.0, tau: Any = 10.0, throw: bool = True
) -> RingTracking:
    """How a ring of threshold-linear units follows a moving stimulus I_0 + I_1 cos(theta - velocity t).

    In its frame, with w = tau velocity, f of `ring_bump` and p = J_1 (theta_c - sin(2 theta_c)/2)/(2 pi),

        (1 - p)^2 + w^2 = q^2 (1 + w^2),   q = -(I_1/I_0) (J_0 f(theta_c) + cos theta_c),   lag = arg(1 - p + i w),

    exact for many units and any strength of the stimulus. While all units are active p = J_1/2. A bump in a weak
    stimulus, of amplitude u_1 without it, obeys dphi/dt = I_1/(tau u_1) sin(theta_stimulus - phi): it lags by
    arcsin(w u_1/I_1). It is left behind beyond I_1/(tau sqrt(u_1^2 - I_1^2)).

    **Arguments**, numbers or arrays that broadcast together:

    - `j0`, `j1`: coefficients of the kernel; `i0`, `i1`: input, both above 0.
    - `velocity` [rad/ms], `tau` [ms].
    - `throw`: whether a stimulus that is not followed raises; if not, `result` says so, as vmap needs.

    **Returns:** a `RingTracking`.

    Raises `ValueError` where a known value is not finite or `i0`, `i1` or `tau` is not positive; `RuntimeError` where
    the stimulus is not followed and `throw` is true and the values are known.

    Derivatives: forward and reverse mode, implicit.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> ring, v = jn.networks.ring(n=256, j1=4.0), 0.001
    >>> run = dict(dt=1.0, solver=jn.RungeKutta4(), stimulus=lambda t: 0.1 * jnp.cos(ring.angles() - v * t))
    >>> sol = jn.simulate(ring, 0.0, 3_000.0, **run)
    >>> behind = v * 3_000.0 - float(jn.analysis.decode(sol["rate"][-1]).angle)
    >>> theory = jn.theory.ring_tracking(j0=-2.0, j1=4.0, i1=0.1, velocity=v)
    >>> print(f"{behind:.3f}, {float(theory.lag):.3f} rad; left behind beyond {float(theory.most_velocity):.4f} rad/ms")
    0.182, 0.182 rad; left behind beyond 0.0064 rad/ms

    ```

    Source: derived from source text 001, equation (27); Ben-Yishai, Bar-Or and Sompolinsky (1995),
    doi:10.1073/pnas.92.9.3844, for bumps that follow stimuli.
    """
    given = {"j0": j0, "j1": j1, "i0": i0, "i1": i1, "velocity": velocity, "tau": tau}
    leaves = dict(zip(given, together(**given), strict=True))
    for name, leaf in leaves.items():
        (check_finite if name in ("j0", "j1", "velocity") else check_positive)(name, leaf)
    seen = _tracking(**leaves)
    if throw and is_concrete(seen, leaves) and bool(jnp.any(seen.result != Result.successful)):
        at = jnp.argmax((seen.result != Result.successful).reshape(-1))
        speed, most = (float(x.reshape(-1)[at]) for x in (leaves["velocity"], seen.most_velocity))
        if math.isnan(most) or abs(speed) < most:
            raise RuntimeError("No state that follows the stimulus: rates grow for ever. Take a lower `j0` or `j1`.")
        raise RuntimeError(
            f"The bump is left behind: `velocity` may not exceed {most:.5g} rad/ms in size; got {speed:.5g}. "
            "Take a slower or a stronger stimulus."
        )
    return seen


@jax.jit
def _tracking(
    j0: Float[Array, "..."],
    j1: Float[Array, "..."],
    i0: Float[Array, "..."],
    i1: Float[Array, "..."],
    velocity: Float[Array, "..."],
    tau: Float[Array, "..."],
) -> RingTracking:
    w = tau * velocity

    def room(width: Float[Array, "..."], *leaves: Float[Array, "..."]) -> Float[Array, "..."]:
        """q^2 (1 + w^2) - w^2, negative where the stimulus is too fast, or rates would grow for ever."""
        first, even, tuned, turn = leaves
        q = -(tuned / even) * (first * share(width) + jnp.cos(width))
        return jnp.where(q > 0.0, jnp.square(q) * (1.0 + jnp.square(turn)) - jnp.square(turn), -1.0)

    def balance(width: Float[Array, "..."], *leaves: Float[Array, "..."]) -> Float[Array, "..."]:
        first, second, even, tuned, turn = leaves
        inside = room(width, first, even, tuned, turn)
        root = jnp.where(inside > 0.0, jnp.sqrt(jnp.where(inside > 0.0, inside, 1.0)), 0.0)
        return 1.0 - second * area(width) / (2.0 * math.pi) - root

    leaves = (j0, j1, i0, i1, w)
    fixed = jax.tree.map(lax.stop_gradient, leaves)
    whole = (j0 < 1.0) & (j1 < 2.0) & (balance(jnp.full_like(j0, math.pi), *fixed) >= 0.0)
    start = falling_zero(lambda width: balance(width, *fixed), j0)
    found = ~whole & jnp.isfinite(start) & (room(start, j0, i0, i1, w) > 0.0)
    known = jnp.where(found, start, 1.0)
    width = implicit_roots(lambda x: jnp.where(found, balance(x, *leaves), x - 1.0), known)
    part = jnp.where(whole, 0.5, area(width) / (2.0 * math.pi))
    ahead = jnp.where(whole | found, 1.0 - j1 * part, 1.0)
    modulation = i1 * part / jnp.sqrt(jnp.square(ahead) + jnp.square(w))
    mean = jnp.where(
        whole, i0 / jnp.where(whole, 1.0 - j0, 1.0), modulation * jnp.sqrt(1 + w * w) * share(width) / part
    )
    # Of values that only a transformation knows, input and time constants have to be above 0 too.
    followed = (whole | found) & (i0 > 0.0) & (i1 > 0.0) & (tau > 0.0)

    def where_followed(x: Float[Array, "..."]) -> Float[Array, "..."]:
        return where_defined(followed, x, *leaves)

    return RingTracking(
        where_followed(jnp.arctan2(w, ahead)),
        where_followed(jnp.where(whole, math.pi, width)),
        where_followed(mean),
        where_followed(modulation),
        _most_velocity(j0, j1, i0, i1, tau),
        result_of(followed),
    )


def _most_velocity(j0: Array, j1: Array, i0: Array, i1: Array, tau: Array) -> Float[Array, "..."]:
    """Where p = 1: with the half-width of the free bump; infinite without one, NaN where rates grow for ever."""
    localised = j1 > 2.0
    width = half_width(jnp.where(localised, j1, 4.0))
    q = -(i1 / i0) * (j0 * share(width) + jnp.cos(width))
    held = localised & (q < 1.0)
    inner = jnp.where(held & (q > 0.0), q, 0.5)
    finite = inner / jnp.sqrt(1.0 - jnp.square(inner)) / tau
    return jnp.where(held, jnp.where(q > 0.0, finite, jnp.nan), jnp.inf)


class BumpMotion(Shown):
    """How a bump moves by where it is: `drift` [rad/s] and `diffusion` D [rad^2/s] at each `angle` [rad], (n,)."""

    angle: Float[Array, "n"]
    drift: Float[Array, "n"]
    diffusion: Float[Array, "n"]


def bump_motion(ring: Ring, bump: Any, *, stimulus: Any = None, weights: Any = None) -> BumpMotion:
    """Drift and diffusion of a bump under weak heterogeneity and noise, by projection on its free direction.

    With U the rates of the bump and X its input, a perturbation F'(X) (epsilon + delta W U) moves it along dU/dtheta by
    as much as it has of the left null vector of the linearised ring, which is dX/dtheta for a symmetric kernel:

        dphi/dt = -sum_i U_i' (epsilon_i + sum_j delta W_ij U_j) / (tau sum_i U_i' X_i'),
        D = sum_i (sigma_i X_i')^2 / (2 tau (sum_i U_i' X_i')^2),

    both at first order. For threshold-linear units with J_0 and J_1, D = (J_1 sigma / u_1)^2 / (4 N tau).

    **Arguments:**

    - `ring`: a `Ring` of one angle with uniform input and no velocity; its `noise` gives the diffusion.
    - `bump`: (n,), the rates of a bump at rest on it, such as the end of a run.
    - `stimulus`: epsilon, (n,), what the input has beside the uniform part; `weights`: delta W, (n, n), what the
      weights have beside the kernel, rows postsynaptic. Such a network is run as
      `RateNetwork(ring.as_matrix() + weights, h=ring.i + stimulus)`.

    **Returns:** a `BumpMotion`. The bump comes to rest where the drift falls through 0. Runs diffuse as much with
    `EulerMaruyama()`, or with a small `dt`.

    Raises `ValueError` where `ring` is none of these, a shape does not fit, or `bump` is flat or does not stand still.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> ring = jn.networks.ring(n=64, j1=4.0, noise=0.05)
    >>> bump = jn.simulate(jn.networks.ring(n=64, j1=4.0), 0.0, 2_000.0, dt=1.0)["rate"][-1]
    >>> seen = jn.theory.bump_motion(ring, bump, stimulus=0.01 * jnp.cos(2 * ring.angles()))
    >>> print(f"{float(seen.drift.max()):.3f} rad/s, D = {float(seen.diffusion[0]):.5f} rad^2/s")
    0.537 rad/s, D = 0.00627 rad^2/s

    ```

    Source: Zhang (1996), doi:10.1523/JNEUROSCI.16-06-02112.1996; Kilpatrick and Ermentrout (2013),
    doi:10.1137/120877106.
    """
    _check_free(ring)
    n = ring.size()
    u, epsilon = as_leaf(bump, "bump"), jnp.zeros(n) if stimulus is None else as_leaf(stimulus, "stimulus")
    extra = None if weights is None else as_leaf(weights, "weights")
    for name, leaf, shape in (("bump", u, (n,)), ("stimulus", epsilon, (n,)), ("weights", extra, (n, n))):
        if leaf is not None and leaf.shape != shape:
            raise ValueError(f"`{name}` has to be {shape}; got shape {leaf.shape}.")
        if leaf is not None:
            check_finite(name, leaf)
    x = ring.drive(u)
    if is_concrete(x, u):
        peak = float(jnp.max(jnp.abs(u)))
        if not float(jnp.max(jnp.abs(ring.transfer(x) - u))) <= _STILL * peak:
            raise ValueError("`bump` has to stand still on `ring`, as after a longer run without stimulus and noise.")
        if not float(jnp.ptp(u)) > _STILL * peak:
            raise ValueError("`bump` has to hold a bump; it is flat, and nothing can move.")
    return _motion(ring, u, x, epsilon, extra)


def _check_free(ring: Any) -> None:
    if not isinstance(ring, Ring) or ring.j.ndim != 1:
        raise ValueError(f"`ring` has to be a Ring of one angle; got {type(ring).__name__}.")
    if ring.velocity is not None or ring.moving is not None:
        raise ValueError("`ring` has to be without velocity, so that its bump can stand still.")
    if any(leaf.ndim for leaf in jax.tree.leaves(ring.transfer)):
        raise ValueError("`ring` has to have units that are alike: give what sets them apart as `stimulus`.")
    if violates(lambda i: np.ptp(i) <= 1e-6 * np.max(np.abs(i)), ring.i):
        raise ValueError("`ring` has to have uniform input: give what it has beside it as `stimulus`.")


@jax.jit
def _motion(ring: Ring, u: Array, x: Array, epsilon: Array, extra: Array | None) -> BumpMotion:
    n = ring.size()
    theta = ring.angles()
    at = jnp.angle(lax.complex(u @ jnp.cos(theta), u @ jnp.sin(theta)))
    # The input has the components of the kernel alone: it is moved to the first unit, and its slope taken, exactly.
    wave = jnp.asarray(np.arange(n // 2 + 1), u.dtype)
    turned = (theta[0] - at) * wave
    modes = jnp.fft.rfft(x) * lax.complex(jnp.cos(turned), -jnp.sin(turned))
    turn = lax.complex(jnp.zeros_like(wave), wave)
    slope = jnp.fft.irfft(modes * turn, n)
    rate, rate_slope = jax.jvp(ring.transfer, (jnp.fft.irfft(modes, n),), (slope,))
    # The mean over places between the units, on which sums over a bump with an edge depend.
    between, step = _FINE * jnp.fft.irfft(modes, _FINE * n), _FINE * jnp.fft.irfft(modes * turn, _FINE * n)
    free = jax.jvp(ring.transfer, (between,), (step,))[1] @ step / _FINE
    # Row k: the bump at the angle of unit k.
    index = (np.arange(n)[None] - np.arange(n)[:, None]) % n
    rates, rate_slopes, slopes = rate[index], rate_slope[index], slope[index]
    forces = epsilon if extra is None else epsilon + rates @ extra.T
    drift = -jnp.sum(rate_slopes * forces, axis=1) / (ring.tau * free)
    sigma = jnp.zeros(n, u.dtype) if ring.noise is None else jnp.broadcast_to(ring.noise, (n,))
    diffusion = jnp.sum(jnp.square(sigma * slopes), axis=1) / (2.0 * ring.tau * jnp.square(free))
    return BumpMotion(theta, 1000.0 * drift, 1000.0 * diffusion)
