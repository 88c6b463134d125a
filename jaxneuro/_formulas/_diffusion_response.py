"""Linear response of a neuron with any drift and any noise."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Complex, Float

from .._numerics import Shown, as_leaf, check_finite
from ._collocation import POINTS, stages
from ._convention import AbstractConvention
from ._diffusion import PANELS, Numbers, prepared
from ._from_passage import log_rate_of
from ._line import Equation, edges
from ._passages import above_reset, log_flux_density, occupancy, passages


class DiffusionResponse(Shown):
    """How the rate answers a small modulation of drift or noise, as complex factors."""

    drift: Complex[Array, "..."]
    """Of the rate to a drift added at every potential [Hz/(mV/ms)]."""
    noise: Complex[Array, "..."]
    """Of the rate to a relative change of the noise B [Hz]."""


def diffusion_response(
    drift: Any,
    noise: Any,
    *,
    frequency: ArrayLike,
    convention: AbstractConvention,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    v_low: ArrayLike | None = None,
    n: int = PANELS,
) -> DiffusionResponse:
    """Returns how the rate of a neuron with any drift and any noise follows a slow or fast modulation of either.

    With A + epsilon exp(lambda t), or B (1 + epsilon exp(lambda t)), lambda = 2 pi i frequency, the rate is
    nu + epsilon R exp(lambda t). phi is the solution of B^2/2 phi'' + A phi' = lambda phi that stays bounded below:

        R = int (a phi' + b/2 phi'') P dV / (phi(th) - exp(-lambda t_ref) phi(reset)),

    with a and b the changes of the drift in Ito's sense and of B^2. At frequency 0 these are the slopes of the rate.

    **Arguments:** `frequency` [Hz], any shape; the others as `diffusion_rate`.

    **Returns:** a `DiffusionResponse` with `drift` [Hz/(mV/ms)] and `noise` [Hz], of the shape of `frequency`.

    Raises as `diffusion_rate`. Derivatives: forward and reverse mode.

    ```python
    >>> from jaxneuro.theory import Ito, diffusion_response
    >>> lif = dict(v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> drift, noise = lambda v: (15 - v) / 20, lambda v: 5 / 20**0.5 + 0 * v
    >>> seen = diffusion_response(drift, noise, frequency=100.0, convention=Ito(), **lif)
    >>> f"{seen.drift / 20:.4f} Hz/mV"
    '0.5864-0.6369j Hz/mV'

    ```

    Source: Richardson (2007), Phys Rev E 76, 021919, doi:10.1103/PhysRevE.76.021919, whose threshold integration
    this is the adjoint of.
    """
    hertz = as_leaf(frequency, "frequency")
    check_finite("frequency", hertz)
    return _response(hertz, *prepared(drift, noise, convention, v_th, v_reset, t_ref, v_low, n))


@eqx.filter_jit
def _response(
    hertz: Float[Array, "..."], drift: Any, noise: Any, convention: AbstractConvention, numbers: Numbers, n: int
) -> DiffusionResponse:
    equation = numbers.equation(drift, noise, convention)
    seen = jax.vmap(lambda f: _at(f, equation, drift, numbers, n))(hertz.reshape(-1))
    seen = jax.tree.map(lambda x: jnp.where(numbers.valid(), x.reshape(hertz.shape), jnp.nan), seen)
    return DiffusionResponse(*seen)


def _at(
    hertz: Float[Array, ""], equation: Equation, drift: Any, numbers: Numbers, n: int
) -> tuple[Complex[Array, ""], Complex[Array, ""]]:
    """The two factors at one frequency. Followed are phi and w = phi'/lambda, which is -T' at frequency 0."""
    real = equation.v_th.dtype
    growth = lax.complex(jnp.zeros_like(hertz), 2.0 * math.pi / 1000.0 * hertz)
    dtype = growth.dtype
    rule = stages(real)
    ends = edges(equation, n, lax.stop_gradient(jnp.abs(growth)))
    width = jnp.diff(ends)
    v = ends[:-1, None] + width[:, None] * rule.points
    pull, variance = equation.drift(v), jnp.square(equation.noise(v))
    log_rate = log_rate_of(passages(equation, n).log_time, numbers.t_ref)
    flux, log_flux = log_flux_density(equation, occupancy(equation, n), v.reshape(-1))
    weight = (2.0 * flux.reshape(v.shape) / variance) * (width[:, None] * rule.weights)

    system = _system(rule.slope / width[:, None, None], -2.0 * pull / variance, 2.0 / variance, growth)
    inverse = jnp.linalg.inv(system)
    start = -(rule.start / width[:, None]).astype(dtype)
    from_w, from_phi = inverse[:, :, :POINTS] @ start[:, :, None], inverse[:, :, POINTS:] @ start[:, :, None]
    maps = jnp.concatenate([from_w, from_phi], axis=2)

    # What B (1 + epsilon) adds to the drift in Ito's sense: the part of it that is B B'/2, twice.
    added = (2.0 * (pull - drift(v))).astype(dtype)
    counted = (width * above_reset(n).astype(real)).astype(dtype)
    scale_of_p = log_flux.reshape(v.shape) + log_rate

    def step(now: tuple[Array, ...], panel: tuple[Array, ...]) -> tuple[tuple[Array, ...], None]:
        y, by_drift, by_noise, crossed, at_reset, log = now
        move, pull, added, weight, logs, counts, below = panel
        at = move @ y
        w, phi = at[:POINTS], at[POINTS:]
        density = weight.astype(dtype) * jnp.exp(logs + log).astype(dtype)
        by_drift = by_drift + jnp.sum(density * w)
        # b/2 w' = B^2 w' = 2 phi - 2 A w
        by_noise = by_noise + jnp.sum(density * (added * w + 2.0 * phi - 2.0 * pull.astype(dtype) * w))
        crossed = crossed + counts * jnp.sum(rule.weights.astype(dtype) * w)
        end = jnp.stack([w[-1], phi[-1]])
        at_reset = jnp.where(below, phi[-1], at_reset)
        scale = lax.stop_gradient(jnp.max(jnp.abs(end)))
        less = (1.0 / scale).astype(dtype)
        return (end * less, by_drift, by_noise, crossed * less, at_reset * less, log + jnp.log(scale)), None

    zero = jnp.zeros((), dtype)
    first = jnp.where(equation.drift(ends[0]) > 0.0, 1.0 / jnp.abs(equation.drift(ends[0])), 0.0)
    # What phi starts with far below is forgotten on the way.
    begin = jnp.stack([first.astype(dtype), jnp.ones((), dtype)])
    below = ~above_reset(n)
    panels = (maps, pull, added, weight, scale_of_p, counted, below)
    # phi rises as the density falls: their product is of one size and is summed as it comes.
    end, _ = lax.scan(step, (begin, zero, zero, zero, zero, jnp.zeros((), real)), panels)
    _, by_drift, by_noise, crossed, at_reset, log = end
    silence = _late(growth, numbers.t_ref.astype(dtype)) * at_reset
    whole = jnp.exp(-log).astype(dtype) / (crossed + silence)
    return by_drift * whole, by_noise * whole


def _system(
    slope: Float[Array, "panels s s"], g: Float[Array, "panels s"], f: Float[Array, "panels s"], growth: Array
) -> Complex[Array, "panels t t"]:
    """w' - g w - f phi and phi' - lambda w at the points."""
    dtype = growth.dtype
    eye = jnp.eye(POINTS, dtype=dtype)
    slope = slope.astype(dtype)
    first = jnp.concatenate([slope - g.astype(dtype)[:, :, None] * eye, -f.astype(dtype)[:, :, None] * eye], axis=2)
    second = jnp.concatenate([jnp.broadcast_to(-growth * eye, slope.shape), slope], axis=2)
    return jnp.concatenate([first, second], axis=1)


def _late(growth: Array, t_ref: Array) -> Array:
    """(1 - exp(-lambda t_ref))/lambda."""
    s = growth * t_ref
    small = jnp.abs(lax.stop_gradient(s)) < 1e-3
    safe = jnp.where(small, 1.0, s)
    return t_ref * jnp.where(small, 1.0 - s / 2.0 + s * s / 6.0, (1.0 - jnp.exp(-safe)) / safe)
