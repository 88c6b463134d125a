"""How the runs of a sweep are carried out."""

import abc
import contextlib
import numbers
import os
import queue
import re
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from .._numerics import Shown
from ._grid import Grid
from ._program import Program

# On a GPU: enough small networks to fill it, few enough for their states to fit.
_DEFAULT_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Finished:
    """Runs that have finished, `start` the first: the values of each output, with the runs in front."""

    start: int
    values: list[np.ndarray]


class AbstractExecution(Shown):
    """Carries out the runs of a sweep, in any order; what a run returns does not depend on the others."""

    @abc.abstractmethod
    def check(self, n_runs: int) -> None:
        """Raises `ValueError` where this does not suit a sweep of `n_runs` runs."""

    @abc.abstractmethod
    def finished(self, program: Program, grid: Grid) -> Generator[Finished, None, None]:
        """Yields the runs as they finish; closing it stops the rest."""


class Threads(AbstractExecution):
    """Runs one after another in each of `n` threads, which share one compiled program and all arrays.

    The default on a CPU, where one run fills one core. A result does not depend on `n`, bitwise.
    Every run costs some 0.1 ms beside its own time: for very many very short ones take `Vectorised`.

    **Arguments:** `n`, by default the number of cores that this process may use.

    Raises `ValueError` where `n` is no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> jn.Threads(2).n
    2

    ```
    """

    n: int = eqx.field(static=True)

    def __init__(self, n: int | None = None):
        self.n = _cores() if n is None else _positive("n", n)

    def check(self, n_runs: int) -> None:
        pass  # threads that find no run left just end

    def finished(self, program: Program, grid: Grid) -> Generator[Finished, None, None]:
        compiled = program.compile(None)
        columns = jax.device_put([list(column) for column in grid.columns(np.arange(grid.n_runs))])
        arguments = list(zip(*columns, strict=True))

        def call(run: int) -> Finished:
            return Finished(run, [np.asarray(x)[None] for x in compiled(list(arguments[run]))])

        return _in_threads(call, range(grid.n_runs), min(self.n, grid.n_runs), grid)


class Vectorised(AbstractExecution):
    """Runs `chunk` runs at a time side by side, as `jax.vmap` does; the last chunk is filled up and cut.

    The default on a GPU, with a chunk of 64 or of all runs if they are fewer. What `run` closes over is
    not copied. Against `Threads`, and between chunks of different size, results agree to the rounding
    of the compiler's vector code, and a spike that falls on the other side of a step makes another raster.

    **Arguments:** `chunk`, at most the number of runs of the sweep.

    Raises `ValueError` where `chunk` is no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> jn.Vectorised(chunk=64).chunk
    64

    ```
    """

    chunk: int = eqx.field(static=True)

    def __init__(self, chunk: int):
        self.chunk = _positive("chunk", chunk)

    def check(self, n_runs: int) -> None:
        if self.chunk > n_runs:
            raise ValueError(f"`chunk` is {self.chunk}, more than the {n_runs} runs of the sweep: take a smaller one.")

    def finished(self, program: Program, grid: Grid) -> Generator[Finished, None, None]:
        compiled = program.compile(self.chunk)
        starts = range(0, grid.n_runs, self.chunk)
        runs = [np.minimum(start + np.arange(self.chunk), grid.n_runs - 1) for start in starts]
        arguments = dict(zip(starts, [jax.device_put(grid.columns(r)) for r in runs], strict=True))

        def call(start: int) -> Finished:
            n = min(self.chunk, grid.n_runs - start)
            return Finished(start, [np.asarray(x)[:n] for x in compiled(arguments[start])])

        return _in_threads(call, starts, 1, grid)


def default_execution(n_runs: int) -> AbstractExecution:
    """The one place where the platform decides."""
    return Threads() if jax.default_backend() == "cpu" else Vectorised(min(_DEFAULT_CHUNK, n_runs))


def _in_threads(
    call: Callable[[int], Finished], starts: range, n_threads: int, grid: Grid
) -> Generator[Finished, None, None]:
    """Calls for each start in `n_threads` threads; the caller waits beside them, where an interrupt finds it.

    Compiled code cannot be stopped: an interrupt is raised at once, and each thread ends with the run it is in.
    The interpreter waits for that when it exits, since a thread that comes back to none would abort the process.
    """
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()
    for start in starts:
        waiting.put(start)

    def work() -> None:
        while not stop.is_set():
            try:
                start = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(call(start))
            except BaseException as error:
                done.put((start, error))
                return

    try:
        for _ in range(n_threads):
            threading.Thread(target=work, name="jaxneuro sweep").start()
        for _ in starts:
            answer = done.get()
            if not isinstance(answer, Finished):
                start, error = answer
                place = grid.describe(start) + (" and after" if starts.step > 1 else "")
                raise RuntimeError(f"`run` failed at {place}: {_sentence(error)}") from error
            yield answer
    finally:
        stop.set()


def _sentence(error: BaseException) -> str:
    """The sentence of an error; one out of a compiled program stands in a traceback."""
    raised = re.findall(r"^[\w.]+(?:Error|Exception): (.+)$", str(error), re.MULTILINE)
    lines = raised or [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"`{name}` has to be a whole number of at least 1; got {value!r}.")
    return int(value)


def _cores() -> int:
    with contextlib.suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
