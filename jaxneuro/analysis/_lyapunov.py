"""Lyapunov exponents of a model, by the growth of small displacements along a run."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_dt, count_steps, is_concrete, told
from ..models import AbstractODE, AbstractRelaxation, RungeKutta4
from ._vector import Flat, check_model, flat, point_of

# Steps between two orthonormalisations.
_BETWEEN = 10


class Lyapunov(Shown):
    """Lyapunov exponents [1/s], falling, and what they were after each tenth of the run, (10, exponents)."""

    exponents: Float[Array, "exponents"]
    history: Float[Array, "tenths exponents"]
    y: Float[Array, "n"]

    def __str__(self) -> str:
        shown = ", ".join(f"{float(v):.4g}" for v in np.atleast_1d(self.exponents)[:6])
        return f"Lyapunov exponents (1/s): {shown}{', ...' if self.exponents.size > 6 else ''}"


def lyapunov(
    model: AbstractODE,
    t1: float,
    *,
    dt: float,
    n_exponents: int | None = None,
    transient: float = 0.0,
    start: Any = None,
    stimulus: ArrayLike | None = None,
) -> Lyapunov:
    """The Lyapunov spectrum of a model without noise.

    An orthonormal frame is carried along a run by the derivative of the step, and made orthonormal again by QR every
    10 steps; the exponents are the mean logarithms of the diagonal of R over time (Benettin et al. 1980). Their sum is
    the mean divergence of the vector field.

    **Arguments:**

    - `model`: a rate model whose vector field does not depend on time.
    - `t1`: how long the exponents are averaged [ms], a multiple of 100 `dt`.
    - `dt`: step [ms] of the Runge-Kutta method.
    - `n_exponents`: how many of the largest; all by default.
    - `transient`: [ms] that are run before, a multiple of `dt`, in which the frame turns as well.
    - `start`: (n,), by default where a run of the model starts; `stimulus`: a number or (n,).

    **Returns:** a `Lyapunov`.

    Raises `ValueError` where an argument does not fit, `RuntimeError` where the run goes non-finite.

    Derivatives: those of the run, which grow with it where the largest exponent is positive.

    ```python
    >>> import jaxneuro as jn
    >>> pair = jn.networks.ei_rate(tau_i=30.0)
    >>> seen = jn.analysis.lyapunov(pair, 2_000.0, dt=0.5, transient=2_000.0)
    >>> print(f"{float(seen.exponents.sum()):.2f} /s, the mean divergence")
    -8.33 /s, the mean divergence

    ```

    Source: Benettin, Galgani, Giorgilli and Strelcyn (1980), doi:10.1007/BF02128236.
    """
    check_model(model, stimulus)
    if isinstance(model, AbstractRelaxation) and model.noise is not None:
        raise ValueError("`model` has to be without noise: build it with `noise=None`.")
    dt = check_dt(dt)
    n_steps, before = count_steps("t1", t1, dt), count_steps("transient", transient, dt)
    if n_steps < 1 or n_steps % (10 * _BETWEEN):
        raise ValueError(f"`t1` has to be a multiple of {10 * _BETWEEN} steps of dt = {dt:g} ms; got {t1} ms.")
    field, _ = flat(model, None if stimulus is None else as_leaf(stimulus, "stimulus"))
    own = ravel_pytree(model.initial())[0]
    x = point_of("start", start, own)
    count = own.size if n_exponents is None else n_exponents
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= own.size:
        raise ValueError(f"`n_exponents` has to be a number from 1 to {own.size}; got {told(n_exponents)}.")
    seen = _exponents(field, x, dt=dt, n_steps=n_steps, before=before, count=int(count))
    if is_concrete(seen.y) and not bool(jnp.all(jnp.isfinite(seen.y))):
        raise RuntimeError(
            "The run became NaN or infinite, and has no exponents. Take a smaller `dt` or weaker weights."
        )
    return seen


@eqx.filter_jit
def _exponents(field: Flat, x: Float[Array, "n"], *, dt: float, n_steps: int, before: int, count: int) -> Lyapunov:
    solver = RungeKutta4()

    def step(x: Float[Array, "n"]) -> Float[Array, "n"]:
        unravelled = field.unravel(x)
        moved = solver.step(field.model, jnp.zeros((), x.dtype), unravelled, lambda share: field.args, dt)
        return ravel_pytree(moved)[0]

    def carry_on(now: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        x, frame = now
        ahead, linear = jax.linearize(step, x)
        return (ahead, jax.vmap(linear, in_axes=1, out_axes=1)(frame)), None

    def stretch(now: tuple[Array, Array], length: int) -> tuple[tuple[Array, Array], Array]:
        (x, frame), _ = lax.scan(carry_on, now, None, length=length)
        frame, r = jnp.linalg.qr(frame)
        return (x, frame), jnp.log(jnp.abs(jnp.diagonal(r)))

    now = (x, jnp.eye(x.size, count, dtype=x.dtype))
    whole, rest = divmod(before, _BETWEEN)
    now, _ = lax.scan(lambda c, _: stretch(c, _BETWEEN), now, None, length=whole)
    if rest:
        now, _ = stretch(now, rest)
    (x, _), logs = lax.scan(lambda c, _: stretch(c, _BETWEEN), now, None, length=n_steps // _BETWEEN)
    tenths = jnp.cumsum(logs.reshape(10, -1, count).sum(axis=1), axis=0)
    times = dt / 1000.0 * n_steps / 10 * jnp.arange(1, 11, dtype=x.dtype)
    history = tenths / times[:, None]
    return Lyapunov(history[-1], history, x)
