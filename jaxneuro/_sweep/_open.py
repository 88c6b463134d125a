"""Reading a store, while it is written or after."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ._results import ERRORS, text_of
from ._store import DONE, FORMAT, LABELS, SENTENCE, TILE, WIDTH, check_format, check_libraries

if TYPE_CHECKING:
    import xarray


def open_sweep(path: str | os.PathLike) -> "xarray.Dataset":
    """Opens the store of a sweep that is finished, interrupted or still running.

    Numbers are read when they are used. A run that is missing has NaN for numbers, and whole numbers and truths are
    floats where one is; the attribute `missing` counts such runs.

    **Arguments:** `path`, that of `store=`.

    **Returns:** an `xarray.Dataset`, of a finished sweep that which `jn.sweep` returned.

    Raises `ValueError` where there is no store of a sweep at `path`; `ImportError` without xarray or zarr.

    ```python
    >>> import os, tempfile, jax, jaxneuro as jn
    >>> path = os.path.join(tempfile.mkdtemp(), "squares.zarr")
    >>> over = {"a": [1.0, 2.0, 3.0]}
    >>> _ = jn.sweep(lambda point, key: {"y": point["a"] ** 2}, over=over, key=jax.random.key(0), store=path)
    >>> jn.open_sweep(path)["y"].values.tolist()
    [1.0, 4.0, 9.0]

    ```
    """
    check_libraries(store=True)
    import xarray

    place = Path(path)
    if not (place / "zarr.json").is_file():
        raise ValueError(f"`path` {path}: there is no store of a sweep.")
    stored = xarray.open_zarr(place, consolidated=False, zarr_format=3)
    check_format(place, stored.attrs)
    done = stored[DONE].load()
    grid = stored.drop_vars([DONE, SENTENCE])
    for name, coordinate in grid.coords.items():
        if LABELS in coordinate.attrs:
            grid = grid.assign_coords({name: (coordinate.dims, np.asarray(coordinate.attrs[LABELS]))})
    grid.attrs = {name: value for name, value in stored.attrs.items() if name not in (FORMAT, WIDTH, TILE)}
    missing = int((~done).sum())
    if missing:
        whole = [str(name) for name, variable in grid.data_vars.items() if variable.dtype.kind != "f"]
        grid = grid.assign({name: grid[name].where(done).assign_attrs(grid[name].attrs) for name in whole})
        grid.attrs["missing"] = missing
    if (place / SENTENCE / "c").is_dir():
        lines = stored[SENTENCE].values.reshape(done.size, -1)[done.values.ravel()]
        grid.attrs[ERRORS] = [text_of(line) for line in lines if line[0]]
    return grid
