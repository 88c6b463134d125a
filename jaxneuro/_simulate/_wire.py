"""Drawing the wiring of a network from a key."""

from collections.abc import Iterable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PRNGKeyArray, Real

from .._network import BinaryNetwork, Network, check_network
from .._numerics import Shown, check_key, free_memory, is_concrete, role_key, told
from ..connectivity import AbstractDelivery, AbstractOperator, AbstractRecipe, Balance, Sketch, SummedWeights

# Neurons are numbered in 32 bits with a sign.
_MOST_NEURONS = 2**31 - 1
# Less than so many bytes are not asked after; a synapse has at most `_WIDEST`.
_SMALL, _WIDEST = 2**26, 10


class Wiring(Shown):
    """The drawn connectivity of a network, one operator a projection, shared over any number of runs."""

    operators: tuple[AbstractOperator | None, ...]
    """None stands where the weights are given by the network."""
    recipes: tuple[AbstractRecipe | None, ...]
    """What each was drawn from."""
    pairs: tuple[tuple[str, tuple[str, ...]], ...] = eqx.field(static=True)
    sizes: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def as_matrix(self, pre: str, post: str) -> Real[Array, "n_post n_pre"]:
        """Number of synapses from `pre` to `post`, (post, pre), summed over the projections; where weights are drawn,
        their sum over the `scale` of their law.

        Raises `ValueError` where no projection goes that way.
        """
        total = None
        for operator, (source, targets), sizes in zip(self.operators, self.pairs, self.sizes, strict=True):
            if source == pre and post in targets:
                if operator is None:
                    raise ValueError(f"The weights from {pre!r} to {post!r} are given: see `connectivity.as_matrix()`.")
                at = targets.index(post)
                begin = sum(sizes[:at])
                part = operator.as_matrix()[begin : begin + sizes[at]]
                # Projections with drawn weights give floats, the others whole numbers.
                floats = any(jnp.issubdtype(x.dtype, jnp.floating) for x in (part, total) if x is not None)
                dtype = jnp.result_type(float) if floats else jnp.int32
                part = part.astype(dtype)
                total = part if total is None else total.astype(dtype) + part
        if total is None:
            raise ValueError(f"No projection goes from {pre!r} to {post!r}; there are {self.pairs}.")
        return total

    @property
    def nnz(self) -> int:
        """Number of synapses that were drawn."""
        return sum(operator.nnz for operator in self.operators if operator is not None)


def sizes_of(net: Network | BinaryNetwork, names: Iterable[str]) -> dict[str, int]:
    """The numbers of neurons of some populations, which a run has to know."""
    sizes = {}
    for name in names:
        n = net.populations[name].n
        if n is None:
            raise ValueError(
                f"`populations[{name!r}]` has no size: give `Population(model, n)` its `n` to wire or run it."
            )
        if n > _MOST_NEURONS:
            raise ValueError(
                f"`populations[{name!r}]` has {n:,} neurons, more than the {_MOST_NEURONS:,} that can be numbered; "
                "theory takes any number, a run a smaller network."
            )
        sizes[name] = n
    return sizes


def _recipes(net: Network | BinaryNetwork) -> tuple[AbstractRecipe | None, ...]:
    """What the wiring of each projection is drawn from, None where weights are given."""
    of = net.populations
    return tuple([p.recipe(of[p.pre], tuple(map(of.__getitem__, p.post))) for p in net.projections])


def wire(net: Network | BinaryNetwork, *, key: PRNGKeyArray, delivery: AbstractDelivery | None = None) -> Wiring:
    """Draws who connects to whom; the same key gives the same wiring on every device.

    **Arguments:**

    - `net`: a network whose in-degrees are known integers.
    - `key`: a `jax.random.key`.
    - `delivery`: how spikes are delivered, and so how the wiring is stored, of `jn.delivery`; by
      default chosen for each projection from sizes, delays and platform: `Rows()`, `NativeBits()` or
      `NativeSparse()` on a CPU, `Product()` on a GPU, `Sparse()` where neither fits. All but `Procedural()`, which
      draws another wiring of the same law, give the same counts of the same synapses. Given weights need
      none. That of a `BinaryNetwork` is always held as bits and takes none.

    **Returns:** a `Wiring`, to be passed to `simulate(..., wiring=)` as often as wanted.

    Raises `ValueError` where a size is missing, an in-degree is no integer or exceeds its
    population, where `delivery` cannot do what the network asks for, and where it is called under
    jit, vmap or grad with a traced key or in-degree.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    >>> jn.wire(net, key=jax.random.key(0)).as_matrix("E", "I").sum(axis=1).tolist()[:3]
    [8, 8, 8]

    ```
    """
    check_network(net)
    check_key(key)
    if not isinstance(delivery, AbstractDelivery | None):
        raise ValueError(f"`delivery` has to be of `jn.delivery`, such as `jn.delivery.Rows()`; got {told(delivery)}.")
    recipes = _recipes(net)
    if any(recipe is not None for recipe in recipes) and not is_concrete(key, recipes):
        raise ValueError(
            "`wire` draws on the host and needs a known key and known in-degrees: "
            "draw the wiring outside jit, vmap and grad and pass `wiring=`."
        )
    with jax.ensure_compile_time_eval():  # what is known stays known, under a user's `jax.jit` too
        return _drawn(net, recipes, key, delivery)


def _drawn(
    net: Network | BinaryNetwork,
    recipes: tuple[AbstractRecipe | None, ...],
    key: PRNGKeyArray,
    delivery: AbstractDelivery | None,
) -> Wiring:
    sizes = []
    for projection in net.projections:
        own = sizes_of(net, (projection.pre, *projection.post))
        sizes.append(tuple([own[name] for name in projection.post]))
    _check_memory(net, recipes, delivery)
    operators: list[AbstractOperator | None] = [None] * len(recipes)
    balances = _balances(recipes)
    # Weights that are matched to others are drawn after these.
    for index in sorted(range(len(recipes)), key=lambda i: _matched_to(recipes[i]) is not None):
        projection, recipe = net.projections[index], recipes[index]
        if recipe is None:
            continue
        if _matched_to(recipe) is not None:
            balances[index].wanted = _wanted(net, index, recipe, sizes, balances)
        bits = np.asarray(jax.random.bits(role_key(key, f"wiring {index}"), (4,), jnp.uint32))
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([int(b) for b in bits])))
        pre, posts = net.populations[projection.pre], tuple([net.populations[name] for name in projection.post])
        recurrent = tuple([name == projection.pre for name in projection.post])
        operators[index] = recipe.draw(rng, pre, posts, recurrent, delivery, balances.get(index))
    pairs = tuple([(p.pre, p.post) for p in net.projections])
    return Wiring(tuple(operators), recipes, pairs, tuple(sizes))


def _check_memory(
    net: Network | BinaryNetwork, recipes: tuple[AbstractRecipe | None, ...], delivery: AbstractDelivery | None
) -> None:
    """Raises `ValueError` where the synapses of all projections would not fit into the memory that is free."""
    needed, of = 0.0, net.populations
    for projection, recipe in zip(net.projections, recipes, strict=True):
        pairs = (of[projection.pre].n or 0) * sum([of[name].n or 0 for name in projection.post])
        if recipe is not None and (_WIDEST * pairs > _SMALL or not recipe.rule.bounded):
            pre, posts = of[projection.pre], tuple([of[name] for name in projection.post])
            recurrent = tuple([name == projection.pre for name in projection.post])
            needed += recipe.bytes_needed(pre, posts, recurrent, delivery)
    if needed > _SMALL and needed > free_memory():
        raise ValueError(
            f"`net`: its synapses need {needed / 1e9:,.1f} GB, and {free_memory() / 1e9:,.1f} GB of memory are free: "
            "take a smaller network, or fewer synapses."
        )


def sketch_wiring(net: Network | BinaryNetwork) -> tuple[Wiring, tuple[Sketch | None, ...]]:
    """What `wire` would draw, as shapes and types; and the sketch of each projection, None of given weights."""
    recipes, sketches, sizes = _recipes(net), [], []
    for projection, recipe in zip(net.projections, recipes, strict=True):
        own = sizes_of(net, (projection.pre, *projection.post))
        sizes.append(tuple([own[name] for name in projection.post]))
        pre, posts = net.populations[projection.pre], tuple([net.populations[name] for name in projection.post])
        recurrent = tuple([name == projection.pre for name in projection.post])
        sketches.append(None if recipe is None else recipe.sketch(pre, posts, recurrent))
    pairs = tuple([(p.pre, p.post) for p in net.projections])
    operators = tuple([None if sketch is None else sketch.operator for sketch in sketches])
    return Wiring(operators, recipes, pairs, tuple(sizes)), tuple(sketches)


def _matched_to(recipe: AbstractRecipe | None) -> str | None:
    return None if recipe is None or recipe.weights is None else recipe.weights.matched_to()


def _balances(recipes: tuple[AbstractRecipe | None, ...]) -> dict[int, Balance]:
    """One for each projection with drawn weights, where any are matched."""
    if all(_matched_to(recipe) is None for recipe in recipes):
        return {}
    return {i: Balance() for i, recipe in enumerate(recipes) if recipe is not None and recipe.weights is not None}


def _wanted(
    net: Network | BinaryNetwork,
    index: int,
    recipe: AbstractRecipe,
    sizes: list[tuple[int, ...]],
    balances: dict[int, Balance],
) -> SummedWeights:
    """What the weights of projection `index` are matched to, for all its targets side by side."""
    to, sums, counts = _matched_to(recipe), [], []
    for name, n in zip(net.projections[index].post, sizes[index], strict=True):
        total, count = np.zeros(n), np.zeros(n, np.int64)
        for other, balance in balances.items():
            projection = net.projections[other]
            if projection.pre == to and name in projection.post and balance.found is not None and other != index:
                at = projection.post.index(name)
                begin = sum(sizes[other][:at])
                total += balance.found.sums[begin : begin + n]
                count += balance.found.counts[begin : begin + n]
        if not count.any():
            raise ValueError(
                f"`projections[{index}].weight` is matched to {to!r}, and no projection with drawn weights leads from "
                f"there to {name!r}."
            )
        sums.append(total)
        counts.append(count)
    return SummedWeights(np.concatenate(sums), np.concatenate(counts))


def drawn_wiring(net: Network | BinaryNetwork, wiring: Any, key: PRNGKeyArray) -> tuple[Wiring, Bool[Array, ""] | None]:
    """The wiring of a run, drawn where None is given, and what `check_wiring` could not refuse of one that is given."""
    if wiring is None:
        return wire(net, key=key), None
    if not isinstance(wiring, Wiring):
        raise ValueError(f"`wiring` has to come from `jn.wire`; got {type(wiring).__name__}.")
    return wiring, check_wiring(net, wiring)


def check_wiring(net: Network | BinaryNetwork, wiring: Wiring) -> Bool[Array, ""] | None:
    """Raises `ValueError` where a wiring was not drawn for a network of this shape, with these rules and laws.

    Returns whether their traced numbers are others, which cannot be refused; None where all numbers are known.
    """
    pairs = tuple([(p.pre, p.post) for p in net.projections])
    if wiring.pairs != pairs:
        raise ValueError(f"`wiring` was drawn for the projections {wiring.pairs}, not for {pairs} of this network.")
    recipes = _recipes(net)
    _check_sizes(net, wiring, recipes)
    own, drawn = jax.tree_util.tree_flatten(recipes), jax.tree_util.tree_flatten(wiring.recipes)
    known, traced = _compared(own[0], drawn[0]) if own[1] == drawn[1] else (True, None)
    if known:
        for index, (a, b) in enumerate(zip(recipes, wiring.recipes, strict=True)):
            if a is not None and b is not None:
                _check_recipe(index, a, b)
    return traced


def _check_sizes(net: Network | BinaryNetwork, wiring: Wiring, recipes: tuple[AbstractRecipe | None, ...]) -> None:
    of = sizes_of(net, net.names)
    sizes, sources, drawn_sources = [], [], []
    for projection, operator, own, drawn in zip(
        net.projections, wiring.operators, recipes, wiring.recipes, strict=True
    ):
        if (own is None) != (drawn is None):
            raise ValueError("`wiring` was drawn for a network with given weights in other projections: draw it again.")
        sizes.append(tuple(map(of.__getitem__, projection.post)))
        sources.append(of[projection.pre])
        drawn_sources.append(sources[-1] if operator is None else operator.n_pre)
    if wiring.sizes != tuple(sizes) or drawn_sources != sources:
        raise ValueError(
            f"`wiring` was drawn for {tuple(drawn_sources)} sources and {wiring.sizes} targets of the projections; "
            f"those of this network have {tuple(sources)} and {tuple(sizes)}."
        )


def _compared(own: list[Array], drawn: list[Array]) -> tuple[bool, Bool[Array, ""] | None]:
    """Whether numbers differ by more than rounding: those that are known, and those that are traced, if any are."""
    known, traced = False, None
    for a, b in zip(own, drawn, strict=True):
        if a.shape != b.shape:
            known = True
        elif is_concrete(a, b):
            known = known or not _close(np.asarray(a), np.asarray(b)).all()
        else:
            differs = ~jnp.all(_close(a, b))
            traced = differs if traced is None else traced | differs
    return known, traced


def _close(a: Any, b: Any) -> Any:
    return abs(a - b) <= 1e-5 * abs(b)


def _check_recipe(index: int, own: AbstractRecipe, drawn: AbstractRecipe) -> None:
    if own.network != drawn.network:
        raise ValueError(
            f"`wiring` was drawn for another kind of network: a {drawn.network} one, and this is a {own.network} one."
        )
    for what in ("delay", "weight"):
        a, b = (getattr(recipe, f"{what}s") for recipe in (own, drawn))
        if (a is None) != (b is None):
            raise ValueError(f"`wiring` was drawn with another kind of {what} (one for all, or one a synapse).")
    for what, a, b in (
        ("connectivity", own.rule, drawn.rule),
        ("delay", own.delays, drawn.delays),
        ("weight", own.weights, drawn.weights),
        ("positions", own.positions, drawn.positions),
    ):
        mine, theirs = (jax.tree_util.tree_flatten(x) for x in (a, b))
        if mine[1] != theirs[1] or _compared(mine[0], theirs[0])[0]:
            raise ValueError(
                f"`wiring` was drawn with the {what} {_named(b)} and `projections[{index}]` has {_named(a)}: "
                "draw it again."
            )


def _named(drawn: Any) -> str:
    """A rule or a law with its numbers; an array of them by its shape."""
    if isinstance(drawn, tuple):
        return f"({', '.join(_named(part) for part in drawn)})"
    leaves = jax.tree_util.tree_leaves(drawn)
    values = ", ".join(f"{float(x):g}" if x.ndim == 0 else str(x.shape) for x in leaves if is_concrete(x))
    return f"{type(drawn).__name__}({values})"
