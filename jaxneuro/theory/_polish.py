"""The self-consistent states of a dear theory, from those of a cheap one like it."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ._roots import Roots, told_apart

# How far a step goes at first [log Hz], and the evaluations that a root is given.
_FAR, _MOST = 1.0, 60
# A step below this is none: in float32 log rates of up to 23 have steps of 1e-6 by rounding alone.
_LEAST = {4: 1e-5, 8: 1e-12}

Respond = Callable[[Float[Array, "populations"]], Float[Array, "unknowns"]]


class _Known(eqx.Module):
    """A point, what its residual misses there, and the slopes of the answer by the log rate of every population."""

    x: Float[Array, "unknowns"]
    missed: Float[Array, "unknowns"]
    slopes: Float[Array, "unknowns populations"]


class _Walk(eqx.Module):
    """The best point so far, the one to be tried next, how far a step may go, and how far the last one would go."""

    best: _Known
    trial: Float[Array, "unknowns"]
    reach: Float[Array, ""]
    step: Float[Array, ""]
    count: Int[Array, ""]


def polish(respond: Respond, member: np.ndarray, roots: Roots) -> Roots:
    """The roots of a dear residual from those of a cheap one like it, one after another; those that meet are one.

    `respond(y)` is the log rate of each unknown in answer to log rates y of the populations, population i being of the
    unknown `member[i]`. A step is Newton's where that comes closer; one that does not is taken back and made shorter.

    What an answer costs is its compilation: value and slopes stand in one place of one loop. The last slopes are those
    of the linearised dynamics too: with nu D for d/d log nu their matrix is similar to that of d/d nu.
    """
    n_unknowns, n = roots.log_rates.shape[1], len(member)

    def answer(x: Float[Array, "unknowns"]) -> _Known:
        def both(y: Float[Array, "populations"]) -> tuple[Array, Array]:
            value = respond(y)
            return value, value

        slopes, value = jax.jacfwd(both, has_aux=True)(x[member])
        return _Known(x, value - x, slopes)

    def improved(root: tuple[Float[Array, "unknowns"], Bool[Array, ""]]) -> _Known:
        return _descend(answer, *root, member)

    known = roots.found & jnp.all(jnp.isfinite(roots.log_rates), axis=1)
    ends = lax.map(improved, (jnp.where(known[:, None], roots.log_rates, 0.0), known))
    # A network without any noise is silent in every theory.
    x = jnp.where(known[:, None], ends.x, roots.log_rates)
    found = (told_apart(ends.x, ends.missed) & known) | (roots.found & ~known)
    matrices = ends.slopes[:, member] - jnp.eye(n, dtype=x.dtype)
    if n_unknowns == 1:  # populations that answer alike: the matrix has rank one beside minus the identity
        matrices = jnp.sum(ends.slopes, axis=2, keepdims=True) - 1.0
    return Roots(x, found, matrices)


def _descend(
    answer: Callable[[Float[Array, "unknowns"]], _Known],
    start: Float[Array, "unknowns"],
    wanted: Bool[Array, ""],
    member: np.ndarray,
) -> _Known:
    """Newton's method from `start`; of what is not wanted, no step."""
    dtype, n_unknowns = start.dtype, start.shape[0]
    # The slopes by unknowns are sums over the populations that share one.
    shared = jnp.asarray(np.eye(n_unknowns)[member], dtype)
    eye = jnp.eye(n_unknowns, dtype=dtype)

    def going(now: _Walk) -> Bool[Array, ""]:
        return wanted & (now.step > _LEAST[dtype.itemsize]) & (now.count < _MOST)

    def walk(now: _Walk) -> _Walk:
        here = answer(now.trial)
        nearer = jnp.max(jnp.abs(here.missed)) < jnp.max(jnp.abs(now.best.missed))
        best = jax.tree.map(lambda new, old: jnp.where(nearer, new, old), here, now.best)
        reach = jnp.where(nearer, 2.0 * now.reach, 0.25 * now.step)
        move = -jnp.linalg.solve(best.slopes @ shared - eye, best.missed)
        move = jnp.where(jnp.isfinite(move), move, 0.0)
        length = jnp.max(jnp.abs(move))
        move = move * jnp.minimum(1.0, reach / jnp.maximum(length, 1e-30))
        return _Walk(best, best.x + move, reach, jnp.minimum(length, reach), now.count + 1)

    none = _Known(start, jnp.full_like(start, jnp.inf), jnp.zeros((n_unknowns, len(member)), dtype))
    far = jnp.full((), _FAR, dtype)
    return lax.while_loop(going, walk, _Walk(none, start, far, far, jnp.zeros((), jnp.int32))).best
