"""One number of a description, changed by its name."""

import dataclasses
import difflib
import inspect
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np

from .._numerics import as_leaf, is_concrete, told
from ._network import Network

T = TypeVar("T")


def replace(x: T, name: str, value: Any) -> T:
    """A network or a model with one named number changed; all else is shared with the one that was given.

    In a network a name begins with a population, `E.tau_m`, with the ends of a projection, `E->I.weight` (of one onto
    several populations `E->E,I.weight`; of several projections alike `E->I[1].weight`), or with a drive,
    `drives[0].rate`. What follows the dot is the name of a parameter, wherever in there it is: `E->E.synapse.tau`,
    or `E->E.tau` where one part alone has a `tau`. A model begins with its parameter: `tau_m`.

    **Arguments:** `x`, a `Network` or a part of one; `name`; `value`, a number or an array, or for the name of a whole
    part, such as `E->I.connectivity`, another one.

    **Returns:** the changed copy. Its parts are checked as when they are made.

    Raises `ValueError` where there is no such name, with the nearest there is, or more than one such.

    Derivatives: both modes, with respect to `value`.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.replace(jn.networks.brunel(), "E.tau_m", 10.0)
    >>> float(net.populations["E"].model.tau_m), float(net.populations["I"].model.tau_m)
    (10.0, 20.0)
    >>> jn.replace(net, "E.tau", 10.0)                                     # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: `name`: there is no 'E.tau'; did you mean 'E.tau_m'? There are E.model, ...

    ```
    """
    if not isinstance(x, eqx.Module):
        raise ValueError(f"`x` has to be a network or a model; got {type(x).__name__}.")
    if not isinstance(name, str):
        raise ValueError(f"`name` has to be a string such as 'E.tau_m' or 'E->I.weight'; got {told(name)}.")
    if not isinstance(x, Network):
        return _with(x, _find(x, name, name), value)
    head, _, rest = name.partition(".")
    kind, key, part = _part_of(x, head.strip(), name)
    if not rest:
        raise ValueError(f"`name`: {name!r} is a whole part; a parameter of it follows a dot, such as '{name}.weight'.")
    changed = _with(part, _find(part, rest, name), value)
    parts: dict[str, Any] = {
        "populations": dict(x.populations),
        "projections": list(x.projections),
        "drives": list(x.drives),
    }
    parts[kind][key] = changed
    return type(x)(**parts)


def _part_of(net: Network, head: str, name: str) -> tuple[str, Any, Any]:
    """Which of the parts of a network is meant: its list, its place in there and itself."""
    if head in net.populations:
        return "populations", head, net.populations[head]
    label, place = (head, None) if (m := re.fullmatch(r"(.*)\[(\d+)\]", head)) is None else (m[1], int(m[2]))
    ends = [f"{p.pre}->{','.join(p.post)}" for p in net.projections]
    label = re.sub(r"\s", "", label)
    found = [i for i, text in enumerate(ends) if text == label]
    if label == "drives":
        found = list(range(len(net.drives)))
    if not found or (place is not None and place >= len(found)):
        pre, _, post = label.partition("->")
        for p, text in zip(net.projections, ends, strict=True):
            if p.pre == pre and post in p.post and len(p.post) > 1:
                raise ValueError(
                    f"`name`: {label!r} is part of one projection onto {len(p.post)} populations, which have their "
                    f"numbers in common: '{text}' changes it for all."
                )
        heads = [*net.populations, *dict.fromkeys(ends), *(f"drives[{i}]" for i in range(len(net.drives)))]
        raise ValueError(_unknown(head, heads, name))
    if place is None and len(found) > 1:
        raise ValueError(f"`name`: there are {len(found)} of {head!r}; say which, such as '{head}[0]'.")
    at = found[place or 0]
    return ("drives", at, net.drives[at]) if label == "drives" else ("projections", at, net.projections[at])


def _find(x: Any, name: str, whole: str) -> tuple[str, ...]:
    """The path that a name means: as it is written, or the only one that ends with it."""
    paths = list(_paths(x, ()))
    wanted = tuple(name.split("."))
    if wanted in paths:
        return wanted
    ends = [path for path in paths if path[-len(wanted) :] == wanted]
    if len(ends) == 1:
        return ends[0]
    if len(ends) > 1:
        raise ValueError(f"`name`: {whole!r} may be {', '.join('.'.join(path) for path in ends)}; write one of these.")
    short = [path[-1] for path in paths]
    known = [path[-1] if short.count(path[-1]) == 1 else ".".join(path) for path in paths]
    raise ValueError(_unknown(name, known, whole, whole[: len(whole) - len(name)]))


def _paths(x: Any, before: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(x, eqx.Module):
        for name, value in _values(x).items():
            yield (*before, name)
            yield from _paths(value, (*before, name))


def _values(x: Any) -> dict[str, Any]:
    """What a module was made of, by the names of its class, where it can be made again of these; else its fields."""
    parameters = list(inspect.signature(type(x).__init__).parameters.values())[1:]
    names = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    fields = {f.name: vars(x)[f.name] for f in dataclasses.fields(x) if f.name in vars(x)}
    known = {name: fields[name] if name in fields else inspect.getattr_static(x, name, None) for name in names}
    given = {name: getattr(x, name) for name, one in known.items() if name in fields or isinstance(one, property)}
    return given if len(given) == len(names) and _is_made_of(x, given) else fields


def _is_made_of(x: Any, values: dict[str, Any]) -> bool:
    try:
        made = type(x)(**values)
    except ValueError:
        return False
    (ours, one), (theirs, other) = (jax.tree_util.tree_flatten(tree) for tree in (x, made))
    same = all(a is b or (is_concrete(a, b) and np.array_equal(a, b)) for a, b in zip(ours, theirs, strict=False))
    return one == other and same


def _unknown(part: str, known: list[str], whole: str, before: str = "") -> str:
    near = difflib.get_close_matches(part, known, 1, 0.5)
    hint = f"; did you mean {before + near[0]!r}?" if near else "."
    return f"`name`: there is no {whole!r}{hint} There are {', '.join(before + text for text in known)}."


def _with(x: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of a module with one value another, made by its class where it can be."""
    name, *rest = path
    values = _values(x)
    values[name] = _with(values[name], tuple(rest), value) if rest else _as_kind(name, values[name], value)
    if set(values) == set(inspect.signature(type(x).__init__).parameters) - {"self"}:
        return type(x)(**values)
    made = object.__new__(type(x))
    for field, one in values.items():
        object.__setattr__(made, field, one)
    return made


def _as_kind(name: str, old: Any, value: Any) -> Any:
    """The new value as the old one is held."""
    if isinstance(old, jax.Array) and not isinstance(value, eqx.Module):
        return as_leaf(value, name) if jax.numpy.issubdtype(old.dtype, jax.numpy.floating) else value
    if isinstance(old, eqx.Module) and not isinstance(value, eqx.Module):
        raise ValueError(f"`name`: {name!r} is {type(old).__name__}; it cannot become {value!r}.")
    return value
