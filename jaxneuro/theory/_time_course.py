"""The time course of a neuron's input: none, or one exponential filter."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import violates
from ..synapses import SpikeEffect
from ._afferents import Afferents


def filter_of(seen: Afferents) -> Float[Array, ""] | None:
    """The time constant [ms] of the filter that all input passes; None where all of it acts at once.

    NaN where several are known to a transformation alone, or white noise does not pass the filter.
    """
    found = [tau for effect in _effects(seen) for tau in effect.time_constants]
    if not found:
        return None
    every = jnp.stack(found)
    one = jnp.all(every == every[0]) & (seen.current_noise() == 0.0)
    return jnp.where(one, jnp.mean(every), jnp.nan)


def check_at_once(seen: Afferents) -> None:
    """Raises `ValueError` where a synapse has a time course."""
    for origin, stream, effect in zip(seen.origins, seen.streams, _checked_effects(seen), strict=True):
        if effect.time_constants:
            raise ValueError(
                f"`{origin.name}`: this theory is of synapses that act at once, such as `DeltaCurrent` and "
                f"`DeltaConductance`; {type(stream.synapse).__name__} has a time course. Simulate it, or take "
                "its delta limit."
            )


def check_one_filter(seen: Afferents) -> None:
    """Raises `ValueError` where inputs neither all act at once nor all pass one exponential filter."""
    effects = _checked_effects(seen)
    courses = [effect.time_constants for effect in effects]
    if not any(courses):
        return
    first = next(i for i, taus in enumerate(courses) if taus)
    for origin, stream, taus in zip(seen.origins, seen.streams, courses, strict=True):
        kind = f"{type(stream.synapse).__name__}"
        if len(taus) > 1:
            raise ValueError(
                f"`{origin.name}`: this theory is of synapses of one exponential, such as `ExponentialCurrent` and "
                f"`ExponentialConductance`; the time course of {kind} has {len(taus)}. Simulate it."
            )
        other = seen.origins[first].name
        if not taus:
            raise ValueError(
                f"`{origin.name}`: this theory is of one time constant of all synapses; {kind} acts at once, and "
                f"those of `{other}` do not. Simulate it, or take one kind of synapse."
            )
        if violates(lambda one, of_all: one == of_all, taus[0], courses[first][0]):
            raise ValueError(
                f"`{origin.name}`: this theory is of one time constant of all synapses; got `tau` {float(taus[0]):g} "
                f"ms here and {float(courses[first][0]):g} ms in `{other}`. Simulate it, or take one `tau`."
            )
    if violates(lambda square: square == 0.0, seen.current_noise()):
        raise ValueError(
            f"this theory is of one time constant of all noise; white noise has none, and the synapses of "
            f"`{seen.origins[first].name}` have one. Simulate it, or leave the white noise out."
        )


def _effects(seen: Afferents) -> list[SpikeEffect]:
    tau_m = seen.tau_m()
    return [s.synapse.spike_effect(s.weight.moments().mean, tau_m) for s in seen.streams]


def _checked_effects(seen: Afferents) -> list[SpikeEffect]:
    """What one spike of each stream does; `ValueError` by name where a synapse does not say."""
    tau_m, found = seen.tau_m(), []
    for origin, stream in zip(seen.origins, seen.streams, strict=True):
        try:
            values, _ = stream.weight.nodes(1)
            found.append(stream.synapse.spike_effect(values[0], tau_m))
        except ValueError as error:
            raise ValueError(f"`{origin.name}`: {error}") from None
    return found
