"""The one call that runs over a grid."""

import contextlib
import inspect
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from .._numerics import ProgressLine, check_key, check_yes_or_no, is_concrete, platform, told
from ._axes import Paired, RandomPoints, SobolPoints
from ._execution import AbstractExecution, default_execution, sentence_of
from ._grid import make_grid
from ._outputs import name_dims
from ._program import Programs
from ._results import Results, SweepWarning, with_result
from ._store import Store, check_libraries, check_names
from ._storing import Storing, add_attributes, check_same, describe_programs, read_storing

if TYPE_CHECKING:
    import xarray

Over = Mapping | Paired | RandomPoints | SobolPoints | Sequence[Mapping | Paired | RandomPoints | SobolPoints]


def sweep(
    run: Callable[[dict, PRNGKeyArray], Mapping],
    *,
    over: Over,
    key: PRNGKeyArray,
    seeds: int | None = None,
    wirings: Sequence | Mapping | None = None,
    dims: Mapping | None = None,
    attributes: Mapping | None = None,
    execution: AbstractExecution | None = None,
    store: str | os.PathLike | None = None,
    overwrite: bool = False,
    resume: bool = False,
    repair: bool = False,
    throw: bool = False,
    progress: bool | None = None,
) -> "xarray.Dataset":
    """Calls `run(point, key)` at every point of a grid, and labels what comes out.

    The grid is the outer product of the axes, times the wirings, times the seeds. Seed i has the key
    `jax.random.fold_in(key, i)` at every point, so that points differ by their parameters alone
    (common random numbers). `run` is traced once a call and compiled once for all points; a later
    sweep with other values, or another wiring of the same shape, compiles nothing unless `run` calls
    back into Python. What `run` closes over, such as a `Wiring`, is handed to the program as an
    argument, one copy for all runs; a jitted function that `run` calls has to get it as an argument.
    A network that `run` builds has its numbers to rounding those of the same network built outside,
    which the chaos of its spikes amplifies.

    With a `store` every chunk of about a second's work is on disk once its runs have finished, so that a
    sweep that was killed goes on with `resume=True` and gives, bit by bit, what it would have given.

    **Arguments:**

    - `run`: from a dict of scalar arrays, one for each axis, and a key to a dict of {name: number,
      array or result code}. It has to be traceable by JAX: draw wirings outside, and let runs use
      `throw=False` and return `sol.result`, which says of each run what became of it.
    - `over`: {name: values}, the axes: a 1-D array of numbers, `Structural(values)` for whole numbers that change
      the program, or {label: object} for frozen objects such as a surrogate or a synapse, traced one by one. Or
      `Paired`, `RandomPoints` or `SobolPoints`, or a list of all these, their outer product.
    - `key`: a `jax.random.key`.
    - `seeds`: makes a dimension `seed` of this length; by default there is none, and the key is that of seed 0.
    - `wirings`: a list of wirings, or {label: wiring}: makes a dimension `wiring`; `run` finds its own in
      `point["wiring"]`.
    - `dims`: {name: names of the dimensions} of arrays that `run` returns; by default `name_dim0` and so on.
    - `attributes`: {name: value} to be noted in the result; for a variable a dict, such as {"rate": {"units": "Hz"}}.
    - `execution`: `Threads(n)`, the default on a CPU, `Vectorised(chunk)`, the default elsewhere, `Devices(n)`, on
      several devices of this process, or `Dask(client)`, on the workers of a cluster.
    - `store`: path of a zarr store (format 3, with checksums) to be written as runs finish; `open_sweep` reads it.
    - `overwrite`: whether a store that exists is replaced, once the first runs have finished.
    - `resume`: whether to go on with a store that exists; one of another sweep is refused, with what differs.
    - `repair`: whether damaged chunks of such a store are computed again.
    - `throw`: whether a run that raises ends the sweep. By default it is kept in `result`, its numbers missing, and its
      sentence in the attribute `errors`, and a warning counts such runs.
    - `progress`: whether a line is shown on standard error, by default on a terminal.

    **Returns:** an `xarray.Dataset` with one variable a name, of dimensions (axes, wiring, seed, own), and `result`.
    Result codes carry `flag_values` and `flag_meanings`. Attributes: versions, key, platform, float type, the number
    of traces; with a store also hashes of the program and of the arrays it closes over.

    Raises `ValueError` where an argument or what `run` returns does not fit, before any run starts;
    `ImportError` without xarray, or with `store` without zarr; `RuntimeError` where every run raises, or with `throw`
    one, with its point. An interrupt ends the sweep at once, keeps what is stored and says so; compiled runs end by
    themselves. A disk that is full ends the storing and not the sweep, with a warning.

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
    grid = make_grid(over, seeds, wirings)
    check_key(key)
    if not is_concrete(key):
        raise ValueError("`key` has to be known before the sweep: call `sweep` outside jit, vmap and grad.")
    if not isinstance(execution, AbstractExecution | None):
        raise ValueError(
            "`execution` has to be `Threads()`, `Vectorised(chunk)`, `Devices(n)` or `Dask(client)`; got "
            f"{told(execution)}."
        )
    if not isinstance(progress, bool | None):
        raise ValueError(f"`progress` has to be True, False or None; got {told(progress)}.")
    throw = check_yes_or_no("throw", throw)
    place = read_storing(store, overwrite=overwrite, resume=resume, repair=repair)
    execution = default_execution() if execution is None else execution
    execution.check(grid.n_runs)
    found = Store(place.path) if place is not None and place.goes_on() else None
    with contextlib.ExitStack() as stack:
        if found is not None:
            stack.callback(found.close)
        programs = Programs(run, grid, key)
        outputs = with_result(programs.outputs)
        own_dims = name_dims(outputs, dims, grid)
        noted, outputs = add_attributes(attributes, outputs)
        results = Results(grid, outputs)
        noted = {**_attributes(key, len(programs)), **noted}
        execution = execution.settle(programs, None if found is None else found.width)
        if place is not None:
            check_names(outputs)
            noted |= describe_programs(programs, execution.width())
        if found is not None and place is not None:
            check_same(found, results, noted, execution.width())
            found.read_into(results, repair=place.repair)
        storing = None if place is None else Storing(place, found, results, own_dims, noted, execution)
        _run_all(execution, programs, results, storing, ProgressLine("sweep", "runs", grid.n_runs, progress), throw)
    _warn_of_failures(results)
    return results.dataset(own_dims, noted)


def _check_takes_two(run: Callable) -> None:
    try:
        signature = inspect.signature(run)
    except (TypeError, ValueError):
        return  # some callables do not tell
    try:
        signature.bind({}, None)
    except TypeError:
        raise ValueError(f"`run` has to take two arguments, a point and a key; it takes {signature}.") from None


def _run_all(
    execution: AbstractExecution, programs: Programs, results: Results, storing: Storing | None, line: ProgressLine,
    throw: bool,
) -> None:  # fmt: skip
    """Carries out what is not done yet, and stores chunks as they get complete."""
    todo, total = np.flatnonzero(~results.done), results.grid.n_runs
    line(total - len(todo))
    with contextlib.ExitStack() as stack:
        stack.callback(line.close)
        if storing is not None:
            stack.enter_context(storing)
        if len(todo) == 0:
            return
        groups = None if storing is None else storing.groups
        parts = stack.enter_context(contextlib.closing(execution.finished(programs, todo, groups)))
        for part in parts:
            new = results.put(part)
            if part.error is not None and throw:
                place = results.grid.describe(int(part.runs[0]))
                raise RuntimeError(f"`run` failed at {place}: {sentence_of(part.error)}") from part.error
            if storing is not None:
                storing.put(new, part.seconds / len(part.runs))
            line(int(results.done.sum()))
    if len(results.sentences) == total:
        raise RuntimeError(f"`run` failed at every point; the first: {results.sentences[0]}")


def _warn_of_failures(results: Results) -> None:
    if results.sentences:
        n, first = len(results.sentences), results.sentences[min(results.sentences)]
        warnings.warn(
            f"{n} of {results.grid.n_runs} runs raised; the first, {first} `result` of the sweep says which, and its "
            "attribute `errors` why.",
            SweepWarning,
            stacklevel=3,
        )


def _attributes(key: PRNGKeyArray, n_programs: int) -> dict[str, Any]:
    return {
        "jaxneuro": metadata.version("jaxneuro"),
        "jax": jax.__version__,
        "platform": platform(),
        "float": str(jnp.result_type(float)),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
        "key_impl": str(jax.random.key_impl(key)),
        "traces": n_programs,
    }
