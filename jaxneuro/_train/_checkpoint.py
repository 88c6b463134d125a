"""Checkpoints: written whole or not at all, and read back to the bit."""

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from .._numerics import replacing

_ADDRESS = re.compile(r"(0x[0-9a-f]+|id=[0-9]+)")


def save(path: Path, tree: Any, history: dict[str, np.ndarray], key: PRNGKeyArray, program: str) -> None:
    """Writes the leaves of `tree`, the arrays of `history`, and the key and the `program` of the training."""
    arrays = {f"leaf {i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree_util.tree_leaves(tree))}
    arrays |= {f"history {name}": values for name, values in history.items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, key=_bits(key), program=np.asarray(program), **arrays)  # type: ignore[arg-type]


def load(path: Path, tree: Any, key: PRNGKeyArray) -> tuple[Any, dict[str, np.ndarray], str]:
    """A tree like `tree` with the leaves of the file, the history and the program.

    Raises `ValueError` where the file is of another training.
    """
    leaves, structure = jax.tree_util.tree_flatten(tree)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:  # TypeError: a bare array
        raise ValueError(f"`checkpoint`: {path} is no checkpoint of `jn.train`.") from error
    read = [stored.get(f"leaf {i}") for i in range(len(leaves))]
    for given, old in zip(read, leaves, strict=True):
        if given is None or given.shape != np.shape(old) or given.dtype != np.asarray(old).dtype:
            raise ValueError(f"`checkpoint`: {path} holds another training (other parameters or optimiser).")
    if "key" in stored and not np.array_equal(stored["key"], _bits(key)):
        raise ValueError(f"`checkpoint`: {path} holds a training with another `key`: give that one, or another file.")
    history = {name.removeprefix("history "): v for name, v in stored.items() if name.startswith("history ")}
    restored = jax.tree_util.tree_unflatten(structure, [jnp.asarray(v) for v in read])
    if any(name not in history or len(history[name]) != int(restored.step) for name in ("loss", "norms")):
        raise ValueError(f"`checkpoint`: {path} is damaged: its history is not as long as its {restored.step} steps.")
    return restored, history, str(stored.get("program", ""))


def check_program(path: Path, stored: str, traced: Any) -> str:
    """What a step computes, in short: its loss, its optimiser, their numbers; `ValueError` where `stored` is another.

    The program of another version of JAX, or for batches of other shapes, says nothing and is not compared.
    """
    program = traced.jaxpr
    text = _ADDRESS.sub("", str(program.jaxpr))
    digest = hashlib.sha256(text.encode())
    for constant in program.consts:
        if eqx.is_array(constant) and not jnp.issubdtype(constant.dtype, jax.dtypes.prng_key):
            digest.update(np.asarray(constant).tobytes())
    setting = hashlib.sha256(repr((jax.__version__, [str(x) for x in program.in_avals])).encode()).hexdigest()
    known = stored.split()
    if len(known) == 2 and known[0] == setting and known[1] != digest.hexdigest():
        raise ValueError(
            f"`checkpoint`: {path} holds a training with another `loss` or `optimiser`: give those, or another file."
        )
    return f"{setting} {digest.hexdigest()}"


def _bits(key: PRNGKeyArray) -> np.ndarray:
    return np.asarray(jax.random.key_data(key))
