"""A fixed point followed along a parameter, around folds, with the bifurcations on its way."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Complex, Float

from .._numerics import Shown, as_leaf, told
from ..models import AbstractODE
from ._fixed_points import fixed_point, label_of
from ._vector import Flat, check_model, flat, leaf_index, with_leaf

_NEWTON = 8
_BISECTIONS = 40


class Bifurcation(Shown):
    """Where the stability of a branch changes: "fold", "Hopf" or "branch point" (two branches meet)."""

    kind: str = eqx.field(static=True)
    value: float
    y: Float[np.ndarray, "n"]
    frequency: float

    def __str__(self) -> str:
        more = f", {self.frequency:.5g} Hz" if self.kind == "Hopf" else ""
        return f"{self.kind} at {self.value:.6g}{more}"


class Branch(Shown):
    """A branch of fixed points, in the order in which it was followed.

    - `value`: the parameter, (points,); `y`, (points, n); `eigenvalues` [1/ms], (points, n); `stable`.
    - `bifurcations`: those on the way.
    - `complete`: whether it reached an end of the range; else it ran out of steps, or could not go on.
    """

    value: Float[np.ndarray, "points"]
    y: Float[np.ndarray, "points n"]
    eigenvalues: Complex[np.ndarray, "points n"]
    stable: Bool[np.ndarray, "points"]
    bifurcations: tuple[Bifurcation, ...]
    complete: bool

    def __str__(self) -> str:
        ends = f"{self.value[0]:.4g} to {self.value[-1]:.4g}"
        lines = [f"Branch of {self.value.size} fixed points from {ends}, stable on {np.mean(self.stable):.0%}"]
        lines += [f"  {found}" for found in self.bifurcations]
        if not self.complete:
            lines.append("  It ends before the range does.")
        return "\n".join(lines)


class _Point(eqx.Module):
    """A point of the branch: y and the parameter, scaled to the range, and the direction of the branch."""

    at: Float[Array, "m"]
    tangent: Float[Array, "m"]
    residual: Float[Array, ""]
    eigenvalues: Complex[Array, "n"]


def continuation(
    model: AbstractODE,
    *,
    where: Callable[[Any], Any],
    over: Any,
    near: Any = None,
    step: float = 0.02,
    max_steps: int = 2_000,
    stimulus: ArrayLike | None = None,
) -> Branch:
    """Follows a fixed point along a parameter by pseudo-arclength, past folds, until the parameter leaves its range.

    From a point (y, p) with the unit tangent t of the branch, Newton steps solve

        f(y, p) = 0,   t . ((y, p) - (y_0, p_0)) = ds.

    Between two points a change of sign of the tangent's parameter is a fold, of the real part of a complex pair a Hopf
    bifurcation, of a real eigenvalue elsewhere a branch point; each is bisected.

    **Arguments:**

    - `model`: a rate model; `where`: picks the parameter, such as `lambda m: m.m_ee`.
    - `over`: (first, last); the branch starts at the fixed point at `first` and goes towards `last`.
    - `near`: (n,), from where the first fixed point is sought, by default where a run of the model starts.
    - `step`: the largest step ds, as a share of the range of the parameter and of the size of y; halved where Newton's
      method fails.
    - `max_steps`: how many; `stimulus`: a number or (n,).

    **Returns:** a `Branch`, in numpy.

    Raises `ValueError` where an argument does not fit, `RuntimeError` where there is no fixed point to start from.

    Derivatives: none; take those of `fixed_point` and `hopf`.

    ```python
    >>> import jaxneuro as jn
    >>> branch = jn.analysis.continuation(jn.networks.ei_rate(), where=lambda m: m.tau_i, over=(20.0, 60.0))
    >>> print(branch.bifurcations[0])
    Hopf at 40, 6.8916 Hz

    ```

    Source: Keller (1977), in Applications of Bifurcation Theory, Academic Press; Strogatz (2015), chapters 3 and 8.
    """
    check_model(model, stimulus)
    index = leaf_index(model, where)
    first, last = _range(over)
    if not isinstance(step, int | float) or not 0 < step <= 1:
        raise ValueError(f"`step` has to lie between 0 and 1; got {told(step)}.")
    if isinstance(max_steps, bool) or not isinstance(max_steps, int | np.integer) or max_steps < 1:
        raise ValueError(f"`max_steps` has to be a number of steps of at least 1; got {told(max_steps)}.")
    args = None if stimulus is None else as_leaf(stimulus, "stimulus")
    start = fixed_point(with_leaf(model, index, as_leaf(first, "first")), near, stimulus=stimulus)
    if not bool(jnp.all(jnp.isfinite(start))):
        raise RuntimeError(f"No fixed point at {first:.6g} was found from `near`: give a start closer to one.")
    way = _Way(model, index, args, as_leaf(first, "first"), as_leaf(last - first), 1.0 + jnp.max(jnp.abs(start)))
    return way.follow(way.first(start), step, int(max_steps))


def _range(over: Any) -> tuple[float, float]:
    ends = np.asarray(as_leaf(over, "over"))
    if ends.shape != (2,) or not np.all(np.isfinite(ends)) or ends[0] == ends[1]:
        raise ValueError(f"`over` has to be (first, last), two different numbers; got {told(over)}.")
    return float(ends[0]), float(ends[1])


class _Way(eqx.Module):
    """The curve f(y, p) = 0 in coordinates of order 1: y / size and (p - first) / (last - first)."""

    model: AbstractODE
    index: int = eqx.field(static=True)
    args: Any
    first_value: Float[Array, ""]
    length: Float[Array, ""]
    size: Float[Array, ""]

    def field(self, share: Float[Array, ""]) -> Flat:
        """The vector field at a share of the range."""
        return flat(with_leaf(self.model, self.index, self.first_value + share * self.length), self.args)[0]

    def slope(self, at: Float[Array, "m"]) -> Float[Array, "n"]:
        """dy/dt at a point of the scaled coordinates."""
        return self.field(at[-1])(at[:-1] * self.size)

    def first(self, y: Float[Array, "n"]) -> _Point:
        """The first point; its tangent goes towards the end of the range."""
        at = jnp.append(y / self.size, 0.0)
        return _start(self, at)

    def follow(self, point: _Point, step: float, max_steps: int) -> Branch:
        """All points and bifurcations."""
        points, found, ds, complete = [point], [], step, False
        for _ in range(max_steps):
            ahead = _advance(self, point, as_leaf(ds, "ds"))
            if not _accepted(point, ahead, ds):
                ds *= 0.5
                if ds < step * 2.0**-20:
                    break
                continue
            found += self._between(point, ahead, ds)
            points.append(ahead)
            point, ds = ahead, min(step, 1.5 * ds)
            if not 0.0 <= float(point.at[-1]) < 1.0:
                complete = True
                break
        return self._branch(points, found, complete)

    def _branch(self, points: list[_Point], found: list[Bifurcation], complete: bool) -> Branch:
        at = np.stack([np.asarray(p.at) for p in points])
        values = np.stack([np.sort_complex(np.asarray(p.eigenvalues))[::-1] for p in points])
        return Branch(
            value=float(self.first_value) + at[:, -1] * float(self.length),
            y=at[:, :-1] * float(self.size),
            eigenvalues=values,
            stable=np.asarray([label_of(v).startswith("stable") for v in values]),
            bifurcations=tuple(found),
            complete=complete,
        )

    def _between(self, point: _Point, ahead: _Point, ds: float) -> list[Bifurcation]:
        """The bifurcations on one step."""
        found = []
        if float(point.tangent[-1]) * float(ahead.tangent[-1]) < 0:
            found.append(self._locate("fold", point, ds, lambda p: float(p.tangent[-1])))
        change = abs(_growing(ahead) - _growing(point))
        if change == 2 and _turns(point) and _turns(ahead):
            found.append(self._locate("Hopf", point, ds, _nearest_pair))
        elif change and not found:
            found.append(self._locate("branch point", point, ds, _nearest_real))
        return found

    def _locate(self, kind: str, point: _Point, ds: float, test: Callable[[_Point], float]) -> Bifurcation:
        low, high, sign = 0.0, ds, np.sign(test(point))
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            same = np.sign(test(_advance(self, point, as_leaf(middle, "middle")))) == sign
            low, high = (middle, high) if same else (low, middle)
        seen = _advance(self, point, as_leaf(0.5 * (low + high)))
        values = np.asarray(seen.eigenvalues)
        turning = values[_turning(values)]
        omega = abs(np.imag(turning[np.argmin(np.abs(np.real(turning)))])) if kind == "Hopf" and turning.size else 0.0
        value = float(self.first_value + seen.at[-1] * self.length)
        y = np.asarray(seen.at[:-1] * self.size)
        return Bifurcation(kind, value, y, 1000.0 * float(omega) / (2 * np.pi))


@eqx.filter_jit
def _start(way: _Way, at: Float[Array, "m"]) -> _Point:
    forward = jnp.zeros_like(at).at[-1].set(1.0)
    return _at(way, at, _tangent(way, at, forward))


@eqx.filter_jit
def _advance(way: _Way, point: _Point, ds: Float[Array, ""]) -> _Point:
    """The point ds along the branch, by Newton's method on the hyperplane across the tangent."""

    def newton(_: Array, at: Float[Array, "m"]) -> Float[Array, "m"]:
        matrix = jnp.concatenate([jax.jacfwd(way.slope)(at), point.tangent[None]])
        rest = jnp.append(way.slope(at), point.tangent @ (at - point.at) - ds)
        return at - jnp.linalg.solve(matrix, rest)

    at = jax.lax.fori_loop(0, _NEWTON, newton, point.at + ds * point.tangent)
    return _at(way, at, _tangent(way, at, point.tangent))


def _tangent(way: _Way, at: Float[Array, "m"], before: Float[Array, "m"]) -> Float[Array, "m"]:
    """The unit null vector of df, on the side of `before`."""
    matrix = jnp.concatenate([jax.jacfwd(way.slope)(at), before[None]])
    tangent = jnp.linalg.solve(matrix, jnp.zeros_like(at).at[-1].set(1.0))
    return tangent / jnp.linalg.norm(tangent)


def _at(way: _Way, at: Float[Array, "m"], tangent: Float[Array, "m"]) -> _Point:
    field, y = way.field(at[-1]), at[:-1] * way.size
    return _Point(at, tangent, jnp.max(jnp.abs(field(y))) / way.size, jnp.linalg.eigvals(field.jacobian(y)))


def _accepted(point: _Point, ahead: _Point, ds: float) -> bool:
    """Whether Newton's method arrived, nearby and without a turn."""
    eps = float(jnp.finfo(ahead.at.dtype).eps)
    if not bool(jnp.all(jnp.isfinite(ahead.at)) & jnp.all(jnp.isfinite(ahead.tangent))):
        return False
    far = float(jnp.linalg.norm(ahead.at - point.at)) > 2 * ds
    return not far and float(ahead.residual) < 1e4 * eps and float(point.tangent @ ahead.tangent) > 0.8


def _growing(point: _Point) -> int:
    return int(np.sum(np.real(np.asarray(point.eigenvalues)) > 0))


def _turning(values: np.ndarray) -> np.ndarray:
    """Which eigenvalues are complex."""
    return np.abs(np.imag(values)) > 1e-9 * np.max(np.abs(values))


def _turns(point: _Point) -> bool:
    """Whether the eigenvalue next to the imaginary axis is complex."""
    values = np.asarray(point.eigenvalues)
    return bool(_turning(values)[np.argmin(np.abs(np.real(values)))])


def _nearest_pair(point: _Point) -> float:
    return _nearest(point, complex_ones=True)


def _nearest_real(point: _Point) -> float:
    return _nearest(point, complex_ones=False)


def _nearest(point: _Point, *, complex_ones: bool) -> float:
    """The real part next to 0 of the complex or of the real eigenvalues; NaN where there is none."""
    values = np.asarray(point.eigenvalues)
    parts = np.real(values[_turning(values) == complex_ones])
    return float(parts[np.argmin(np.abs(parts))]) if parts.size else np.nan
