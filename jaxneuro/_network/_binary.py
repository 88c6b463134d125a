"""Networks of binary units: a frozen description."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_finite, told, violates
from ..connectivity import AbstractConnectivity, AllToAll, BitRecipe
from ..models import Binary
from ._arguments import checked_targets
from ._kind import AbstractNetwork
from ._population import AtRest, Population


class BinaryProjection(Shown):
    """Connections from one binary population to one or several others.

    An active unit j adds the weight, times its number of connections onto i, to the field of i.

    **Arguments:**

    - `pre`: name of the source population.
    - `post`: name of the target population, or a tuple of names.
    - `weight`: the efficacy itself, such as J / sqrt(K): one number, one a target unit (targets side
      by side), or one a pair, (targets, sources).
    - `connectivity`: such as `Bernoulli(0.05)`; with a weight for every pair it may be left out,
      and then connects all, a unit to itself too: the matrix says who connects.

    Raises `ValueError` where an argument is not as above.

    ```python
    >>> import jaxneuro as jn
    >>> projection = jn.BinaryProjection("E", ("E", "I"), weight=0.1, connectivity=jn.Bernoulli(0.05))

    ```
    """

    pre: str = eqx.field(static=True)
    post: tuple[str, ...] = eqx.field(static=True)
    weight: Float[Array, "*shape"]
    connectivity: AbstractConnectivity

    def __init__(
        self,
        pre: str,
        post: str | tuple[str, ...] | list[str],
        *,
        weight: ArrayLike,
        connectivity: AbstractConnectivity | None = None,
    ):
        if not isinstance(pre, str):
            raise ValueError(f"`pre` has to be the name of one population; got {told(pre)}.")
        self.pre, self.post, self.weight = pre, checked_targets("post", post), as_leaf(weight, "weight")
        check_finite("weight", self.weight)
        if self.weight.ndim > 2:
            raise ValueError(f"`weight` has to have at most two axes, (targets, sources); got {self.weight.shape}.")
        if connectivity is None and self.weight.ndim == 2:
            connectivity = AllToAll(autapses=True)
        if not isinstance(connectivity, AbstractConnectivity):
            raise ValueError(
                f"`connectivity` has to be a rule such as `Bernoulli(0.05)`; got {type(connectivity).__name__}: "
                "weights of pairs are `weight`, (post, pre)."
            )
        self.connectivity = connectivity

    def recipe(self, pre: Population, posts: tuple[Population, ...]) -> BitRecipe:
        """What the wiring is drawn from."""
        return BitRecipe(self.connectivity, None, None, tuple(population.positions for population in (pre, *posts)))


class BinaryNetwork(AbstractNetwork):
    """Populations of binary units, the projections between them and the drives from outside.

    The field of a unit is the sum over its active inputs plus the drive of its population,

        u_i = sum_j J_ij s_j + drive.

    The same object is simulated (`jn.simulate`) and solved in mean field (`jn.theory.mean_field`).

    **Arguments:**

    - `populations`: {name: `Population(Binary(...), n)`}; a name holds no dot.
    - `projections`: `BinaryProjection`s between them.
    - `drives`: {name: field from outside}, a number or one a unit, (n,); 0 where left out.
    - `initial`: {name: probability that a unit starts active}, a number or one a unit, so that 0
      and 1 set a state; 0 where left out.

    Raises `ValueError` where a population is named that does not exist, a model is not `Binary`,
    an in-degree exceeds its population, or an array has another shape.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> couplings = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> pair = jn.BinaryNetwork(
    ...     {"S": jn.Population(jn.Binary(0.5, temperature=0.2), 2)},
    ...     [jn.BinaryProjection("S", "S", weight=couplings)],
    ... )
    >>> pair.names
    ('S',)

    ```

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, section 2.
    """

    populations: dict[str, Population]
    projections: tuple[BinaryProjection, ...]
    drives: dict[str, Float[Array, "*n"]]
    initial: dict[str, Float[Array, "*n"]]
    names: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        populations: Mapping[str, Population],
        projections: Iterable[BinaryProjection] = (),
        drives: Mapping[str, ArrayLike] | None = None,
        *,
        initial: Mapping[str, ArrayLike] | None = None,
    ):
        if not isinstance(populations, Mapping) or not populations:
            raise ValueError("`populations` has to be a dict of at least one {name: Population}.")
        for name, population in populations.items():
            if not isinstance(name, str) or not name or "." in name:
                raise ValueError(f"`populations`: a name has to be a string without a dot; got {told(name)}.")
            if not isinstance(population, Population) or not isinstance(population.model, Binary):
                raise ValueError(f"`populations[{name!r}]` has to be a Population of `Binary` units; got {population}.")
            if not isinstance(population.initial, AtRest):
                raise ValueError(f"`populations[{name!r}]` has an `initial` potential: give the network its `initial`.")
        if isinstance(projections, eqx.Module | str) or not isinstance(projections, Iterable):
            raise ValueError(f"`projections` has to be a list; got {type(projections).__name__}: put it in brackets.")
        self.populations, self.names = dict(populations), tuple(populations)
        self.projections = tuple(projections)
        self.drives = self._by_name("drives", drives)
        self.initial = self._by_name("initial", initial)
        for name, leaf in self.initial.items():
            if violates(lambda p: (p >= 0) & (p <= 1), leaf):
                raise ValueError(f"`initial[{name!r}]` is a probability and has to lie in [0, 1]; got {leaf}.")
        for index, projection in enumerate(self.projections):
            self._check_projection(f"`projections[{index}]`", projection)

    def handed(self, *, to_neurons: Callable[[Any], Any], to_binary: Callable[[Any], Any]) -> Any:
        return to_binary(self)

    def excess(self, name: str) -> Float[Array, "*n"]:
        """The field from outside less the threshold, lowered at T = 0 by what rounding can add to a field.

        Weights j / sqrt(K) put fields exactly on the threshold, and on it a unit is inactive. The sum in
        floating point misses by up to 3 eps times the sizes of its terms; 4 eps keeps ties on their side.
        """
        model, drive = self.populations[name].model, self.drives[name]
        size = jnp.abs(drive) + jnp.abs(model.threshold)
        for projection in self.projections:
            if name in projection.post:
                size = size + self._largest_input(projection, name)
        slack = 4 * float(jnp.finfo(size.dtype).eps) * lax.stop_gradient(size)
        return drive - model.threshold - jnp.where(model.temperature == 0, slack, 0.0)

    def _largest_input(self, projection: BinaryProjection, name: str) -> Float[Array, "*n"]:
        """The sizes of all inputs of a unit, summed, were all sources active."""
        pre, weight = self.populations[projection.pre], jnp.abs(projection.weight)
        if weight.ndim:
            own = projection.post.index(name)
            sizes = [self.populations[post].n or 0 for post in projection.post]
            weight = weight[sum(sizes[:own]) : sum(sizes[: own + 1])]
        if weight.ndim == 2:
            return jnp.sum(weight, axis=1)
        return weight * projection.connectivity.in_degree(pre, self.populations[name], name == projection.pre).mean

    def _by_name(self, argument: str, values: Mapping[str, ArrayLike] | None) -> dict[str, Float[Array, "*n"]]:
        given = {} if values is None else values
        if not isinstance(given, Mapping):
            raise ValueError(f"`{argument}` has to be a dict of {{population: number}}; got {type(given).__name__}.")
        self._check_known(f"`{argument}`", tuple(given))
        leaves = {name: as_leaf(given.get(name, 0.0), f"{argument}[{name!r}]") for name in self.names}
        for name, leaf in leaves.items():
            check_finite(f"{argument}[{name!r}]", leaf)
            n = self.populations[name].n
            if leaf.ndim and leaf.shape != (n,):
                raise ValueError(
                    f"`{argument}[{name!r}]` has shape {leaf.shape}; it has to be () or ({n},), one a unit."
                )
        return leaves

    def _check_known(self, where: str, used: tuple[str, ...]) -> None:
        for name in used:
            if name not in self.populations:
                raise ValueError(f"{where} names the population {name!r}; there are {', '.join(self.names)}.")

    def _check_projection(self, where: str, projection: BinaryProjection) -> None:
        if not isinstance(projection, BinaryProjection):
            raise ValueError(f"{where} has to be a BinaryProjection; got {type(projection).__name__}.")
        self._check_known(where, (projection.pre, *projection.post))
        pre = self.populations[projection.pre]
        n_pre, sizes = pre.n, [self.populations[name].n for name in projection.post]
        total = None if None in sizes else sum(n for n in sizes if n is not None)
        shape = projection.weight.shape
        if shape not in ((), (total,), (total, n_pre)):
            raise ValueError(
                f"{where}: `weight` has shape {shape}; it has to be one number, one a target unit, ({total},), "
                f"or one a pair, ({total}, {n_pre})."
            )
        for post in projection.post:
            own = self.populations[post]
            projection.connectivity.check(f"{where} onto {post!r}", pre, own, post == projection.pre)
