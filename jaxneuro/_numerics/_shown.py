"""How things of the package look when they are printed: values with their units, and not shapes alone.

The unit of a parameter is written once, in the docstring of its class, as - `tau_m`: membrane time constant [ms].
"""

import dataclasses
import inspect
import re
from collections.abc import Sequence
from functools import cache, partial
from html import escape
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import wadler_lindig as wl
from jax.core import Tracer

_ITEM = re.compile(r"^- ((?:`\w+`(?:, )?)+):(.*?)(?=^- |\n\n|\Z)", re.MULTILINE | re.DOTALL)
# What stands in brackets and is a unit: not [0, 1], not a sentence.
_UNIT = re.compile(r"\[((?:1/)?[A-Za-z][\w/^*. ]{0,15})\]")
# Of short lists, within a line: `j0` [mV] the amplitude.
_INLINE = re.compile(rf"((?:`\w+`(?:, | and )?)+) (?:\([\w, ]*\) )?{_UNIT.pattern}")
_WIDTH = 100
# An array of at most so many numbers is shown as a whole.
_FEW = 6


class Shown(eqx.Module):
    """A module whose `repr` shows values and units; an array of many values as its shape and range."""

    def __repr__(self) -> str:
        return shown(self)


@cache
def units_of(cls: type) -> dict[str, str]:
    """{field: unit} as the docstring of a class, or of the one that it derives from, gives them."""
    units: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        text = inspect.cleandoc(base.__doc__ or "")
        # Of two units, such as those of a weight under currents and under conductances, none is the parameter's.
        items = [(names, found[0]) for names, about in _ITEM.findall(text) if len(found := _UNIT.findall(about)) == 1]
        for names, unit in _INLINE.findall(text) + items:
            units |= dict.fromkeys(re.findall(r"`(\w+)`", names), unit)
    return units


def shown(value: Any) -> str:
    """The text of `repr` of a module."""
    return wl.pformat(value, width=_WIDTH, indent=2, custom=_document)


def shown_value(value: Any, unit: str = "") -> str:
    """One number or array with its unit; (100,) from 1 to 3 ms where it has many; of a traced one what is known."""
    return value if isinstance(value, str) else wl.pformat(value, width=10_000, custom=partial(_document, unit=unit))


def html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """What a notebook shows: a heading, a table of texts and lines below it."""
    cells = "".join(f"<th>{escape(text)}</th>" for text in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>" if rows else ""
    return f"<div><strong>{escape(title)}</strong>{table}{'<br>'.join(map(escape, notes))}</div>"


def _document(value: Any, unit: str = "") -> wl.AbstractDoc | None:
    if isinstance(value, Shown):
        return _module(value)
    if isinstance(value, jax.Array | np.ndarray) and not isinstance(value, Tracer):
        return wl.TextDoc(f"{_array(value)} {unit}".rstrip())
    return wl.TextDoc(f"{value:g} {unit}") if isinstance(value, float) and unit else None


def _module(value: Shown) -> wl.AbstractDoc:
    units = units_of(type(value))
    documents = []
    for field in dataclasses.fields(value):
        if not field.repr or field.name not in vars(value):
            continue
        custom = partial(_document, unit=units.get(field.name, ""))
        # What lies inside of a field has units of its own: of a tuple or dict the unit is that of its items.
        inner = wl.pdoc(getattr(value, field.name), custom=custom, indent=2)
        documents.append(wl.TextDoc(f"{field.name}=") + inner)
    begin, end = wl.TextDoc(f"{type(value).__name__}("), wl.TextDoc(")")
    return wl.bracketed(begin, documents, wl.comma, end, indent=2)


def _array(value: jax.Array | np.ndarray) -> str:
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        return f"key{list(value.shape)}"
    held = np.asarray(value)
    number = "{}" if held.dtype.kind in "bi" else "{:.7g}"
    if held.dtype.kind not in "biuf":
        return f"{held.dtype}{list(held.shape)}"
    if held.ndim == 0:
        return number.format(held[()])
    if held.size <= _FEW and held.ndim == 1:
        return f"[{', '.join(number.format(x) for x in held)}]"
    if held.size == 0 or held.dtype.kind == "b":
        return f"{held.dtype}{list(held.shape)}"
    low, high = number.format(held.min()), number.format(held.max())
    return f"{held.shape} {'of ' + low if low == high else f'from {low} to {high}'}"
