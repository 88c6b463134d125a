"""Drives of a network from outside."""

import abc
import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray

from .._formulas import Input
from .._numerics import Moments, Shown, TwoFloat, as_leaf, check_finite, check_nonnegative, is_concrete, step_keys
from ..connectivity import ConstantWeight
from ..synapses import AbstractSynapse, Received
from ._afferent import Afferent, SpikeStream, WhiteCurrent
from ._arguments import checked_targets, checked_weight
from ._counts import AbstractCounts, CountTable, PoissonCounts

# Poisson counts are drawn in shares of a mean of 25: beyond this a step costs 400 draws a neuron.
_MOST_KICKS = 10_000


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
    - `synapse`, `weight`: as in `Projection`.
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
    weight: Float[Array, "*n"]
    n_sources: Float[Array, ""]
    rate: Float[Array, "*n"]
    counts: AbstractCounts

    def __init__(
        self,
        targets: str | tuple[str, ...] | list[str],
        synapse: AbstractSynapse,
        *,
        weight: ArrayLike,
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
        self.weight = checked_weight(weight, synapse)
        self.n_sources = as_leaf(n_sources, "n_sources")
        self.rate = as_leaf(rate, "rate")
        check_nonnegative("n_sources", self.n_sources)
        check_nonnegative("rate", self.rate)
        if not isinstance(counts, AbstractCounts | None):
            raise ValueError(f"`counts` has to be `PoissonCounts()` or `GaussianCounts()`; got {counts!r}.")
        self.counts = PoissonCounts() if counts is None else counts

    def afferent(self) -> Afferent:
        """One stream of spikes, for theory."""
        in_degree = Moments(self.n_sources, jnp.zeros_like(self.n_sources))
        return Afferent((SpikeStream(self.rate, in_degree, ConstantWeight(self.weight), self.synapse),))

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
        """Counts of spikes."""
        return jax.vmap(lambda k: table.sample(k, n))(step_keys(key, steps))

    def input(self, constants: Any, state: Any, drawn: Array, v: Float[Array, "n"] | None) -> Received:
        """The counts through the synapse."""
        return self.synapse.step(constants, state, drawn.astype(self.weight.dtype), self.weight, v)

    def check(self, name: str, dt: float) -> None:
        """Raises `ValueError` where a step brings more spikes than can be drawn in a reasonable time."""
        if is_concrete(self.n_sources, self.rate):
            most = float(np.max(np.asarray(self.n_sources) * np.asarray(self.rate))) * dt / 1000.0
            if most > _MOST_KICKS:
                raise ValueError(
                    f"{name} gives every neuron {most:.3g} spikes a step, more than {_MOST_KICKS:,}: "
                    "check `n_sources` and `rate` [Hz], take a smaller dt, or a `WhiteNoiseDrive` of the same moments."
                )

    def valid(self) -> Bool[Array, ""]:
        """Whether the rate and the number of sources are such."""
        allowed = [jnp.all((x >= 0) & jnp.isfinite(x)) for x in (self.n_sources, self.rate)]
        return allowed[0] & allowed[1]

    def inside_steps(self, name: str) -> AbstractDrive:
        """With the synapse whose spikes arrive inside steps."""
        return eqx.tree_at(lambda d: d.synapse, self, self.synapse.inside_steps(name))


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
