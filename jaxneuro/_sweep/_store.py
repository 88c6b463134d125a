"""A zarr store on disk, whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .._numerics import install

if TYPE_CHECKING:
    import xarray

# A folder that holds one of these is a store, which `overwrite` may remove.
_MARKS = ("zarr.json", ".zgroup", ".zmetadata")


def check_libraries(*, store: bool) -> None:
    """Raises `ImportError` where what the result needs is not installed."""
    try:
        import xarray as _

        if store:
            import zarr as _  # noqa: F401
    except ImportError as error:
        what = "A sweep returns an `xarray.Dataset`, and `store` needs zarr"
        raise ImportError(f"{what}: {install('sweep')} (there is no {error.name}).") from error


def check_store(store: str | os.PathLike, *, overwrite: bool) -> Path:
    """The path of a store to be written; raises `ValueError` where that cannot or must not be done."""
    if not isinstance(store, str | os.PathLike) or not str(store):
        raise ValueError(f"`store` has to be the path of a folder to be made, such as 'phase.zarr'; got {store!r}.")
    if "://" in str(store):
        raise ValueError(f"`store` has to be a path on this machine; got {store!r}: write the Dataset there yourself.")
    path = Path(store).resolve()
    if not path.parent.is_dir():
        raise ValueError(f"`store` {store}: the folder {path.parent} does not exist.")
    if path.exists():
        if not path.is_dir() or not any((path / mark).exists() for mark in _MARKS):
            raise ValueError(f"`store` {store} exists and is no zarr store, which is never overwritten: give another.")
        if not overwrite:
            raise ValueError(f"`store` {store} exists: give another name, or `overwrite=True`.")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise ValueError(f"`store` {store}: nothing can be written there ({error.strerror}).") from None
    return path


def write_store(grid: "xarray.Dataset", path: Path, *, overwrite: bool) -> None:
    """Writes a Dataset to the store `path`, which a reader sees once it is complete."""
    with _replacing_folder(path, overwrite=overwrite) as temporary:
        # Format 2, whose consolidated metadata every reader opens without a warning.
        grid.to_zarr(temporary, mode="w", zarr_format=2, consolidated=True)


@contextlib.contextmanager
def _replacing_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yields a folder inside a temporary one beside `path`; renames it to `path` once the block has ended well."""
    holder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        temporary, old = holder / "new", holder / "old"
        yield temporary
        check_store(path, overwrite=overwrite)  # it may have come into being meanwhile
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
