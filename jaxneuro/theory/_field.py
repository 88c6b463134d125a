"""Rates of E and I cells on a torus: their uniform state, the growth of its patterns, and where the first one grows."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from .._numerics import (
    Result,
    Shown,
    as_leaf,
    check_count,
    check_finite,
    check_positive,
    is_concrete,
    violates,
    where_defined,
)
from ._ring import result_of

# Rates of E cells [per ms] between which the uniform state is looked for.
_SLOWEST, _FASTEST, _GRID, _HALVINGS = 1e-9, 10.0, 513, 60
# Values of a parameter at which growth is looked at before it is followed to 0.
_VALUES = 65


class FieldGrowth(Shown):
    """The uniform state of a field of rates, and how fast patterns grow or decay on it.

    - `rate` [Hz]: of (E, I).
    - `growth[n, m]` [/ms]: the largest real part of mode (n, m); `frequency[n, m]` [Hz]: how fast that one oscillates.
    - `result`: successful, or no_fixed_point, where the other fields are NaN.
    """

    rate: Float[Array, "2"]
    growth: Float[Array, "modes modes"]
    frequency: Float[Array, "modes modes"]
    result: Result

    @property
    def leading(self) -> tuple[int, int]:
        """The mode (n, m), n >= m, that grows fastest."""
        lower = np.where(np.tri(self.growth.shape[0]) > 0, np.asarray(self.growth), -np.inf)
        n, m = np.unravel_index(int(np.argmax(lower)), lower.shape)
        return int(n), int(m)


class FieldInstability(Shown):
    """The first value of a parameter at which a pattern grows: a Turing point, or a Hopf point if it oscillates.

    `value`; `mode`, (n, m); `frequency` [Hz]; `hopf`.
    """

    value: float
    mode: tuple[int, int]
    frequency: float
    hopf: bool

    def __str__(self) -> str:
        kind = f"Hopf point, {self.frequency:.4g} Hz" if self.hopf else "Turing point"
        return f"Mode {self.mode} grows from {self.value:.6g} on: {kind}."


def field_growth(j: Any, *, widths: Any, tau: Any, input: Any, modes: int = 10, throw: bool = True) -> FieldGrowth:
    """The uniform state of E and I cells on the unit torus, and the growth of every mode of their rates.

        tau_a dr_a/dt = -r_a + [sum over b of (w_ab * r_b) + x_a]_+^2,    w_ab(k) = j_ab exp(-2 pi^2 width_b^2 k^2),

    with * the convolution with a Gaussian on the torus and k^2 = n^2 + m^2. Near the uniform state mode (n, m) follows
    the matrix (2 sqrt(r_a) w_ab(k) - delta_ab)/tau_a. Of several uniform states it is that of the lowest rate of E.

    **Arguments:**

    - `j`: [[j_EE, j_EI], [j_IE, j_II]] [ms^(1/2)], of E not negative, of I not positive.
    - `widths`: of the projections of E and I cells, in sides of the torus, above 0 and at most 1: a number or a pair.
    - `tau` [ms]: of E and I: a number or a pair. `input` [ms^(-1/2)]: onto E and I, a number or a pair.
    - `modes`: n and m run from 0 to it; `throw`: whether to raise where there is no uniform state.

    **Returns:** a `FieldGrowth`.

    Raises `ValueError` where an argument is not as above; `RuntimeError` where there is no uniform state below
    10,000 Hz and `throw` is true.

    Derivatives: forward and reverse mode, up to the third order.

    ```python
    >>> import jaxneuro as jn
    >>> j, x = [[80.0, -160.0], [120.0, -200.0]], (0.48, 0.32)
    >>> found = jn.theory.field_growth(j, widths=0.1, tau=(5.0, 10.0), input=x)
    >>> f"{found.rate[0]:.4f}, {found.rate[1]:.4f} Hz"
    '11.7519, 8.1984 Hz'

    ```

    Source: Huang et al. (2019), doi:10.1016/j.neuron.2018.11.034; the growth is that of the linearised equation above.
    """
    j, highest = as_leaf(j, "j"), check_count("modes", modes)
    if j.shape != (2, 2):
        raise ValueError(f"`j` has to be [[j_EE, j_EI], [j_IE, j_II]]; got shape {j.shape}.")
    check_finite("j", j)
    if violates(lambda j: (j * jnp.asarray([1.0, -1.0], j.dtype)) >= 0.0, j):
        raise ValueError(f"`j` has to be at least 0 from E and at most 0 from I, in columns; got {j.tolist()}.")
    pairs = {name: pair(name, value) for name, value in (("widths", widths), ("tau", tau), ("input", input))}
    check_width("widths", pairs["widths"])
    check_positive("tau", pairs["tau"])
    check_finite("input", pairs["input"])
    k = jnp.arange(highest + 1)
    found = _grown(j, pairs["widths"], pairs["tau"], pairs["input"], k)
    if throw and is_concrete(found) and bool(found.result != Result.successful):
        raise RuntimeError("No uniform state below 10,000 Hz: lower j_EE, or strengthen the loop over I.")
    return found


def pair(name: str, value: Any) -> Float[Array, "2"]:
    """A value of E and one of I; `ValueError` where it is no number and no pair."""
    leaf = as_leaf(value, name)
    if leaf.shape not in ((), (2,)):
        raise ValueError(f"`{name}` has to be a number or a pair (of E, of I); got shape {leaf.shape}.")
    return jnp.broadcast_to(leaf, (2,))


def check_width(name: str, width: Float[Array, "..."]) -> None:
    """Raises `ValueError` where a known width is not above 0 and at most 1."""
    check_finite(name, width)
    if violates(lambda w: (w > 0.0) & (w <= 1.0), width):
        known = np.asarray(width).tolist()
        raise ValueError(f"`{name}` has to be above 0 and at most 1, the side of the torus; got {known}.")


@jax.jit
def _grown(
    j: Float[Array, "2 2"], widths: Float[Array, "2"], tau: Float[Array, "2"], x: Float[Array, "2"], k: Int[Array, "k"]
) -> FieldGrowth:
    exists, r = _uniform_state(j, x)
    gain = 2.0 * jnp.maximum(j @ r + x, 0.0)
    square = (k[:, None] ** 2 + k[None] ** 2).astype(j.dtype)
    spread = jnp.exp(-2.0 * jnp.pi**2 * square[..., None, None] * widths**2)
    a = (gain[:, None] * j * spread - jnp.eye(2, dtype=j.dtype)) / tau[:, None]
    half, product = 0.5 * (a[..., 0, 0] + a[..., 1, 1]), a[..., 0, 1] * a[..., 1, 0]
    # (trace/2)^2 - determinant, without the difference of like numbers
    inside = 0.25 * (a[..., 0, 0] - a[..., 1, 1]) ** 2 + product
    # A root of 0 has no derivative: where two modes meet it is left out.
    real, turning = inside > 0.0, inside < 0.0
    apart = jnp.where(real, jnp.sqrt(jnp.where(real, inside, 1.0)), 0.0)
    turns = jnp.where(turning, jnp.sqrt(jnp.where(turning, -inside, 1.0)), 0.0)

    def known(value: Float[Array, "..."]) -> Float[Array, "..."]:
        return where_defined(exists, value, *(jnp.sum(v) for v in (j, widths, tau, x)))

    result = result_of(exists)
    return FieldGrowth(known(1000.0 * r), known(half + apart), known(1000.0 * turns / (2.0 * jnp.pi)), result)


def _uniform_state(j: Float[Array, "2 2"], x: Float[Array, "2"]) -> tuple[Array, Float[Array, "2"]]:
    """Whether there is a uniform state, and the rates [per ms] of that of the slowest E cells."""
    fixed_j, fixed_x = lax.stop_gradient((j, x))

    def inhibition(r_e: Float[Array, "..."]) -> Float[Array, "..."]:
        # sqrt(r_I) = u with u = a - |j_II| u^2 has one root, written without a difference.
        a = jnp.maximum(fixed_j[1, 0] * r_e + fixed_x[1], 0.0)
        u = 2.0 * a / (1.0 + jnp.sqrt(1.0 - 4.0 * fixed_j[1, 1] * a))
        return u * u

    def excess(r_e: Float[Array, "..."]) -> Float[Array, "..."]:
        drive = fixed_j[0, 0] * r_e + fixed_j[0, 1] * inhibition(r_e) + fixed_x[0]
        return jnp.maximum(drive, 0.0) ** 2 - r_e

    tried = jnp.geomspace(_SLOWEST, _FASTEST, _GRID, dtype=j.dtype).at[0].set(0.0)
    below = excess(tried) <= 0.0
    first = jnp.argmax(below)

    def halve(_: Int[Array, ""], ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        over = excess(middle) > 0.0
        return jnp.where(over, middle, low), jnp.where(over, high, middle)

    low, high = lax.fori_loop(0, _HALVINGS, halve, (tried[jnp.maximum(first - 1, 0)], tried[first]))
    r_e = 0.5 * (low + high)
    r = jnp.stack([r_e, inhibition(r_e)])
    # Every step of Newton from the fixed root doubles the number of derivatives that are right, and one more.
    for _ in range(2):
        u = jnp.maximum(j @ r + x, 0.0)
        a = 2.0 * u[:, None] * j - jnp.eye(2, dtype=j.dtype)
        f = u * u - r
        determinant = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
        r = r - jnp.stack([a[1, 1] * f[0] - a[0, 1] * f[1], a[0, 0] * f[1] - a[1, 0] * f[0]]) / determinant
    return jnp.any(below), r


def field_instability(field: Callable[[float], FieldGrowth], low: float, high: float) -> FieldInstability:
    """The first value of a parameter, from `low` towards `high`, at which the uniform state loses its stability.

    **Arguments:** `field`, which makes a `FieldGrowth` of a value; `low`, `high`, the ends of the search, in this order
    (`low` may be the larger). It looks at 65 values and follows the first growth above 0 back to 0.

    **Returns:** a `FieldInstability`.

    Raises `ValueError` where `low` equals `high` or is unstable already, `RuntimeError` where nothing grows.

    Derivatives: none; those of the growth are in `field_growth`.

    ```python
    >>> import jaxneuro as jn
    >>> j, x = [[80.0, -160.0], [120.0, -200.0]], (0.48, 0.32)
    >>> point = jn.theory.field_instability(
    ...     lambda tau_i: jn.theory.field_growth(j, widths=0.1, tau=(5.0, tau_i), input=x), 5.0, 20.0)
    >>> f"{point.value:.4f} ms, mode {point.mode}, {point.frequency:.1f} Hz"
    '11.3852 ms, mode (0, 0), 254.5 Hz'

    ```

    Source: as of `field_growth`.
    """
    low, high = float(as_leaf(low, "low")), float(as_leaf(high, "high"))
    if not (np.isfinite(low) and np.isfinite(high)) or low == high:
        raise ValueError(f"`low` and `high` have to be two different finite numbers; got {low} and {high}.")

    def most(value: float) -> float:
        return float(jnp.max(field(value).growth))

    if most(low) >= 0.0:
        raise ValueError(f"`low`: the uniform state is unstable at {low:g} already; begin where it is stable.")
    values = np.linspace(low, high, _VALUES)
    stable = low
    for value in values[1:]:
        if most(float(value)) > 0.0:
            break
        stable = float(value)
    else:
        raise RuntimeError(f"No pattern grows between {low:g} and {high:g}: look further, or at more `modes`.")
    unstable = float(value)
    while True:
        middle = 0.5 * (stable + unstable)
        if middle in (stable, unstable):
            break
        if most(middle) > 0.0:
            unstable = middle
        else:
            stable = middle
    found = field(unstable)
    n, m = found.leading
    frequency = float(found.frequency[n, m])
    return FieldInstability(unstable, (n, m), frequency, frequency > 0.0)
