"""Who connects to whom: rules that a wiring is drawn from."""

import abc
import math
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Moments, Shown, as_leaf, check_nonnegative, check_yes_or_no, is_concrete
from ._all_to_all import AllToAllOperator
from ._operator import AbstractOperator
from ._pairs import Lists, Pairs, choose_sources
from ._positions import Group, Neurons
from ._weights import AbstractWeights


class Independent(NamedTuple):
    """Sources that are drawn independently with repetition, `k` for each target."""

    k: int
    autapses: bool


class Spread(NamedTuple):
    """Targets of a source on a torus: how many synapses, and the standard deviation of their Gaussian places."""

    out_degree: Float[Array, ""]
    width: Float[Array, ""]


class AbstractConnectivity(Shown):
    """A rule that gives every target its presynaptic neurons.

    A rule of one's own says which pairs it draws, and the moments of the number of synapses onto a target, which
    theory reads. `pre` and `post` are the two populations, with `n` and `positions`; `recurrent` says whether they are
    one and the same.
    """

    @abc.abstractmethod
    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        """Mean and variance of the number of synapses onto a target, differentiable."""

    @abc.abstractmethod
    def draw(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Pairs | Iterator[Pairs]:
        """The synapses from `pre` onto `post`; in parts where they are many, the targets of a part after the last's."""

    bounded: ClassVar[bool] = True
    """Whether no target has more synapses than there are sources."""

    def draw_lists(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Lists | None:
        """The same synapses source by source, where the rule draws them so; None where target by target."""
        return None

    def expected(self, pre: Neurons, post: Neurons, recurrent: bool) -> float:
        """How many synapses onto all of `post` are expected, whose number has to be known."""
        return float(self.in_degree(pre, post, recurrent).mean) * (post.n or 0)

    def check(self, name: str, pre: Neurons, post: Neurons, recurrent: bool) -> None:
        """Raises `ValueError` where the rule asks for more sources than there are."""

    def repeats(self) -> bool:
        """Whether a pair may have more than one synapse."""
        return False

    def whole(self, n_pre: int, n_posts: tuple[int, ...], recurrent: tuple[bool, ...]) -> AbstractOperator | None:
        """An operator that needs no list of synapses, where the rule has one."""
        return None

    def regenerated(self) -> Independent | None:
        """The in-degree, where sources are drawn independently and so can be drawn again instead of stored."""
        return None

    def spread(self) -> Spread | None:
        """How synapses are spread in space around a source, where the rule says so, for theory."""
        return None

    def given_weights(self) -> AbstractWeights | None:
        """The weights of known synapses, where they are given; None where synapses are drawn."""
        return None

    def drawn_rule(self) -> "AbstractConnectivity":
        """The rule that synapses are drawn by."""
        return self

    def mean_in_degree(self, n_pre: int | None, recurrent: bool) -> Float[Array, ""]:
        """Mean number of synapses onto a target from `n_pre` sources without positions."""
        return self.in_degree(Group(n_pre), Group(None), recurrent).mean


def _fixed(mean: Float[Array, ""]) -> Moments:
    return Moments(mean, jnp.zeros_like(mean))


def known_integer(k: Float[Array, ""], name: str = "FixedInDegree(k)") -> int:
    known = float(k)
    if known != round(known):
        raise ValueError(f"`{name}` has to be an integer to be wired; got {known}.")
    return round(known)


def one_number(name: str, value: ArrayLike) -> Float[Array, ""]:
    leaf = as_leaf(value, name)
    if leaf.ndim:
        raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}.")
    return leaf


def _largest_in_degree(n_pre: int, recurrent: bool, autapses: bool) -> int:
    return n_pre - 1 if recurrent and not autapses else n_pre


def _check_available(name: str, k: Float[Array, ""], autapses: bool, pre: Neurons, recurrent: bool) -> None:
    if pre.n is None:
        return
    available = _largest_in_degree(pre.n, recurrent, autapses)
    if is_concrete(k) and float(k) > available:
        raise ValueError(
            f"`connectivity` of {name}: an in-degree of {float(k):g} exceeds the {available} sources "
            "that a target can choose from. Lower it or enlarge the population."
        )


class FixedInDegree(AbstractConnectivity):
    """Every target has exactly `k` synapses from sources drawn at random.

    **Arguments:**

    - `k`: in-degree. For theory any real number, to be mapped and differentiated over; an integer
      known before the run for `wire` and `simulate`.
    - `autapses`: whether a neuron may be its own source. Default no: the sources are other neurons.
    - `multapses`: whether a target may draw one source twice. Default yes: the draws are
      independent, as in the usual simulations of these networks.

    Raises `ValueError` where `k` is negative, exceeds the population (at the network) or is no
    integer (at the wiring).

    ```python
    >>> import jaxneuro as jn
    >>> rule = jn.FixedInDegree(1_000)

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, section 2.
    """

    k: Float[Array, ""]
    autapses: bool = eqx.field(static=True)
    multapses: bool = eqx.field(static=True)

    def __init__(self, k: ArrayLike, *, autapses: bool = False, multapses: bool = True):
        self.k = one_number("k", k)
        self.autapses, self.multapses = check_yes_or_no("autapses", autapses), check_yes_or_no("multapses", multapses)
        check_nonnegative("k", self.k)

    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        return _fixed(self.k)

    def repeats(self) -> bool:
        return self.multapses

    def draw(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Iterator[Pairs]:
        in_degrees = np.full(post.n or 0, known_integer(self.k))
        return choose_sources(rng, in_degrees, pre, recurrent and not self.autapses, self.multapses)

    def regenerated(self) -> Independent | None:
        return Independent(known_integer(self.k), self.autapses) if self.multapses else None

    def check(self, name: str, pre: Neurons, post: Neurons, recurrent: bool) -> None:
        _check_available(name, self.k, self.autapses, pre, recurrent)


class GaussianInDegree(AbstractConnectivity):
    """In-degrees drawn from a normal distribution of mean `k` and coefficient of variation `cv`.

    Draws are rounded, and clipped to [0, number of sources to choose from].

    **Arguments:**

    - `k`: mean in-degree, a leaf as in `FixedInDegree`.
    - `cv`: CV_K, standard deviation over mean.
    - `autapses`, `multapses`: as in `FixedInDegree`.

    Raises `ValueError` where `k` or `cv` is negative, or `k` exceeds the population.

    ```python
    >>> import jaxneuro as jn
    >>> rule = jn.GaussianInDegree(1_000, cv=0.05)

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, section VI.
    """

    k: Float[Array, ""]
    cv: Float[Array, ""]
    autapses: bool = eqx.field(static=True)
    multapses: bool = eqx.field(static=True)

    def __init__(self, k: ArrayLike, *, cv: ArrayLike, autapses: bool = False, multapses: bool = True):
        self.k, self.cv = one_number("k", k), one_number("cv", cv)
        self.autapses, self.multapses = check_yes_or_no("autapses", autapses), check_yes_or_no("multapses", multapses)
        check_nonnegative("k", self.k)
        check_nonnegative("cv", self.cv)

    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        return Moments(self.k, (self.cv * self.k) ** 2)

    def repeats(self) -> bool:
        return self.multapses

    def draw(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Iterator[Pairs]:
        k, cv = float(self.k), float(self.cv)
        drawn = np.rint(rng.normal(k, cv * k, post.n))
        available = _largest_in_degree(pre.n or 0, recurrent, self.autapses)
        in_degrees = np.clip(drawn, 0, available).astype(int)
        return choose_sources(rng, in_degrees, pre, recurrent and not self.autapses, self.multapses)

    def check(self, name: str, pre: Neurons, post: Neurons, recurrent: bool) -> None:
        _check_available(name, self.k, self.autapses, pre, recurrent)


class Bernoulli(AbstractConnectivity):
    """Every pair is connected independently with probability `p`.

    **Arguments:** `p`, probability, a leaf; `autapses`, whether a neuron may be its own source.

    Raises `ValueError` where `p` is not in [0, 1].

    ```python
    >>> import jaxneuro as jn
    >>> rule = jn.Bernoulli(0.1)

    ```

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, section 2.
    """

    p: Float[Array, ""]
    autapses: bool = eqx.field(static=True)
    multapses: bool = eqx.field(static=True)

    def __init__(self, p: ArrayLike, *, autapses: bool = False):
        self.p = one_number("p", p)
        self.autapses, self.multapses = check_yes_or_no("autapses", autapses), False
        check_nonnegative("p", self.p)
        if is_concrete(self.p) and float(self.p) > 1:
            raise ValueError(f"`p` is a probability and has to lie in [0, 1]; got {float(self.p):g}.")

    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        n = _known_size(pre, recurrent, self.autapses)
        return Moments(n * self.p, n * self.p * (1.0 - self.p))

    def draw(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Iterator[Pairs]:
        # A binomial in-degree and then a uniform choice of sources is the same law.
        available = _largest_in_degree(pre.n or 0, recurrent, self.autapses)
        in_degrees = rng.binomial(available, float(self.p), post.n)
        return choose_sources(rng, in_degrees, pre, recurrent and not self.autapses, False)


class FixedTotalNumber(AbstractConnectivity):
    """So many synapses in all, the source and the target of each drawn at random with repetition.

        in-degree of a target ~ Binomial(n, 1/N_post),   mean n/N_post, variance n/N_post (1 - 1/N_post).

    **Arguments:** `n`, the number of synapses onto each target population: for theory any real number, to be
    differentiated over, an integer known before the run for `wire` and `simulate`; `autapses`, whether a neuron may be
    its own source, by default yes. `number` is the integer as it was given, also where float32 rounds `n` to an even
    one, above 2^24.

    Raises `ValueError` where `n` is negative, is no integer (at the wiring), or the target population has no size.

    ```python
    >>> import jaxneuro as jn
    >>> rule = jn.FixedTotalNumber(20_000)

    ```

    Source: Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358, "random graph with fixed number of synapses".
    """

    n: Float[Array, ""]
    bounded: ClassVar[bool] = False
    rest: Float[Array, ""]
    """What the float `n` leaves of the number that was given."""
    autapses: bool = eqx.field(static=True)
    multapses: bool = eqx.field(static=True)

    def __init__(self, n: ArrayLike, *, autapses: bool = True):
        self.n = one_number("n", n)
        rounded = isinstance(n, int) and is_concrete(self.n) and math.isfinite(float(self.n))
        self.rest = as_leaf(n - int(self.n) if rounded else 0.0)
        self.autapses, self.multapses = check_yes_or_no("autapses", autapses), True
        check_nonnegative("n", self.n)

    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        if post.n is None:
            raise ValueError("`FixedTotalNumber`: in-degrees follow from the number of targets: give them their `n`.")
        mean = (self.n + self.rest) / post.n
        return Moments(mean, mean * (1.0 - 1.0 / post.n))

    def repeats(self) -> bool:
        return self.multapses

    @property
    def number(self) -> int:
        """The number of synapses, exact."""
        return known_integer(self.n, "FixedTotalNumber(n)") + round(float(self.rest))

    def expected(self, pre: Neurons, post: Neurons, recurrent: bool) -> float:
        return float(self.n) + float(self.rest)

    def draw(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Pairs:
        lists = self.draw_lists(rng, pre, post, recurrent)
        return Pairs(lists.targets, np.repeat(np.arange(lists.out_degrees.size, dtype=np.int32), lists.out_degrees))

    def draw_lists(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Lists:
        n_pre, n_post, skip_self = pre.n or 1, post.n or 1, recurrent and not self.autapses
        # The numbers of synapses of each source, and then the targets: the same law as pair by pair.
        out_degrees = rng.multinomial(self.number, np.full(n_pre, 1.0 / n_pre))
        narrow = np.uint16 if n_post <= 2**16 else np.int32
        targets = rng.integers(0, n_post - skip_self, int(out_degrees.sum()), dtype=narrow)
        if skip_self:  # the targets are the others, numbered without the source itself
            targets += targets >= np.repeat(np.arange(n_pre, dtype=np.int32), out_degrees)
        return Lists(out_degrees, targets)

    def check(self, name: str, pre: Neurons, post: Neurons, recurrent: bool) -> None:
        none = _largest_in_degree(pre.n or 1, recurrent, self.autapses) == 0
        if none and is_concrete(self.n) and float(self.n) > 0:
            raise ValueError(f"`connectivity` of {name}: one neuron without autapses has no source to choose from.")


class AllToAll(AbstractConnectivity):
    """Every source connects to every target once; no matrix is stored.

    **Arguments:** `autapses`, whether a neuron is its own source.

    ```python
    >>> import jaxneuro as jn
    >>> rule = jn.AllToAll()

    ```
    """

    autapses: bool = eqx.field(static=True)
    multapses: bool = eqx.field(static=True)

    def __init__(self, *, autapses: bool = False):
        self.autapses, self.multapses = check_yes_or_no("autapses", autapses), False

    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        return _fixed(_known_size(pre, recurrent, self.autapses))

    def draw(self, rng: np.random.Generator, pre: Neurons, post: Neurons, recurrent: bool) -> Iterator[Pairs]:
        in_degrees = np.full(post.n or 0, _largest_in_degree(pre.n or 0, recurrent, self.autapses))
        return choose_sources(rng, in_degrees, pre, recurrent and not self.autapses, False)

    def whole(self, n_pre: int, n_posts: tuple[int, ...], recurrent: tuple[bool, ...]) -> AbstractOperator:
        own = [
            np.arange(n) if r and not self.autapses else np.full(n, -1) for n, r in zip(n_posts, recurrent, strict=True)
        ]
        left_out = np.concatenate(own).astype(np.int32)
        return AllToAllOperator(jnp.asarray(left_out), n_pre, int(left_out.size * n_pre - (left_out >= 0).sum()))


def _known_size(pre: Neurons, recurrent: bool, autapses: bool) -> Float[Array, ""]:
    if pre.n is None:
        raise ValueError("This rule's in-degree follows from the size of the source population: give it its `n`.")
    return jnp.asarray(_largest_in_degree(pre.n, recurrent, autapses), jnp.result_type(float))
