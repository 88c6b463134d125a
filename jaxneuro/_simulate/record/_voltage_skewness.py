"""How skewed the potential of neurons is over time."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ._recorder import AbstractRecorder, Layout, Recorded, Window
from ._scope import Scope
from ._watch import Watch


class PowerSums(eqx.Module):
    """Sums of the powers of V less its first sample, neuron by neuron."""

    reference: Float[Array, "n"]
    sums: Float[Array, "3 n"]
    count: Int[Array, ""]


class VoltageSkewness(AbstractRecorder):
    """The skewness of the potential over time, a mean over neurons: of V, z-scored per neuron, the third power.

        skewness = mean over neurons of m_3/m_2^(3/2),    m_k the mean over time of (V - <V>)^k,

    refractory time included. Free potentials under independent Poisson spikes of the rate R and one size have 2
    sqrt(2)/(3 sqrt(R tau)).

    **Arguments:** names of populations, all by default; `start` [ms].

    **Records:** {population: value}; how many neurons it is of, those whose V varies, in `sol.counts`. Neurons whose V
    is constant are left out.

    Raises `ValueError` where a population has no potential or the record would be empty.

    Source: Tan, Chen, Scholl, Seidemann and Priebe (2014), doi:10.1038/nature13159.
    """

    unit: ClassVar[str | None] = "1"
    scope: Scope

    def __init__(self, *populations: str, start: float = 0.0):
        self.scope = Scope(populations, start)

    def takes_variance(self) -> bool:
        return True

    def watch(self, layout: Layout) -> tuple[Watch, ...]:
        return tuple([Watch(name, "v") for name in self.scope.names(layout)])

    def init(self, layout: Layout, rows: int) -> dict[str, PowerSums]:
        floats = jnp.result_type(float)

        def none(n: int) -> PowerSums:
            return PowerSums(jnp.zeros(n, floats), jnp.zeros((3, n), floats), jnp.zeros((), jnp.int32))

        return {name: none(layout.sizes[name]) for name in self.scope.names(layout)}

    def update(self, carry: dict[str, Any], window: Window, layout: Layout) -> dict[str, Any]:
        counted = window.steps >= self.scope.first_counted(layout)
        return {
            # Sample by sample: sums do not depend on the blocks that a run is made of.
            name: lax.scan(lambda s, now: (_with_sample(s, *now), None), sums, (v.astype(sums.sums.dtype), counted))[0]
            for (name, sums), v in zip(carry.items(), window.seen, strict=True)
        }

    def finish(self, carry: dict[str, Any], layout: Layout) -> Recorded:
        values, counts = {}, {}
        for name, sums in carry.items():
            first, second, third = sums.sums / sums.count.astype(sums.sums.dtype)
            variance = second - first**2
            varies = variance > 0.0
            safe = jnp.where(varies, variance, 1.0)
            skewness = (third - 3.0 * first * second + 2.0 * first**3) / safe**1.5
            counts[name] = jnp.sum(varies, dtype=jnp.int32)
            values[name] = jnp.sum(jnp.where(varies, skewness, 0.0)) / counts[name].astype(skewness.dtype)
        return Recorded(values, counts=counts)


def _with_sample(sums: PowerSums, v: Float[Array, "n"], counted: Bool[Array, ""]) -> PowerSums:
    reference = jnp.where(sums.count == 0, v, sums.reference)
    x = v - reference
    new = PowerSums(reference, sums.sums + jnp.stack([x, x**2, x**3]), sums.count + 1)
    return jax.tree.map(lambda a, b: jnp.where(counted, a, b), new, sums)
