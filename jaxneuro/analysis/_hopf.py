"""Where a fixed point starts to oscillate."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Result, Shown, as_leaf, implicit_roots, is_concrete, told, violates, where_defined
from ..models import AbstractODE
from ._fixed_points import reached_root
from ._vector import check_model, flat, leaf_index, point_of, with_leaf

_STEPS = 96


class Hopf(Shown):
    """A Hopf bifurcation: the parameter's value, frequency [Hz] and fixed point there; NaN where there is none."""

    value: Float[Array, ""]
    frequency: Float[Array, ""]
    y: Float[Array, "n"]
    result: Result

    def __str__(self) -> str:
        if not is_concrete(self.value) or self.value.ndim:
            return "Hopf bifurcation"
        return f"Hopf bifurcation at {float(self.value):.6g}, {float(self.frequency):.5g} Hz"


def hopf(
    model: AbstractODE,
    *,
    where: Callable[[Any], Any],
    bracket: Any,
    near: Any = None,
    stimulus: ArrayLike | None = None,
    throw: bool = True,
) -> Hopf:
    """The Hopf bifurcation of a fixed point along one parameter.

    Found is the value between the ends of `bracket` at which the leading pair of complex eigenvalues of the Jacobian
    crosses the imaginary axis (where all eigenvalues are real, as in a node, the largest tells the side),

        J y = i omega y,   f(y*, p) = 0,   frequency = omega / (2 pi).

    **Arguments:**

    - `model`: a rate model.
    - `where`: picks the parameter, such as `lambda m: m.tau_i`.
    - `bracket`: (low, high), between which the real part changes its sign.
    - `near`: (n,), from where the fixed point is sought; by default from where the model stands still or starts, at
      each value of the parameter.
    - `stimulus`: a number or (n,).
    - `throw`: whether a bracket without a change of sign raises; if not, `result` says so.

    **Returns:** a `Hopf`.

    Raises `ValueError` where an argument does not fit, `RuntimeError` that says which it was where `throw` is true and
    no fixed point is found at an end of the bracket, the sign there is the same, or a pair of eigenvalues turns real.

    Derivatives: implicit, in forward and reverse mode, of value, frequency and fixed point with respect to every
    other number of the model.

    ```python
    >>> import jaxneuro as jn
    >>> print(jn.analysis.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(20.0, 80.0)))
    Hopf bifurcation at 40, 6.8916 Hz

    ```

    Source: Strogatz (2015), Nonlinear Dynamics and Chaos, section 8.2; Dayan and Abbott (2001), section 7.5.
    """
    check_model(model, stimulus)
    index = leaf_index(model, where)
    ends = as_leaf(bracket, "bracket")
    if ends.shape != (2,) or violates(lambda x: x[0] < x[1], ends):
        raise ValueError(f"`bracket` has to be (low, high) with low below high; got {told(bracket)}.")
    args = None if stimulus is None else as_leaf(stimulus, "stimulus")
    start = None if near is None else point_of("near", near, flat(model, args)[1])
    found, growth = _hopf(model, index, ends, start, args)
    if throw and is_concrete(found.result, ends, growth) and not bool(found.result == Result.successful):
        raise RuntimeError(_cause(ends, growth, found.result))
    return found


def _cause(bracket: Float[Array, "2"], growth: Float[Array, "2"], result: Result) -> str:
    """Why there is no bifurcation, in one sentence."""
    low, high = (f"{float(x):.6g}" for x in bracket)
    head = f"No Hopf bifurcation between {low} and {high}: "
    if bool(result == Result.no_fixed_point):
        lost = " and ".join(end for end, g in zip((low, high), growth, strict=True) if not bool(jnp.isfinite(g)))
        return f"{head}no fixed point was found at {lost}; give `near`, a point close to it."
    if bool(result == Result.pair_turns_real):
        return f"{head}a pair of eigenvalues turns real on the way and does not cross the axis; narrow `bracket`."
    first, last = (f"{1e3 * float(g):.3g}" for g in growth)
    return (
        f"{head}the leading pair of eigenvalues grows by {first} /s at one end and {last} /s at the other, of the same "
        "sign; choose `bracket` so that it changes once."
    )


@eqx.filter_jit
def _hopf(
    model: AbstractODE, index: int, bracket: Float[Array, "2"], near: Float[Array, "n"] | None, args: Any
) -> tuple[Hopf, Float[Array, "2"]]:
    def at(owner: AbstractODE, p: Float[Array, ""]) -> tuple[Array, Array, Array]:
        field, own = flat(with_leaf(owner, index, p), args)
        y = reached_root(field, own if near is None else near)
        return *_leading(jnp.linalg.eigvals(field.jacobian(y))), y

    fixed = lax.stop_gradient(model)
    ends = jax.vmap(lambda p: at(fixed, p)[0])(bracket)
    stands = jnp.all(jnp.isfinite(ends))
    crosses = changes = stands & ((ends[0] < 0.0) != (ends[1] < 0.0))

    def signed(p: Float[Array, ""], _: Any) -> Float[Array, ""]:
        middle = 0.5 * (bracket[0] + bracket[1])
        return jnp.where(crosses, at(fixed, p)[0], p - middle)

    eps = float(jnp.finfo(bracket.dtype).eps)
    options = {"lower": bracket[0], "upper": bracket[1]}
    solver = optx.Bisection(rtol=4 * eps, atol=4 * eps)
    found = optx.root_find(signed, solver, jnp.mean(bracket), options=options, max_steps=_STEPS, throw=False).value
    found = lax.stop_gradient(found)

    def implicit(p: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.where(crosses, at(model, p)[0], p - lax.stop_gradient(p))

    value = implicit_roots(implicit, found)
    growth, omega, y = at(model, value)
    # The sign also changes where a pair becomes real on its way: that is no bifurcation.
    crosses = crosses & (omega > 0.0) & (jnp.abs(growth) < eps**0.5 * omega)

    def known(x: Array) -> Array:
        return where_defined(crosses, x)

    result = Result.where(changes, Result.pair_turns_real, Result.no_hopf)
    result = Result.where(stands, result, Result.no_fixed_point)
    result = Result.where(crosses, Result.successful, result)
    return Hopf(known(value), known(1000.0 * omega / (2.0 * np.pi)), known(y), result), ends


def _leading(eigenvalues: Array) -> tuple[Array, Array]:
    """Real and imaginary part of the leading complex eigenvalue; where all are real the largest, and 0."""
    slack = 1e2 * float(jnp.finfo(eigenvalues.real.dtype).eps) * jnp.max(jnp.abs(eigenvalues))
    turning = eigenvalues.imag > slack
    index = jnp.argmax(jnp.where(turning, eigenvalues.real, -jnp.inf))
    some = jnp.any(turning)
    return jnp.where(some, eigenvalues.real[index], jnp.max(eigenvalues.real)), jnp.where(
        some, eigenvalues.imag[index], 0.0
    )
