"""Files and folders of a store: durable, checked, and of one writer at a time."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def file_of(path: Path, name: str, tile: tuple[int, ...], ndim: int) -> Path:
    """The file that holds a tile of an array, which is one chunk along its own dimensions."""
    return path.joinpath(name, "c", *map(str, tile), *["0"] * (ndim - len(tile)))


def read_tile(path: Path, array: Any, name: str, tile: tuple[int, ...], region: tuple[slice, ...]) -> np.ndarray | None:
    """The values of a tile; None where its file is missing or damaged."""
    if 0 not in array.shape and not file_of(path, name, tile, array.ndim).is_file():
        return None
    try:
        return np.asarray(array[region])
    except Exception:  # of the checksum, of the decompressor, of the system
        return None


def make_durable(file: Path) -> None:
    """Waits until a file and its name are on the disk."""
    for place, flags in ((file, os.O_RDONLY), (file.parent, os.O_RDONLY)):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # an array of nothing has no file
            handle = os.open(place, flags)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def lock_folder(path: Path) -> int | None:
    """Locks a store until the handle that is returned is closed; raises `ValueError` where another holds it."""
    try:
        import fcntl
    except ImportError:  # not on every system
        return None
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise ValueError(
            f"`store` {path} is being written by another sweep: wait for it, or give another name."
        ) from None
    return handle


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yields a folder inside a temporary one beside `path`; renames it to `path` once the block has ended well."""
    holder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        temporary, old = holder / "new", holder / "old"
        yield temporary
        if path.exists():  # a folder cannot be replaced in one step: an older store gives way, or comes back
            os.rename(path, old)
        try:
            os.rename(temporary, path)
        except BaseException:
            if old.exists():
                os.rename(old, path)
            raise
    finally:
        shutil.rmtree(holder, ignore_errors=True)
