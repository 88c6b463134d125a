"""The unknowns of a mean field: which populations share one, and the residual of their rates."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._network import Network
from .._numerics import is_concrete
from ._afferents import Afferents, afferents, side_by_side
from ._noise import AbstractNoise

# One group a unknown: the populations that have the same rate because their neurons and inputs are equal.
Groups = tuple[tuple[str, ...], ...]


def groups_of(net: Network, names: tuple[str, ...]) -> Groups:
    """Populations with equal neurons and equal input, as far as values are known."""
    groups: list[list[str]] = []
    one = np.ones((), jnp.result_type(float))
    with jax.ensure_compile_time_eval():
        seen = afferents(net, dict.fromkeys(names, one))
        # Numbers that only a transformation knows are stood in for, to see what follows from the rules alone.
        stand_in = jax.tree.map(lambda x: x if is_concrete(x) else jnp.full(x.shape, 0.5, x.dtype), net)
        shadow = afferents(stand_in, dict.fromkeys(names, one))
        for name in names:
            for group in groups:
                if _alike(seen[name], seen[group[0]], shadow[name], shadow[group[0]]):
                    group.append(name)
                    break
            else:
                groups.append([name])
    return tuple(tuple(group) for group in groups)


def _alike(a: Afferents, b: Afferents, shadow_a: Afferents, shadow_b: Afferents) -> bool:
    if not _equal((a.neuron, a.currents), (b.neuron, b.currents)) or len(a.streams) != len(b.streams):
        return False
    for x, y, of_x, of_y, near_x, near_y in zip(
        a.streams, b.streams, a.origins, b.origins, shadow_a.streams, shadow_b.streams, strict=True
    ):
        if of_x.pre != of_y.pre or not _equal(
            (x.rate, x.weight, x.synapse, of_x.delay), (y.rate, y.weight, y.synapse, of_y.delay)
        ):
            return False
        # One rule may count a neuron's own population differently.
        by_rule = of_x.name == of_y.name and _equal(near_x.in_degree, near_y.in_degree)
        if not _equal(x.in_degree, y.in_degree) and not by_rule:
            return False
    return True


def _equal(a: Any, b: Any) -> bool:
    (x, of_x), (y, of_y) = jax.tree.flatten(a), jax.tree.flatten(b)
    return of_x == of_y and all(
        u is v or (is_concrete(u, v) and np.array_equal(np.asarray(u), np.asarray(v)))
        for u, v in zip(x, y, strict=True)
    )


def by_population(groups: Groups, values: Float[Array, "unknowns *more"]) -> dict[str, Float[Array, "*more"]]:
    """The value of its group for every population."""
    return {name: values[i] for i, group in enumerate(groups) for name in group}


def log_rates(
    net: Network, noise: AbstractNoise, names: tuple[str, ...], rates: dict[str, Float[Array, ""]]
) -> Float[Array, "names"]:
    """The log rate [log Hz] of each of `names` in answer to `rates` [Hz]."""
    seen = afferents(net, rates)
    return jnp.stack(side_by_side(noise.log_rate, [seen[name] for name in names]))
