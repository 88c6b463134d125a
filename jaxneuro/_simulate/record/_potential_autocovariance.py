"""The autocovariance of a variable such as the potential, neuron by neuron."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ..._numerics import count_steps, to_milliseconds, told
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._watch import Watch, check_variable, chosen_neurons, watched


class LagSums(eqx.Module):
    """What is kept of the samples so far, all less the first one of each neuron, so that few digits are lost.

    `products[k]` are the sums of x_j x_{j+k}, `total` those of x_j; `opening` and `latest` hold the first and the last
    samples, the latter newest first.
    """

    reference: Float[Array, "n"]
    total: Float[Array, "n"]
    products: Float[Array, "lags n"]
    opening: Float[Array, "longest n"]
    latest: Float[Array, "longest n"]
    count: Int[Array, ""]


class PotentialAutocovariance(AbstractRecorder):
    """The autocovariance of a variable of each neuron over time: `PotentialAutocovariance("E.v", max_lag=50.0)`.

        C(k s) = 1/(M - k) sum_{j < M - k} (V_j - m) (V_{j+k} - m),   m the mean over all M samples, s their distance.

    C(0) is the variance of V, and C/C(0) its autocorrelation. Sums are gathered while the run goes on; what is kept are
    3 numbers a neuron and lag, however long the run.

    **Arguments:**

    - `variable`: as of `Trace`.
    - `max_lag`: the longest lag [ms], a multiple of `every` dt.
    - `every`: takes each step whose end, (k + 1) dt, is a multiple of `every` steps.
    - `neurons`: as of `Trace`; `start` [ms].

    **Records:** (lags, neurons), in the square of the variable's unit; the lags [ms] in `sol.lags`, the number of pairs
    of samples in `sol.counts`.

    Raises `ValueError` where `max_lag` is negative or `every` no positive integer; at the run where `max_lag` is no
    multiple of `every` dt, fewer samples than lags are recorded, or there is no such variable.

    ```python
    >>> import jax, jaxneuro as jn
    >>> noise = jn.WhiteNoiseDrive("E", mu=0.0, sigma=2.0)
    >>> free = jn.Network({"E": jn.Population(jn.LIF(tau_m=5.0, v_th=100.0), 200)}, drives=[noise])
    >>> record = {"c": jn.record.PotentialAutocovariance("E.v", max_lag=5.0, every=10, start=20.0)}
    >>> sol = jn.simulate(free, 0.0, 1_000.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> c = sol["c"].mean(axis=1)                                   # sigma^2/2 exp(-lag/tau_m)
    >>> bool(abs(c[0] - 2.0) < 0.1), bool(abs(c[-1] / c[0] - 0.368) < 0.03)
    (True, True)

    ```
    """

    unit: ClassVar[str | None] = "{}^2"
    variable: str = eqx.field(static=True)
    max_lag: float = eqx.field(static=True)
    every: int = eqx.field(static=True)
    neurons: Any = eqx.field(static=True)
    of: int | None = eqx.field(static=True)
    """How many neurons a mask speaks of."""
    scope: Scope

    def __init__(self, variable: str, *, max_lag: float, every: int = 1, neurons: Any = None, start: float = 0.0):
        if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
            raise ValueError(f"`every` has to be a positive number of steps; got {told(every)}.")
        check_variable("variable", variable)
        self.variable, self.every, self.scope = variable, int(every), Scope((), start)
        self.max_lag, (self.neurons, self.of) = to_milliseconds("max_lag", max_lag), chosen_neurons(neurons)
        if self.max_lag < 0:
            raise ValueError(f"`max_lag` must not be negative; got {max_lag} ms.")

    def _longest(self, dt: float) -> int:
        return count_steps("max_lag", self.max_lag, self.every * dt)

    def _samples(self, first: int, n_steps: int, dt: float) -> int:
        return (first + n_steps) // self.every - self.scope.begin(first, dt) // self.every

    def takes_variance(self) -> bool:
        return True

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return (watched(self.variable, layout, self.neurons),)

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)
        self.watch(layout)[0].check(f"PotentialAutocovariance({self.variable!r})", layout, self.of)
        samples = self._samples(first, layout.n_steps, layout.dt)
        if self._longest(layout.dt) >= samples:
            raise ValueError(
                f"`max_lag` has to be shorter than the recorded time, {samples * self.every * layout.dt:g} ms; "
                f"got {self.max_lag:g} ms."
            )

    def init(self, layout: Layout, rows: int) -> LagSums:
        own, longest = self.watch(layout)[0], self._longest(layout.dt)
        n, floats = own.count(layout.sizes[own.population]), jnp.result_type(float)
        none, kept = jnp.zeros(n, floats), jnp.zeros((longest, n), floats)
        products = jnp.zeros((longest + 1, n), floats)
        return LagSums(none, none, products, kept, kept, jnp.zeros((), jnp.int32))

    def update(self, carry: LagSums, window: Window, layout: Layout) -> LagSums:
        late = window.steps >= self.scope.first_counted(layout)
        counted = late & ((window.steps + 1) % self.every == 0)
        values = window.seen[0].astype(carry.total.dtype)
        # Sample by sample: sums do not depend on the blocks that a run is made of.
        return lax.scan(lambda sums, now: (_with_sample(sums, *now), None), carry, (values, counted))[0]

    def finish(self, carry: LagSums, layout: Layout) -> Recorded:
        lags = jnp.arange(carry.products.shape[0], dtype=jnp.int32)
        floats = carry.total.dtype
        pairs, mean = carry.count - lags, carry.total / carry.count.astype(floats)
        # The sums over the first and over the last M - k samples.
        none = jnp.zeros((1, mean.shape[0]), floats)
        early = carry.total - jnp.concatenate([none, jnp.cumsum(carry.latest, axis=0)])
        late = carry.total - jnp.concatenate([none, jnp.cumsum(carry.opening, axis=0)])
        n = pairs.astype(floats)[:, None]
        values = (carry.products - mean * (early + late)) / n + mean**2
        step = self.every * layout.dt
        return Recorded(values, counts=pairs, lags=lags.astype(floats) * step)


def _with_sample(sums: LagSums, value: Float[Array, "n"], counted: Bool[Array, ""]) -> LagSums:
    reference = jnp.where(sums.count == 0, value, sums.reference)
    x = value - reference
    # The newest first: x itself, then those before it; where there were none yet they are 0.
    line = jnp.concatenate([x[None], sums.latest])
    longest = sums.latest.shape[0]
    opening = jnp.where((jnp.arange(longest, dtype=jnp.int32) == sums.count)[:, None], x, sums.opening)
    new = LagSums(reference, sums.total + x, sums.products + line * x, opening, line[:longest], sums.count + 1)
    return jax.tree.map(lambda a, b: jnp.where(counted, a, b), new, sums)
