"""Arguments that projections and drives share."""

from typing import Any

from jaxtyping import Array, ArrayLike, Float

from .._formulas import Input
from .._numerics import as_leaf, check_finite, told, violates
from ..connectivity import AbstractWeightLaw
from ..synapses import AbstractSynapse


def checked_targets(name: str, targets: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    names = (targets,) if isinstance(targets, str) else tuple(targets) if isinstance(targets, list | tuple) else ()
    if not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f"`{name}` has to be the name of a population or a tuple of names; got {told(targets)}.")
    if len(set(names)) < len(names):
        raise ValueError(f"`{name}` names a population twice: {names}.")
    return names


def checked_weight(weight: ArrayLike, synapse: AbstractSynapse, summed: bool = False) -> Float[Array, "*n"]:
    """`weight` as a leaf that the synapse allows; `summed`, where it multiplies sums of given weights."""
    _check_synapse(synapse)
    leaf = as_leaf(weight, "weight")
    check_finite("weight", leaf)
    if leaf.ndim > 1:
        raise ValueError(f"`weight` has to be one number or one a target neuron; got shape {leaf.shape}.")
    synapse.check_weight("weight", leaf, summed)
    return leaf


def checked_law(law: AbstractWeightLaw, synapse: AbstractSynapse) -> AbstractWeightLaw:
    """A law of weights that a synapse can have."""
    _check_synapse(synapse)
    if law.unit() is not None and not synapse.is_linear():
        raise ValueError(
            "`synapse` needs counts of spikes, and weights that differ by synapse hand on weighted sums: give one "
            "number as `weight`, or choose another synapse."
        )
    if not synapse.is_signed() and violates(lambda mean: mean >= 0, law.moments().mean):
        raise ValueError(
            f"`weight` of a conductance must not be negative; got a `{type(law).__name__}` with a negative mean: "
            "take its absolute value, and the sign from the reversal potential."
        )
    return law


def _check_synapse(synapse: AbstractSynapse) -> None:
    if not isinstance(synapse, AbstractSynapse):
        raise ValueError(f"`synapse` has to be a synapse such as `DeltaCurrent()`; got {told(synapse)}.")
    check_parts(f"`synapse`: `{type(synapse).__name__}.gives`", synapse.gives())


def check_parts(whose: str, names: Any) -> None:
    """Raises `ValueError` where what is given or understood is no tuple of names of parts of `Input`."""
    known = Input.names()
    if not isinstance(names, tuple | list) or not set(map(str, names)) <= set(known):
        raise ValueError(
            f"{whose} has to return a tuple of parts of `Input`, such as ('current',), out of {', '.join(known)}; "
            f"got {told(names)}."
        )
