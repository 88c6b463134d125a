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


class Window(eqx.Module):
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


def window_of(delay: float) -> Window:
    """Growth from -1/2 to 3 and frequencies up to 10/3 an inverse delay [ms].

    Excitation that comes back in phase makes modes at multiples of the inverse delay.
    """
    return Window(-0.5 / delay, 3.0 / delay, 20.0 / 3.0 * math.pi / delay, 0.05 / delay)


def search_modes(function: Characteristic, window: Window, dtype: jnp.dtype) -> Zeros:
    """The zeros of `function`, real on the real axis and without poles right of the imaginary axis.

    |f| of an analytic f has a local minimum nowhere but at a zero: those of a grid start Newton's method.
    """
    grid = _grid(window).astype(dtype)
    line = jnp.asarray(_frequencies(window, window.highest, _N_LINE)).astype(dtype) * 1j
    # One call for all, which compiles once.
    values = jax.vmap(function)(jnp.concatenate([grid.reshape(-1), line]))
    size = jnp.abs(values[: grid.size]).reshape(grid.shape)
    starts = grid.reshape(-1)[_minima(size)]
    ends = jax.vmap(lambda start: _newton(function, start, 0.5 * window.fastest))(starts)
    at = ends.at
    eps = float(jnp.finfo(size.dtype).eps)
    height = jnp.abs(at.imag)
    at = lax.complex(at.real, jnp.where(height < 1e3 * eps * window.highest, 0.0, height))
    slack = 1e-7 if size.dtype == jnp.float64 else 1e-3
    inside = (at.real >= window.slowest) & (at.real <= 2 * window.fastest) & (at.imag <= 1.02 * window.highest)
    solved = (ends.last < slack * window.highest) & inside
    order = jnp.argsort(jnp.where(solved, -at.real, jnp.inf))
    at, solved = at[order], solved[order]
    close = jnp.abs(at[:, None] - at[None]) < 100 * slack * window.highest
    found = solved & ~jnp.any(jnp.tril(close & solved[None], k=-1), axis=1)
    order = jnp.argsort(jnp.where(found, -at.real, jnp.inf))
    at, found = at[order], found[order]
    return Zeros(at, found, _missing(line, values[grid.size :], at, found, -window.slowest))


def _frequencies(window: Window, highest: float, n: int) -> np.ndarray:
    """From 0 to `highest`, even below the scale of the window and geometric above."""
    scale = window.scale
    return scale * np.sinh(np.linspace(0.0, np.arcsinh(highest / scale), n))


def _grid(window: Window) -> Complex[Array, "growths frequencies"]:
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


class _End(eqx.Module):
    """Where Newton's method came to, and the length of its last step."""

    at: Complex[Array, ""]
    last: Float[Array, ""]


def _newton(function: Characteristic, start: Complex[Array, ""], most: float) -> _End:
    """Newton's method with steps of at most `most`, which shrinks."""

    width = most * float(jnp.finfo(start.real.dtype).eps) ** 0.5

    def step(at: Complex[Array, ""], most: Float[Array, ""]) -> tuple[Complex[Array, ""], Float[Array, ""]]:
        # A difference for the slope: half the program of a derivative, and Newton's method corrects its error.
        value, ahead = jax.vmap(function)(jnp.stack([at, at + width]))
        flat = ahead == value
        move = width * value / jnp.where(flat, 1.0, ahead - value)
        # Far right f is 1 to rounding and has no slope: that is no zero, however short the step.
        length = jnp.where(flat & (value != 0), jnp.inf, jnp.abs(move))
        limited = move * (most / jnp.where(length > most, length, most)).astype(at.dtype)
        return jnp.where(jnp.isfinite(length), at - limited, at), length

    limits = jnp.asarray(most * 0.7 ** np.arange(_NEWTON), start.real.dtype)
    at, lengths = lax.scan(step, start, limits)
    return _End(at, lengths[-1])


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

    def moved(zero: Complex[Array, ""]) -> Complex[Array, "line"]:
        left = lax.complex(jnp.full_like(zero.imag, -decay), zero.imag)
        return (line - left) / jnp.where(line == zero, 1.0, line - zero)

    rest = values
    for zero, known in zip(at, found, strict=True):
        pair = jnp.where(zero.imag > 0.0, moved(jnp.conj(zero)), 1.0)
        rest = rest * jnp.where(known, moved(zero) * pair, 1.0)
    turned = jnp.sum(jnp.angle(rest[1:] / rest[:-1]))
    return jnp.round((jnp.angle(rest[-1]) - turned) / math.pi).astype(jnp.int32)
