"""The density of the potential under shot noise, from the adjoint of the backward equation."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._from_passage import log_rate_of
from ._shot import ShotInput, equations, shot_log_time, shot_system
from ._shot_panels import PANELS, POINTS, chebyshev, panel_of


@jax.jit
def shot_density(v: Float[Array, "..."], seen: ShotInput, t_ref: Float[Array, ""]) -> Float[Array, "..."]:
    """The density [1/mV] at `v`: on each panel the polynomial whose integrals are the times spent.

    The mean of any function over a passage is a sum over the points of the panels, whose weights solve the transposed
    system; of a density that jumps, at the reset potential and where spikes lead from there, this is the best fit.
    """
    dtype = seen.v_th.dtype
    system = shot_system(seen)
    reads = jnp.concatenate([system.reset, jnp.ones(1, dtype)])
    weights = jnp.linalg.solve(system.bordered().T, reads)[:-1]
    spent = -weights * jnp.exp(system.folds - system.most) * equations(dtype)
    # Both the times and the rate are long and low by exp(`most`).
    rate = jnp.exp(log_rate_of(shot_log_time(seen), t_ref) + system.most) / 1000.0
    width = jnp.diff(system.edges)
    # The times at the points of one panel are those of Legendre's polynomials: their sum is an integral.
    x = chebyshev()[0]
    degree = POINTS - 2
    legendre = np.polynomial.legendre.legvander(x, degree)
    moments = spent.reshape(PANELS, POINTS) @ jnp.asarray(legendre, dtype)
    series = moments * jnp.asarray(2.0 * np.arange(degree + 1) + 1.0, dtype) / width[:, None]
    flat = v.reshape(-1)
    inside = (flat < seen.v_th) & (flat > system.edges[0])
    at = jnp.where(inside, flat, seen.v_reset)
    panel = panel_of(system.edges, at)
    y = 2.0 * (at - system.edges[panel]) / width[panel] - 1.0
    total, now, before = series[panel, 0] + series[panel, 1] * y, y, jnp.ones_like(y)
    for k in range(2, degree + 1):
        now, before = ((2 * k - 1) * y * now - (k - 1) * before) / k, now
        total = total + series[panel, k] * now
    return jnp.where(inside, rate * total, 0.0).reshape(v.shape)
