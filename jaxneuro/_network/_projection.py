"""Projections between populations."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Moments, Shown, told
from ..connectivity import (
    AbstractConnectivity,
    AbstractDelay,
    AbstractKernel,
    AbstractWeightLaw,
    AbstractWeights,
    SpikeRecipe,
    TwoWeights,
    as_delay,
    as_weight_law,
)
from ..synapses import AbstractSynapse
from ._afferent import SpikeStream
from ._arguments import checked_law, checked_targets, checked_weight
from ._population import Population


class Projection(Shown):
    """Synapses from one population to one or several others.

    **Arguments:**

    - `pre`: name of the source population.
    - `post`: name of the target population, or a tuple of names.
    - `synapse`: such as `DeltaCurrent()`.
    - `weight`: efficacy, one number, one a target neuron (targets side by side), or a law that every synapse draws its
      own from, such as `LogNormalWeight(0.1, cv=0.5)`: a jump [mV] for `DeltaCurrent`, a peak current [mV] for filtered
      currents, relative to leak for conductances. Given weights are multiplied by it; for them it is 1 unless told.
    - `connectivity`: such as `FixedInDegree(1_000)`, given weights such as `Weights(matrix)`, or a kernel such as
      `GaussianKernel(sigma, cutoff)` between populations on lattices, which become given weights in the network.
    - `delay`: [ms], a number or a law that every synapse draws its own from, such as `UniformDelay(low, high)`; rounded
      to whole steps of dt, at least one, also from layer to layer. Given weights may have a `TrainableDelay`.

    Raises `ValueError` where an argument is not as above, among them a negative weight under a conductance, and weights
    that differ by synapse under a synapse that needs counts of spikes (`StochasticRelease`, `FirstOrderJump`).

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
    weight: Float[Array, "*n"] | AbstractWeightLaw
    connectivity: AbstractConnectivity | AbstractWeights | AbstractKernel
    delays: AbstractDelay

    def __init__(
        self,
        pre: str,
        post: str | tuple[str, ...] | list[str],
        synapse: AbstractSynapse,
        *,
        weight: ArrayLike | AbstractWeightLaw | None = None,
        connectivity: AbstractConnectivity | AbstractWeights | AbstractKernel,
        delay: float | AbstractDelay,
    ):
        if not isinstance(pre, str):
            raise ValueError(f"`pre` has to be the name of one population; got {told(pre)}.")
        if not isinstance(connectivity, AbstractConnectivity | AbstractWeights | AbstractKernel):
            raise ValueError(f"`connectivity` has to be a rule such as `FixedInDegree(100)`; got {told(connectivity)}.")
        self.pre = pre
        self.post = checked_targets("post", post)
        self.synapse = synapse
        self.connectivity = connectivity
        self.delays = as_delay(delay)
        given = connectivity.given_weights()
        if weight is None and given is None:
            raise ValueError("`weight` is missing: only given weights such as `Weights(matrix)` go without.")
        if isinstance(weight, AbstractWeightLaw):
            if given is not None:
                raise ValueError("`weight` of given weights is one number or one a target neuron, not a law.")
            self.weight = checked_law(weight, synapse)
        else:
            self.weight = checked_weight(1.0 if weight is None else weight, synapse, given is not None)
        if synapse.presynaptic(1) is not None:
            self.check_amplitudes()
        if given is not None:
            _check_given(given, synapse, self.delays)
        elif self.delays.law() is None:
            raise ValueError("`delay` can be a `TrainableDelay` only with given weights such as `Weights(matrix)`.")

    def placed(self, populations: Mapping[str, Population]) -> "Projection":
        """The projection between these populations: with the weights of a kernel, where it has one."""
        if not isinstance(self.connectivity, AbstractKernel):
            return self
        pre, *posts = (populations[name].positions for name in (self.pre, *self.post))
        weights = self.connectivity.between(pre, *posts)
        return Projection(
            self.pre, self.post, self.synapse, weight=self.weight, connectivity=weights, delay=self.delays
        )

    def check_amplitudes(self) -> None:
        """Raises `ValueError` where spikes of `pre` that have amplitudes cannot be transmitted."""
        name = type(self.synapse).__name__
        if not self.synapse.takes_amplitudes():
            raise ValueError(
                f"`synapse` from {self.pre!r} is a `{name}`, which counts spikes, and these have amplitudes: give "
                "spikes of true and false, or choose another synapse."
            )
        if not self.synapse.is_linear() and self.law.scale.ndim:
            raise ValueError(
                f"`weight` has to be one number where spikes from {self.pre!r} have amplitudes and act by a jump that "
                "is not linear in them, such as `FirstOrderJump()`: take `ExactJump()`, or a projection a weight."
            )

    @property
    def delay(self) -> Any:
        """The delay [ms] as given."""
        return self.delays.as_given()

    @property
    def law(self) -> AbstractWeightLaw:
        """The law of the weights; of a number or an array, that of this weight."""
        return as_weight_law(self.weight)

    def weight_moments(self, targets: slice = slice(None)) -> Moments:
        """Mean and variance of the weights onto some of the targets side by side, differentiable; of given weights
        with those of 0, as many as there are sources."""
        scale = self.law.scale
        given = self.connectivity.given_weights()
        if given is not None:
            if scale.ndim:
                raise ValueError("`weight`: moments of given weights need one number as `weight`, not one a target.")
            own = given.weight_moments(targets)
            return Moments(scale * own.mean, scale**2 * own.variance)
        return jax.tree.map(lambda x: x[targets] if x.ndim else x, self.law.moments())

    def afferent(
        self, pre: Population, post_name: str, post: Population, rate: Float[Array, ""], targets: slice = slice(None)
    ) -> SpikeStream:
        """What theory reads of the synapses onto one neuron of `post`, from sources of `rate` [Hz].

        `targets` is the place of `post` among all targets, which given weights ask for.
        """
        rule = cast(AbstractConnectivity | AbstractWeights, self.connectivity)  # in a network kernels are weights
        in_degree = rule.in_degree(pre, post, self.pre == post_name)
        given = self.connectivity.given_weights()
        law = self.law if given is None else TwoWeights(self.weight_moments(targets))
        return SpikeStream(rate, in_degree, law, self.synapse)

    def recipe(self, pre: Population, posts: tuple[Population, ...]) -> SpikeRecipe | None:
        """What the wiring is drawn from; None where the weights are given."""
        rule, delays = self.connectivity.drawn_rule(), self.delays.law()
        if rule is None or delays is None:
            return None
        positions = (pre.positions, *map(attrgetter("positions"), posts))
        signed = self.synapse.is_signed()
        return SpikeRecipe(rule, self.law.unit(), delays.drawn(), positions, signed)


def _check_given(connectivity: AbstractWeights, synapse: AbstractSynapse, delays: AbstractDelay) -> None:
    if not synapse.is_linear():
        raise ValueError("`synapse` needs counts of spikes, and given weights hand on weighted sums: choose another.")
    delays.check_given(connectivity.n_pre, connectivity.n_post)
    for leaf in jax.tree_util.tree_leaves(connectivity):
        if jnp.issubdtype(leaf.dtype, jnp.inexact):  # places of synapses are whole numbers
            synapse.check_weight("connectivity", leaf, True)
