"""Zeros of an analytic function in a part of the upper half plane, and how many lie right of the imaginary axis."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

Characteristic = Callable[[Complex[Array, ""]], Complex[Array, ""]]

MOST_MODES = 12
_N_FREQUENCIES = 96
_N_DECAYING, _N_GROWING = 3, 7
_N_LINE = 320
_NEWTON = 12
# Points evaluated at once: a divisor of those of the grid and of the line together.
_ROW = 64


class Searched(eqx.Module):
    """What is searched: growth from `slowest` to `fastest` [1/ms], frequency up to `highest` [rad/ms]."""

    slowest: float = eqx.field(static=True)
    fastest: float = eqx.field(static=True)
    highest: float = eqx.field(static=True)
    scale: float = eqx.field(static=True)


class Zeros(eqx.Module):
    """Zeros with Im >= 0 by falling real part [1/ms], which of the slots hold one, and how many unstable are missing.

    `missing` is counted along the imaginary axis, with conjugates.
    """

    at: Complex[Array, "modes"]
    found: Bool[Array, "modes"]
    missing: Int[Array, ""]


def window_of(delay: float) -> Searched:
    """Growth from -1/2 to 3 and frequencies up to 10/3 an inverse delay [ms].

    Excitation that comes back in phase makes modes at multiples of the inverse delay.
    """
    return Searched(-0.5 / delay, 3.0 / delay, 20.0 / 3.0 * math.pi / delay, 0.05 / delay)


class _Search(eqx.Module):
    """The `points` to be evaluated next, and what became of those before: values of the grid and the line, Newton's
    method at `at` with its last step."""

    points: Complex[Array, "row"]
    values: Complex[Array, "known"]
    at: Complex[Array, "modes"]
    last: Float[Array, "modes"]


def search_modes(function: Characteristic, window: Searched, dtype: jnp.dtype) -> Zeros:
    """The zeros of `function`, real on the real axis and without poles right of the imaginary axis.

    |f| of an analytic f has a local minimum nowhere but at a zero: those of a grid start Newton's method.

    What a function costs is its compilation: it stands in one place, of a loop that evaluates a row of points after
    another, first those of the grid and of the imaginary axis, then those of Newton's method.
    """
    grid = _grid(window).astype(dtype)
    line = jnp.asarray(_frequencies(window, window.highest, _N_LINE)).astype(dtype) * 1j
    known, rows = jnp.concatenate([grid.reshape(-1), line]), (grid.size + line.size) // _ROW
    real = grid.real.dtype
    # A difference for the slope: half the program of a derivative, and Newton's method corrects its error.
    apart = 0.5 * window.fastest * float(jnp.finfo(real).eps) ** 0.5
    limits = jnp.asarray(0.5 * window.fastest * 0.7 ** np.arange(_NEWTON), real)

    def around(at: Complex[Array, "modes"]) -> Complex[Array, "row"]:
        return jnp.concatenate([at, at + apart, jnp.zeros(_ROW - 2 * MOST_MODES, dtype)])

    def fill(i: Array, now: _Search, values: Complex[Array, "row"]) -> _Search:
        following = lax.dynamic_slice(known, (jnp.minimum(i + 1, rows - 1) * _ROW,), (_ROW,))
        return _Search(following, lax.dynamic_update_slice(now.values, values, (i * _ROW,)), now.at, now.last)

    def filled(i: Array, now: _Search, values: Complex[Array, "row"]) -> _Search:
        whole = fill(i, now, values).values
        at = grid.reshape(-1)[_minima(jnp.abs(whole[: grid.size]).reshape(grid.shape))]
        return _Search(around(at), whole, at, now.last)

    def newton(i: Array, now: _Search, values: Complex[Array, "row"]) -> _Search:
        value, ahead = values[: 2 * MOST_MODES].reshape(2, MOST_MODES)
        at, last = _newton(now.at, value, ahead, apart, limits[i - rows])
        return _Search(around(at), now.values, at, last)

    def advance(i: Array, now: _Search) -> _Search:
        return lax.switch(stages[i], (fill, filled, newton), i, now, jax.vmap(function)(now.points))

    stages = jnp.asarray([*[0] * (rows - 1), 1, *[2] * _NEWTON], jnp.int32)
    begun = _Search(known[:_ROW], jnp.zeros_like(known), jnp.zeros(MOST_MODES, dtype), jnp.zeros(MOST_MODES, real))
    ends = lax.fori_loop(0, len(stages), advance, begun)
    at, found = _told_apart(ends.at, ends.last, window)
    return Zeros(at, found, _missing(line, ends.values[grid.size :], at, found, -window.slowest))


def _told_apart(
    at: Complex[Array, "modes"], last: Float[Array, "modes"], window: Searched
) -> tuple[Complex[Array, "modes"], Bool[Array, "modes"]]:
    """Ends of Newton's method, in the upper half plane by falling real part, and which are zeros, each once."""
    eps = float(jnp.finfo(last.dtype).eps)
    height = jnp.abs(at.imag)
    at = lax.complex(at.real, jnp.where(height < 1e3 * eps * window.highest, 0.0, height))
    slack = 1e-7 if last.dtype == jnp.float64 else 1e-3
    inside = (at.real >= window.slowest) & (at.real <= 2 * window.fastest) & (at.imag <= 1.02 * window.highest)
    solved = (last < slack * window.highest) & inside
    order = jnp.argsort(jnp.where(solved, -at.real, jnp.inf))
    at, solved = at[order], solved[order]
    close = jnp.abs(at[:, None] - at[None]) < 100 * slack * window.highest
    found = solved & ~jnp.any(jnp.tril(close & solved[None], k=-1), axis=1)
    order = jnp.argsort(jnp.where(found, -at.real, jnp.inf))
    return at[order], found[order]


def _frequencies(window: Searched, highest: float, n: int) -> np.ndarray:
    """From 0 to `highest`, even below the scale of the window and geometric above."""
    scale = window.scale
    return scale * np.sinh(np.linspace(0.0, np.arcsinh(highest / scale), n))


def _grid(window: Searched) -> Complex[Array, "growths frequencies"]:
    rising = _frequencies(window, window.fastest, _N_GROWING)
    growths = np.concatenate([np.linspace(1.25 * window.slowest, 0.0, _N_DECAYING, endpoint=False), rising])
    return jnp.asarray(growths[:, None] + 1j * _frequencies(window, window.highest, _N_FREQUENCIES))


def _minima(size: Float[Array, "growths frequencies"]) -> Int[Array, "modes"]:
    """The local minima, of the four neighbours; mirrored at frequency 0, open at the other edges."""
    known = jnp.where(jnp.isfinite(size), size, jnp.inf)
    padded = jnp.pad(known, ((1, 1), (1, 1)), constant_values=jnp.inf)
    padded = padded.at[1:-1, 0].set(known[:, 1])
    low = jnp.ones(size.shape, bool)
    for neighbour in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]):
        low = low & (known <= neighbour)
    ranked = jnp.where(low, -known, -jnp.inf).reshape(-1)
    return lax.top_k(ranked, MOST_MODES)[1]


def _newton(
    at: Complex[Array, "modes"],
    value: Complex[Array, "modes"],
    ahead: Complex[Array, "modes"],
    apart: float,
    most: Float[Array, ""],
) -> tuple[Complex[Array, "modes"], Float[Array, "modes"]]:
    """A step of Newton's method of at most `most`, by the values at `at` and `apart` further, and its whole length."""
    flat = ahead == value
    move = apart * value / jnp.where(flat, 1.0, ahead - value)
    # Far right f is 1 to rounding and has no slope: that is no zero, however short the step.
    length = jnp.where(flat & (value != 0), jnp.inf, jnp.abs(move))
    limited = move * (most / jnp.where(length > most, length, most)).astype(at.dtype)
    return jnp.where(jnp.isfinite(length), at - limited, at), length


def _missing(
    line: Complex[Array, "line"],
    values: Complex[Array, "line"],
    at: Complex[Array, "modes"],
    found: Bool[Array, "modes"],
    decay: float,
) -> Int[Array, ""]:
    """Zeros right of the imaginary axis other than those `found`, by the turns of f along the axis.

    Every zero found is moved left to `decay`, so that f turns slowly where one lies close to the axis. The line ends
    between two multiples of the inverse delay, from where f goes to 1 without a turn around 0.
    """

    left = lax.complex(jnp.full_like(at.imag, -decay), at.imag)

    def moved(zero: Complex[Array, "modes"], to: Complex[Array, "modes"], wanted: Bool[Array, "modes"]) -> Array:
        far = line - zero[:, None]
        each = (line - to[:, None]) / jnp.where(far == 0, 1.0, far)
        return jnp.prod(jnp.where(wanted[:, None], each, 1.0), axis=0)

    rest = values * moved(at, left, found) * moved(jnp.conj(at), jnp.conj(left), found & (at.imag > 0.0))
    turned = jnp.sum(jnp.angle(rest[1:] / rest[:-1]))
    return jnp.round((jnp.angle(rest[-1]) - turned) / math.pi).astype(jnp.int32)
