"""Who connects to whom: rules that a wiring is drawn from."""

import abc

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_nonnegative, is_concrete


class AbstractConnectivity(eqx.Module):
    """A rule that gives every target its presynaptic neurons."""

    autapses: eqx.AbstractVar[bool]
    multapses: eqx.AbstractVar[bool]

    @abc.abstractmethod
    def mean_in_degree(self, n_pre: int | None, recurrent: bool) -> Float[Array, ""]:
        """Mean number of synapses onto a target, differentiable; `recurrent` where pre is post."""

    @abc.abstractmethod
    def draw_in_degrees(self, rng: np.random.Generator, n_pre: int, n_post: int, available: int) -> np.ndarray:
        """The number of synapses onto each target, (n_post,); `available` sources may be chosen."""

    def check(self, name: str, n_pre: int, recurrent: bool) -> None:
        """Raises `ValueError` where the rule asks for more sources than there are."""


def _one_number(name: str, value: ArrayLike) -> Float[Array, ""]:
    leaf = as_leaf(value, name)
    if leaf.ndim:
        raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}.")
    return leaf


def _yes_or_no(name: str, value: bool) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"`{name}` has to be True or False; got {value!r}.")
    return bool(value)


def _largest_in_degree(n_pre: int, recurrent: bool, autapses: bool) -> int:
    return n_pre - 1 if recurrent and not autapses else n_pre


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
        self.k = _one_number("k", k)
        self.autapses, self.multapses = _yes_or_no("autapses", autapses), _yes_or_no("multapses", multapses)
        check_nonnegative("k", self.k)

    def mean_in_degree(self, n_pre: int | None, recurrent: bool) -> Float[Array, ""]:
        return self.k

    def draw_in_degrees(self, rng: np.random.Generator, n_pre: int, n_post: int, available: int) -> np.ndarray:
        k = float(self.k)
        if k != round(k):
            raise ValueError(f"`FixedInDegree(k)` has to be an integer to be wired; got {k}.")
        return np.full(n_post, round(k))

    def check(self, name: str, n_pre: int, recurrent: bool) -> None:
        available = _largest_in_degree(n_pre, recurrent, self.autapses)
        if is_concrete(self.k) and float(self.k) > available:
            raise ValueError(
                f"`connectivity` of {name}: an in-degree of {float(self.k):g} exceeds the {available} sources "
                "that a target can choose from. Lower it or enlarge the population."
            )


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
        self.k, self.cv = _one_number("k", k), _one_number("cv", cv)
        self.autapses, self.multapses = _yes_or_no("autapses", autapses), _yes_or_no("multapses", multapses)
        check_nonnegative("k", self.k)
        check_nonnegative("cv", self.cv)

    def mean_in_degree(self, n_pre: int | None, recurrent: bool) -> Float[Array, ""]:
        return self.k

    def draw_in_degrees(self, rng: np.random.Generator, n_pre: int, n_post: int, available: int) -> np.ndarray:
        k, cv = float(self.k), float(self.cv)
        drawn = np.rint(rng.normal(k, cv * k, n_post))
        return np.clip(drawn, 0, available).astype(int)

    def check(self, name: str, n_pre: int, recurrent: bool) -> None:
        FixedInDegree(self.k, autapses=self.autapses, multapses=self.multapses).check(name, n_pre, recurrent)


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
        self.p = _one_number("p", p)
        self.autapses, self.multapses = _yes_or_no("autapses", autapses), False
        check_nonnegative("p", self.p)
        if is_concrete(self.p) and float(self.p) > 1:
            raise ValueError(f"`p` is a probability and has to lie in [0, 1]; got {float(self.p):g}.")

    def mean_in_degree(self, n_pre: int | None, recurrent: bool) -> Float[Array, ""]:
        return self.p * _known_size(n_pre, recurrent, self.autapses)

    def draw_in_degrees(self, rng: np.random.Generator, n_pre: int, n_post: int, available: int) -> np.ndarray:
        # A binomial in-degree and then a uniform choice of sources is the same law.
        return rng.binomial(available, float(self.p), n_post)


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
        self.autapses, self.multapses = _yes_or_no("autapses", autapses), False

    def mean_in_degree(self, n_pre: int | None, recurrent: bool) -> Float[Array, ""]:
        return _known_size(n_pre, recurrent, self.autapses)

    def draw_in_degrees(self, rng: np.random.Generator, n_pre: int, n_post: int, available: int) -> np.ndarray:
        return np.full(n_post, available)


def _known_size(n_pre: int | None, recurrent: bool, autapses: bool) -> Float[Array, ""]:
    if n_pre is None:
        raise ValueError("This rule's in-degree follows from the size of the source population: give it its `n`.")
    return jnp.asarray(_largest_in_degree(n_pre, recurrent, autapses), jnp.result_type(float))
