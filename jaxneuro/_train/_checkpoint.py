"""Checkpoints: written whole or not at all, and read back to the bit."""

import zipfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from .._numerics import replacing


def save(path: Path, tree: Any, history: dict[str, np.ndarray], key: PRNGKeyArray) -> None:
    """Writes the leaves of `tree`, the arrays of `history` and the key of the training."""
    leaves = {f"leaf {i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree_util.tree_leaves(tree))}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, key=_bits(key), **leaves, **{f"history {name}": values for name, values in history.items()})  # type: ignore[arg-type]


def load(path: Path, tree: Any, key: PRNGKeyArray) -> tuple[Any, dict[str, np.ndarray]]:
    """A tree like `tree` with the leaves of the file, and the history.

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
    return jax.tree_util.tree_unflatten(structure, [jnp.asarray(v) for v in read]), history


def _bits(key: PRNGKeyArray) -> np.ndarray:
    return np.asarray(jax.random.key_data(key))
