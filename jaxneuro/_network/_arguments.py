"""Arguments that projections and drives share."""

from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_finite, check_nonnegative, violates
from ..synapses import (
    AbstractFilteredConductance,
    AbstractSynapse,
    DeltaConductance,
    FirstOrderJump,
    ShortTermPlasticity,
    StochasticRelease,
)


def checked_targets(name: str, targets: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    names = (targets,) if isinstance(targets, str) else tuple(targets)
    if not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f"`{name}` has to be the name of a population or a tuple of names; got {targets!r}.")
    if len(set(names)) < len(names):
        raise ValueError(f"`{name}` names a population twice: {names}.")
    return names


def checked_weight(weight: ArrayLike, synapse: AbstractSynapse, given: bool = False) -> Float[Array, "*n"]:
    if not isinstance(synapse, AbstractSynapse):
        raise ValueError(f"`synapse` has to be a synapse such as `DeltaCurrent()`; got {synapse!r}.")
    leaf = as_leaf(weight, "weight")
    check_finite("weight", leaf)
    if leaf.ndim > 1:
        raise ValueError(f"`weight` has to be one number or one a target neuron; got shape {leaf.shape}.")
    if isinstance(synapse, ShortTermPlasticity | StochasticRelease):
        synapse = synapse.synapse
    if isinstance(synapse, DeltaConductance | AbstractFilteredConductance):
        check_nonnegative("weight", leaf)
        first_order = isinstance(synapse, DeltaConductance) and isinstance(synapse.jump, FirstOrderJump)
        if first_order and not given and violates(lambda weight: weight < 1, leaf):
            raise ValueError(f"`weight` has to be below 1 under `FirstOrderJump`; got {leaf}.")
    return leaf
