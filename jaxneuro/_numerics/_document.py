"""Objects as documents of JSON and arrays, and back; what a document names is looked up and never imported.

A module or dataclass is {"class": name, "fields": {...}}, and is made again field by field, without a call of its own.
"""

import dataclasses
import enum
import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ._check import told

_PACKAGE = __name__.split(".")[0]


def name_of(cls: type) -> str:
    """How a document names a class: by its own name and its module, of this package without the first word."""
    return f"{cls.__module__.removeprefix(_PACKAGE + '.')}.{cls.__qualname__}"


def known_classes(own: Iterable[type] = ()) -> dict[str, type]:
    """The classes that a document may name: those of the modules of this package that are loaded, and `own`."""
    found: dict[str, type] = {}
    for module in [m for name, m in sys.modules.items() if name.split(".")[0] == _PACKAGE and m is not None]:
        for thing in list(vars(module).values()):
            if isinstance(thing, type) and thing.__module__.split(".")[0] == _PACKAGE:
                found[name_of(thing)] = thing
    for cls in own:
        if not isinstance(cls, type):
            raise ValueError(f"`classes` has to be a list of classes; got {told(cls)} in it.")
        found[name_of(cls)] = cls
    return found


class Encoder:
    """Turns values into documents; arrays go to `arrays`, or with `inline` into the document itself."""

    def __init__(self, *, inline: bool):
        self.inline, self.arrays = inline, []

    def encode(self, value: Any, place: str) -> Any:
        """The document of a value that stands at `place`; raises `ValueError` for what no file can hold."""
        if value is None or isinstance(value, bool | str) or type(value) is int:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, Tracer):
            raise ValueError(f"`{place}` is not known inside jit, vmap or grad: save it outside.")
        if isinstance(value, jax.Array | np.ndarray | np.generic):
            return self._array(value)
        if isinstance(value, enum.Enum):
            return {"enum": name_of(type(value)), "name": value.name}
        if isinstance(value, np.dtype):
            return {"dtype": value.name}
        if isinstance(value, type):
            return {"type": name_of(value)}
        if isinstance(value, tuple | list):
            return self._sequence(value, place)
        if isinstance(value, Mapping):
            pairs = [[self.encode(k, f"a key of {place}"), self.encode(v, f"{place}[{k!r}]")] for k, v in value.items()]
            return {"dict": pairs}
        if dataclasses.is_dataclass(value):
            return self._fields(value, place)
        raise ValueError(f"`{place}` is {_said(value)}, which no file can hold: save what it was made of.")

    def _sequence(self, value: Any, place: str) -> Any:
        items = [self.encode(item, f"{place}[{i}]") for i, item in enumerate(value)]
        if isinstance(value, list):
            return items
        return {"tuple": items} if type(value) is tuple else {"named": name_of(type(value)), "items": items}

    def _fields(self, value: Any, place: str) -> Any:
        names = [field.name for field in dataclasses.fields(value) if field.name in vars(value)]
        if "_enumeration" in names:  # a code, such as `Result.successful`
            kind = vars(value)["_enumeration"]
            return {"code": name_of(kind), "value": self.encode(vars(value)["_value"], place)}
        fields = {name: self.encode(vars(value)[name], f"{place}.{name}") for name in names}
        return {"class": name_of(type(value)), "fields": fields}

    def _array(self, value: Any) -> Any:
        if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            return {"key": str(jax.random.key_impl(value)), "data": self._array(jax.random.key_data(value))}
        kind = "jax" if isinstance(value, jax.Array) else "numpy" if isinstance(value, np.ndarray) else "scalar"
        held = np.asarray(value)
        document: dict[str, Any] = {"array": kind, "dtype": held.dtype.name, "shape": list(held.shape)}
        if self.inline:
            document["values"] = [x if math.isfinite(x) else repr(x) for x in held.ravel().tolist()]
        else:
            document["at"] = len(self.arrays)
            self.arrays.append(held)
        return document


class Decoder:
    """Turns documents back into values, with arrays of `arrays` and classes of `classes` alone."""

    def __init__(self, arrays: list[np.ndarray], classes: Mapping[str, type]):
        self._arrays, self._classes = arrays, classes

    def decode(self, document: Any) -> Any:
        """The value of a document; raises `ValueError` for a class that is not known."""
        if isinstance(document, list):
            return [self.decode(item) for item in document]
        if not isinstance(document, dict):
            return document
        if "array" in document:
            return self._array(document)
        if "key" in document:
            return jax.random.wrap_key_data(jnp.asarray(self._array(document["data"])), impl=document["key"])
        if "float" in document:
            return float(document["float"])
        if "dtype" in document:
            return np.dtype(document["dtype"])
        if "tuple" in document:
            return tuple(self.decode(item) for item in document["tuple"])
        if "dict" in document:
            return {self.decode(key): self.decode(value) for key, value in document["dict"]}
        if "type" in document:
            return self._class(document["type"])
        return self._made(document)

    def _made(self, document: dict[str, Any]) -> Any:
        if "enum" in document:
            return self._class(document["enum"])[document["name"]]  # type: ignore[index]
        if "named" in document:
            return self._class(document["named"])(*(self.decode(item) for item in document["items"]))
        if "code" in document:
            kind: Any = self._class(document["code"])
            some: Any = next(iter(kind._name_to_item.values()))
            return eqx.tree_at(lambda item: item._value, some, self.decode(document["value"]))
        made = object.__new__(self._class(document["class"]))
        for name, value in document["fields"].items():
            object.__setattr__(made, name, self.decode(value))
        return made

    def _class(self, name: str) -> type:
        if name not in self._classes:
            raise ValueError(f"it holds {name!r}, which this package does not have: give the class in `classes=[...]`.")
        return self._classes[name]

    def _array(self, document: dict[str, Any]) -> Any:
        dtype, kind = np.dtype(document["dtype"]), document["array"]
        if "values" in document:
            held = np.asarray([float(x) if isinstance(x, str) else x for x in document["values"]], dtype)
            held = held.reshape(document["shape"])
        else:
            held = self._arrays[document["at"]]
        if kind == "scalar":
            return held[()]
        if kind == "numpy":
            return held
        made = jnp.asarray(held)
        if made.dtype != dtype:
            raise ValueError(
                f"it holds {dtype.name} numbers, and jax is set to 32 bits: call "
                "`jax.config.update('jax_enable_x64', True)` first."
            )
        return made


def _said(value: Any) -> str:
    return (
        f"the function {value.__qualname__}"
        if callable(value) and "__qualname__" in dir(value)
        else type(value).__name__
    )
