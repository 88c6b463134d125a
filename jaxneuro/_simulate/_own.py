"""What parts of one's own return, looked at where a run is traced: one sentence names class and method."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._numerics import told
from ..models import Firing
from ..synapses import Received
from .record import Watch


def check_received(whose: str, gives: tuple[str, ...], received: Any, old: Any, n: int) -> None:
    """Raises `ValueError` where a synapse or drive returned what no `n` neurons can receive, or what it does not name.

    `gives` are the parts of `Input` that it names, `old` its state before the step.
    """
    if not isinstance(received, Received):
        raise ValueError(f"{whose} has to return `Received(state, Input(...))`; got {type(received).__name__}.")
    for leaf in jax.tree_util.tree_leaves(received.inputs):
        if jnp.shape(leaf)[:1] not in ((), (n,)):  # spikes inside steps have three moments a neuron, (n, 3)
            raise ValueError(f"{whose} has to give `Input` of numbers or of shape ({n},); got shape {jnp.shape(leaf)}.")
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise ValueError(f"{whose} has to give `Input` of floats; got {jnp.result_type(leaf)}: convert it.")
    for part in received.inputs.parts():
        if part not in gives:
            raise ValueError(
                f"{whose} gives the `Input` part `{part}`, which `gives` does not name: it names "
                f"{', '.join(gives) or 'none'}. Add it there, so that a network can refuse who does not understand it."
            )
    if received.state is not old:
        check_state(whose, old, received.state)


def check_stepped(model: Any, population: str, stepped: Any, old: Any, n: int) -> None:
    """Raises `ValueError` where the step of a neuron returned no state like `old` and spikes of `n` neurons."""
    whose = f"`{type(model).__name__}.step` of the population {population!r}"
    if not isinstance(stepped, tuple) or len(stepped) != 2 or not isinstance(stepped[1], Firing):
        got = f"{len(stepped)} things" if isinstance(stepped, tuple) and len(stepped) != 2 else _kinds(stepped)
        raise ValueError(
            f"{whose} has to return two things, the new state and a `Firing`, as `fire` gives it; got {got}."
        )
    spikes = stepped[1].spikes
    if jnp.shape(spikes) != (n,) or jnp.result_type(spikes) != jnp.bool_:
        raise ValueError(
            f"{whose} has to return `Firing` of bools, one a neuron, ({n},); got shape {jnp.shape(spikes)} of "
            f"{jnp.result_type(spikes)}."
        )
    check_state(whose, old, stepped[0])


def check_state(whose: str, old: Any, new: Any) -> None:
    """Raises `ValueError` where the state after a step is not of the structure, shapes and dtypes of that before it."""
    before, after = jax.tree_util.tree_flatten_with_path(old), jax.tree_util.tree_flatten_with_path(new)
    if before[1] != after[1]:
        raise ValueError(f"{whose} has to return a state like that of `init`, {_told(old)}; got {_told(new)}.")
    for (path, was), (_, now) in zip(before[0], after[0], strict=True):
        same = jnp.shape(was) == jnp.shape(now) and jnp.result_type(was) == jnp.result_type(now)
        if not same:
            place = f"`state{jax.tree_util.keystr(path)}`"
            raise ValueError(
                f"{whose} has to return a state like that of `init`: {place} was {jnp.result_type(was)} of shape "
                f"{jnp.shape(was)} and is {jnp.result_type(now)} of shape {jnp.shape(now)} after a step."
            )


def check_observed(model: Any, population: str, seen: Any, n: int) -> None:
    """Raises `ValueError` where what can be recorded of `n` neurons is no dict of arrays with a row a neuron."""
    whose = f"`{type(model).__name__}.observe` of the population {population!r}"
    if not isinstance(seen, dict):
        raise ValueError(f"{whose} has to return a dict of {{variable: array}}; got {type(seen).__name__}.")
    for name, values in seen.items():
        if not isinstance(values, jax.Array | np.ndarray | np.generic | float):
            raise ValueError(f"{whose} has to return arrays; got {type(values).__name__} of {name!r}.")
        shape = jnp.shape(values)
        if shape[:1] != (n,):
            raise ValueError(
                f"{whose} has to return one value a neuron of every variable, here ({n},); got shape {shape} of "
                f"{name!r}. The state comes from `init(v)`, with `v` of shape ({n},)."
            )


def check_start(model: Any, population: str, start: Any, n: int) -> None:
    """Raises `ValueError` where the potential that a run starts from is none of `n` neurons."""
    whose = f"`{type(model).__name__}.resting_potential` of the population {population!r}"
    known = isinstance(start, jax.Array | np.ndarray | np.generic | float)
    if not known or jnp.shape(start) not in ((), (n,)) or not jnp.issubdtype(jnp.result_type(start), jnp.floating):
        got = f"{jnp.result_type(start)} of shape {jnp.shape(start)}" if known else _kinds(start)
        raise ValueError(f"{whose} has to return a float [mV], one for all or one a neuron, ({n},); got {got}.")


def check_spikes(whose: str, made: Any, old: Any, n: int) -> bool:
    """Whether the spikes that a source made in one step have amplitudes.

    Raises `ValueError` where they are not those of `n` neurons, or its state is not like `old`, that before the step.
    """
    if not isinstance(made, tuple) or len(made) != 2:
        got = f"{len(made)} things" if isinstance(made, tuple) else _kinds(made)
        raise ValueError(
            f"{whose} has to return two things, the spikes and the new state (None of a source without memory); "
            f"got {got}."
        )
    rows = made[0]
    known = isinstance(rows, jax.Array | np.ndarray | np.generic)
    dtype = jnp.result_type(rows if known else int)
    if not known or jnp.shape(rows) != (1, n) or not (dtype == jnp.bool_ or jnp.issubdtype(dtype, jnp.floating)):
        got = f"shape {jnp.shape(rows)} of {dtype}" if known else _kinds(rows)
        raise ValueError(
            f"{whose} has to return (time, n) bools, or floats that are amplitudes, here (1, {n}); got {got}."
        )
    check_state(whose, old, made[1])
    return dtype != jnp.bool_


def check_watched(whose: str, watched: Any) -> None:
    """Raises `ValueError` where what a recorder watches is no tuple of `Watch`."""
    if not isinstance(watched, tuple | list) or not all(isinstance(one, Watch) for one in watched):
        raise ValueError(
            f"{whose} has to return a tuple such as (Watch('E', 'v'),), or () where it looks at spikes alone; "
            f"got {told(watched)}."
        )


def _kinds(returned: Any) -> str:
    """Of what is returned the types, in a sentence."""
    if isinstance(returned, tuple):
        return ", ".join(f"{type(one).__name__}" for one in returned)
    return f"{type(returned).__name__}"


def _told(state: Any) -> str:
    return str(jax.tree_util.tree_structure(state)).removeprefix("PyTreeDef(").removesuffix(")")
