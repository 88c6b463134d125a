"""A zarr store on disk, made whole, and filled chunk by chunk as runs finish."""

import errno
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import install, told
from ._chunks import file_of, lock_folder, make_durable, read_tile, replacing_folder
from ._grid import Grid
from ._outputs import Output
from ._results import Results, fill_of
from ._tiles import Tiles

if TYPE_CHECKING:
    import zarr

# A folder that holds one of these is a store, which `overwrite` may remove.
_MARKS = ("zarr.json", ".zgroup", ".zmetadata")
# The attribute that makes a zarr store that of a sweep, and its version.
FORMAT, VERSION = "jaxneuro_sweep", 1
# Beside the variables: which runs are done, and what was said of those that raised, in bytes of UTF-8.
DONE, SENTENCE = "done", "sentence"
LONGEST = 400
# Of a coordinate of texts, whose values are their numbers.
LABELS = "labels"
# Attributes of a store alone: runs side by side, and the shape of a chunk.
WIDTH, TILE = "batch", "tile"


def check_libraries(*, store: bool) -> None:
    """Raises `ImportError` where what the result needs is not installed."""
    try:
        import xarray as _

        if store:
            import zarr as _  # noqa: F401
    except ImportError as error:
        what = "A sweep returns an `xarray.Dataset`, and `store` needs zarr"
        raise ImportError(f"{what}: {install('sweep')} (there is no {error.name}).") from error


def check_store(store: str | os.PathLike, *, overwrite: bool, resume: bool = False) -> Path:
    """The path of a store to be written; raises `ValueError` where that cannot or must not be done."""
    if not isinstance(store, str | os.PathLike) or not str(store):
        raise ValueError(f"`store` has to be the path of a folder to be made, such as 'phase.zarr'; got {told(store)}.")
    if "://" in str(store):
        raise ValueError(
            f"`store` has to be a path on this machine; got {told(store)}: write the Dataset there yourself."
        )
    path = Path(store).resolve()
    if not path.parent.is_dir():
        raise ValueError(f"`store` {store}: the folder {path.parent} does not exist.")
    if path.exists():
        if not path.is_dir() or not any((path / mark).exists() for mark in _MARKS):
            raise ValueError(f"`store` {store} exists and is no zarr store, which is never overwritten: give another.")
        if not overwrite and not resume:
            raise ValueError(
                f"`store` {store} exists: give another name, `resume=True` to go on with it, or `overwrite=True`."
            )
    try:
        tempfile.TemporaryFile(dir=path if resume and path.exists() else path.parent).close()
    except OSError as error:
        raise ValueError(f"`store` {store}: nothing can be written there ({error.strerror}).") from None
    return path


class Store:
    """The store of one sweep, of which this process is the one writer until it is closed."""

    def __init__(self, path: Path):
        import zarr

        self.path, self._lock = path, lock_folder(path)
        self._arrays: dict[str, Any] = {}
        try:
            self._group: zarr.Group = zarr.open_group(path, mode="r+")
            self.attributes: dict[str, Any] = dict(self._group.attrs)
            check_format(path, self.attributes)
        except BaseException as error:
            self.close()
            if not isinstance(error, Exception) or "`store`" in str(error):
                raise
            sentence = f"`store` {path} cannot be read ({error}): give another name, or `overwrite=True`."
            raise ValueError(sentence) from None

    @property
    def width(self) -> int:
        """How many runs went side by side, 0 where one program held one."""
        return int(self.attributes[WIDTH])

    def tiles(self, grid: Grid) -> Tiles:
        """The chunks of the store."""
        return Tiles(grid.shape, tuple(self.attributes[TILE]))

    def coordinate(self, name: str) -> np.ndarray | None:
        """The values of a coordinate, None where there is no such."""
        if name not in self._group:
            return None
        array: Any = self._group[name]
        return np.asarray(array.attrs[LABELS]) if LABELS in array.attrs else np.asarray(array[:])

    def layout(self, name: str) -> tuple[tuple[int, ...], np.dtype] | None:
        """Shape and type of a variable, None where there is no such."""
        return (self._array(name).shape, np.dtype(self._array(name).dtype)) if name in self._group else None

    def read_into(self, results: Results, *, repair: bool) -> None:
        """Reads what is stored; a damaged chunk is named in a `ValueError`, or with `repair` computed again."""
        tiles, done = self.tiles(results.grid), self._array(DONE)
        for tile in tiles:
            region, runs = tiles.region(tile), tiles.runs(tile)
            marks = read_tile(self.path, done, DONE, tile, region)
            if marks is None or not marks.all():  # killed before, or while, it was marked
                continue
            found = {o.name: read_tile(self.path, self._array(o.name), o.name, tile, region) for o in results.outputs}
            if file_of(self.path, SENTENCE, tile, len(tile) + 1).is_file():
                found[SENTENCE] = read_tile(self.path, self._array(SENTENCE), SENTENCE, tile, region)
            damaged = [name for name, values in found.items() if values is None]
            if damaged and not repair:
                raise ValueError(
                    f"`store` {self.path}: the chunk of {damaged[0]!r} that begins at "
                    f"{results.grid.describe(int(runs[0]))} is damaged: `repair=True` computes it again."
                )
            if not damaged:
                results.take(runs, found, found.get(SENTENCE))

    def write(self, results: Results, tile: tuple[int, ...]) -> None:
        """Writes a chunk of every variable and, once they are on the disk, that it is done."""
        if not (self.path / "zarr.json").is_file():
            raise FileNotFoundError(errno.ENOENT, "the store has vanished", str(self.path))
        tiles = self.tiles(results.grid)
        runs, region = tiles.runs(tile), tiles.region(tile)
        shape = tuple(part.stop - part.start for part in region)
        given = {
            o.name: whole[runs].reshape(shape + o.shape)
            for o, whole in zip(results.outputs, results.values, strict=True)
        }
        lines = np.zeros((len(runs), LONGEST), np.uint8)
        for place, run in enumerate(runs.tolist()):
            text = results.sentences.get(run, "").encode()[:LONGEST]
            lines[place, : len(text)] = np.frombuffer(text, np.uint8)
        if lines.any():
            given[SENTENCE] = lines.reshape(*shape, LONGEST)
        for name, values in given.items():
            self._array(name)[region] = values
        for name, values in given.items():
            make_durable(file_of(self.path, name, tile, values.ndim))
        self._array(DONE)[region] = np.ones(shape, bool)
        make_durable(file_of(self.path, DONE, tile, len(tile)))

    def _array(self, name: str) -> Any:
        import zarr

        if name not in self._arrays:
            with zarr.config.set({"array.write_empty_chunks": True}):  # a missing file then is a damage
                self._arrays[name] = self._group[name]
        return self._arrays[name]

    def close(self) -> None:
        """Lets others write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove(self) -> None:
        """Takes away a store in which nothing is done."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.close()


def create_store(
    path: Path, results: Results, own_dims: dict[str, tuple[str, ...]], attributes: dict[str, Any], *,
    tile: tuple[int, ...], width: int,
) -> Store:  # fmt: skip
    """Makes a store in which nothing is done yet, in place of an older one; it has its name once it is whole."""
    import zarr

    old = lock_folder(path) if path.exists() else None
    try:
        with replacing_folder(path) as temporary:
            noted = {**attributes, FORMAT: VERSION, WIDTH: width, TILE: list(tile)}
            grid = results.grid
            beside = [name for name in grid.coordinates if name not in grid.dims]
            noted |= {"coordinates": " ".join(beside)} if beside else {}  # as the CF conventions have it
            group = zarr.create_group(temporary, zarr_format=3, attributes=noted)
            for name, (dim, labels) in grid.coordinates.items():
                texts = {LABELS: labels.tolist()} if labels.dtype.kind == "U" else {}
                values = np.arange(len(labels)) if texts else labels
                _make_array(group, name, values.shape, values.dtype, values.shape, (dim,), texts)[:] = values
            for o in results.outputs:
                dims = grid.dims + own_dims.get(o.name, ())
                _make_array(group, o.name, grid.shape + o.shape, o.dtype, tile + o.shape, dims, o.attributes)
            dims = (*grid.dims, "byte")
            _make_array(group, SENTENCE, (*grid.shape, LONGEST), np.dtype(np.uint8), (*tile, LONGEST), dims, {})
            _make_array(group, DONE, grid.shape, np.dtype(bool), tile, grid.dims, {})
            with warnings.catch_warnings():  # that this is no part of format 3 yet; xarray asks for it
                warnings.simplefilter("ignore")
                zarr.consolidate_metadata(temporary)
    finally:
        if old is not None:
            os.close(old)
    return Store(path)


def _make_array(
    group: "zarr.Group", name: str, shape: tuple[int, ...], dtype: np.dtype, chunks: tuple[int, ...],
    dims: tuple[str, ...], attributes: dict[str, Any],
) -> Any:  # fmt: skip
    """An array of which every chunk has a checksum."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    return group.create_array(
        name, shape=shape, dtype=dtype, chunks=tuple(max(1, n) for n in chunks), fill_value=fill_of(dtype),
        compressors=[ZstdCodec(level=1), Crc32cCodec()], dimension_names=dims, attributes=attributes,
    )  # fmt: skip


def check_names(outputs: list[Output]) -> None:
    """Raises `ValueError` where a variable cannot have its name in a store."""
    for output in outputs:
        if "/" in output.name or output.name in (DONE, SENTENCE):
            raise ValueError(
                f"`run` returned {output.name!r}, which cannot be the name of a variable in a `store`: give it another."
            )


def check_format(path: Path, attributes: dict[str, Any]) -> None:
    """Raises `ValueError` where a zarr store is not that of a sweep, or of a later version."""
    found = attributes.get(FORMAT)
    if found is None:
        raise ValueError(
            f"`store` {path} is not that of a sweep that can go on: give another name, or `overwrite=True`."
        )
    if found != VERSION:
        raise ValueError(
            f"`store` {path} is of format {found}, and this version of jaxneuro reads format {VERSION}: take the one "
            f"that wrote it, {attributes.get('jaxneuro')}, or a later one."
        )
