"""By how much one variable of a population follows another in time."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ..._numerics import check_count, check_yes_or_no, count_steps, to_milliseconds
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._watch import Watch, check_variable, chosen_neurons, watched


class _Past(eqx.Module):
    """The last values of both variables, newest first, and sums over samples with a whole past."""

    first: Float[Array, "longest m"]
    second: Float[Array, "longest m"]
    reference: Float[Array, "2 m"]
    sums: Float[Array, "2 m"]
    squares: Float[Array, "2 m"]
    following: Float[Array, "lags m"]
    products: Float[Array, "lags m"]
    seen: Int[Array, ""]
    count: Int[Array, ""]


class Lag(AbstractRecorder):
    """The lag at which one variable correlates most with another: `Lag("E.g_e", "E.g_i", max_lag=15.0)`.

        c(l) = mean over t of (x(t) - <x(t)>) (y(t + l) - <y(t + l)>)/(sd of x sd of y),

    and the lag is where c is largest, by a parabola through the largest value and its neighbours: positive where y
    follows x. Of both the mean over neurons is taken, or with `each` every neuron for itself: a wave that passes
    leaves the means as they are. What is kept are four numbers for each lag, and neuron with `each`.

    **Arguments:**

    - `leading`, `following`: x and y, variables as of `Trace`, such as the conductances of two projections.
    - `max_lag`: the longest lag looked at [ms], to either side, a multiple of `every` dt; `start` [ms].
    - `every`: takes each step whose end, (k + 1) dt, is a multiple of `every` steps.
    - `each`: whether neurons are looked at one by one; `neurons`, as of `Trace`.

    **Records:** the lag [ms], with `each` that of every neuron, NaN where one of its variables is constant; the
    correlations c in `sol.counts`, their lags [ms] in `sol.lags`.

    Raises `ValueError` where there is no such variable, or `max_lag` is not positive or longer than a quarter of the
    record.

    ```python
    >>> import jaxneuro as jn
    >>> recorder = jn.record.Lag("E.input.conductance.E", "E.input.conductance.I", max_lag=15.0)

    ```
    """

    unit: ClassVar[str | None] = "ms"
    leading: str = eqx.field(static=True)
    following: str = eqx.field(static=True)
    max_lag: float = eqx.field(static=True)
    every: int = eqx.field(static=True)
    each: bool = eqx.field(static=True)
    neurons: Any = eqx.field(static=True)
    of: int | None = eqx.field(static=True)
    """How many neurons a mask speaks of."""
    scope: Scope

    def __init__(
        self,
        leading: str,
        following: str,
        *,
        max_lag: float,
        every: Any = 1,
        each: Any = False,
        neurons: Any = None,
        start: float = 0.0,
    ):
        check_variable("leading", leading)
        check_variable("following", following)
        self.leading, self.following, self.scope = leading, following, Scope((), start)
        self.max_lag, self.every = to_milliseconds("max_lag", max_lag), check_count("every", every)
        self.each, (self.neurons, self.of) = check_yes_or_no("each", each), chosen_neurons(neurons)
        if self.max_lag <= 0:
            raise ValueError(f"`max_lag` has to be positive; got {max_lag} ms.")

    def _lags(self, dt: float) -> int:
        return count_steps("max_lag", self.max_lag, self.every * dt)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return watched(self.leading, layout, self.neurons), watched(self.following, layout, self.neurons)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)
        watches = self.watch(layout)
        for name, watch in zip((self.leading, self.following), watches, strict=True):
            watch.check(f"Lag({name!r})", layout, self.of)
        if self.each and watches[0].population != watches[1].population:
            raise ValueError(f"`each` asks for two variables of one population; got {self.leading}, {self.following}.")
        recorded = self.scope.steps(first, layout.n_steps, layout.dt)
        if 4 * self._lags(layout.dt) * self.every >= recorded:
            raise ValueError(
                f"`max_lag` has to be shorter than a quarter of the recorded time, {recorded * layout.dt:g} ms; got "
                f"{self.max_lag:g} ms."
            )

    def init(self, layout: Layout, rows: int) -> _Past:
        own, floats = self.watch(layout)[0], jnp.result_type(float)
        m = own.count(layout.sizes[own.population]) if self.each else 1
        past, two = jnp.zeros((2 * self._lags(layout.dt) + 1, m), floats), jnp.zeros((2, m), floats)
        return _Past(past, past, two, two, two, past, past, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    def update(self, carry: _Past, window: Window, layout: Layout) -> _Past:
        late = window.steps >= self.scope.first_counted(layout)
        counted = late & ((window.steps + 1) % self.every == 0)
        both = [v.astype(carry.sums.dtype) for v in window.seen]
        x, y = both if self.each else [jnp.mean(v, axis=1, keepdims=True) for v in both]

        def step(past: _Past, now: tuple[Array, Array, Bool[Array, ""]]) -> tuple[_Past, None]:
            x, y, counted = now
            return lax.cond(counted, lambda: _with_sample(past, x, y), lambda: past), None

        return lax.scan(step, carry, (x, y, counted))[0]

    def finish(self, carry: _Past, layout: Layout) -> Recorded:
        floats = carry.sums.dtype
        n = carry.count.astype(floats)
        mean = carry.sums / n
        variance = carry.squares / n - mean**2
        varies = jnp.all(variance > 0.0, axis=0)
        scale = jnp.sqrt(jnp.prod(jnp.where(varies, variance, 1.0), axis=0))
        covariance = carry.products / n - mean[0] * carry.following / n
        correlation = jnp.where(varies, covariance / scale, jnp.nan)
        steps, dt = (correlation.shape[0] - 1) // 2, layout.dt * self.every
        lags = jnp.arange(-steps, steps + 1).astype(floats) * dt
        top = jnp.clip(jnp.argmax(correlation, axis=0), 1, correlation.shape[0] - 2)
        before, at, after = (jnp.take_along_axis(correlation, top[None] + k, axis=0)[0] for k in (-1, 0, 1))
        lag = lags[top] + top_of_parabola(before, at, after) * dt
        lag = jnp.where(varies, lag, jnp.nan)
        if not self.each:
            lag, correlation = lag[0], correlation[:, 0]
        return Recorded(lag, counts=correlation, lags=lags)


def top_of_parabola(
    before: Float[Array, "..."], at: Float[Array, "..."], after: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Where the parabola through three values at -1, 0 and 1 is largest, at most 1 away."""
    curvature = before - 2.0 * at + after
    down = curvature < 0.0
    return jnp.where(down, jnp.clip(0.5 * (before - after) / jnp.where(down, curvature, -1.0), -1.0, 1.0), 0.0)


def _with_sample(past: _Past, x: Float[Array, "m"], y: Float[Array, "m"]) -> _Past:
    # Less the first sample, so that few digits are lost.
    reference = jnp.where(past.seen == 0, jnp.stack([x, y]), past.reference)
    first = jnp.concatenate([(x - reference[0])[None], past.first[:-1]])
    second = jnp.concatenate([(y - reference[1])[None], past.second[:-1]])
    steps = (first.shape[0] - 1) // 2
    whole = past.seen + 1 >= first.shape[0]
    # x in the middle of its past, y from `steps` before to `steps` after: newest first is the latest lag.
    middle = jnp.stack([first[steps], second[steps]])
    return _Past(
        first,
        second,
        reference,
        past.sums + jnp.where(whole, middle, 0.0),
        past.squares + jnp.where(whole, middle**2, 0.0),
        past.following + jnp.where(whole, second[::-1], 0.0),
        past.products + jnp.where(whole, middle[0] * second[::-1], 0.0),
        past.seen + 1,
        past.count + whole.astype(jnp.int32),
    )
