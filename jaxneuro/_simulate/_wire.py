"""Drawing the wiring of a network from a key."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .._network import BinaryNetwork, BinaryProjection, Network, UniformDelay
from .._numerics import check_key, is_concrete, role_key
from ..connectivity import (
    AbstractDelivery,
    AbstractOperator,
    Delays,
    FixedInDegree,
    PackedOperator,
    SparseOperator,
    draw_operator,
    draw_packed,
)


class Wiring(eqx.Module):
    """The drawn connectivity of a network, one operator a projection, shared over any number of runs."""

    operators: tuple[AbstractOperator, ...]
    pairs: tuple[tuple[str, tuple[str, ...]], ...] = eqx.field(static=True)
    sizes: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def as_matrix(self, pre: str, post: str) -> Int[Array, "n_post n_pre"]:
        """Number of synapses from `pre` to `post`, (post, pre), summed over the projections.

        Raises `ValueError` where no projection goes that way.
        """
        total = None
        for operator, (source, targets), sizes in zip(self.operators, self.pairs, self.sizes, strict=True):
            if source == pre and post in targets:
                at = targets.index(post)
                begin = sum(sizes[:at])
                part = operator.as_matrix()[begin : begin + sizes[at]].astype(jnp.int32)
                total = part if total is None else total + part
        if total is None:
            raise ValueError(f"No projection goes from {pre!r} to {post!r}; there are {self.pairs}.")
        return total

    @property
    def nnz(self) -> int:
        """Number of synapses."""
        return sum(operator.nnz for operator in self.operators)


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
      draws another wiring of the same law, give the same counts of the same synapses. The wiring of a
      `BinaryNetwork` is always held as bits, one a pair where no pair is connected twice.

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
    check_key(key)
    if not isinstance(delivery, AbstractDelivery | None):
        raise ValueError(f"`delivery` has to be of `jn.delivery`, such as `jn.delivery.Rows()`; got {delivery!r}.")
    if not is_concrete(key, [p.connectivity for p in net.projections]):
        raise ValueError(
            "`wire` draws on the host and needs a known key and known in-degrees: "
            "draw the wiring outside jit, vmap and grad and pass `wiring=`."
        )
    operators = []
    for index, projection in enumerate(net.projections):
        bits = np.asarray(jax.random.bits(role_key(key, f"wiring {index}"), (4,), jnp.uint32))
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([int(b) for b in bits])))
        posts = tuple(size_of(net, name) for name in projection.post)
        recurrent = tuple(name == projection.pre for name in projection.post)
        rule, n_pre = projection.connectivity, size_of(net, projection.pre)
        if isinstance(projection, BinaryProjection):
            operators.append(draw_packed(rule, rng, n_pre, posts, recurrent))
            continue
        delay = projection.delay
        delays = Delays(delay.low, delay.high) if isinstance(delay, UniformDelay) else None
        operators.append(draw_operator(rule, rng, n_pre, posts, recurrent, delays=delays, delivery=delivery))
    pairs = tuple((p.pre, p.post) for p in net.projections)
    return Wiring(tuple(operators), pairs, tuple(tuple(size_of(net, n) for n in p.post) for p in net.projections))


def check_wiring(net: Network | BinaryNetwork, wiring: Wiring) -> None:
    """Raises `ValueError` where a wiring was not drawn for a network of this shape."""
    pairs = tuple((p.pre, p.post) for p in net.projections)
    sizes = tuple(tuple(size_of(net, n) for n in p.post) for p in net.projections)
    pre_sizes = tuple(operator.n_pre for operator in wiring.operators)
    if (
        wiring.pairs != pairs
        or wiring.sizes != sizes
        or pre_sizes != tuple(size_of(net, p.pre) for p in net.projections)
    ):
        raise ValueError(f"`wiring` was drawn for the projections {wiring.pairs}, not for {pairs} of this network.")
    for projection, operator in zip(net.projections, wiring.operators, strict=True):
        if isinstance(operator, PackedOperator) != isinstance(projection, BinaryProjection):
            raise ValueError("`wiring` was drawn for another kind of network (binary or spiking).")
        delay = None if isinstance(projection, BinaryProjection) else projection.delay
        has_delays = isinstance(operator, SparseOperator) and operator.delays is not None
        if has_delays != isinstance(delay, UniformDelay):
            raise ValueError("`wiring` was drawn with another kind of delay (one for all, or one a synapse).")
        rule = projection.connectivity
        if (
            isinstance(rule, FixedInDegree)
            and is_concrete(rule.k)
            and operator.nnz != round(float(rule.k)) * operator.n_post
        ):
            raise ValueError(
                f"`wiring` was drawn with {operator.nnz / operator.n_post:g} synapses onto each target, not with the "
                f"in-degree {float(rule.k):g} of the network: draw it again."
            )


def differs_from_wiring(net: Network, wiring: Wiring) -> Bool[Array, ""]:
    """Whether a fixed in-degree is another than the wiring's: what `check_wiring` asks of traced values."""
    wrong = jnp.zeros((), bool)
    for projection, operator in zip(net.projections, wiring.operators, strict=True):
        if isinstance(projection.connectivity, FixedInDegree):
            k = projection.connectivity.k
            wrong = wrong | (jnp.abs(k - operator.nnz / operator.n_post) > 1e-3)
    return wrong
