"""Anything of the package in a file, and back, without pickle."""

import io
import json
import os
import zlib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from .._late import load_all
from .._numerics import Decoder, Encoder, known_classes, replacing

_FORMAT, _VERSION = "jaxneuro_file", 1


def save(path: str | os.PathLike, x: Any) -> None:
    """Writes a network, a model, a wiring, a state, a solution, a fit, a training, or lists and dicts of these.

    The file begins with one line of JSON: format, version, classes and fields. The arrays follow, as
    `equinox.tree_serialise_leaves` writes them. It is written whole or not at all.

    **Arguments:** `path` of the file; `x`, of which every array is known (outside jit and grad). A function that it
    holds, such as a curve of one's own, cannot be written: make it a module.

    Raises `ValueError` where something in `x` cannot be written, with its place; `OSError` where the file cannot.

    ```python
    >>> import os, tempfile, jax, jaxneuro as jn
    >>> path = os.path.join(tempfile.mkdtemp(), "wiring.jn")
    >>> net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    >>> wiring = jn.wire(net, key=jax.random.key(0))
    >>> jn.save(path, {"net": net, "wiring": wiring})
    >>> back = jn.load(path)
    >>> back["wiring"].nnz == wiring.nnz
    True

    ```
    """
    encoder = Encoder(inline=False)
    document = encoder.encode(x, "x")
    header = {
        _FORMAT: _VERSION,
        "version": metadata.version("jaxneuro"),
        "class": type(x).__name__,
        "value": document,
        "arrays": [[array.dtype.name, list(array.shape), _checksum(array)] for array in encoder.arrays],
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(json.dumps(header, allow_nan=False).encode() + b"\n")
        eqx.tree_serialise_leaves(file, encoder.arrays)


def load(path: str | os.PathLike, *, classes: Iterable[type] = ()) -> Any:
    """Reads what `save` wrote. A file can name classes and not bring or import any: it runs no code of its own.

    **Arguments:** `path` of the file; `classes`, those of your own that it holds.

    **Returns:** what was saved, to the bit.

    Raises `ValueError`, one sentence, where the file is none of `save`, damaged, of a later format, holds a class that
    is not in the package nor in `classes`, or numbers of 64 bits where jax is set to 32; `OSError` where it cannot be
    opened.

    ```python
    >>> import os, tempfile, jaxneuro as jn
    >>> path = os.path.join(tempfile.mkdtemp(), "neuron.jn")
    >>> jn.save(path, jn.LIF(tau_m=10.0))
    >>> float(jn.load(path).tau_m)
    10.0

    ```
    """
    data = Path(path).read_bytes()
    line, _, rest = data.partition(b"\n")
    try:
        header = json.loads(line)
        version = header[_FORMAT]
    except (TypeError, KeyError, ValueError):
        raise ValueError(f"`path` {path} is no file of `jn.save`.") from None
    if version != _VERSION:
        raise ValueError(
            f"`path` {path} is of format {version}, and this version of jaxneuro reads format {_VERSION}: take the "
            f"version that wrote it, {header.get('version')}, or a later one."
        )
    try:
        arrays = _read_arrays(rest, header["arrays"])
    except Exception:  # of whatever reads what is left of it
        raise ValueError(f"`path` {path} is damaged: its arrays are not those that were saved.") from None
    load_all(__name__.split(".")[0])
    try:
        return Decoder(arrays, known_classes(classes)).decode(header["value"])
    except ValueError as error:
        raise ValueError(f"`path` {path}: {error}") from None
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"`path` {path} is damaged: {error!r}.") from None


def _read_arrays(data: bytes, told: list[Any]) -> list[np.ndarray]:
    like = [np.empty(shape, dtype) for dtype, shape, _ in told]
    arrays = eqx.tree_deserialise_leaves(io.BytesIO(data), like)
    for array, (_, _, checksum) in zip(arrays, told, strict=True):
        if _checksum(array) != checksum:
            raise ValueError("checksum")
    return arrays


def _checksum(array: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(array).tobytes())
