"""Drawing the wiring of a network from a key."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .._network import BinaryNetwork, BinaryProjection, Network, UniformDelay
from .._numerics import check_key, is_concrete, role_key, violates
from ..connectivity import (
    AbstractConnectivity,
    AbstractDelivery,
    AbstractOperator,
    AbstractWeights,
    Delays,
    PackedOperator,
    SparseOperator,
    draw_operator,
    draw_packed,
)


class Wiring(eqx.Module):
    """The drawn connectivity of a network, one operator a projection, shared over any number of runs."""

    operators: tuple[AbstractOperator | None, ...]
    """None stands where the weights are given by the network."""
    rules: tuple[AbstractConnectivity | None, ...]
    pairs: tuple[tuple[str, tuple[str, ...]], ...] = eqx.field(static=True)
    sizes: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def as_matrix(self, pre: str, post: str) -> Int[Array, "n_post n_pre"]:
        """Number of synapses from `pre` to `post`, (post, pre), summed over the projections.

        Raises `ValueError` where no projection goes that way.
        """
        total = None
        for operator, (source, targets), sizes in zip(self.operators, self.pairs, self.sizes, strict=True):
            if source == pre and post in targets:
                if operator is None:
                    raise ValueError(f"The weights from {pre!r} to {post!r} are given: see `connectivity.as_matrix()`.")
                at = targets.index(post)
                begin = sum(sizes[:at])
                part = operator.as_matrix()[begin : begin + sizes[at]].astype(jnp.int32)
                total = part if total is None else total + part
        if total is None:
            raise ValueError(f"No projection goes from {pre!r} to {post!r}; there are {self.pairs}.")
        return total

    @property
    def nnz(self) -> int:
        """Number of synapses that were drawn."""
        return sum(operator.nnz for operator in self.operators if operator is not None)


def size_of(net: Network | BinaryNetwork, name: str) -> int:
    """The number of neurons of a population, which a run has to know."""
    n = net.populations[name].n
    if n is None:
        raise ValueError(f"`populations[{name!r}]` has no size: give `Population(model, n)` its `n` to wire or run it.")
    return n


def wire(net: Network | BinaryNetwork, *, key: PRNGKeyArray, delivery: AbstractDelivery | None = None) -> Wiring:
    """Draws who connects to whom; the same key gives the same wiring on every device.

    **Arguments:**

    - `net`: a network whose in-degrees are known integers.
    - `key`: a `jax.random.key`.
    - `delivery`: how spikes are delivered, and so how the wiring is stored, of `jn.delivery`; by
      default chosen for each projection from sizes, delays and platform: `Rows()` or `NativeSparse()`
      on a CPU, `Product()` on a GPU, `Sparse()` where neither fits. All but `Procedural()`, which
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
    if not isinstance(net, Network | BinaryNetwork):
        raise ValueError(f"`net` has to be a Network or a BinaryNetwork; got {type(net).__name__}.")
    check_key(key)
    if not isinstance(delivery, AbstractDelivery | None):
        raise ValueError(f"`delivery` has to be of `jn.delivery`, such as `jn.delivery.Rows()`; got {delivery!r}.")
    drawn = [p.connectivity for p in net.projections if not isinstance(p.connectivity, AbstractWeights)]
    if drawn and not is_concrete(key, drawn):
        raise ValueError(
            "`wire` draws on the host and needs a known key and known in-degrees: "
            "draw the wiring outside jit, vmap and grad and pass `wiring=`."
        )
    operators = []
    for index, projection in enumerate(net.projections):
        if isinstance(projection.connectivity, AbstractWeights):
            operators.append(None)
            continue
        bits = np.asarray(jax.random.bits(role_key(key, f"wiring {index}"), (4,), jnp.uint32))
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([int(b) for b in bits])))
        posts = tuple(size_of(net, name) for name in projection.post)
        recurrent = tuple(name == projection.pre for name in projection.post)
        rule, n_pre = projection.connectivity, size_of(net, projection.pre)
        if isinstance(projection, BinaryProjection):
            if delivery is not None:
                raise ValueError("`delivery` is of spikes; the wiring of a BinaryNetwork is always held as bits.")
            operators.append(draw_packed(rule, rng, n_pre, posts, recurrent))
            continue
        delay = projection.delay
        delays = Delays(delay.low, delay.high) if isinstance(delay, UniformDelay) else None
        operators.append(draw_operator(rule, rng, n_pre, posts, recurrent, delays=delays, delivery=delivery))
    pairs = tuple((p.pre, p.post) for p in net.projections)
    rules = tuple(None if o is None else p.connectivity for o, p in zip(operators, net.projections, strict=True))
    sizes = tuple(tuple(size_of(net, n) for n in p.post) for p in net.projections)
    return Wiring(tuple(operators), rules, pairs, sizes)


def check_wiring(net: Network | BinaryNetwork, wiring: Wiring) -> None:
    """Raises `ValueError` where a wiring was not drawn for a network of this shape."""
    pairs = tuple((p.pre, p.post) for p in net.projections)
    sizes = tuple(tuple(size_of(net, n) for n in p.post) for p in net.projections)
    if wiring.pairs != pairs:
        raise ValueError(f"`wiring` was drawn for the projections {wiring.pairs}, not for {pairs} of this network.")
    given = tuple(isinstance(p.connectivity, AbstractWeights) for p in net.projections)
    if given != tuple(operator is None for operator in wiring.operators):
        raise ValueError("`wiring` was drawn for a network with given weights in other projections: draw it again.")
    pre_sizes = tuple(size_of(net, p.pre) for p in net.projections)
    drawn_pre_sizes = tuple(
        n if operator is None else operator.n_pre for n, operator in zip(pre_sizes, wiring.operators, strict=True)
    )
    if wiring.sizes != sizes or drawn_pre_sizes != pre_sizes:
        raise ValueError(
            f"`wiring` was drawn for {drawn_pre_sizes} sources and {wiring.sizes} targets of the projections; "
            f"those of this network have {pre_sizes} and {sizes}."
        )
    for projection, operator in zip(net.projections, wiring.operators, strict=True):
        if operator is None:
            continue
        if isinstance(operator, PackedOperator) != isinstance(projection, BinaryProjection):
            raise ValueError("`wiring` was drawn for another kind of network (binary or spiking).")
        delay = None if isinstance(projection, BinaryProjection) else projection.delay
        has_delays = isinstance(operator, SparseOperator) and operator.delays is not None
        if has_delays != isinstance(delay, UniformDelay):
            raise ValueError("`wiring` was drawn with another kind of delay (one for all, or one a synapse).")
    for index, (projection, drawn) in enumerate(zip(net.projections, wiring.rules, strict=True)):
        rule = projection.connectivity
        if drawn is None:
            continue
        alike = jax.tree_util.tree_structure(rule) == jax.tree_util.tree_structure(drawn)
        if not alike or violates(lambda a, b: ~_differ(a, b), rule, drawn):
            raise ValueError(
                f"`wiring` was drawn with the connectivity {_named(drawn)} and `projections[{index}]` has "
                f"{_named(rule)}: draw it again."
            )


def _named(rule: AbstractConnectivity) -> str:
    values = ", ".join(f"{float(leaf):g}" for leaf in jax.tree_util.tree_leaves(rule) if is_concrete(leaf))
    return f"{type(rule).__name__}({values})"


def _differ(rule: AbstractConnectivity, drawn: AbstractConnectivity) -> Bool[Array, ""]:
    """Whether the numbers of two rules differ by more than rounding."""
    wrong = jnp.zeros((), bool)
    for a, b in zip(jax.tree_util.tree_leaves(rule), jax.tree_util.tree_leaves(drawn), strict=True):
        wrong = wrong | ~(jnp.abs(a - b) <= 1e-5 * jnp.abs(b))
    return wrong


def differs_from_wiring(net: Network | BinaryNetwork, wiring: Wiring) -> Bool[Array, ""]:
    """Whether a rule is another than the wiring's: what `check_wiring` asks, of traced values."""
    wrong = jnp.zeros((), bool)
    for projection, drawn in zip(net.projections, wiring.rules, strict=True):
        if drawn is None:
            continue
        wrong = wrong | _differ(projection.connectivity, drawn)
    return wrong
