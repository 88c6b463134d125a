"""How much pairs of neurons or units vary together, group by group."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Shaped

from ..._numerics import count_steps
from ._activity import ACTIVE
from ._at_distances import PairSums, check_distances, correlations, grid_of, no_pair_sums, read_distances, with_sample
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
    near: dict[str, PairSums]
    bins: Int[Array, ""]


class PairCorrelation(AbstractRecorder):
    """The covariance of pairs over their variance, at equal times, for pairs within and between groups.

        rho_ab = mean over pairs of cov(x_i, x_j)/sqrt(var_a var_b),

    with i in a and j in b, i not j, var_a the mean variance in a, and x the spikes of a neuron in bins of `width`, or
    the state of a binary unit at every `width`. Nothing is kept of a pair: the mean over all of them follows from the
    variance of sums and the sums of variances.

    With `distances` it is the mean correlation coefficient of pairs of one population that lie so far apart along a row
    or a column of its lattice, of their spikes or of a variable at every `width`: cov(x_i, x_j)/sqrt(var_i var_j), of
    pairs that both vary. Kept are four numbers a neuron and distance.

    **Arguments:** names of populations, all by default, with `distances` also of variables such as `"E.v"`; `width`, a
    multiple of dt [ms]; `distances`, multiples of the spacing, up to half a side; `start` [ms].

    **Records:** {name: {name: value}}; how many bins they are of in `sol.counts`. With `distances` {name: an array, one
    value a distance}; in `sol.counts` {name: {"covariance", one a distance, "variance", "mean", "samples"}}, means over
    neurons.

    Raises `ValueError` where `width` is no multiple of dt or longer than half of the recorded time, units that are
    active are mixed with neurons that spike, there is no such variable, or a population has no lattice or no sites at
    such distances.

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
    names: tuple[str, ...] = eqx.field(static=True)
    width: float = eqx.field(static=True)
    distances: tuple[float, ...] | None = eqx.field(static=True)

    def __init__(self, *names: str, width: float = 1.0, distances: Any = None, start: float = 0.0):
        self.scope, self.width = Scope(tuple(_population(name) for name in names), start), width
        self.names, self.distances = names, read_distances(distances)
        if self.distances is None and any("." in name for name in names):
            raise ValueError("`PairCorrelation` of a variable takes `distances`, at which pairs lie on a lattice.")

    def _labels(self, layout: Layout) -> tuple[str, ...]:
        return self.names or tuple(layout.sizes)

    def _variable(self, label: str, layout: Layout) -> str | None:
        """What is looked at at every `width`; None where spikes are counted."""
        population, _, variable = label.partition(".")
        return variable or (ACTIVE if ACTIVE in layout.fields[population] else None)

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        seen = [(label, self._variable(label, layout)) for label in self._labels(layout)]
        return tuple([Watch(_population(label), variable) for label, variable in seen if variable is not None])

    def check(self, layout: Layout, first: int) -> None:
        self.scope.check(layout, first)
        for watch in self.watch(layout):
            watch.check(f"PairCorrelation({watch.population + '.' + watch.variable!r})", layout)
        counted = [label for label in self._labels(layout) if self._variable(label, layout) is None]
        if counted:
            Scope(tuple(counted), self.scope.start).check_spikes("PairCorrelation", layout, first)
        check_fits_twice("width", self.width, self.scope, layout, first)
        for label in self._labels(layout) if self.distances is not None else ():
            check_distances("PairCorrelation", _population(label), self.distances or (), layout)

    def init(self, layout: Layout, rows: int) -> _Sums:
        labels, floats = self._labels(layout), jnp.result_type(float)
        m, sizes = len(labels), {label: layout.sizes[_population(label)] for label in labels}
        far = self.distances
        return _Sums(
            {label: jnp.zeros(n, floats) for label, n in sizes.items()},
            {label: jnp.zeros((2, n), floats) for label, n in sizes.items()},
            jnp.zeros(m, floats),
            jnp.zeros((m, m), floats),
            {} if far is None else {label: no_pair_sums(n, len(far)) for label, n in sizes.items()},
            jnp.zeros((), jnp.int32),
        )

    def update(self, carry: _Sums, window: Window, layout: Layout) -> _Sums:
        labels, width = self._labels(layout), count_steps("width", self.width, layout.dt)
        looked = [label for label in labels if self._variable(label, layout) is not None]
        seen = dict(zip(looked, window.seen, strict=True))
        values = {label: seen[label] if label in seen else window.spikes[label] for label in labels}
        since = window.steps - self.scope.first_counted(layout)

        def step(sums: _Sums, now: tuple[Int[Array, ""], dict[str, Shaped[Array, "_"]]]) -> tuple[_Sums, None]:
            at, values = now
            counted, closes = at >= 0, (at >= 0) & ((at + 1) % width == 0)
            added = {label: jnp.where(counted, x.astype(sums.groups.dtype), 0.0) for label, x in values.items()}
            filled = {label: x if label in seen else sums.open[label] + x for label, x in added.items()}
            still = eqx.tree_at(lambda s: s.open, sums, filled)
            return lax.cond(closes, lambda: self._closed(sums, filled, layout), lambda: still), None

        return lax.scan(step, carry, (since, values))[0]

    def _closed(self, sums: _Sums, filled: dict[str, Float[Array, "_"]], layout: Layout) -> _Sums:
        totals = jnp.stack([jnp.sum(x) for x in filled.values()])
        return _Sums(
            jax.tree.map(jnp.zeros_like, filled),
            {label: each + jnp.stack([filled[label], filled[label] ** 2]) for label, each in sums.each.items()},
            sums.groups + totals,
            sums.products + totals[:, None] * totals,
            {
                label: with_sample(
                    near, filled[label], grid_of("PairCorrelation", _population(label), layout), self.distances or ()
                )
                for label, near in sums.near.items()
            },
            sums.bins + 1,
        )

    def finish(self, carry: _Sums, layout: Layout) -> Recorded:
        if self.distances is not None:
            near = {
                label: correlations(sums, grid_of("PairCorrelation", _population(label), layout), self.distances)
                for label, sums in carry.near.items()
            }
            return Recorded(
                {label: value for label, (value, _) in near.items()},
                counts={label: n for label, (_, n) in near.items()},
            )
        names, bins = self._labels(layout), carry.bins.astype(carry.groups.dtype)
        total = carry.products / bins - carry.groups[:, None] * carry.groups / bins**2
        own = {name: jnp.sum(s[1] / bins - (s[0] / bins) ** 2) for name, s in carry.each.items()}
        found: dict[str, dict[str, Array]] = {}
        for i, a in enumerate(names):
            found[a] = {}
            for j, b in enumerate(names):
                n_a, n_b = layout.sizes[_population(a)], layout.sizes[_population(b)]
                pairs = n_a * (n_a - 1) if a == b else n_a * n_b
                mean = (total[i, j] - (own[a] if a == b else 0.0)) / max(pairs, 1)
                found[a][b] = jnp.where(pairs > 0, mean / jnp.sqrt(own[a] / n_a * own[b] / n_b), jnp.nan)
        return Recorded(found, counts={name: dict.fromkeys(names, carry.bins) for name in names})


def _population(label: str) -> str:
    """The population of a name such as "E" or "E.v"."""
    return label.partition(".")[0] if isinstance(label, str) else label
