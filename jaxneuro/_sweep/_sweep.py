"""The one call that runs over a grid."""

import contextlib
import inspect
import os
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from .._numerics import ProgressLine, check_key, check_yes_or_no, is_concrete
from ._execution import AbstractExecution, default_execution
from ._grid import Grid, make_grid
from ._outputs import Output, name_dims
from ._program import Program
from ._store import check_libraries, check_store, write_store

if TYPE_CHECKING:
    import xarray


def sweep(
    run: Callable[[dict, PRNGKeyArray], Mapping],
    *,
    over: Mapping,
    key: PRNGKeyArray,
    seeds: int | None = None,
    dims: Mapping | None = None,
    execution: AbstractExecution | None = None,
    store: str | os.PathLike | None = None,
    overwrite: bool = False,
    progress: bool | None = None,
) -> "xarray.Dataset":
    """Calls `run(point, key)` at every point of a grid, and labels what comes out.

    The grid is the outer product of the axes, times the seeds. Seed i has the key
    `jax.random.fold_in(key, i)` at every point, so that points differ by their parameters alone
    (common random numbers). `run` is traced once a call and compiled once for all points; a later
    sweep with other values, or another wiring of the same shape, compiles nothing unless `run` calls
    back into Python. What `run` closes over, such as a `Wiring`, is handed to the program as an
    argument, one copy for all runs; a jitted function that `run` calls has to get it as an argument.
    A network that `run` builds has its numbers to rounding those of the same network built outside,
    which the chaos of its spikes amplifies.

    **Arguments:**

    - `run`: from a dict of scalar arrays, one for each axis, and a key to a dict of {name: number,
      array or result code}. It has to be traceable by JAX: draw wirings outside, and let runs use
      `throw=False` and return `sol.result`, so that one non-finite run does not end the sweep.
    - `over`: {name: 1-D array of numbers}, the axes.
    - `key`: a `jax.random.key`.
    - `seeds`: makes a dimension `seed` of this length; by default there is none, and the key is that of seed 0.
    - `dims`: {name: names of the dimensions} of arrays that `run` returns; by default `name_dim0` and so on.
    - `execution`: `Threads(n)`, the default on a CPU, or `Vectorised(chunk)`, the default elsewhere.
    - `store`: also writes a zarr store to this path, whole or not at all.
    - `overwrite`: whether a store that exists is replaced.
    - `progress`: whether a line is shown on standard error, by default on a terminal.

    **Returns:** an `xarray.Dataset` with one variable a name, of dimensions (axes, seed, own). Result
    codes carry `flag_values` and `flag_meanings`. Attributes: versions, key, platform, float type.

    Raises `ValueError` where an argument or what `run` returns does not fit, before any run starts;
    `ImportError` without xarray, or with `store` without zarr; `RuntimeError` where a run raises, with
    its point. An interrupt ends the sweep at once and writes nothing; compiled runs end by themselves.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> sizes = {"n_e": 80, "n_i": 20, "c_e": 16, "c_i": 4, "j": 0.5}
    >>> wiring = jn.wire(jn.networks.brunel(**sizes), key=jax.random.key(0))
    >>> def run(point, key):
    ...     net = jn.networks.brunel(g=point["g"], **sizes)
    ...     sol = jn.simulate(net, 0.0, 50.0, dt=0.1, key=key, wiring=wiring, throw=False)
    ...     return {"rate": sol["rate"]["E"], "result": sol.result}
    >>> over, dims = {"g": jnp.linspace(3, 8, 6)}, {"rate": ("neuron",)}
    >>> grid = jn.sweep(run, over=over, seeds=2, key=jax.random.key(1), dims=dims)
    >>> dict(grid["rate"].sizes)
    {'g': 6, 'seed': 2, 'neuron': 80}

    ```
    """
    check_libraries(store=store is not None)
    if not callable(run):
        raise ValueError(f"`run` has to be a function of a point and a key; got {type(run).__name__}.")
    _check_takes_two(run)
    grid = make_grid(over, seeds)
    check_key(key)
    if not is_concrete(key):
        raise ValueError("`key` has to be known before the sweep: call `sweep` outside jit, vmap and grad.")
    if not isinstance(execution, AbstractExecution | None):
        raise ValueError(f"`execution` has to be `Threads()` or `Vectorised(chunk)`; got {execution!r}.")
    overwrite = check_yes_or_no("overwrite", overwrite)
    if not isinstance(progress, bool | None):
        raise ValueError(f"`progress` has to be True, False or None; got {progress!r}.")
    if overwrite and store is None:
        raise ValueError("`overwrite` is about a `store`, and none is given.")
    path = None if store is None else check_store(store, overwrite=overwrite)
    execution = default_execution(grid.n_runs) if execution is None else execution
    execution.check(grid.n_runs)
    program = Program(run, grid, key)
    own_dims = name_dims(program.outputs, dims, grid)
    values = _run_all(execution, program, grid, ProgressLine("sweep", "runs", grid.n_runs, progress))
    result = _dataset(grid, program.outputs, own_dims, values, key)
    if path is not None:
        write_store(result, path, overwrite=overwrite)
    return result


def _check_takes_two(run: Callable) -> None:
    try:
        signature = inspect.signature(run)
    except (TypeError, ValueError):
        return  # some callables do not tell
    try:
        signature.bind({}, None)
    except TypeError:
        raise ValueError(f"`run` has to take two arguments, a point and a key; it takes {signature}.") from None


def _run_all(execution: AbstractExecution, program: Program, grid: Grid, line: ProgressLine) -> list[np.ndarray]:
    """The values of every output, with the runs in front."""
    values = [np.empty((grid.n_runs, *output.shape), output.dtype) for output in program.outputs]
    done = 0
    line(done)
    with contextlib.closing(line), contextlib.closing(execution.finished(program, grid)) as parts:
        for part in parts:
            n = len(part.values[0])
            for whole, rows in zip(values, part.values, strict=True):
                whole[part.start : part.start + n] = rows
            done += n
            line(done)
    return values


def _dataset(
    grid: Grid, outputs: list[Output], own_dims: dict[str, tuple[str, ...]], values: list[np.ndarray], key: PRNGKeyArray
) -> "xarray.Dataset":
    import xarray

    variables: dict[str, Any] = {}
    for output, rows in zip(outputs, values, strict=True):
        shaped = rows.reshape(grid.shape + output.shape)
        variables[output.name] = (grid.dims + own_dims[output.name], shaped, output.attributes)
    attributes = {
        "jaxneuro": metadata.version("jaxneuro"),
        "jax": jax.__version__,
        "platform": jax.default_backend(),
        "float": str(jnp.result_type(float)),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
        "key_impl": str(jax.random.key_impl(key)),
    }
    return xarray.Dataset(variables, grid.coordinates, attributes)
