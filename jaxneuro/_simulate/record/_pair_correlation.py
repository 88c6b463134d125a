"""How much pairs of neurons or units vary together, group by group."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ..._numerics import count_steps
from ._activity import ACTIVE
from ._counts_in_bins import check_fits_twice
from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._watch import Watch


class _Sums(eqx.Module):
    """Counts of the bin that is open, and the sums over bins that are closed."""

    open: dict[str, Float[Array, "_"]]
    each: dict[str, Float[Array, "2 _"]]
    groups: Float[Array, "groups"]
    products: Float[Array, "groups groups"]
    bins: Int[Array, ""]


class PairCorrelation(AbstractRecorder):
    """The covariance of pairs over their variance, at equal times, for pairs within and between groups.

        rho_ab = mean over pairs of cov(x_i, x_j)/sqrt(var_a var_b),

    with i in a and j in b, i not j, var_a the mean variance in a, and x the spikes of a neuron in bins of `width`, or
    the state of a binary unit at every `width`. Nothing is kept of a pair: the mean over all of them follows from the
    variance of sums and the sums of variances.

    **Arguments:** names of populations, all by default; `width`, a multiple of dt [ms]; `start` [ms].

    **Records:** {population: {population: value}}; how many bins they are of in `sol.counts`.

    Raises `ValueError` where `width` is no multiple of dt or longer than half of the recorded time, or one population
    recorded is of binary units and another of neurons.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.Network({"A": jn.Population(jn.Poisson(50.0), 200), "B": jn.Population(jn.Poisson(20.0), 50)})
    >>> record = {"pairs": jn.record.PairCorrelation(width=5.0)}
    >>> sol = jn.simulate(net, 0.0, 2_000.0, dt=0.5, key=jax.random.key(0), record=record)
    >>> bool(abs(sol["pairs"]["A"]["B"]) < 4e-3)
    True

    ```

    Source: Renart, de la Rocha, Bartho, Hollender, Parga, Reyes and Harris (2010), doi:10.1126/science.1179850.
    """

    scope: Scope
    width: float = eqx.field(static=True)

    def __init__(self, *populations: str, width: float = 1.0, start: float = 0.0):
        self.scope, self.width = Scope(populations, start), width

    def _binary(self, layout: Layout) -> bool:
        return all(ACTIVE in layout.fields[name] for name in self.scope.names(layout))

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return tuple([Watch(name, ACTIVE) for name in self.scope.names(layout)]) if self._binary(layout) else ()

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)
        if not self._binary(layout):
            self.scope.check_spikes("PairCorrelation", layout, first)
        check_fits_twice("width", self.width, self.scope, layout, first)

    def init(self, layout: Layout, rows: int) -> _Sums:
        names, floats = self.scope.names(layout), jnp.result_type(float)
        m, sizes = len(names), layout.sizes
        return _Sums(
            {name: jnp.zeros(sizes[name], floats) for name in names},
            {name: jnp.zeros((2, sizes[name]), floats) for name in names},
            jnp.zeros(m, floats),
            jnp.zeros((m, m), floats),
            jnp.zeros((), jnp.int32),
        )

    def update(self, carry: _Sums, window: Window, layout: Layout) -> _Sums:
        names, width = self.scope.names(layout), count_steps("width", self.width, layout.dt)
        binary = self._binary(layout)
        seen = dict(zip(names, window.seen, strict=True)) if binary else {name: window.spikes[name] for name in names}
        since = window.steps - self.scope.first_counted(layout)

        def step(sums: _Sums, now: tuple[Int[Array, ""], dict[str, Bool[Array, "_"]]]) -> tuple[_Sums, None]:
            at, values = now
            counted, closes = at >= 0, (at >= 0) & ((at + 1) % width == 0)
            added = {name: jnp.where(counted, value.astype(sums.groups.dtype), 0.0) for name, value in values.items()}
            filled = added if binary else jax.tree.map(jnp.add, sums.open, added)
            totals = jnp.stack([jnp.sum(filled[name]) for name in names])
            closed = _Sums(
                jax.tree.map(jnp.zeros_like, filled),
                {name: sums.each[name] + jnp.stack([filled[name], filled[name] ** 2]) for name in names},
                sums.groups + totals,
                sums.products + totals[:, None] * totals,
                sums.bins + 1,
            )
            still = eqx.tree_at(lambda s: s.open, sums, filled)
            return jax.tree.map(lambda a, b: jnp.where(closes, a, b), closed, still), None

        return lax.scan(step, carry, (since, seen))[0]

    def finish(self, carry: _Sums, layout: Layout) -> Recorded:
        names, bins = self.scope.names(layout), carry.bins.astype(carry.groups.dtype)
        total = carry.products / bins - carry.groups[:, None] * carry.groups / bins**2
        own = {name: jnp.sum(s[1] / bins - (s[0] / bins) ** 2) for name, s in carry.each.items()}
        found: dict[str, dict[str, Array]] = {}
        for i, a in enumerate(names):
            found[a] = {}
            for j, b in enumerate(names):
                n_a, n_b = layout.sizes[a], layout.sizes[b]
                pairs = n_a * (n_a - 1) if a == b else n_a * n_b
                mean = (total[i, j] - (own[a] if a == b else 0.0)) / max(pairs, 1)
                found[a][b] = jnp.where(pairs > 0, mean / jnp.sqrt(own[a] / n_a * own[b] / n_b), jnp.nan)
        return Recorded(found, counts={name: dict.fromkeys(names, carry.bins) for name in names})
