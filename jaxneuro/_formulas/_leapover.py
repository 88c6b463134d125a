"""The published closure for jumps over the threshold, whose law it takes from a motion without drift."""

import functools
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from .._numerics import implicit_root, where_defined
from ._from_passage import log_rate_of
from ._stable import AbstractBoundary, StableNeuron
from ._stable_passage import boundary_exponent, complex_of, eliminated

# The grid in v = log |q|: on its first part P2 is solved for, beyond it has its asymptotic form.
_STEP, _FROM, _SOLVED, _BEYOND = 0.15, -20.0, 220, 600
# 1/(tau nu) on the same steps, from 0 on.
_LONG = 1_000
# The integral over leapovers, in log of the length.
_OVERS = np.arange(-35.0, 95.0, 0.25)
_WIDTH = 6  # points of an interpolation
_HALVINGS = 60


class Leapover(AbstractBoundary):
    """The closure of Wardak and Gong (2021), which is not exact: 5.844 Hz in the example, and 7.270 by `JumpsOver()`.

    Jumps over the threshold have the law that a motion without drift has from a distance (v_th - v_reset)
    exp(-1/(tau nu)). With transforms of densities of V - mu,

        P0 = (1 - nu t_ref) P1 + tau nu P2,    P1 = exp(-c q^alpha),
        c = sigma^alpha (1 - i beta tan(pi alpha/2))/(2 alpha),
        P2 = P1 int_0^q exp(c p^alpha) [exp(ip (v_reset - mu)) - exp(ip (v_th - mu)) phi(p)] dp/p,

    and nu is such that P0 is 0 at the threshold; phi(p) = e^z Gamma(a, z)/Gamma(a) at z = -ip (v_th - v_reset)
    exp(-1/(tau nu)). The inverse transform is taken on a ray in the complex plane, with its tail. Where mu lies above
    the threshold and alpha well below 2 the closure has no root, and the rate is NaN; of several roots it is the
    lowest.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(alpha=1.5, beta=0.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> rate = jn.theory.stable_lif_rate(15.0, 5.0, **neuron, boundary=jn.theory.Leapover())
    >>> f"{float(rate):.3f} Hz"
    '5.844 Hz'

    ```

    Source: Wardak and Gong (2021), doi:10.1103/PhysRevResearch.3.013083.
    """

    def is_dear(self) -> bool:
        return True

    def log_rate(self, neuron: StableNeuron) -> Float[Array, ""]:
        s = neuron.scale()
        b, reset = (neuron.v_th - neuron.mu) / s, (neuron.v_th - neuron.v_reset) / s
        curve = _curve(b, reset, neuron.alpha, neuron.beta)
        refractory = neuron.t_ref / neuron.tau

        def excess(y: Float[Array, "1"]) -> Float[Array, "1"]:
            return (y[0] - refractory - _at(curve, y[0]))[None]

        grid = _STEP * jnp.arange(_LONG, dtype=b.dtype)
        above = grid - refractory - curve > 0.0
        # From long intervals down: the first place where the sign changes.
        last = jnp.max(jnp.where(above, 0, jnp.arange(_LONG)))
        exists = (last > 0) & (last < _LONG - 1)
        start = jnp.where(exists, grid[last], 1.0)

        def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
            low, high = ends
            middle = 0.5 * (low + high)
            over = excess(middle[None])[0] > 0.0
            return jnp.where(over, low, middle), jnp.where(over, middle, high)

        low, high = lax.fori_loop(0, _HALVINGS, halve, lax.stop_gradient((start, start + _STEP)))
        y = implicit_root(excess, (0.5 * (low + high))[None])[0]
        # y is the whole interval in tau: refractoriness is in it.
        log_time = jnp.log(neuron.tau * jnp.where(exists, y, 1.0))
        return where_defined(exists, log_rate_of(log_time, jnp.zeros_like(log_time)), y, neuron.mu)


class _Grid(NamedTuple):
    v: np.ndarray
    sums: np.ndarray
    """Integrals of the sinc functions of the first part up to its points."""


@functools.cache
def _grid() -> _Grid:
    # The sine integral at whole multiples of pi, half-wave by half-wave.
    nodes, weights = np.polynomial.legendre.leggauss(20)
    x = 0.5 * np.pi * (nodes + 1.0) + np.pi * np.arange(_SOLVED - 1)[:, None]
    halves = np.sum(0.5 * np.pi * weights * np.sin(x) / x, axis=1)
    sine_integral = np.concatenate([[0.0], np.cumsum(halves)])
    lags = np.arange(_SOLVED)[:, None] - np.arange(_SOLVED)[None, :]
    sums = _STEP * (0.5 + np.sign(lags) * sine_integral[np.abs(lags)] / np.pi)
    return _Grid(_FROM + _STEP * np.arange(_SOLVED + _BEYOND), sums)


def _curve(
    b: Float[Array, ""], reset: Float[Array, ""], alpha: Float[Array, ""], beta: Float[Array, ""]
) -> Float[Array, "long"]:
    """-int P2/int P1 at the threshold for every y = 1/(tau nu): the mean time to threshold in units of tau."""
    fixed, dtype = _grid(), b.dtype
    kind = complex_of(dtype)
    skew = beta * jnp.tan(0.5 * jnp.pi * alpha)
    c = (1.0 - 1j * skew.astype(kind)) / alpha.astype(kind)
    a = jnp.clip(boundary_exponent(alpha, beta), 0.0, 1.0)
    # Half as far as P1 decays, less where mu lies above threshold.
    theta = jnp.minimum(0.5 * (0.5 * jnp.pi - jnp.arctan(skew)) / alpha, 0.6)
    theta = lax.stop_gradient(jnp.where(b < 0.0, jnp.minimum(theta, 0.5 / (1.0 + jnp.abs(b))), theta))
    # exp of more than this is no float32; there is nothing left there.
    v = jnp.minimum(jnp.asarray(fixed.v, dtype), 40.0 if dtype == jnp.float32 else jnp.inf)
    turn = jnp.exp(-1j * theta.astype(kind))
    q = jnp.exp(v).astype(kind) * turn
    power = jnp.exp(alpha * v).astype(kind) * turn ** alpha.astype(kind)
    decay = alpha.astype(kind) * c * power + 1j * b.astype(kind) * q
    n = _SOLVED
    first = jnp.sum(_STEP * q[:n] * jnp.exp(-c * power[:n] - 1j * b.astype(kind) * q[:n]))
    # P2 exp(-iqb) = x solves x' = -decay x + [exp(-iq (v_th - v_reset)) - phi]: its integral as a sum over the bracket.
    sums = jnp.asarray(fixed.sums, kind)
    system = jnp.eye(n, dtype=kind) + sums * decay[None, :n]
    weights = jnp.concatenate([eliminated(system.T, _STEP * q[:n]) @ sums, _STEP * q[n:] / decay[n:]])
    known = jnp.sum(weights * jnp.exp(-1j * reset.astype(kind) * q))
    table = _leapovers(jnp.asarray(fixed.v, dtype), jnp.log(reset), theta, a)
    # phi at v - y: one table for all.
    place = (_LONG - 1 - np.arange(_LONG))[:, None] + np.arange(fixed.v.size)[None, :]
    return (jnp.real(table[place] @ weights) - jnp.real(known)) / jnp.real(first)


def _leapovers(
    v: Float[Array, "v"], log_reset: Float[Array, ""], theta: Float[Array, ""], a: Float[Array, ""]
) -> Complex[Array, "table"]:
    """phi(z) = sin(pi a)/pi int_0^inf exp(-z y) y^-a/(1 + y) dy on the ray of z, y turned so that z y is real."""
    kind = complex_of(v.dtype)
    lowest = v[0] - _STEP * (_LONG - 1) + log_reset
    size = jnp.exp(jnp.clip(lowest + _STEP * jnp.arange(v.size + _LONG - 1, dtype=v.dtype), -80.0, 80.0))
    length = jnp.exp(jnp.asarray(_OVERS, v.dtype))
    turn = jnp.exp(1j * (0.5 * jnp.pi + theta).astype(kind))
    shape = jnp.exp((1.0 - a) * jnp.asarray(_OVERS, v.dtype)).astype(kind) * turn ** (1.0 - a).astype(kind)
    density = 0.25 * jnp.sin(jnp.pi * a).astype(kind) / jnp.pi * shape / (1.0 + length.astype(kind) * turn)
    reached = jnp.outer(size, length)
    near, far = -jnp.expm1(-reached).astype(kind) @ density, jnp.exp(-reached).astype(kind) @ density
    return jnp.where(a > 0.5, 1.0 - near, far)


def _at(curve: Float[Array, "long"], y: Float[Array, ""]) -> Float[Array, ""]:
    """Between points of the curve by a polynomial of degree 5."""
    x = y / _STEP
    first = jnp.clip(jnp.floor(lax.stop_gradient(x)).astype(jnp.int32) - 2, 0, _LONG - _WIDTH)
    at = x - first.astype(x.dtype)
    total = jnp.zeros_like(x)
    for i in range(_WIDTH):
        weight = jnp.ones_like(x)
        for j in range(_WIDTH):
            if j != i:
                weight = weight * (at - j) / (i - j)
        total = total + weight * lax.dynamic_index_in_dim(curve, first + i, keepdims=False)
    return total
