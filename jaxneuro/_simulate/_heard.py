"""What the neurons of a population hear in a step, by parts and by where these come from, for recorders."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._formulas import Input
from .._network import Network
from ._stimulus import Stimulus

# What a part is recorded as: a conductance with the current [mV] that it would give at V = 0.
_FIELDS = {
    "current": ("current",),
    "conductance": ("conductance", "conductance_times_reversal"),
    "noise": ("noise",),
    "kick": ("kick",),
    "log_decay": ("log_decay", "log_decay_times_reversal"),
}
PREFIX = "input."

# An input, and the name of where it comes from.
Heard = tuple[str, Input]


def input_names(net: Network, stimuli: Mapping[str, Mapping[str, Stimulus]]) -> tuple[tuple[str, ...], ...]:
    """Of each population of neurons the names under which its inputs are recorded."""
    given: dict[str, dict[str, None]] = {name: {} for name in net.neuron_names}
    sources = []
    for projection in net.projections:
        sources.append((projection.post, projection.pre, projection.synapse.gives()))
    for i, drive in enumerate(net.drives):
        sources.append((drive.targets, f"drives[{i}]", drive.gives()))
    for name, own in stimuli.items():
        sources.append(((name,), "stimulus", tuple(own)))
    for targets, origin, parts in sources:
        for name in targets:
            for part in parts:
                for field in _FIELDS.get(part, ()):
                    given[name] |= {f"{PREFIX}{field}": None, f"{PREFIX}{field}.{origin}": None}
    return tuple(map(tuple, given.values()))


def input_values(names: Sequence[str], heard: Sequence[Heard], n: int) -> dict[str, Float[Array, "n"]]:
    """The inputs of one step under their names, summed over what has the same name; 0 where nothing came."""
    found = {}
    for name in names:
        field, _, origin = name.removeprefix(PREFIX).partition(".")
        total = jnp.zeros(n)
        for source, inputs in heard:
            value = getattr(inputs, field)
            if value is not None and origin in ("", source):
                total = total + value
        found[name] = total
    return found
