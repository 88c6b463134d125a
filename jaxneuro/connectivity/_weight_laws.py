"""Laws that the weights of single synapses are drawn from."""

import abc
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc, ndtri
from jaxtyping import Array, ArrayLike, Float, Int, Integer

from .._numerics import (
    Moments,
    Shown,
    as_leaf,
    check_finite,
    check_nonnegative,
    gauss_legendre,
    is_concrete,
    violates,
)

# exp(-x^2/2) is 0 in floats of either width from here on.
_FAR = 38.0
# Weights kept as whole numbers of 16 bits reach so many standard deviations above the mean: one in 10^15 lies beyond.
_REACH_KEPT = 8.0
# A normal law is followed over this many standard deviations by its quadrature.
_REACH = 9.0


class Nodes(NamedTuple):
    """A quadrature of a law: the mean of f is the sum of probabilities times f(values)."""

    values: Float[Array, "count *n"]
    probabilities: Float[Array, "count"]


class StableTail(NamedTuple):
    """The tail of a law so heavy that sums of weights are stable: that of `ParetoWeight(weight, alpha)`."""

    weight: Float[Array, ""]
    alpha: Float[Array, ""]


class SummedWeights(NamedTuple):
    """Of every target of a projection: the sum of its drawn weights over their mean, and how many there are."""

    sums: Float[np.ndarray, "n_post"]
    counts: Int[np.ndarray, "n_post"]


class AbstractWeightLaw(Shown):
    """The law of the weights of a projection.

    A weight is `scale` times a drawn number of the law `unit()`: what is drawn belongs to the wiring, `scale` is a
    leaf of the network, to be mapped and differentiated over. A law of one's own needs `draw`, `moments` and `nodes`.
    """

    @abc.abstractmethod
    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        """Weights of independent synapses."""

    @abc.abstractmethod
    def moments(self) -> Moments:
        """Mean and variance of the weights that are drawn, differentiable."""

    @abc.abstractmethod
    def nodes(self, count: int) -> Nodes:
        """A quadrature of `count` values for means over the weights, differentiable."""

    @property
    def scale(self) -> Float[Array, "*n"]:
        """What the drawn numbers are multiplied by when they arrive: one number, or one a target neuron."""
        return jnp.ones((), jnp.result_type(float))

    def unit(self) -> "AbstractWeightLaw | None":
        """The law of weights over `scale`, which the wiring draws; None where each synapse has the weight `scale`."""
        return self

    def tail(self) -> StableTail | None:
        """The tail of a law whose variance is infinite; None of one whose sums tend to normal ones."""
        return None

    def quantum(self) -> float | None:
        """What drawn weights, whose law is known, are kept in whole multiples of, at most 32,767 to either side; None
        where a law reaches too far over its mean for that, and they are kept as floats of 32 bits."""
        return None

    def matched_to(self) -> str | None:
        """The population whose synapses these are balanced with, neuron by neuron; None where they are drawn alone."""
        return None

    def matched(
        self,
        rng: np.random.Generator,
        weights: Float[np.ndarray, "nnz"],
        targets: Integer[np.ndarray, "nnz"],
        wanted: SummedWeights,
    ) -> Float[np.ndarray, "nnz"]:
        """Drawn weights, changed so that those onto each target sum to what is wanted."""
        return weights

    def exceeded(self, share: Float[Array, "..."]) -> Float[Array, "..."]:
        """The weight that a `share` of all exceed, 0 < share <= 1: how weights are made from a hash."""
        raise ValueError(
            "`weight`: sources of a drive and `Procedural()` make weights from a hash, for which "
            f"{type(self).__name__} needs the method `exceeded`."
        )


class ConstantWeight(AbstractWeightLaw):
    """Every synapse of a target neuron has one weight: what a number or an array given as `weight=` stands for."""

    value: Float[Array, "*n"]

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        return np.broadcast_to(np.asarray(self.value), shape).copy()

    def moments(self) -> Moments:
        return Moments(self.value, jnp.zeros_like(self.value))

    def nodes(self, count: int) -> Nodes:
        return Nodes(self.value[None], jnp.ones(1, self.value.dtype))

    @property
    def scale(self) -> Float[Array, "*n"]:
        return self.value

    def unit(self) -> None:
        return None


class TwoWeights(AbstractWeightLaw):
    """Two weights of equal probability with given moments: all that is read of a given matrix."""

    both: Moments

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        return np.asarray(self.nodes(2).values)[rng.integers(0, 2, shape)]

    def moments(self) -> Moments:
        return self.both

    def nodes(self, count: int) -> Nodes:
        sd = _root(self.both.variance)
        values = jnp.stack([self.both.mean - sd, self.both.mean + sd])
        return Nodes(values, jnp.full(2, 0.5, values.dtype))


class LogNormalWeight(AbstractWeightLaw):
    """Weights with a normally distributed logarithm, as cortical synapses have them.

        w = mean exp(s z - s^2/2),   s^2 = log(1 + cv^2),   z standard normal.

    A negative mean mirrors the law, so that each weight has the sign of the mean.

    **Arguments:** `mean`, of the weights, in the units of `Projection`'s `weight`; `cv`, their standard deviation over
    |mean|.

    Raises `ValueError` where `mean` or `cv` is not one finite number, or `cv` is negative.

    Derivatives: of a simulation by `mean` in both modes (the drawn w / mean are part of the wiring, as in-degrees are,
    so there is none by `cv`); of theory by both.

    ```python
    >>> import jaxneuro as jn
    >>> law = jn.LogNormalWeight(0.1, cv=0.5)
    >>> print(f"{float(law.moments().mean):.2f} {float(law.moments().variance):.4f}")
    0.10 0.0025

    ```

    Source: Song, Sjostrom, Reigl, Nelson and Chklovskii (2005), doi:10.1371/journal.pbio.0030068, figure 5.
    """

    mean: Float[Array, ""]
    cv: Float[Array, ""]

    def __init__(self, mean: ArrayLike, cv: ArrayLike):
        self.mean, self.cv = one_number("mean", mean), one_number("cv", cv)
        check_nonnegative("cv", self.cv)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        s = np.sqrt(np.log1p(float(self.cv) ** 2))
        return float(self.mean) * np.exp(s * rng.standard_normal(shape) - 0.5 * s * s)

    def moments(self) -> Moments:
        return Moments(self.mean, (self.mean * self.cv) ** 2)

    def nodes(self, count: int) -> Nodes:
        z, weights = np.polynomial.hermite_e.hermegauss(count)
        probabilities = jnp.asarray(weights / weights.sum(), self.mean.dtype)
        variance = jnp.log1p(self.cv**2)
        s = _root(variance)
        return Nodes(self.mean * jnp.exp(s * jnp.asarray(z, s.dtype) - 0.5 * variance), probabilities)

    def exceeded(self, share: Float[Array, "..."]) -> Float[Array, "..."]:
        variance = jnp.log1p(self.cv**2)
        return self.mean * jnp.exp(-_root(variance) * ndtri(share) - 0.5 * variance)

    @property
    def scale(self) -> Float[Array, ""]:
        return self.mean

    def unit(self) -> "LogNormalWeight":
        return LogNormalWeight(1.0, self.cv)


class NormalWeight(AbstractWeightLaw):
    """Normally distributed weights, cut at 0: a draw of the other sign than `mean` is drawn again.

        w = mean (1 + cv z),   z standard normal, given that 1 + cv z > 0.

    With h = phi(1/cv) / Phi(1/cv), of the standard normal density and distribution, the weights that are drawn have
    the mean `mean` (1 + cv h) and the variance `mean`^2 (cv^2 - cv h - cv^2 h^2), which `moments` gives.

    **Arguments:**

    - `mean`: of the normal law before the cut, in the units of `Projection`'s `weight`; a negative one mirrors the law.
    - `cv`: standard deviation over |mean| before the cut; or `sd`, the standard deviation itself. One of the two.

    Raises `ValueError` where an argument is not one finite number, `cv` or `sd` is negative, both or none are given, or
    `sd` comes with a mean of 0, which has no sign to keep.

    Derivatives: as in `LogNormalWeight`; that of a simulation by `mean` is at a fixed ratio of `sd` to `mean`.

    ```python
    >>> import jaxneuro as jn
    >>> moments = jn.NormalWeight(-0.5, cv=0.5).moments()
    >>> print(f"{float(moments.mean):.4f} {float(moments.variance):.4f}")
    -0.5138 0.0554

    ```

    Source: Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ISBN 0-471-58495-9,
    equations (13.134) and (13.135).
    """

    mean: Float[Array, ""]
    cv: Float[Array, ""]

    def __init__(self, mean: ArrayLike, cv: ArrayLike | None = None, *, sd: ArrayLike | None = None):
        if (cv is None) == (sd is None):
            raise ValueError("`NormalWeight` takes either `cv` or `sd`, and one of them.")
        self.mean = one_number("mean", mean)
        if cv is None:
            deviation = one_number("sd", sd)
            check_nonnegative("sd", deviation)
            if violates(lambda m: m != 0, self.mean):
                raise ValueError("`mean` of 0 has no sign that weights of a given `sd` could keep: choose another.")
            self.cv = deviation / jnp.abs(self.mean)
        else:
            self.cv = one_number("cv", cv)
            check_nonnegative("cv", self.cv)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        cv = float(self.cv)
        units = 1.0 + cv * rng.standard_normal(shape)
        wrong = np.flatnonzero(units.ravel() <= 0)
        while wrong.size:  # at least half of the draws are right
            again = 1.0 + cv * rng.standard_normal(wrong.size)
            units.ravel()[wrong] = again
            wrong = wrong[again <= 0]
        return float(self.mean) * units

    def moments(self) -> Moments:
        ch = self.cv * self._hazard()
        return Moments(self.mean * (1.0 + ch), self.mean**2 * (self.cv**2 - ch - ch**2))

    def _hazard(self) -> Float[Array, ""]:
        """phi(1/cv) / Phi(1/cv), 0 where no draw is cut."""
        cut = self.cv * _FAR > 1.0
        edge = 1.0 / jnp.where(cut, self.cv, 1.0)
        density = jnp.sqrt(2.0 / jnp.pi).astype(edge.dtype) * jnp.exp(-0.5 * edge**2)
        return jnp.where(cut, density / erfc(-edge / np.sqrt(2.0).astype(edge.dtype)), 0.0)

    def nodes(self, count: int) -> Nodes:
        rule = gauss_legendre(count)
        reach = self.cv * _REACH > 1.0
        low = jnp.where(reach, -1.0 / jnp.where(reach, self.cv, 1.0), -_REACH)
        z = low + (_REACH - low) * jnp.asarray(rule.nodes, low.dtype)
        density = jnp.asarray(rule.weights, low.dtype) * jnp.exp(-0.5 * z**2)
        return Nodes(self.mean * (1.0 + self.cv * z), density / jnp.sum(density))

    @property
    def scale(self) -> Float[Array, ""]:
        return self.mean

    def quantum(self) -> float | None:
        """Rounding to it moves a weight by at most half of it: of `cv` 0.1 by less than 3 in 100,000 of the mean."""
        largest = abs(float(self.mean)) * (1.0 + _REACH_KEPT * float(self.cv))
        return largest / np.iinfo(np.int16).max if largest > 0.0 else None

    def unit(self) -> "NormalWeight":
        return NormalWeight(1.0, self.cv)


def as_weight_law(weight: Any) -> AbstractWeightLaw:
    """A law as it is; a number or an array as the law of that weight."""
    return weight if isinstance(weight, AbstractWeightLaw) else ConstantWeight(weight)


def known_unit(law: AbstractWeightLaw) -> AbstractWeightLaw | None:
    """The law that a wiring draws, whose numbers have to be known."""
    unit = law.unit()
    if not is_concrete(unit):
        raise ValueError(
            "`weight`: the wiring draws weights on the host and needs a law with known numbers: draw it outside jit, "
            "vmap and grad and pass `wiring=`."
        )
    return unit


def _root(x: Float[Array, ""]) -> Float[Array, ""]:
    """The square root, with derivative 0 at 0."""
    some = x > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, x, 1.0)), 0.0)


def one_number(name: str, value: Any) -> Float[Array, ""]:
    """`value` as a leaf that is one finite number."""
    leaf = as_leaf(value, name)
    check_finite(name, leaf)
    if leaf.ndim:
        raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}.")
    return leaf
