"""How the runs of a sweep are carried out."""

import abc
import contextlib
import math
import numbers
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from .._numerics import Shown, platform, told
from ._program import Programs

# More side by side is no faster: on a CPU their states leave the cache, on a GPU it is full.
_MOST_SIDE_BY_SIDE = {"cpu": 64}
_MOST_ELSEWHERE = 1024
# Of the memory that is free; the rest is for what comes and goes.
_SHARE = 0.5
_PROBED = 4


@dataclass(frozen=True, eq=False)
class Finished:
    """Runs that have finished: their numbers, the values of each output with the runs in front, the seconds it took.

    With an `error` there are no values.
    """

    runs: np.ndarray
    values: list[np.ndarray]
    seconds: float
    error: BaseException | None = None


# Runs in parts that are stored together.
Groups = Callable[[np.ndarray], list[np.ndarray]]


class AbstractExecution(Shown):
    """Carries out the runs of a sweep, in any order; what a run returns does not depend on the others."""

    @abc.abstractmethod
    def check(self, n_runs: int) -> None:
        """Raises `ValueError` where this does not suit a sweep of `n_runs` runs."""

    @abc.abstractmethod
    def settle(self, programs: Programs, width: int | None) -> "AbstractExecution":
        """The execution with nothing left open; `width` is that of the store which it goes on with, if any."""

    @abc.abstractmethod
    def width(self) -> int:
        """How many runs go side by side in one program, 0 where it holds one: bits may depend on it."""

    @abc.abstractmethod
    def at_once(self) -> int:
        """How many runs are under way at a time."""

    @abc.abstractmethod
    def finished(
        self, programs: Programs, runs: np.ndarray, groups: Groups | None = None
    ) -> Generator[Finished, None, None]:
        """Yields at least the runs of the given numbers as they finish; closing it stops the rest.

        `groups` tells, once the first has been taken, which runs are stored together.
        """


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
        self.n = _cores() if n is None else positive("n", n)

    def check(self, n_runs: int) -> None:
        pass  # threads that find no run left just end

    def settle(self, programs: Programs, width: int | None) -> AbstractExecution:
        return self

    def width(self) -> int:
        return 0

    def at_once(self) -> int:
        return self.n

    def finished(
        self, programs: Programs, runs: np.ndarray, groups: Groups | None = None
    ) -> Generator[Finished, None, None]:
        compiled = {s: programs.at(run).compile(None) for s, run in _firsts(programs, runs)}
        columns = jax.device_put([list(column) for column in programs.grid.columns(runs)])
        arguments = dict(zip(runs.tolist(), zip(*columns, strict=True), strict=True))

        def call(run: int) -> list[Finished]:
            begin = time.perf_counter()
            call_one = compiled[int(programs.structures[run])]
            try:
                values = [np.asarray(x)[None] for x in call_one(list(arguments[run]))]
            except Exception as error:
                return [Finished(np.asarray([run]), [], time.perf_counter() - begin, error)]
            return [Finished(np.asarray([run]), values, time.perf_counter() - begin)]

        return _in_threads(call, runs.tolist(), min(self.n, len(runs)))


class Vectorised(AbstractExecution):
    """Runs `chunk` runs at a time side by side, as `jax.vmap` does; the last chunk is filled up and cut.

    The default on a GPU. What `run` closes over is not copied. Where memory does not suffice the chunk is halved.
    Against `Threads`, and between chunks of different size, results agree to the rounding of the compiler's vector
    code, and a spike that falls on the other side of a step makes another raster.

    **Arguments:** `chunk`, at most the number of runs of the sweep; by default what half of the free memory holds, as
    the compiled program tells, on a CPU at most 64.

    Raises `ValueError` where `chunk` is no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> jn.Vectorised(chunk=64).chunk
    64

    ```
    """

    chunk: int | None = eqx.field(static=True)

    def __init__(self, chunk: int | None = None):
        self.chunk = None if chunk is None else positive("chunk", chunk)

    def check(self, n_runs: int) -> None:
        if self.chunk is not None and self.chunk > n_runs:
            raise ValueError(f"`chunk` is {self.chunk}, more than the {n_runs} runs of the sweep: take a smaller one.")

    def settle(self, programs: Programs, width: int | None) -> AbstractExecution:
        return self if self.chunk is not None else Vectorised(width or _fitting(programs))

    def width(self) -> int:
        return self.chunk or 0

    def at_once(self) -> int:
        return self.chunk or 1

    def finished(
        self, programs: Programs, runs: np.ndarray, groups: Groups | None = None
    ) -> Generator[Finished, None, None]:
        assert self.chunk is not None, "settled before"
        return _side_by_side(programs, runs, self.chunk, ())


class Devices(AbstractExecution):
    """Runs `chunk` runs at a time on each of `n` devices of this process, side by side on a device.

    Each device goes on by itself; what `run` closes over is copied to all of them. Where memory does not suffice the
    chunk is halved. A result does not depend on `n`: it is that of `Vectorised(chunk)`, to the bit.

    **Arguments:** `n`, by default all devices that JAX sees; `chunk`, by default as of `Vectorised`, and no more than
    gives every device one.

    Raises `ValueError` where `n` is no positive integer or more devices than there are, or `chunk` no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> jn.Devices(1, chunk=16).n
    1

    ```
    """

    n: int = eqx.field(static=True)
    chunk: int | None = eqx.field(static=True)

    def __init__(self, n: int | None = None, *, chunk: int | None = None):
        there = len(jax.local_devices(backend=platform()))
        self.n = there if n is None else positive("n", n)
        if self.n > there:
            raise ValueError(f"`n` is {self.n}, and JAX sees {there} of these devices: {platform()}.")
        self.chunk = None if chunk is None else positive("chunk", chunk)

    def check(self, n_runs: int) -> None:
        if self.chunk is not None and self.chunk > n_runs:
            raise ValueError(f"`chunk` is {self.chunk}, more than the {n_runs} runs of the sweep: take a smaller one.")

    def settle(self, programs: Programs, width: int | None) -> AbstractExecution:
        if self.chunk is not None:
            return self
        fair = math.ceil(programs.grid.n_runs / self.n)
        return Devices(self.n, chunk=width or min(_fitting(programs), fair))

    def width(self) -> int:
        return self.chunk or 0

    def at_once(self) -> int:
        return self.n * (self.chunk or 1)

    def finished(
        self, programs: Programs, runs: np.ndarray, groups: Groups | None = None
    ) -> Generator[Finished, None, None]:
        assert self.chunk is not None, "settled before"
        return _side_by_side(programs, runs, self.chunk, tuple(jax.local_devices(backend=platform())[: self.n]))


def _side_by_side(
    programs: Programs, runs: np.ndarray, chunk: int, over: tuple[Any, ...]
) -> Generator[Finished, None, None]:
    """`chunk` runs at a time, on each of the devices that they go `over`."""
    share = max(len(over), 1)
    cut = batches(programs, runs, chunk * share)
    compiled = {(s, chunk): programs.at(run).compile(chunk * share, over) for s, run in _firsts(programs, runs)}
    widest = [chunk]  # lowered for good by the first batch that does not fit

    def compute(lanes: np.ndarray, width: int) -> list[np.ndarray]:
        name = (int(programs.structures[lanes[0]]), width)
        if name not in compiled:
            compiled[name] = programs.at(int(lanes[0])).compile(width * share, over)
        columns = programs.grid.columns(lanes[np.minimum(np.arange(width * share), len(lanes) - 1)])
        given: Any = list(columns) if over else jax.device_put(columns)
        return [np.asarray(x)[: len(lanes)] for x in compiled[name](given)]

    def fit(lanes: np.ndarray) -> list[np.ndarray]:
        width = widest[0]
        try:
            parts = [compute(lanes[i : i + width * share], width) for i in range(0, len(lanes), width * share)]
        except Exception as error:
            if width == 1 or not _is_out_of_memory(error):
                raise
            widest[0] = math.ceil(width / 2)
            return fit(lanes)
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]

    def call(batch: int) -> list[Finished]:
        lanes, begin = cut[batch], time.perf_counter()
        try:
            return [Finished(lanes, fit(lanes), time.perf_counter() - begin)]
        except Exception:
            return [_alone(run, compute, widest[0]) for run in lanes.tolist()]

    return _in_threads(call, range(len(cut)), 1)


def default_execution() -> AbstractExecution:
    """The one place where the platform decides."""
    return Threads() if platform() == "cpu" else Vectorised()


def _alone(run: int, compute: Callable[[np.ndarray, int], list[np.ndarray]], width: int) -> Finished:
    """One run of a batch that raised, in every lane of the batch, so that it alone decides."""
    begin, one = time.perf_counter(), np.asarray([run])
    try:
        return Finished(one, compute(one, width), time.perf_counter() - begin)
    except Exception as error:
        return Finished(one, [], time.perf_counter() - begin, error)


def _firsts(programs: Programs, runs: np.ndarray) -> list[tuple[int, int]]:
    """Each structure among the runs, with its first run."""
    found, places = np.unique(programs.structures[runs], return_index=True)
    return [(int(structure), int(runs[place])) for structure, place in zip(found, places, strict=True)]


def batches(programs: Programs, runs: np.ndarray, chunk: int) -> list[np.ndarray]:
    """The batches of the whole sweep that hold one of the runs: a run has its neighbours whatever is already done."""
    wanted, found = np.zeros(programs.grid.n_runs, bool), []
    wanted[runs] = True
    for structure, _ in _firsts(programs, runs):
        own = np.flatnonzero(programs.structures == structure)
        batches = (own[i : i + chunk] for i in range(0, len(own), chunk))
        found += [batch for batch in batches if wanted[batch].any()]
    return found


def _fitting(programs: Programs) -> int:
    """How many runs side by side the free memory holds, in batches of nearly equal size."""
    n_runs = programs.grid.n_runs
    most = min(n_runs, _MOST_SIDE_BY_SIDE.get(platform(), _MOST_ELSEWHERE))
    probed = min(n_runs, _PROBED)
    needed = 0
    for lowered in programs.lowered(probed):
        analysis = lowered.executable().memory_analysis()
        if analysis is not None:
            needed = max(needed, analysis.temp_size_in_bytes + analysis.output_size_in_bytes)
    free = free_bytes()
    if needed > 0 and free is not None:
        most = max(1, min(most, int(_SHARE * free / (needed / probed))))
    return math.ceil(n_runs / math.ceil(n_runs / most))


def free_bytes() -> int | None:
    """Free memory of the device that runs go on, where that is known."""
    stats = jax.local_devices(backend=platform())[0].memory_stats()
    if stats is not None and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    with contextlib.suppress(AttributeError, ValueError, OSError):  # not on every system
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


def _in_threads(
    call: Callable[[int], list[Finished]], starts: Sequence[int], n_threads: int
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
                done.put(error)
                return

    try:
        for _ in range(n_threads):
            threading.Thread(target=work, name="jaxneuro sweep").start()
        for _ in starts:
            answer = done.get()
            if isinstance(answer, BaseException):
                raise answer
            yield from answer
    finally:
        stop.set()


def sentence_of(error: BaseException) -> str:
    """The sentence of an error; one out of a compiled program stands in a traceback."""
    raised = re.findall(r"^[\w.]+(?:Error|Exception): (.+)$", str(error), re.MULTILINE)
    lines = raised or [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"`{name}` has to be a whole number of at least 1; got {told(value)}.")
    return int(value)


def _cores() -> int:
    with contextlib.suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
