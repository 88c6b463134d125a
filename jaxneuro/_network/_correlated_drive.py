"""Poisson sources that share spikes of a mother train."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import gammaln
from jaxtyping import Array, ArrayLike, Float, Int, PRNGKeyArray

from .._numerics import (
    PoissonTable,
    TwoFloat,
    as_leaf,
    check_count,
    check_finite,
    check_nonnegative,
    check_yes_or_no,
    random_bits,
    step_keys,
    violates,
)
from ..synapses import AbstractSynapse, Received
from ._arguments import checked_targets, checked_weight
from ._drive import AbstractDrive


class CorrelatedPoissonDrive(AbstractDrive):
    """Poisson sources of `rate` each, of which any two have the correlation c: each keeps spikes of a mother train.

    The mother train is a Poisson process of the rate r/c; each source keeps each of its spikes with the probability c,
    so that a mother spike brings Binomial(n, c) spikes at once. Counts of two sources have the correlation coefficient
    c in bins of any width. At c = 0 the sources are independent, as in `PoissonDrive`.

    **Arguments:**

    - `targets`, `synapse`: as of `PoissonDrive`; `weight`: one number, or one a target neuron.
    - `n_sources`: sources for each neuron, a whole number.
    - `rate`: of one source [Hz]; `correlation`: c, from 0 to 1.
    - `shared`: whether one mother train drives all targets; by default each neuron has its own. It needs c > 0.

    Raises `ValueError` where an argument is not as above.

    Derivatives: of a run by `weight` in both modes, and by `rate` as of `PoissonDrive`; none by `correlation`.

    ```python
    >>> import jax, jaxneuro as jn
    >>> free = jn.Population(jn.LIF(v_th=1e3), 200)
    >>> drive = jn.CorrelatedPoissonDrive(
    ...     "E", jn.DeltaCurrent(), weight=0.2, n_sources=100, rate=10.0, correlation=0.05)
    >>> record = {"skewness": jn.record.VoltageSkewness("E", start=100.0)}
    >>> net = jn.Network({"E": free}, drives=[drive])
    >>> sol = jn.simulate(net, 0.0, 2_000.0, dt=0.2, key=jax.random.key(0), record=record)
    >>> bool(abs(sol["skewness"]["E"] - 0.58) < 0.06)               # of a longer run 0.5825
    True

    ```

    Source: Kuhn, Aertsen and Rotter (2003), doi:10.1162/089976603321043702, single interaction process.
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    synapse: AbstractSynapse
    weight: Float[Array, "*n"]
    rate: Float[Array, ""]
    correlation: Float[Array, ""]
    n_sources: int = eqx.field(static=True)
    shared: bool = eqx.field(static=True)

    def __init__(
        self,
        targets: str | tuple[str, ...] | list[str],
        synapse: AbstractSynapse,
        *,
        weight: ArrayLike,
        n_sources: Any,
        rate: ArrayLike,
        correlation: ArrayLike,
        shared: Any = False,
    ):
        self.targets = checked_targets("targets", targets)
        self.synapse, self.weight = synapse, checked_weight(weight, synapse)
        if not synapse.is_plain():
            raise ValueError(
                f"`synapse` of a drive cannot be {type(synapse).__name__}, since it has no presynaptic neurons."
            )
        self.n_sources = check_count("n_sources", n_sources)
        self.rate, self.correlation = as_leaf(rate, "rate"), as_leaf(correlation, "correlation")
        check_nonnegative("rate", self.rate)
        check_finite("correlation", self.correlation)
        for name, leaf in (("rate", self.rate), ("correlation", self.correlation)):
            if leaf.ndim:
                raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}.")
        if violates(lambda c: (c >= 0.0) & (c <= 1.0), self.correlation):
            raise ValueError(f"`correlation` has to lie in [0, 1]; got {self.correlation}.")
        self.shared = check_yes_or_no("shared", shared)
        if self.shared and violates(lambda c: c > 0.0, self.correlation):
            raise ValueError(
                "`correlation` of 0 has no mother train that could be `shared`: give one above 0, or `False`."
            )

    def gives(self) -> tuple[str, ...]:
        """What its synapse gives."""
        return self.synapse.gives()

    def init(self, n: int, key: PRNGKeyArray) -> Any:
        """The synapse without input."""
        return self.synapse.init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        """Those of its synapse."""
        return self.synapse.prepare(dt, tau_m)

    def table(self, dt: float) -> tuple[PoissonTable, Float[Array, "kept"]]:
        """Of the mother spikes, and the distribution function of how many sources of a neuron keep one.

        Of a neuron's own train only those that any source keeps are drawn: their rate r/c (1 - (1 - c)^n) is finite at
        c = 0 too.
        """
        n, c = self.n_sources, self.correlation
        some = c > 0.0
        safe = jnp.where(some, c, 0.5)
        all_but = jnp.where(safe < 1.0, safe, 0.5)
        any_kept = jnp.where(safe < 1.0, -jnp.expm1(n * jnp.log1p(-all_but)), 1.0)
        per_source = jnp.where(some, (1.0 if self.shared else any_kept) / safe, float(n))
        table = PoissonTable(TwoFloat.of(self.rate * per_source * (dt / 1000.0)))
        kept = jnp.arange(0 if self.shared else 1, n + 1, dtype=c.dtype)
        choices = gammaln(n + 1.0) - gammaln(kept + 1.0) - gammaln(n - kept + 1.0)
        log_weights = choices + kept * jnp.log(all_but) + (n - kept) * jnp.log1p(-all_but)
        weights = jnp.exp(log_weights - jnp.max(log_weights))
        weights = jnp.where(some, weights, jnp.where(kept == 1.0, 1.0, 0.0))
        weights = jnp.where(c < 1.0, weights, jnp.where(kept == n, 1.0, 0.0))
        return table, lax.stop_gradient(jnp.cumsum(weights) / jnp.sum(weights))

    def draw(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, table: Any
    ) -> Float[Array, "time n"]:
        """Counts of spikes."""
        mothers, below = table
        independent = 1 if self.shared else n

        def one(k: PRNGKeyArray) -> Float[Array, "n"]:
            counts = mothers.sample(k, independent)
            whole = lax.stop_gradient(counts)

            def add(i: Int[Array, ""], total: Float[Array, "n"]) -> Float[Array, "n"]:
                # One mother spike: how many of each neuron's sources keep it.
                bits = random_bits(jax.random.fold_in(k, 1 + i), n)
                share = (bits.astype(below.dtype) + 0.5) * 2.0**-32
                kept = jnp.searchsorted(below[:-1], share).astype(below.dtype) + (0.0 if self.shared else 1.0)
                return total + jnp.where(i < whole.astype(jnp.int32), kept, 0.0)

            total = lax.fori_loop(0, jnp.max(whole).astype(jnp.int32), add, jnp.zeros(n, below.dtype))
            mean = total / jnp.maximum(whole, 1.0)
            return total + lax.stop_gradient(mean) * (counts - whole)

        return jax.vmap(one)(step_keys(key, steps))

    def input(self, constants: Any, state: Any, drawn: Array, v: Float[Array, "n"] | None) -> Received:
        """The counts through the synapse."""
        return self.synapse.step(constants, state, drawn.astype(self.weight.dtype), self.weight, v)
