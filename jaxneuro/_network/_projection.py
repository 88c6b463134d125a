"""Projections between populations, and drives from outside."""

import equinox as eqx
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_finite, check_nonnegative, to_milliseconds, violates
from ..connectivity import AbstractConnectivity
from ..synapses import (
    AbstractFilteredConductance,
    AbstractSynapse,
    DeltaConductance,
    FirstOrderJump,
    ShortTermPlasticity,
    StochasticRelease,
)
from ._counts import AbstractCounts, PoissonCounts


class UniformDelay(eqx.Module):
    """Delays drawn for every synapse from the uniform distribution on [low, high] ms.

    Each is rounded to whole steps, and to at least one step; `high` has to be at least one step.
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __init__(self, low: float, high: float):
        self.low, self.high = to_milliseconds("low", low), to_milliseconds("high", high)
        if not 0 <= self.low <= self.high or self.high == 0:
            raise ValueError(f"`UniformDelay(low, high)` needs 0 <= low <= high > 0; got {low} and {high} ms.")


def _targets(name: str, targets: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    names = (targets,) if isinstance(targets, str) else tuple(targets)
    if not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f"`{name}` has to be the name of a population or a tuple of names; got {targets!r}.")
    if len(set(names)) < len(names):
        raise ValueError(f"`{name}` names a population twice: {names}.")
    return names


def _weight(weight: ArrayLike, synapse: AbstractSynapse) -> Float[Array, "*n"]:
    if not isinstance(synapse, AbstractSynapse):
        raise ValueError(f"`synapse` has to be a synapse such as `DeltaCurrent()`; got {synapse!r}.")
    leaf = as_leaf(weight)
    check_finite("weight", leaf)
    if leaf.ndim > 1:
        raise ValueError(f"`weight` has to be one number or one a target neuron; got shape {leaf.shape}.")
    if isinstance(synapse, ShortTermPlasticity | StochasticRelease):
        synapse = synapse.synapse
    if isinstance(synapse, DeltaConductance | AbstractFilteredConductance):
        check_nonnegative("weight", leaf)
        first_order = isinstance(synapse, DeltaConductance) and isinstance(synapse.jump, FirstOrderJump)
        if first_order and violates(lambda weight: weight < 1, leaf):
            raise ValueError(f"`weight` has to be below 1 under `FirstOrderJump`; got {leaf}.")
    return leaf


class Projection(eqx.Module):
    """Synapses from one population to one or several others.

    **Arguments:**

    - `pre`: name of the source population.
    - `post`: name of the target population, or a tuple of names.
    - `synapse`: such as `DeltaCurrent()`.
    - `weight`: efficacy, one number or one a target neuron (targets side by side): a jump [mV] for
      `DeltaCurrent`, a peak current [mV] for filtered currents, relative to leak for conductances.
    - `connectivity`: such as `FixedInDegree(1_000)`.
    - `delay`: [ms], a number or `UniformDelay(low, high)`; rounded to whole steps of dt.

    Raises `ValueError` where an argument is not as above.

    ```python
    >>> import jaxneuro as jn
    >>> projection = jn.Projection(
    ...     "E", ("E", "I"), jn.DeltaCurrent(), weight=0.1, connectivity=jn.FixedInDegree(1_000), delay=1.5
    ... )

    ```
    """

    pre: str = eqx.field(static=True)
    post: tuple[str, ...] = eqx.field(static=True)
    synapse: AbstractSynapse
    weight: Float[Array, "*n"]
    connectivity: AbstractConnectivity
    delay: float | UniformDelay = eqx.field(static=True)

    def __init__(
        self,
        pre: str,
        post: str | tuple[str, ...] | list[str],
        synapse: AbstractSynapse,
        *,
        weight: ArrayLike,
        connectivity: AbstractConnectivity,
        delay: float | UniformDelay,
    ):
        if not isinstance(pre, str):
            raise ValueError(f"`pre` has to be the name of one population; got {pre!r}.")
        if not isinstance(connectivity, AbstractConnectivity):
            raise ValueError(f"`connectivity` has to be a rule such as `FixedInDegree(100)`; got {connectivity!r}.")
        self.pre = pre
        self.post = _targets("post", post)
        self.synapse = synapse
        self.weight = _weight(weight, synapse)
        self.connectivity = connectivity
        if isinstance(delay, UniformDelay):
            self.delay = delay
        else:
            self.delay = to_milliseconds("delay", delay)
            if self.delay <= 0:
                raise ValueError(f"`delay` has to be positive; got {delay} ms.")


class PoissonDrive(eqx.Module):
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
        self.targets = _targets("targets", targets)
        if isinstance(synapse, ShortTermPlasticity | StochasticRelease):
            raise ValueError(
                f"`synapse` of a drive cannot be {type(synapse).__name__}, since it has no presynaptic neurons: use a "
                "`Projection` from a population of `Poisson` sources."
            )
        self.synapse = synapse
        self.weight = _weight(weight, synapse)
        self.n_sources = as_leaf(n_sources)
        self.rate = as_leaf(rate)
        check_nonnegative("n_sources", self.n_sources)
        check_nonnegative("rate", self.rate)
        if not isinstance(counts, AbstractCounts | None):
            raise ValueError(f"`counts` has to be `PoissonCounts()` or `GaussianCounts()`; got {counts!r}.")
        self.counts = PoissonCounts() if counts is None else counts


class WhiteNoiseDrive(eqx.Module):
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
        self.targets = _targets("targets", targets)
        self.mu, self.sigma = as_leaf(mu), as_leaf(sigma)
        check_finite("mu", self.mu)
        check_nonnegative("sigma", self.sigma)
