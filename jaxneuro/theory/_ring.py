"""The ring of threshold-linear units with J_0 and J_1: its states in closed form."""

import enum
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .._numerics import (
    Result,
    Shown,
    as_leaf,
    check_broadcast,
    check_finite,
    check_positive,
    implicit_roots,
    is_concrete,
    where_defined,
)

# Points on which the half-width of a tuned state is bracketed.
_GRID = 256


class RingRegime(enum.IntEnum):
    """What a ring of threshold-linear units does in uniform input."""

    homogeneous = 0
    bump = 1
    divergent = 2


class RingBump(Shown):
    """The bump u(theta) = u_1 [cos(theta - theta_0) - cos theta_c]_+, and whether there is one.

    - `half_width` (theta_c) [rad], `amplitude` (u_1), in the units of the input.
    - `peak`: u_1 (1 - cos theta_c); `mean`: the average over the ring.
    - `most_j0`: J_0 has to lie below it.
    - `result`: successful, or no_fixed_point, where the other fields are NaN.
    """

    half_width: Float[Array, "..."]
    amplitude: Float[Array, "..."]
    peak: Float[Array, "..."]
    mean: Float[Array, "..."]
    most_j0: Float[Array, "..."]
    result: Result

    def rate(self, theta: Any) -> Float[Array, "..."]:
        """u at the distance `theta` [rad] from the centre."""
        height = jnp.cos(as_leaf(theta, "theta")) - jnp.cos(self.half_width)
        return self.amplitude * jnp.where(height > 0.0, height, 0.0)

    def __str__(self) -> str:
        if not is_concrete(self.half_width) or self.half_width.ndim:
            return f"Bumps of a ring, shape {self.half_width.shape}"
        if jnp.isnan(self.half_width):
            return "No bump."
        width, amplitude = float(self.half_width), float(self.amplitude)
        return f"Bump of half-width {width:.4g} rad ({math.degrees(width):.1f} deg) and amplitude {amplitude:.4g}."


def ring_bump(*, j0: Any, j1: Any, i0: Any = 1.0, throw: bool = True) -> RingBump:
    """The localised state of a ring of threshold-linear units in uniform input.

    Of tau du/dt = -u + [J_0 a_0 + J_1 a_1 cos(theta - phi) + I_0]_+ with kernel J_0 + J_1 cos theta,

        1 = J_1 / (2 pi) (theta_c - sin(2 theta_c) / 2),
        u_1 = -I_0 / (J_0 f(theta_c) + cos theta_c),   f(theta_c) = (sin theta_c - theta_c cos theta_c) / pi.

    It exists for J_1 > 2 and J_0 < -cos(theta_c) / f(theta_c); beyond that rates grow for ever.

    **Arguments**, numbers or arrays that broadcast together:

    - `j0`, `j1`: coefficients of the kernel, without unit.
    - `i0`: uniform input, above 0, in the units of the rates.
    - `throw`: whether a ring without a bump raises; if not, `result` says so, as vmap needs.

    **Returns:** a `RingBump`.

    Raises `ValueError` where a known value is not finite or `i0` is not positive; `RuntimeError` where there is no bump
    and `throw` is true and the values are known.

    Derivatives: forward and reverse mode, any order, from dtheta_c/dJ_1 = -pi / (J_1 sin theta_c)^2.

    ```python
    >>> import jaxneuro as jn
    >>> bump = jn.theory.ring_bump(j0=-2.0, j1=4.0)
    >>> print(bump)
    Bump of half-width 1.571 rad (90.0 deg) and amplitude 1.571.

    ```

    Source: Ben-Yishai, Bar-Or and Sompolinsky (1995), doi:10.1073/pnas.92.9.3844; source text 001, equations (41)-(44).
    """
    j0, j1, i0 = together(j0=j0, j1=j1, i0=i0)
    check_finite("j0", j0)
    check_finite("j1", j1)
    check_positive("i0", i0)
    bump = _bump(j0, j1, i0)
    if throw and is_concrete(bump, j0, j1) and bool(jnp.any(bump.result != Result.successful)):
        raise RuntimeError(_why_not(j0, j1, bump))
    return bump


def together(**values: Any) -> list[Float[Array, "..."]]:
    """The arguments as leaves of one shape; `ValueError` where they do not broadcast together."""
    leaves = {name: as_leaf(value, name) for name, value in values.items()}
    check_broadcast(leaves)
    return jnp.broadcast_arrays(*leaves.values())


def _why_not(j0: Float[Array, "..."], j1: Float[Array, "..."], bump: RingBump) -> str:
    at = jnp.argmax((bump.result != Result.successful).reshape(-1))
    first, second, most = (float(x.reshape(-1)[at]) for x in (j0, j1, bump.most_j0))
    if second <= 2.0:
        return f"No bump: needs J_1 > 2; got J_1 = {second:.5g}, where the homogeneous state is stable if J_0 < 1."
    return f"No bump: needs J_0 < {most:.4f} at J_1 = {second:.5g}; got J_0 = {first:.5g}, where rates grow for ever."


@jax.jit
def _bump(j0: Float[Array, "..."], j1: Float[Array, "..."], i0: Float[Array, "..."]) -> RingBump:
    localised = j1 > 2.0
    width = half_width(jnp.where(localised, j1, 4.0))
    mean, cosine = share(width), jnp.cos(width)
    exists = localised & (j0 * mean + cosine < 0.0) & (i0 > 0.0)
    amplitude = -i0 / jnp.where(exists, j0 * mean + cosine, -1.0)

    def known(x: Float[Array, "..."], where: Bool[Array, "..."] = exists) -> Float[Array, "..."]:
        return where_defined(where, x, j0, j1, i0)

    result = result_of(exists)
    return RingBump(
        known(width), known(amplitude), known(amplitude * (1.0 - cosine)), known(amplitude * mean),
        known(-cosine / mean, localised), result,
    )  # fmt: skip


def result_of(exists: Bool[Array, "..."]) -> Result:
    """One code for each element."""

    def code(one: Bool[Array, ""]) -> Result:
        return Result.where(one, Result.successful, Result.no_fixed_point)

    for _ in range(exists.ndim):
        code = jax.vmap(code)
    return code(exists)


def share(width: Float[Array, "..."]) -> Float[Array, "..."]:
    """f(theta_c): the mean over the ring of [cos theta - cos theta_c]_+."""
    return (jnp.sin(width) - width * jnp.cos(width)) / math.pi


@jax.custom_jvp
def half_width(j1: Float[Array, "..."]) -> Float[Array, "..."]:
    """theta_c at J_1 > 2, by bisection of theta_c - sin(2 theta_c)/2 - 2 pi/J_1, which rises from 0 to pi."""
    wanted = 2.0 * math.pi / j1

    def halve(_: Int[Array, ""], bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        below = area(middle) < wanted
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    ends = (jnp.zeros_like(j1), jnp.full_like(j1, math.pi))
    low, high = lax.fori_loop(0, 60, halve, ends)
    return 0.5 * (low + high)


@half_width.defjvp
def _half_width_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (j1,), (dj1,) = primals, tangents
    width = half_width(j1)
    return width, -math.pi / jnp.square(j1 * jnp.sin(width)) * dj1


def area(width: Float[Array, "..."]) -> Float[Array, "..."]:
    """theta - sin(2 theta)/2, by its series where the difference cancels."""
    small = width < 0.1
    square = jnp.square(width)
    series = 2.0 / 3.0 * width * square * (1.0 - square / 5.0 * (1.0 - 2.0 * square / 21.0 * (1.0 - square / 18.0)))
    return jnp.where(small, series, width - 0.5 * jnp.sin(2.0 * width))


class RingTuning(Shown):
    """The tuned state u(theta) = [u_0 + u_1 cos(theta - theta_0)]_+ of a ring.

    - `u0`, `u1`, in the units of the input.
    - `half_width` (theta_c) [rad], pi where all units are active.
    - `result`: successful, or no_fixed_point, where the other fields are NaN: rates grow for ever.
    """

    u0: Float[Array, "..."]
    u1: Float[Array, "..."]
    half_width: Float[Array, "..."]
    result: Result

    def rate(self, theta: Any) -> Float[Array, "..."]:
        """u at the distance `theta` [rad] from the stimulus."""
        height = self.u0 + self.u1 * jnp.cos(as_leaf(theta, "theta"))
        return jnp.where(height > 0.0, height, 0.0)


def ring_tuning(*, j0: Any, j1: Any, i0: Any, i1: Any, throw: bool = True) -> RingTuning:
    """The state of a ring of threshold-linear units under the stimulus I_0 + I_1 cos(theta - theta_0).

    While all units are active u_0 = I_0/(1 - J_0) and u_1 = 2 I_1/(2 - J_1). Else theta_c solves

        I_0 (1 - J_1 g) + I_1 (J_0 f + cos theta_c) = 0,   g = (theta_c - sin(2 theta_c)/2) / (2 pi),

    with f of `ring_bump`, and u_1 = I_1 / (1 - J_1 g) where that is not 0/0. Only I_1/I_0 enters theta_c: the width of
    tuning curves does not depend on contrast.

    **Arguments**, numbers or arrays that broadcast together: `j0`, `j1`; `i0`, `i1`, the latter above 0; and `throw`,
    whether a ring without such a state raises; if not, `result` says so, as vmap needs.

    **Returns:** a `RingTuning`.

    Raises `ValueError` where a known value is not finite or `i1` is not positive; `RuntimeError` where rates grow for
    ever and `throw` is true and the values are known.

    Derivatives: forward and reverse mode, implicit.

    ```python
    >>> import jaxneuro as jn
    >>> for contrast in (1.0, 10.0):
    ...     seen = jn.theory.ring_tuning(j0=-5.0, j1=1.5, i0=contrast, i1=contrast)
    ...     print(f"{float(seen.half_width):.3f} rad, {float(seen.rate(0.0)):.3f}")
    1.311 rad, 0.996
    1.311 rad, 9.963

    ```

    Source: source text 001, equations (30)-(44); Ben-Yishai, Bar-Or and Sompolinsky (1995), doi:10.1073/pnas.92.9.3844.
    """
    j0, j1, i0, i1 = together(j0=j0, j1=j1, i0=i0, i1=i1)
    for name, leaf in (("j0", j0), ("j1", j1), ("i0", i0)):
        check_finite(name, leaf)
    check_positive("i1", i1)
    seen = _tuning(j0, j1, i0, i1)
    if throw and is_concrete(seen, j0, j1, i0, i1) and bool(jnp.any(seen.result != Result.successful)):
        at = jnp.argmax((seen.result != Result.successful).reshape(-1))
        first, second, even, tuned = (float(x.reshape(-1)[at]) for x in (j0, j1, i0, i1))
        raise RuntimeError(
            f"No tuned state at J_0 = {first:.5g}, J_1 = {second:.5g}, I_0 = {even:.5g}, I_1 = {tuned:.5g}: "
            "rates grow for ever. Take weaker excitation, a lower J_0 or J_1."
        )
    return seen


@jax.jit
def _tuning(
    j0: Float[Array, "..."], j1: Float[Array, "..."], i0: Float[Array, "..."], i1: Float[Array, "..."]
) -> RingTuning:
    calm = (j0 < 1.0) & (j1 < 2.0)
    linear0 = i0 / jnp.where(calm, 1.0 - j0, 1.0)
    linear1 = 2.0 * i1 / jnp.where(calm, 2.0 - j1, 1.0)
    linear = calm & (linear0 >= linear1)

    def balance(width: Float[Array, "..."], *leaves: Float[Array, "..."]) -> Float[Array, "..."]:
        first, second, even, tuned = leaves
        return even * (1.0 - second * area(width) / (2.0 * math.pi)) + tuned * (first * share(width) + jnp.cos(width))

    leaves = (j0, j1, i0, i1)
    start = falling_zero(lambda width: balance(width, *jax.tree.map(lax.stop_gradient, leaves)), i0)
    root = implicit_roots(lambda width: balance(width, *leaves), start)
    width = jnp.where(linear, 1.0, root)
    left, right = 1.0 - j1 * area(width) / (2.0 * math.pi), -(j0 * share(width) + jnp.cos(width))
    # Two forms of u_1, each without 0/0 where the other has it.
    by_first = jnp.abs(left) > jnp.abs(right)
    u1 = jnp.where(by_first, i1 / jnp.where(by_first, left, 1.0), i0 / jnp.where(by_first, 1.0, right))
    exists = linear | (jnp.isfinite(width) & (u1 > 0.0))

    def known(here: Float[Array, "..."], there: Float[Array, "..."]) -> Float[Array, "..."]:
        return where_defined(exists, jnp.where(linear, here, there), j0, j1, i0, i1)

    result = result_of(exists)
    half = known(jnp.full_like(width, math.pi), width)
    return RingTuning(known(linear0, -u1 * jnp.cos(width)), known(linear1, u1), half, result)


def falling_zero(function: Callable[[Array], Array], like: Float[Array, "..."]) -> Float[Array, "..."]:
    """The first zero of `function` on (0, pi) at which it falls, by a grid and bisection; NaN where there is none."""
    grid = jnp.linspace(0.0, math.pi, _GRID, dtype=like.dtype).reshape(-1, *[1] * like.ndim)
    values = jax.vmap(lambda x: function(jnp.broadcast_to(x, like.shape)))(grid)
    falls = (values[:-1] > 0.0) & (values[1:] <= 0.0)
    at = jnp.argmax(falls, axis=0)
    low = jnp.take_along_axis(jnp.broadcast_to(grid, values.shape), at[None], axis=0)[0]
    ends = (low, low + math.pi / (_GRID - 1))

    def halve(_: Int[Array, ""], bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        above = function(middle) > 0.0
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    low, high = lax.fori_loop(0, 52, halve, ends)
    return jnp.where(jnp.any(falls, axis=0), 0.5 * (low + high), jnp.nan)


def ring_growth(*, j0: Any, j1: Any, tau: Any) -> Float[Array, "modes ..."]:
    """Growth rates [1/s] of the homogeneous state of a ring while all units are active.

        (J_0 - 1) / tau of the mean,   (J_1 / 2 - 1) / tau of a modulation cos theta.

    **Arguments:** `j0`, `j1`, numbers or arrays; `tau` [ms].

    **Returns:** the two rates [1/s], (2, ...).

    Raises `ValueError` where a value is not finite or `tau` is not positive. Derivatives: any.

    ```python
    >>> import jaxneuro as jn
    >>> jn.theory.ring_growth(j0=-1.0, j1=2.0, tau=10.0).tolist()
    [-200.0, 0.0]

    ```

    Source: source text 001, equations (35), (36).
    """
    j0, j1, tau = together(j0=j0, j1=j1, tau=tau)
    check_finite("j0", j0)
    check_finite("j1", j1)
    check_positive("tau", tau)
    tau = where_defined(tau > 0.0, tau)
    return 1000.0 / tau * jnp.stack([j0 - 1.0, 0.5 * j1 - 1.0])


def ring_regime(*, j0: Any, j1: Any) -> Int[Array, "..."]:
    """Which state a ring of threshold-linear units goes to in uniform input: the (J_0, J_1) diagram.

    Homogeneous for J_0 < 1 and J_1 < 2; a bump for J_1 > 2 and J_0 below that of `ring_bump`; elsewhere rates grow for
    ever.

    **Arguments:** `j0`, `j1`, numbers or arrays that broadcast together.

    **Returns:** codes of `RingRegime`.

    Raises `ValueError` where a value is not finite. Derivatives: none, it is a code.

    ```python
    >>> import jaxneuro as jn
    >>> jn.theory.RingRegime(int(jn.theory.ring_regime(j0=-2.0, j1=3.0))).name
    'bump'

    ```

    Source: source text 001, equations (35)-(44).
    """
    j0, j1 = together(j0=j0, j1=j1)
    check_finite("j0", j0)
    check_finite("j1", j1)
    return _regime(j0, j1)


@jax.jit
def _regime(j0: Float[Array, "..."], j1: Float[Array, "..."]) -> Int[Array, "..."]:
    seen = _bump(j0, j1, jnp.ones_like(j0))
    calm = (j1 <= 2.0) & (j0 < 1.0)
    bounded = jnp.where(seen.result == Result.successful, RingRegime.bump, RingRegime.divergent)
    return jnp.where(calm, RingRegime.homogeneous, bounded).astype(jnp.int32)
