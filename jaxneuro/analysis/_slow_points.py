"""Where a model goes slowly without standing still."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from .._numerics import Shown, as_leaf, check_count, check_key, default_key, one_at_a_time
from ..models import AbstractODE
from ._fixed_points import box_of
from ._vector import Flat, check_model, check_tolerance, flat


class SlowPoints(Shown):
    """Local minima of the speed, the slowest first: `y`, (points, n), and `speed` |dy/dt| [1/ms] at each."""

    y: Float[np.ndarray, "points n"]
    speed: Float[np.ndarray, "points"]

    def __len__(self) -> int:
        return self.speed.size

    def __str__(self) -> str:
        lines = [f"{len(self)} slow point{'' if len(self) == 1 else 's'}"]
        for y, speed in zip(self.y, self.speed, strict=True):
            shown = ", ".join(f"{v:.5g}" for v in y[:4]) + (", ..." if y.size > 4 else "")
            lines.append(f"  ({shown}): {speed:.4g} per ms")
        return "\n".join(lines)


@one_at_a_time
def slow_points(
    model: AbstractODE,
    *,
    n_starts: int = 128,
    box: Any = (0.0, 1.0),
    stimulus: ArrayLike | None = None,
    key: PRNGKeyArray | None = None,
    tolerance: float = 1e-4,
) -> SlowPoints:
    """Local minima of q(y) = |dy/dt|^2 / 2 from many starts: fixed points, and the ghosts of those that have met.

    **Arguments:** `model`, `n_starts`, `box`, `stimulus`, `key` as of `fixed_points`; `tolerance`: minima closer than
    this, relative to their size, are one.

    **Returns:** `SlowPoints`, in numpy.

    Raises `ValueError` where an argument does not fit. Derivatives: none.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.RateNetwork([[8.0]], h=-2.5, transfer=jn.transfer.Sigmoid())
    >>> found = jn.analysis.slow_points(net)
    >>> [round(float(y), 3) for y in found.y[:, 0]], bool(found.speed[0] < 1e-9), round(float(found.speed[1]), 4)
    ([0.996, 0.092], True, 0.0054)

    ```

    Source: Sussillo and Barak (2013), doi:10.1162/NECO_a_00409.
    """
    check_model(model, stimulus)
    check_count("n_starts", n_starts, "a number of starts of at least 1")
    key = default_key() if key is None else key
    check_key(key)
    check_tolerance(tolerance)
    field, own = flat(model, None if stimulus is None else as_leaf(stimulus, "stimulus"))
    low, high = box_of(box, own.size)
    starts = low + (high - low) * jax.random.uniform(key, (n_starts, own.size), own.dtype)
    ends, speeds, slopes = (np.asarray(x) for x in _minimise(field, jnp.concatenate([own[None], starts])))
    eps = float(np.finfo(ends.dtype).eps)
    flat_enough, apart = max(1e-3 * tolerance, 1e2 * eps), max(tolerance, eps**0.5)
    kept: list[int] = []
    for index in np.argsort(speeds):
        size = 1.0 + np.max(np.abs(ends[index]))
        away = [np.max(np.abs(ends[index] - ends[old])) for old in kept]
        level = np.isfinite(ends[index]).all() and slopes[index] < flat_enough
        if level and not any(distance < apart * size for distance in away):
            kept.append(int(index))
    return SlowPoints(ends[kept].reshape(-1, own.size), speeds[kept])


@eqx.filter_jit
def _minimise(field: Flat, starts: Float[Array, "starts n"]) -> tuple[Array, Array, Array]:
    # In units of the fastest rate at the first start, so that the solver's thresholds are of order 1.
    pace = jnp.max(jnp.abs(field.jacobian(starts[0])))
    pace = jnp.where(pace > 0.0, pace, 1.0)

    def q(x: Float[Array, "n"], _: Any = None) -> Float[Array, ""]:
        return 0.5 * jnp.sum(jnp.square(field(x) / pace))

    eps = float(jnp.finfo(starts.dtype).eps)
    solver = optx.BFGS(rtol=eps**0.75, atol=eps**1.5)

    def one(start: Float[Array, "n"]) -> Float[Array, "n"]:
        return optx.minimise(q, solver, start, max_steps=2_000, throw=False).value

    ends = jax.vmap(one)(starts)
    slopes = jax.vmap(lambda x: jnp.max(jnp.abs(jax.grad(q)(x))))(ends)
    return ends, pace * jnp.sqrt(2.0 * jax.vmap(q)(ends)), slopes
