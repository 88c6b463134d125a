"""The mean time that a stable Ornstein-Uhlenbeck process takes to its threshold, jumps over it included.

In units of tau, and with z the distance to the threshold in units of s = sigma/2^(1/alpha), the mean time T obeys

    A T + (b - z) dT/dz = -1 for z > 0,    T = 0 for z <= 0,    b = (threshold - mu)/s,

A the generator of the stable motion. A maps z^p to kappa(p) z^(p-alpha), also where z^p is cut at 0: on the logarithmic
axis u = log z it is z^-alpha times a convolution. The unknown is S = dT/du on a uniform grid in u, between which it is
interpolated by sinc functions, so that the error falls exponentially with the number of points, as S is analytic:

    S = 1/(1 + zeta/z) + D d/du (1 + eta/z)^-a + exp(gamma u) y(u).

The first part is what a far particle does, that drifts inwards; the second has the exponent a at the threshold. The
convolutions of both are integrals over their Mellin transforms.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from .._numerics import log_gamma, log_gamma_of_known

# The grid in u, and the weight exp(gamma u) of what is solved for: between the exponents a - 1 and a of the solutions
# that the left end would admit, for nearly all alpha and beta.
_GAMMA = -0.3
_BLOCK = 44  # a divisor of the number of points


class Grid(NamedTuple):
    """Points in u: `left` of them below 0, and `right` above, `step` apart."""

    step: float
    left: int
    right: int


RATE, DENSITY = Grid(0.3, 108, 67), Grid(0.0625, 176, 131)
# The lines Re p on which the Mellin transforms of the first and the second part are integrated.
_FAR_LINE, _NEAR_LINE, _LINE_STEP, _LINE_NODES = 0.5, -0.5, 0.1, 121


class _Constants(NamedTuple):
    """All that depends on the grid alone."""

    step: float
    u: np.ndarray
    lags: np.ndarray
    """Where the value of each pair of points stands in the table of lags."""
    p: np.ndarray
    """gamma + i omega, up to the highest frequency of the grid; `weights` of Gauss and Legendre."""
    weights: np.ndarray
    waves: np.ndarray
    """exp(i omega lag), (lag, omega)."""
    rise: np.ndarray
    """What the unit step at each point is, by lag."""
    far: np.ndarray
    near: np.ndarray
    """Exponents on the two lines; their `line` is the weight of each."""
    line: np.ndarray
    every: np.ndarray
    """p, far and near side by side; `gammas` are log Gamma(2 - p) and log Gamma(1 + p) of them."""
    gammas: np.ndarray


@functools.cache
def _constants(grid: Grid) -> _Constants:
    step = grid.step
    u = step * np.arange(-grid.left, grid.right + 1)
    n = u.size
    nodes, weights = np.polynomial.legendre.leggauss(int(1.2 * n))
    highest = np.pi / step
    omega, weights = 0.5 * highest * (nodes + 1.0), 0.5 * highest * weights
    p = _GAMMA + 1j * omega
    lag = step * np.arange(1 - n, n)
    waves = np.exp(1j * np.outer(lag, omega))
    rise = step / np.pi * np.real(waves @ (weights / p)) + step * np.exp(-_GAMMA * lag)
    lags = np.arange(n)[:, None] - np.arange(n)[None, :] + n - 1
    frequencies = 1j * _LINE_STEP * np.arange(_LINE_NODES)
    line = np.full(_LINE_NODES, _LINE_STEP / np.pi)
    line[0] *= 0.5
    far, near = _FAR_LINE + frequencies, _NEAR_LINE + frequencies
    every = np.concatenate([p, far, near])
    gammas = log_gamma_of_known(np.stack([2.0 - every, 1.0 + every]))
    return _Constants(step, u, lags, p, weights, waves, rise, far, near, line, every, gammas)


def complex_of(dtype: jnp.dtype) -> jnp.dtype:
    """The complex numbers of floats of `dtype`."""
    return jnp.dtype(jnp.complex128 if dtype.itemsize == 8 else jnp.complex64)


def boundary_exponent(alpha: Float[Array, ""], beta: Float[Array, ""]) -> Float[Array, ""]:
    """a: alpha times the probability that the stable motion is positive; T falls like z^a to the threshold."""
    return 0.5 * alpha + jnp.arctan(beta * jnp.tan(0.5 * jnp.pi * alpha)) / jnp.pi


def mean_passage(
    b: Float[Array, ""], log_reset: Float[Array, ""], alpha: Float[Array, ""], beta: Float[Array, ""]
) -> Float[Array, ""]:
    """The mean time [tau] from z = exp(`log_reset`) to the threshold; without meaning where it is above 1e8."""
    system = _system(b, alpha, beta, RATE)
    return system.known(log_reset) + jnp.dot(system.read(log_reset), _solved(system.matrix, system.right))


def _solved(matrix: Float[Array, "n n"], right: Float[Array, "n"]) -> Float[Array, "n"]:
    return lax.custom_linear_solve(
        lambda x: matrix @ x,
        right,
        lambda _, y: eliminated(matrix, y),
        lambda _, y: eliminated(matrix.T, y),
    )


def eliminated(matrix: Inexact[Array, "n n"], right: Inexact[Array, "n"]) -> Inexact[Array, "n"]:
    """The solution by elimination of blocks, of real or complex numbers; n is a multiple of 44.

    LAPACK takes several threads for a matrix of this size, and many times in a loop on a busy machine they wait for
    each other far longer than they work.
    """
    rest, rows = jnp.concatenate([matrix, right[:, None]], axis=1), []
    for _ in range(right.size // _BLOCK):
        row = _inverse(rest[:_BLOCK, :_BLOCK]) @ rest[:_BLOCK, _BLOCK:]
        rest = rest[_BLOCK:, _BLOCK:] - rest[_BLOCK:, :_BLOCK] @ row
        rows.append(row)
    found = rows[-1][:, -1]
    for row in reversed(rows[:-1]):
        found = jnp.concatenate([row[:, -1] - row[:, :-1] @ found, found])
    return found


def _inverse(matrix: Inexact[Array, "m m"]) -> Inexact[Array, "m m"]:
    """By Gauss and Jordan, with the largest number of a column as pivot."""
    m = matrix.shape[0]
    index = jnp.arange(m)

    def eliminate(k: Array, both: Inexact[Array, "m twice"]) -> Inexact[Array, "m twice"]:
        column = both[:, k]
        pivot = jnp.argmax(jnp.where(index >= k, jnp.abs(column), -1.0))
        row = both[pivot] / column[pivot]
        # Row k goes to where the pivot came from.
        moved = both.at[pivot].set(both[k])
        factors = jnp.where(index == k, 0.0, moved[:, k])
        return (moved - factors[:, None] * row).at[k].set(row)

    both = jnp.concatenate([matrix, jnp.eye(m, dtype=matrix.dtype)], axis=1)
    return lax.fori_loop(0, m, eliminate, both)[:, m:]


class Occupancy(NamedTuple):
    """The time [tau] that is spent on the way from reset to threshold at exp(u), per unit of z."""

    u: np.ndarray
    density: Float[Array, "n"]


def occupancy_of(
    b: Float[Array, ""], log_reset: Float[Array, ""], alpha: Float[Array, ""], beta: Float[Array, ""]
) -> Occupancy:
    """From the adjoint equation: what each point of the right side adds to the mean time.

    It has a cusp at the reset, and alternates about the truth from point to point, which a mean over five points that
    is exact for cubic functions takes out; 2% of the largest value is left at the cusp, and 0.4% beside it.
    """
    fixed = _constants(DENSITY)
    system = _system(b, alpha, beta, DENSITY)
    u = jnp.asarray(fixed.u, b.dtype)
    adjoint = -_solved(system.matrix.T, system.read(log_reset)) * system.weight
    found = adjoint * jnp.exp((alpha - 1.0) * u) / fixed.step
    wide = jnp.concatenate([found[:1], found[:1], found, found[-1:], found[-1:]])
    n = found.size
    smooth = (10.0 * found + 4.0 * (wide[1 : n + 1] + wide[3 : n + 3]) - wide[:n] - wide[4:]) / 16.0
    return Occupancy(fixed.u, smooth)


class _System(NamedTuple):
    """matrix x = right; T at log z is known(log z) + read(log z) . x."""

    grid: Grid
    weight: Float[Array, "n"]
    """What its rows are multiplied by."""

    matrix: Float[Array, "n n"]
    right: Float[Array, "n"]
    log_zeta: Float[Array, ""]
    log_eta: Float[Array, ""]
    a: Float[Array, ""]

    def known(self, at: Float[Array, ""]) -> Float[Array, ""]:
        return jax.nn.softplus(at - self.log_zeta)

    def read(self, at: Float[Array, ""]) -> Float[Array, "n"]:
        fixed, dtype = _constants(self.grid), at.dtype
        complex_type = complex_of(dtype)
        p = jnp.asarray(fixed.p, complex_type)
        # The integral of exp(gamma u) times each sinc function up to `at`.
        from_right = jnp.asarray(np.exp(-1j * np.outer(fixed.u, np.imag(fixed.p))), complex_type) @ (
            jnp.asarray(fixed.weights, complex_type) / p * jnp.exp(p * at.astype(complex_type))
        )
        whole = jnp.asarray(fixed.step * np.exp(_GAMMA * fixed.u), dtype)
        row = whole + fixed.step / np.pi * jnp.real(from_right)
        return row.at[0].set(jnp.exp(-self.a * jax.nn.softplus(self.log_eta - at)))


def _system(b: Float[Array, ""], alpha: Float[Array, ""], beta: Float[Array, ""], grid: Grid) -> _System:
    fixed, dtype = _constants(grid), b.dtype
    complex_type = complex_of(dtype)
    u, line = jnp.asarray(fixed.u, dtype), jnp.asarray(fixed.line, complex_type)
    symbols = _symbols(alpha, beta, grid)
    table = fixed.step / np.pi * jnp.real(jnp.asarray(fixed.waves, complex_type) @ symbols.kernel)
    table = table + symbols.killed * jnp.asarray(fixed.rise, dtype)
    drift = b * jnp.exp((alpha - 1.0) * u) - jnp.exp(alpha * u)
    matrix = table[fixed.lags] + jnp.diag(drift)

    # zeta: beyond it the drift is inwards; eta: where jumps and an outward drift balance.
    log_zeta = 0.5 * jnp.log1p(jnp.square(b))
    log_eta = -0.5 * jnp.log1p(jnp.square(jnp.maximum(b, 0.0))) / (alpha - 1.0)

    def on_line(p: np.ndarray, transform: Complex[Array, "line"], scale: Float[Array, ""]) -> Float[Array, "n"]:
        powers = jnp.asarray(np.exp(np.outer(fixed.u, p)), complex_type)
        return jnp.real(
            powers @ (transform * jnp.exp(-jnp.asarray(p, complex_type) * scale.astype(complex_type)) * line)
        )

    right = -jnp.exp(alpha * u) - on_line(fixed.far, symbols.far, log_zeta) - drift * jax.nn.sigmoid(u - log_zeta)
    close = u - log_eta
    shape = symbols.a * jnp.exp(symbols.a * close - (symbols.a + 1.0) * jax.nn.softplus(close))
    column = symbols.killed + on_line(fixed.near, symbols.near, log_eta) + drift * shape
    # A row is divided by its drift, so that no row is large.
    weight = jnp.exp(-_GAMMA * u) / (1.0 + lax.stop_gradient(jnp.abs(drift)))
    matrix = (matrix * jnp.exp(_GAMMA * u)[:, None]).at[:, 0].set(column)
    return _System(grid, weight, matrix * weight[:, None], right * weight, log_zeta, log_eta, symbols.a)


class _Symbols(NamedTuple):
    """What the generator is in Mellin space, apart from scales.

    `kernel`: of the convolution, without its pole at 0, whose residue is `killed` = kappa(0), minus the rate of jumps
    over a threshold at distance 1; `far`, `near`: of both parts that are known; `a`: the exponent at the threshold.
    """

    kernel: Complex[Array, "p"]
    killed: Float[Array, ""]
    far: Complex[Array, "line"]
    near: Complex[Array, "line"]
    a: Float[Array, ""]


def _symbols(alpha: Float[Array, ""], beta: Float[Array, ""], grid: Grid) -> _Symbols:
    """The generator of the stable motion takes z^p, 0 for z < 0, to kappa(p) z^(p - alpha):

    kappa = [(1 - beta) Gamma(alpha - p)/Gamma(-p) + (1 + beta) Gamma(1 + p)/Gamma(1 + p - alpha)]/(-2 cos(pi alpha/2)).
    """
    fixed = _constants(grid)
    complex_type = complex_of(alpha.dtype)
    p, gammas = jnp.asarray(fixed.every, complex_type), jnp.asarray(fixed.gammas, complex_type)
    a = boundary_exponent(alpha, beta)
    near = jnp.asarray(fixed.near, complex_type)
    index, skew = alpha.astype(complex_type), beta.astype(complex_type)
    # All in one call: most of the time to compile goes to it.
    sought = [
        index - p,
        3.0 + p - index,
        a.astype(complex_type) - near,
        jnp.stack([a, 3.0 - alpha]).astype(complex_type),
    ]
    found = log_gamma(jnp.concatenate(sought))
    m, k = fixed.every.size, fixed.near.size
    away = jnp.exp(found[:m] - gammas[0]) * -p * (1.0 - p)
    over = jnp.exp(gammas[1] - found[m : 2 * m]) * (1.0 + p - index) * (2.0 + p - index)
    front = -0.5 / jnp.cos(0.5 * jnp.pi * alpha)
    kappa = front.astype(complex_type) * ((1.0 - skew) * away + (1.0 + skew) * over)
    killed = front * (1.0 + beta) * (1.0 - alpha) * (2.0 - alpha) * jnp.exp(-jnp.real(found[-1]))
    of_grid, of_far, of_near = kappa[: fixed.p.size], kappa[fixed.p.size : -k], kappa[-k:]
    # The transforms of log(1 + z) and of (z/(1 + z))^a, Gamma(a - p) Gamma(p)/Gamma(a).
    far = of_far * jnp.asarray(np.pi / (fixed.far * np.sin(np.pi * fixed.far)), complex_type)
    rise = jnp.exp(found[2 * m : 2 * m + k] + gammas[1, -k:] - found[-2]) / near
    kernel = (
        jnp.asarray(fixed.weights, complex_type)
        * (of_grid - killed.astype(complex_type))
        / jnp.asarray(fixed.p, complex_type)
    )
    return _Symbols(kernel, killed, far, of_near * rise, a)
