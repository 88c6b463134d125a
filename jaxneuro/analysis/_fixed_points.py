"""Where a model stands still, and what it does nearby."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Complex, Float, PRNGKeyArray

from .._numerics import (
    Shown,
    as_leaf,
    check_count,
    check_finite,
    check_key,
    default_key,
    implicit_root,
    one_at_a_time,
    told,
)
from ..models import AbstractODE
from ._vector import Flat, check_model, check_tolerance, flat, point_of

# Real parts within this many roundings of the largest eigenvalue count as 0.
_NEUTRAL = 1e4


class FixedPoints(Shown):
    """Fixed points, those with the fewest growing modes first.

    - `y`: (points, n), in the order of the model's variables.
    - `eigenvalues`: [1/ms], (points, n), by falling real part.
    - `labels`: such as "stable focus"; `stable`.
    - `residual`: the largest |dy/dt| [1/ms] at each.
    - `starts`: how many starts led to each.
    """

    y: Float[np.ndarray, "points n"]
    eigenvalues: Complex[np.ndarray, "points n"]
    labels: tuple[str, ...]
    stable: Bool[np.ndarray, "points"]
    residual: Float[np.ndarray, "points"]
    starts: Any

    def __len__(self) -> int:
        return len(self.labels)

    def __str__(self) -> str:
        lines = [f"{len(self)} fixed point{'' if len(self) == 1 else 's'}"]
        for y, label, values in zip(self.y, self.labels, self.eigenvalues, strict=True):
            shown = ", ".join(f"{v:.5g}" for v in y[:4]) + (", ..." if y.size > 4 else "")
            lead = values[0]
            mode = f"growth {1000 * lead.real:.4g} /s"
            if abs(lead.imag) > 0:
                mode += f", {1000 * abs(lead.imag) / (2 * np.pi):.4g} Hz"
            lines.append(f"  ({shown}): {label}, {mode}")
        return "\n".join(lines)


@one_at_a_time
def fixed_points(
    model: AbstractODE,
    *,
    starts: Any = None,
    n_starts: int = 128,
    box: Any = (0.0, 1.0),
    stimulus: ArrayLike | None = None,
    key: PRNGKeyArray | None = None,
    tolerance: float = 1e-9,
) -> FixedPoints:
    """Fixed points of a model, from many starts at once: roots of dy/dt, deduplicated and labelled.

    The starts are the model's own, `starts`, and `n_starts` drawn evenly from a box; each is solved by damped Newton
    steps (Levenberg-Marquardt), under vmap. Where the equation has a kink, as a threshold, the derivative is that of
    the side that the point lies on.

    **Arguments:**

    - `model`: a rate model of any kind whose vector field does not depend on time.
    - `starts`: (k, n), more starts.
    - `n_starts`: how many to draw; `box`: (low, high), numbers or (n,).
    - `stimulus`: injected, a number or (n,).
    - `key`: of the draws; `jax.random.key(0)` by default.
    - `tolerance`: roots closer than this, relative to their size, are one; and how small dy/dt has to be.

    **Returns:** `FixedPoints`, in numpy, as many as there are.

    Raises `ValueError` where an argument does not fit.

    Derivatives: none; take those of `fixed_point` at one of them.

    ```python
    >>> import jaxneuro as jn
    >>> print(jn.analysis.fixed_points(jn.networks.ei_rate(tau_i=30.0), box=(0.0, 50.0)))
    1 fixed point
      (26.667, 16.667): stable focus, growth -4.167 /s, 7.93 Hz

    ```

    Source: Strogatz (2015), Nonlinear Dynamics and Chaos, sections 5.2 and 6.3; source text 002.
    """
    check_model(model, stimulus)
    check_count("n_starts", n_starts, "a number of starts of at least 0", least=0)
    args = None if stimulus is None else as_leaf(stimulus, "stimulus")
    key = default_key() if key is None else key
    check_key(key)
    check_tolerance(tolerance)
    field, own = flat(model, args)
    low, high = box_of(box, own.size)
    given = jnp.zeros((0, own.size), own.dtype) if starts is None else jnp.atleast_2d(as_leaf(starts, "starts"))
    if given.ndim != 2 or given.shape[1] != own.size:
        raise ValueError(f"`starts` has to be (k, {own.size}); got shape {given.shape}.")
    check_finite("starts", given)
    drawn = low + (high - low) * jax.random.uniform(key, (n_starts, own.size), own.dtype)
    ends = _solve_all(field, jnp.concatenate([own[None], given, drawn]))
    return _labelled(field, ends, tolerance)


def box_of(box: Any, n: int) -> tuple[Array, Array]:
    """The corners of a box of `n` variables, numbers or (n,), or `ValueError`."""
    try:
        low, high = box
    except (TypeError, ValueError):
        raise ValueError(f"`box` has to be (low, high); got {told(box)}.") from None
    low, high = as_leaf(low, "low"), as_leaf(high, "high")
    if any(end.shape not in ((), (n,)) for end in (low, high)):
        raise ValueError(f"`box` has to be (low, high), numbers or ({n},); got shapes {low.shape} and {high.shape}.")
    if not bool(jnp.all(low < high)):
        raise ValueError(f"`box` has to be (low, high) with low below high; got {told(box)}.")
    return low, high


def fixed_point(model: AbstractODE, near: Any = None, *, stimulus: ArrayLike | None = None) -> Float[Array, "n"]:
    """The fixed point that damped Newton steps reach from `near`, as a differentiable function of the model.

    **Arguments:** `model`; `near`, (n,), where the search starts, by default where a run does; `stimulus`, a number
    or (n,).

    **Returns:** (n,), NaN where no fixed point was reached.

    Raises `ValueError` where an argument does not fit. Works under jit and vmap.

    Derivatives: implicit, in forward and reverse mode and of any order, with respect to the model and the stimulus.

    ```python
    >>> import jax, jaxneuro as jn
    >>> def rate(m_ei):
    ...     return jn.analysis.fixed_point(jn.networks.ei_rate(m_ei=m_ei))[0]
    >>> print(f"{rate(-1.0):.4f}, {jax.grad(rate)(-1.0):.4f}")
    26.6667, 22.2222

    ```

    Source: the implicit function theorem.
    """
    check_model(model, stimulus)
    field, own = flat(model, None if stimulus is None else as_leaf(stimulus, "stimulus"))
    return reached_root(field, point_of("near", near, own))


@eqx.filter_jit
def reached_root(field: Flat, start: Float[Array, "n"]) -> Float[Array, "n"]:
    """The root near `start`, differentiable in everything that `field` holds; NaN where none is reached."""
    start = lax.stop_gradient(start)
    end = lax.stop_gradient(_solve_one(lax.stop_gradient(field), start))
    reached = _is_root(lax.stop_gradient(field), end)
    root = implicit_root(lambda x: field(x), jnp.where(reached, end, start))
    return jnp.where(reached, root, jnp.nan)


def _is_root(field: Flat, x: Float[Array, "n"]) -> Bool[Array, ""]:
    slack = float(jnp.finfo(x.dtype).eps) ** 0.5
    return jnp.max(jnp.abs(field(x))) <= slack * (1.0 + jnp.max(jnp.abs(x)))


def _solve_one(field: Flat, start: Float[Array, "n"]) -> Float[Array, "n"]:
    accuracy = 16 * float(jnp.finfo(start.dtype).eps)
    solver = optx.LevenbergMarquardt(rtol=accuracy, atol=accuracy)
    end = optx.root_find(lambda x, f: f(x), solver, start, args=field, max_steps=200, throw=False).value
    # One Newton step takes what is left where the Jacobian can be inverted.
    step = jnp.linalg.lstsq(field.jacobian(end), field(end))[0]
    better = end - step
    return jnp.where(jnp.max(jnp.abs(field(better))) < jnp.max(jnp.abs(field(end))), better, end)


@eqx.filter_jit
def _solve_all(field: Flat, starts: Float[Array, "starts n"]) -> Float[Array, "starts n"]:
    return jax.vmap(lambda start: _solve_one(field, start))(starts)


@eqx.filter_jit
def _look(field: Flat, points: Float[Array, "points n"]) -> tuple[Array, Array]:
    residual = jax.vmap(lambda x: jnp.max(jnp.abs(field(x))))(points)
    return residual, jax.vmap(lambda x: jnp.linalg.eigvals(field.jacobian(x)))(points)


def _labelled(field: Flat, ends: Float[Array, "starts n"], tolerance: float) -> FixedPoints:
    residual, eigenvalues = (np.asarray(x) for x in _look(field, ends))
    points = np.asarray(ends)
    size = 1.0 + np.max(np.abs(points), axis=1, initial=0.0)
    slack = max(tolerance, 1e3 * float(np.finfo(points.dtype).eps))
    kept: list[int] = []
    counts: list[int] = []
    for index in np.flatnonzero(np.isfinite(points).all(axis=1) & (residual <= slack * size)):
        near = [
            k for k, old in enumerate(kept) if np.max(np.abs(points[index] - points[old])) < 1e2 * slack * size[old]
        ]
        if near:
            counts[near[0]] += 1
        else:
            kept.append(int(index))
            counts.append(1)
    values = [_sorted(eigenvalues[index]) for index in kept]
    labels = [label_of(v) for v in values]
    order = sorted(range(len(kept)), key=lambda k: (int(np.sum(np.real(values[k]) > 0)), tuple(points[kept[k]])))
    n = points.shape[1]
    return FixedPoints(
        y=np.asarray([points[kept[k]] for k in order]).reshape(-1, n),
        eigenvalues=np.asarray([values[k] for k in order]).reshape(-1, n),
        labels=tuple(labels[k] for k in order),
        stable=np.asarray([labels[k].startswith("stable") for k in order], bool),
        residual=np.asarray([residual[kept[k]] for k in order]),
        starts=np.asarray([counts[k] for k in order], int),
    )


def _sorted(values: np.ndarray) -> np.ndarray:
    return values[np.lexsort((-np.imag(values), -np.real(values)))]


def label_of(eigenvalues: Complex[np.ndarray, "n"]) -> str:
    """The kind of a fixed point by the eigenvalues of its Jacobian."""
    values = np.asarray(eigenvalues)
    slack = _NEUTRAL * float(np.finfo(np.real(values).dtype).eps) * np.max(np.abs(values))
    growing, decaying = np.real(values) > slack, np.real(values) < -slack
    turning = np.abs(np.imag(values)) > slack
    if not growing.any() and not decaying.all():
        neutral = ~growing & ~decaying
        return "centre" if turning[neutral].all() and neutral.all() else "neutral (marginal)"
    if growing.any() and decaying.any():
        return "saddle-focus" if turning.any() else "saddle"
    kind = "focus" if turning.any() else "node"
    return f"{'unstable' if growing.any() else 'stable'} {kind}"
