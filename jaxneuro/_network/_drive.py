"""Drives of a network from outside."""

import abc
import dataclasses
from operator import attrgetter
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray, UInt

from .._formulas import Input
from .._numerics import (
    LARGEST_MEAN,
    Moments,
    PoissonTable,
    Shown,
    TwoFloat,
    as_leaf,
    check_finite,
    check_nonnegative,
    hashed_share,
    is_concrete,
    random_bits,
    step_keys,
    told,
)
from ..connectivity import AbstractWeightLaw, as_weight_law
from ..synapses import AbstractSynapse, Received
from ._afferent import Afferent, SpikeStream, WhiteCurrent
from ._arguments import checked_law, checked_targets, checked_weight
from ._counts import AbstractCounts, CountTable, PoissonCounts

# Poisson counts are drawn in shares of a mean of 25: beyond this a step costs 400 draws a neuron.
_MOST_KICKS = 10_000
# What keys of a drive are told apart by.
_SALT = 0x5EED


class AbstractDrive(Shown):
    """Input from outside to every neuron of the `targets`, drawn or computed step by step.

    Numbers are one for all or one a target neuron, all targets side by side. A drive of one's own is `input`, with
    `draw` where it is random and `init` where it remembers; `gives` says what it gives.
    """

    targets: eqx.AbstractVar[tuple[str, ...]]

    @abc.abstractmethod
    def input(self, constants: Any, state: Any, drawn: Any, v: Float[Array, "n"] | None) -> Received:
        """The new state and the `Input` of one step of one population.

        `constants` are those of `prepare`, `drawn` what `draw` drew for the step and the population, `v` the potential
        at the step's start [mV], None of a model that observes none.
        """

    def gives(self) -> tuple[str, ...]:
        """The parts of `Input` that it gives, by name; a network refuses targets that do not understand them."""
        return ()

    def init(self, n: int, key: PRNGKeyArray) -> Any:
        """The state that a run starts from, for one population of `n`; None for a drive without memory."""
        return None

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        """Constants of a step of `dt` [ms] onto a membrane of `tau_m` [ms], computed once: `dt` unless told."""
        return dt

    def table(self, dt: float) -> Any:
        """What `draw` needs, computed once."""
        return None

    def draw(self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, table: Any) -> Any:
        """Random numbers of the successive `steps` (counted from t = 0) for all `n` targets, arrays (time, n).

        They have to depend on `key`, step and neuron alone: take one key a step, `step_keys(key, steps)`.
        """
        return None

    def values(self) -> dict[str, Float[Array, "*n"]]:
        """Its own numbers, by name: each one for all, or one a target neuron."""
        found = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if eqx.is_array(value):
                found[field.name] = value
        return found

    def part(self, place: slice) -> "AbstractDrive":
        """The drive of the targets at `place` among all."""
        drive = self
        for name, value in self.values().items():
            if value.ndim:
                drive = eqx.tree_at(lambda d, name=name: getattr(d, name), drive, value[place])
        return drive

    def check(self, name: str, dt: float) -> None:
        """Raises `ValueError` where the drive, `name`, cannot be run in steps of `dt` [ms]."""

    def in_steps(self, dt: float) -> "AbstractDrive":
        """The drive of a run in steps of `dt` [ms], before it is compiled: what is known of its numbers may be used."""
        return self

    def valid(self) -> Bool[Array, ""] | None:
        """Whether numbers that only a transformation knows are allowed; None where nothing is to be asked."""
        return None

    def afferent(self) -> Afferent:
        """What theory reads of it: streams of spikes, or white currents.

        Raises `ValueError` where it says neither.
        """
        raise ValueError(f"{type(self).__name__} does not say what it is to theory: give it `afferent()`, or simulate.")

    def inside_steps(self, name: str) -> "AbstractDrive":
        """The drive of a run whose spikes are inside steps. Raises `ValueError` where it has no such form."""
        raise ValueError(f"`spike_times`: {name} has to be a PoissonDrive of an `ExponentialCurrent`.")


class PoissonDrive(AbstractDrive):
    """Independent Poisson input to every neuron: the sum of `n_sources` sources of `rate` each.

    **Arguments:**

    - `targets`: name of a population, or a tuple of names.
    - `synapse`, `weight`: as in `Projection`; of a law every source of every neuron has a weight of its own, made again
      from a hash of run key, neuron and source whenever it spikes, and never stored.
    - `n_sources`: sources for each neuron.
    - `rate`: of one source [Hz], a number or one a target neuron.
    - `counts`: the law of the number of spikes in a step, `PoissonCounts()`, or `GaussianCounts()`.

    Raises `ValueError` where an argument is not as above.

    ```python
    >>> import jaxneuro as jn
    >>> drive = jn.PoissonDrive(("E", "I"), jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=20.0)

    ```
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    synapse: AbstractSynapse
    weight: Float[Array, "*n"] | AbstractWeightLaw
    n_sources: Float[Array, ""]
    rate: Float[Array, "*n"]
    counts: AbstractCounts

    def __init__(
        self,
        targets: str | tuple[str, ...] | list[str],
        synapse: AbstractSynapse,
        *,
        weight: ArrayLike | AbstractWeightLaw,
        n_sources: ArrayLike,
        rate: ArrayLike,
        counts: AbstractCounts | None = None,
    ):
        self.targets = checked_targets("targets", targets)
        if isinstance(synapse, AbstractSynapse) and not synapse.is_plain():
            raise ValueError(
                f"`synapse` of a drive cannot be {type(synapse).__name__}, since it has no presynaptic neurons: use a "
                "`Projection` from a population of `Poisson` sources."
            )
        self.synapse = synapse
        self.weight = _source_weight(weight, synapse)
        self.n_sources = as_leaf(n_sources, "n_sources")
        self.rate = as_leaf(rate, "rate")
        check_nonnegative("n_sources", self.n_sources)
        check_nonnegative("rate", self.rate)
        if not isinstance(counts, AbstractCounts | None):
            raise ValueError(f"`counts` has to be `PoissonCounts()` or `GaussianCounts()`; got {told(counts)}.")
        self.counts = PoissonCounts() if counts is None else counts
        if self._unit() is not None and not isinstance(self.counts, PoissonCounts):
            raise ValueError(
                "`counts` of sources with a law of weights have to be `PoissonCounts()`: spikes are told apart."
            )

    def _unit(self) -> AbstractWeightLaw | None:
        """The law of weights over their scale; None where all are alike."""
        return as_weight_law(self.weight).unit()

    def afferent(self) -> Afferent:
        """One stream of spikes, for theory."""
        in_degree = Moments(self.n_sources, jnp.zeros_like(self.n_sources))
        return Afferent((SpikeStream(self.rate, in_degree, as_weight_law(self.weight), self.synapse),))

    def gives(self) -> tuple[str, ...]:
        """What its synapse gives."""
        return self.synapse.gives()

    def init(self, n: int, key: PRNGKeyArray) -> Any:
        """The synapse without input."""
        return self.synapse.init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        """Those of its synapse."""
        return self.synapse.prepare(dt, tau_m)

    def table(self, dt: float) -> CountTable:
        """What draws the counts of a step; their mean has twice the digits of a float, so that it is not rounded."""
        whole = TwoFloat.of(self.n_sources) * TwoFloat.of(self.rate)
        high = np.asarray(dt / 1000.0, self.rate.dtype)
        low = np.asarray(dt / 1000.0 - float(high), self.rate.dtype)
        return self.counts.prepare(whole * TwoFloat(jnp.asarray(high), jnp.asarray(low)))

    def draw(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, table: CountTable
    ) -> Float[Array, "time n"] | Int[Array, "time n"]:
        """Counts of spikes; of a law of weights the sum of the weights over their scale."""
        unit = self.weight.unit() if isinstance(self.weight, AbstractWeightLaw) else None
        if unit is None:
            return jax.vmap(lambda k: table.sample(k, n))(step_keys(key, steps))
        assert isinstance(table, PoissonTable)
        salt = jax.random.bits(jax.random.fold_in(key, _SALT), (), jnp.uint32)
        return jax.vmap(lambda k: _summed(k, table, n, unit, self.n_sources, salt))(step_keys(key, steps))

    def input(self, constants: Any, state: Any, drawn: Array, v: Float[Array, "n"] | None) -> Received:
        """The counts through the synapse."""
        scale = self.weight.scale if isinstance(self.weight, AbstractWeightLaw) else self.weight
        return self.synapse.step(constants, state, drawn.astype(scale.dtype), scale, v)

    def check(self, name: str, dt: float) -> None:
        """Raises `ValueError` where a step brings more spikes than can be drawn in a reasonable time."""
        if is_concrete(self.n_sources, self.rate):
            most = float(np.max(np.asarray(self.n_sources) * np.asarray(self.rate))) * dt / 1000.0
            if most > _MOST_KICKS:
                raise ValueError(
                    f"{name} gives every neuron {most:.3g} spikes a step, more than {_MOST_KICKS:,}: "
                    "check `n_sources` and `rate` [Hz], take a smaller dt, or a `WhiteNoiseDrive` of the same moments."
                )

    def in_steps(self, dt: float) -> "AbstractDrive":
        """Where few spikes come in a step, and that is known, one draw is enough for their number."""
        if not is_concrete(self.n_sources, self.rate):
            return self
        most = float(np.max(np.asarray(self.n_sources) * np.asarray(self.rate))) * dt / 1000.0
        # A little below, for the mean is rounded otherwise where it is computed.
        return eqx.tree_at(attrgetter("counts"), self, self.counts.of_few()) if most < 0.99 * LARGEST_MEAN else self

    def valid(self) -> Bool[Array, ""]:
        """Whether the rate and the number of sources are such."""
        sources = jnp.all((self.n_sources >= 0) & jnp.isfinite(self.n_sources))
        return sources & jnp.all((self.rate >= 0) & jnp.isfinite(self.rate))

    def inside_steps(self, name: str) -> AbstractDrive:
        """With the synapse whose spikes arrive inside steps."""
        if self._unit() is not None:
            raise ValueError(
                f"`spike_times`: {name} has a law of weights: give one number, or keep spikes on the grid."
            )
        return eqx.tree_at(lambda d: d.synapse, self, self.synapse.inside_steps(name))


def _source_weight(weight: Any, synapse: AbstractSynapse) -> Any:
    """A number, an array, or a law from which weights can be made again."""
    if not isinstance(weight, AbstractWeightLaw):
        return checked_weight(weight, synapse)
    law = checked_law(weight, synapse)
    if law.matched_to() is not None:
        raise ValueError(
            "`weight` of a drive cannot be a `MatchedWeight`: its sources are no population; give the law."
        )
    if law.unit() is not None:
        jax.eval_shape(law.exceeded, jnp.ones(()))  # says so where there is none
    return law


def _summed(
    key: PRNGKeyArray, table: PoissonTable, n: int, unit: AbstractWeightLaw, n_sources: Array, salt: UInt[Array, ""]
) -> Float[Array, "n"]:
    """The summed weights of the spikes of one step: each is of a source at random, whose weight is made from a hash."""
    counts, neurons = table.count(key, n), jnp.arange(n, dtype=jnp.uint32)
    dtype = n_sources.dtype

    def add(k: Int[Array, ""], total: Float[Array, "n"]) -> Float[Array, "n"]:
        bits = random_bits(jax.random.fold_in(key, _SALT + k), n)
        source = jnp.floor(bits.astype(dtype) * (n_sources * 2.0**-32)).astype(jnp.uint32)
        return total + jnp.where(k < counts, unit.exceeded(hashed_share(salt, neurons, source, dtype)), 0.0)

    total = lax.fori_loop(0, jnp.max(counts), add, jnp.zeros(n, dtype))
    # The derivative by the rate is that of the counts, at the mean weight of the step.
    mean = total / jnp.maximum(counts, 1).astype(dtype)
    smooth = table.sample(key, n)
    return lax.stop_gradient(total) + lax.stop_gradient(mean) * (smooth - lax.stop_gradient(smooth))


class WhiteNoiseDrive(AbstractDrive):
    """White-noise input: tau_m dV/dt = -(V - v_rest) + mu + sigma sqrt(tau_m) xi.

    **Arguments:**

    - `targets`: name of a population, or a tuple of names.
    - `mu`: mean input [mV], a number or one a target neuron.
    - `sigma`: noise amplitude [mV]; the free potential has the standard deviation sigma/sqrt(2).

    Raises `ValueError` where `sigma` is negative or a value is not finite.

    ```python
    >>> import jaxneuro as jn
    >>> drive = jn.WhiteNoiseDrive("E", mu=15.0, sigma=5.0)

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (4).
    """

    targets: tuple[str, ...] = eqx.field(static=True)
    mu: Float[Array, "*n"]
    sigma: Float[Array, "*n"]

    def __init__(self, targets: str | tuple[str, ...] | list[str], *, mu: ArrayLike, sigma: ArrayLike):
        self.targets = checked_targets("targets", targets)
        self.mu, self.sigma = as_leaf(mu, "mu"), as_leaf(sigma, "sigma")
        check_finite("mu", self.mu)
        check_nonnegative("sigma", self.sigma)

    def afferent(self) -> Afferent:
        """A mean and a white noise, for theory."""
        return Afferent(currents=(WhiteCurrent(self.mu, self.sigma),))

    def gives(self) -> tuple[str, ...]:
        """Current and noise."""
        return ("current", "noise")

    def draw(
        self, key: PRNGKeyArray, steps: Int[Array, "time"], dt: float, n: int, table: None
    ) -> Float[Array, "time n"]:
        """Standard normal numbers."""
        return normal_numbers(key, steps, n, self.sigma.dtype)

    def input(self, constants: Any, state: None, drawn: Array, v: Float[Array, "n"] | None) -> Received:
        """mu, and sigma times the number drawn."""
        return Received(None, Input(current=jnp.broadcast_to(self.mu, drawn.shape), noise=self.sigma * drawn))


def normal_numbers(key: PRNGKeyArray, steps: Int[Array, "time"], n: int, dtype: Any) -> Float[Array, "time n"]:
    """Standard normal numbers of `n` neurons in the successive `steps`, by one key a step."""
    return jax.vmap(lambda k: jax.random.normal(k, (n,), dtype))(step_keys(key, steps))
