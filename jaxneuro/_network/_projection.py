"""Projections between populations."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Moments, as_leaf, check_finite, check_nonnegative, to_milliseconds, violates
from ..connectivity import AbstractConnectivity, AbstractWeights
from ..synapses import (
    AbstractFilteredConductance,
    AbstractSynapse,
    DeltaConductance,
    FirstOrderJump,
    ShortTermPlasticity,
    StochasticRelease,
)
from ._afferent import KnownWeight, SpikeStream
from ._arguments import checked_targets, checked_weight
from ._population import Population


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


class TrainableDelay(eqx.Module):
    """Delays that are leaves, to be trained: a spike is shared between the two neighbouring steps, linearly.

        arrivals at t + k dt of a spike at t: max(0, 1 - |value/dt - k|) of it.

    The step of a spike acts on every later one as `value` says, and its derivative by `value` is that of the
    interpolation, one-sided where `value` is a whole number of steps.

    **Arguments:**

    - `value`: [ms], a number, one a source (pre,), or one a synapse (post, pre), inside [`low`, `high`].
    - `low`, `high`: [ms], the range that training may use, part of the program: `low` is at least one step and bounds
      the block of a run, and one matrix product is done for each step of the range.

    Raises `ValueError` where a known `value` lies outside; a traced one is taken to the nearest end, with derivative 0
    beyond it.

    ```python
    >>> import jaxneuro as jn
    >>> delay = jn.TrainableDelay([2.5, 4.0], low=1.0, high=10.0)

    ```

    Source: Goltz et al. (2025), doi:10.1038/s41467-025-63120-y, on learning with delays; the interpolation is that of
    Hammouamri, Khalfaoui-Hassani and Masquelier (2024), arXiv:2306.17670, at width 0.
    """

    value: Float[Array, "*pairs"]
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __init__(self, value: Any, *, low: float, high: float):
        self.value = as_leaf(value, "value")
        self.low, self.high = to_milliseconds("low", low), to_milliseconds("high", high)
        check_finite("value", self.value)
        if not 0 < self.low <= self.high:
            raise ValueError(f"`TrainableDelay` needs 0 < low <= high; got {low} and {high} ms.")
        if self.value.ndim > 2:
            raise ValueError(f"`value` has to be a number, (pre,) or (post, pre); got shape {self.value.shape}.")
        if violates(lambda v: (v >= self.low) & (v <= self.high), self.value):
            raise ValueError(f"`value` has to lie within [{self.low:g}, {self.high:g}] ms; got {self.value}.")

    def shares(self, dt: float, least: int, most: int) -> Float[Array, "steps *pairs"]:
        """The part of a spike that arrives after `least`, ..., `most` steps."""
        steps = jnp.clip(self.value / dt, self.low / dt, self.high / dt)
        k = jnp.arange(least, most + 1, dtype=steps.dtype).reshape(-1, *(1,) * steps.ndim)
        # At a whole number of steps the derivative is that of a longer delay.
        ahead = steps - k
        return jnp.where(ahead >= 0, jnp.maximum(0.0, 1.0 - ahead), jnp.maximum(0.0, 1.0 + ahead))


class Projection(eqx.Module):
    """Synapses from one population to one or several others.

    **Arguments:**

    - `pre`: name of the source population.
    - `post`: name of the target population, or a tuple of names.
    - `synapse`: such as `DeltaCurrent()`.
    - `weight`: efficacy, one number or one a target neuron (targets side by side): a jump [mV] for
      `DeltaCurrent`, a peak current [mV] for filtered currents, relative to leak for conductances. Given weights are
      multiplied by it; for them it is 1 unless told.
    - `connectivity`: such as `FixedInDegree(1_000)`, or given weights such as `Weights(matrix)`.
    - `delay`: [ms], a number or `UniformDelay(low, high)`; rounded to whole steps of dt, at least one, also from layer
      to layer. Given weights may have a `TrainableDelay`.

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
    fixed_delay: float | UniformDelay | None = eqx.field(static=True)
    trainable_delay: TrainableDelay | None

    def __init__(
        self,
        pre: str,
        post: str | tuple[str, ...] | list[str],
        synapse: AbstractSynapse,
        *,
        weight: ArrayLike | None = None,
        connectivity: AbstractConnectivity,
        delay: float | UniformDelay | TrainableDelay,
    ):
        if not isinstance(pre, str):
            raise ValueError(f"`pre` has to be the name of one population; got {pre!r}.")
        if not isinstance(connectivity, AbstractConnectivity):
            raise ValueError(f"`connectivity` has to be a rule such as `FixedInDegree(100)`; got {connectivity!r}.")
        self.pre = pre
        self.post = checked_targets("post", post)
        self.synapse = synapse
        given = isinstance(connectivity, AbstractWeights)
        if weight is None and not given:
            raise ValueError("`weight` is missing: only given weights such as `Weights(matrix)` go without.")
        self.weight = checked_weight(1.0 if weight is None else weight, synapse, given)
        self.connectivity = connectivity
        if given:
            _check_given(connectivity, synapse, delay)
        elif isinstance(delay, TrainableDelay):
            raise ValueError("`delay` can be a `TrainableDelay` only with given weights such as `Weights(matrix)`.")
        self.trainable_delay = delay if isinstance(delay, TrainableDelay) else None
        if isinstance(delay, TrainableDelay):
            self.fixed_delay = None
        elif isinstance(delay, UniformDelay):
            self.fixed_delay = delay
        else:
            self.fixed_delay = to_milliseconds("delay", delay)
            if self.fixed_delay <= 0:
                raise ValueError(f"`delay` has to be positive; got {delay} ms.")

    @property
    def delay(self) -> float | UniformDelay | TrainableDelay:
        """The delay [ms] as given."""
        fixed, trainable = self.fixed_delay, self.trainable_delay
        if trainable is not None:
            return trainable
        assert fixed is not None
        return fixed

    def afferent(self, pre: Population, post_name: str, post: Population, rate: Float[Array, ""]) -> SpikeStream:
        """What theory reads of the synapses onto one neuron of `post`, from sources of `rate` [Hz]."""
        k = self.connectivity.mean_in_degree(pre.n, self.pre == post_name)
        return SpikeStream(rate, Moments(k, jnp.zeros_like(k)), KnownWeight(self.weight), self.synapse)


def _check_given(connectivity: AbstractWeights, synapse: AbstractSynapse, delay: Any) -> None:
    if isinstance(synapse, StochasticRelease) or (
        isinstance(synapse, DeltaConductance) and isinstance(synapse.jump, FirstOrderJump)
    ):
        raise ValueError("`synapse` needs counts of spikes, and given weights hand on weighted sums: choose another.")
    if isinstance(delay, UniformDelay):
        raise ValueError("`delay` of given weights is one number or a `TrainableDelay`, not a `UniformDelay`.")
    if isinstance(delay, TrainableDelay):
        allowed = ((), (connectivity.n_pre,), (connectivity.n_post, connectivity.n_pre))
        if delay.value.shape not in allowed:
            raise ValueError(f"`delay` has values of shape {delay.value.shape}; they have to be one of {allowed}.")
    base = synapse.synapse if isinstance(synapse, ShortTermPlasticity) else synapse
    if isinstance(base, DeltaConductance | AbstractFilteredConductance):
        for leaf in jax.tree_util.tree_leaves(connectivity):
            check_nonnegative("connectivity", leaf)
