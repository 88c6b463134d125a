"""By how much one variable of a population follows another in time."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ..._numerics import count_steps, to_milliseconds
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._watch import Watch, watched


class _Past(eqx.Module):
    """The last values of both variables, newest first, and sums over samples with a whole past."""

    first: Float[Array, "longest"]
    second: Float[Array, "longest"]
    sums: Float[Array, "2"]
    squares: Float[Array, "2"]
    products: Float[Array, "lags"]
    seen: Int[Array, ""]
    count: Int[Array, ""]


class Lag(AbstractRecorder):
    """The lag at which one variable correlates most with another, both averaged over neurons: `Lag("E.g_e", "E.g_i")`.

        c(l) = mean over t of (x(t) - <x>) (y(t + l) - <y>)/(sd of x sd of y),

    and the lag is where c is largest, by a parabola through the largest value and its neighbours: positive where y
    follows x. What is kept are numbers for each lag alone.

    **Arguments:**

    - `leading`, `following`: x and y, variables as of `Trace`, such as the conductances of two projections.
    - `max_lag`: the longest lag looked at [ms], to either side, a multiple of dt; `start` [ms].

    **Records:** the lag [ms]; the correlations c in `sol.counts`, their lags [ms] in `sol.lags`.

    Raises `ValueError` where there is no such variable, or `max_lag` is not positive or longer than half of the record.
    """

    leading: str = eqx.field(static=True)
    following: str = eqx.field(static=True)
    max_lag: float = eqx.field(static=True)
    scope: Scope

    def __init__(self, leading: str, following: str, *, max_lag: float, start: float = 0.0):
        self.leading, self.following, self.scope = leading, following, Scope((), start)
        self.max_lag = to_milliseconds("max_lag", max_lag)
        if self.max_lag <= 0:
            raise ValueError(f"`max_lag` has to be positive; got {max_lag} ms.")

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return watched(self.leading, layout), watched(self.following, layout)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)
        for name, watch in zip((self.leading, self.following), self.watch(layout), strict=True):
            watch.check(f"Lag({name!r})", layout)
        recorded = self.scope.steps(first, layout.n_steps, layout.dt)
        if 4 * count_steps("max_lag", self.max_lag, layout.dt) >= recorded:
            raise ValueError(
                f"`max_lag` has to be shorter than a quarter of the recorded time, {recorded * layout.dt:g} ms; got "
                f"{self.max_lag:g} ms."
            )

    def init(self, layout: Layout, rows: int) -> _Past:
        steps, floats = count_steps("max_lag", self.max_lag, layout.dt), jnp.result_type(float)
        past, two = jnp.zeros(2 * steps + 1, floats), jnp.zeros(2, floats)
        return _Past(past, past, two, two, past, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    def update(self, carry: _Past, window: Window, layout: Layout) -> _Past:
        counted = window.steps >= self.scope.first_counted(layout)
        x, y = (jnp.mean(v.astype(carry.sums.dtype), axis=1) for v in window.seen)
        return lax.scan(lambda past, now: (_with_sample(past, *now), None), carry, (x, y, counted))[0]

    def finish(self, carry: _Past, layout: Layout) -> Recorded:
        floats = carry.sums.dtype
        n = carry.count.astype(floats)
        mean = carry.sums / n
        sd = jnp.sqrt(jnp.maximum(carry.squares / n - mean**2, 0.0))
        correlation = (carry.products / n - mean[0] * mean[1]) / (sd[0] * sd[1])
        steps = (correlation.size - 1) // 2
        lags = jnp.arange(-steps, steps + 1).astype(floats) * layout.dt
        top = jnp.clip(jnp.argmax(correlation), 1, correlation.size - 2)
        before, at, after = correlation[top - 1], correlation[top], correlation[top + 1]
        curvature = before - 2.0 * at + after
        shift = jnp.where(curvature < 0.0, 0.5 * (before - after) / jnp.where(curvature < 0.0, curvature, -1.0), 0.0)
        lag = lags[top] + jnp.clip(shift, -1.0, 1.0) * layout.dt
        return Recorded(lag, counts=correlation, lags=lags)


def _with_sample(past: _Past, x: Float[Array, ""], y: Float[Array, ""], counted: Bool[Array, ""]) -> _Past:
    first = jnp.concatenate([x[None], past.first[:-1]])
    second = jnp.concatenate([y[None], past.second[:-1]])
    steps = (first.size - 1) // 2
    whole = past.seen + 1 >= first.size
    # x in the middle of its past, y from `steps` before to `steps` after: newest first is the latest lag.
    middle = jnp.stack([first[steps], second[steps]])
    sums = _Past(
        first,
        second,
        past.sums + jnp.where(whole, middle, 0.0),
        past.squares + jnp.where(whole, middle**2, 0.0),
        past.products + jnp.where(whole, middle[0] * second[::-1], 0.0),
        past.seen + 1,
        past.count + whole.astype(jnp.int32),
    )
    return jax.tree.map(lambda a, b: jnp.where(counted, a, b), sums, past)
