"""Runs on the workers of a Dask cluster, which schedules, repeats and balances them."""

import queue
import sys
import threading
import uuid
from collections import OrderedDict
from collections.abc import Generator
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from .._numerics import install, told
from ._execution import AbstractExecution, Finished, Groups, Threads, Vectorised, batches, positive, sentence_of
from ._program import Programs

if TYPE_CHECKING:
    import distributed

# What a worker has to have in common with the process that sends it runs.
_PACKAGES = ("jaxneuro", "jax", "jaxlib", "numpy")
# Settings of jax that change what a program computes: a worker takes those of the sweep.
_SETTINGS = ("jax_enable_x64", "jax_default_matmul_precision", "jax_numpy_dtype_promotion", "jax_default_prng_impl")
# Seconds until a cluster has its first worker, and between two looks whether its scheduler lives.
_FIRST_WORKER = 60.0
_LOOK = 1.0

# On a worker: the sweeps that it has been given, the latest last, each with its programs compiled once.
_HELD: OrderedDict[str, Programs] = OrderedDict()
_MOST_HELD = 2
_LOCK = threading.Lock()


class Dask(AbstractExecution):
    """Runs on the workers of a cluster of Dask `distributed`, in other processes or on other hosts.

    A task is one chunk of the store. A worker is given what `run` closes over once, and compiles once. Dask repeats
    the tasks of a worker that died, and workers may come and go; the process that calls `jn.sweep` writes the store.
    Results are those of `Threads`, or with a `chunk` of `Vectorised(chunk)`, to the bit, on machines of one kind.

    **Arguments:**

    - `client`: a `distributed.Client`, such as `Client()` for this machine, or of an `SSHCluster`, a
      `dask_jobqueue.SLURMCluster`, a `dask_cuda.LocalCUDACluster`, or the address of a scheduler. Its workers need the
      same versions of jaxneuro, jax and Python.
    - `chunk`: how many runs go side by side on a worker, as on a GPU; by default one after another.

    Raises `ValueError` where `client` is none or is closed, `chunk` is no positive integer, a worker has other
    versions; `RuntimeError` in the sweep where the scheduler is gone.

    ```python
    >>> import jaxneuro as jn
    >>> try:
    ...     jn.Dask("tcp://10.0.0.1:8786")
    ... except ValueError as error:
    ...     print(str(error)[:48])
    `client` has to be a `distributed.Client`; got '

    ```
    """

    client: "distributed.Client" = eqx.field(static=True)
    chunk: int | None = eqx.field(static=True)

    def __init__(self, client: Any, *, chunk: int | None = None):
        try:
            from distributed import Client
        except ImportError as error:
            raise ImportError(f"`Dask` needs distributed: {install('cluster')} (there is no {error.name}).") from error
        if not isinstance(client, Client):
            raise ValueError(f"`client` has to be a `distributed.Client`; got {told(client)}.")
        self.client = client
        self.chunk = None if chunk is None else positive("chunk", chunk)

    def check(self, n_runs: int) -> None:
        if self.chunk is not None and self.chunk > n_runs:
            raise ValueError(f"`chunk` is {self.chunk}, more than the {n_runs} runs of the sweep: take a smaller one.")
        if self.client.status != "running":
            raise ValueError(f"`client` is {self.client.status}: its scheduler cannot be reached; make a new one.")
        self._check_workers()

    def settle(self, programs: Programs, width: int | None) -> AbstractExecution:
        return self

    def width(self) -> int:
        return self.chunk or 0

    def at_once(self) -> int:
        return 1  # a task, of which each worker has one

    def finished(
        self, programs: Programs, runs: np.ndarray, groups: Groups | None = None
    ) -> Generator[Finished, None, None]:
        """As of any execution; `groups` cuts runs into tasks once the first has told how long one takes."""
        work = _Sent.of(programs, Threads(1) if self.chunk is None else Vectorised(self.chunk))
        held = self.client.scatter(work, broadcast=True, hash=False)
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        pending: set[Any] = set()

        def submit(task: np.ndarray, **where: Any) -> None:
            future = self.client.submit(_compute, held, task, pure=False, **where)
            pending.add(future)
            future.add_done_callback(done.put)

        try:
            first, rest = self._first(programs, runs)
            for worker, task in first:
                submit(task, workers=[worker], allow_other_workers=True)
            while pending:
                future = self._next(done)
                pending.discard(future)
                parts = _parts(future)
                yield from parts
                if len(rest):
                    seconds = sum(part.seconds for part in parts) / max(1, sum(len(part.runs) for part in parts))
                    for task in self._tasks(programs, rest, groups, seconds):
                        submit(task)
                    rest = rest[:0]
        finally:
            if self.client.status == "running":
                self.client.cancel(list(pending))

    def _check_workers(self) -> None:
        """Raises `ValueError` where there is no worker, or one of other versions."""
        from distributed import TimeoutError as Late

        try:
            self.client.wait_for_workers(1, timeout=_FIRST_WORKER)
        except (Late, TimeoutError):
            raise ValueError(f"`client` has had no worker for {_FIRST_WORKER:g} s: start some.") from None
        try:
            found: Any = self.client.run(versions)
        except Exception as error:  # of whatever is missing there
            raise ValueError(f"`client` has a worker that cannot load jaxneuro ({sentence_of(error)}).") from None
        for worker, theirs in found.items():
            check_versions(worker, theirs)

    def _workers(self) -> list[str]:
        """The addresses of the workers that there are."""
        found: Any = self.client.nthreads()
        return list(found)

    def _first(self, programs: Programs, runs: np.ndarray) -> tuple[list[tuple[str, np.ndarray]], np.ndarray]:
        """A run, or a batch, for each worker to begin with, and the runs that are left."""
        workers = self._workers()
        single = [runs[i : i + 1] for i in range(min(len(workers), len(runs)))]
        tasks = single if self.chunk is None else batches(programs, runs, self.chunk)[: len(workers)]
        taken = np.concatenate(tasks) if tasks else runs[:0]
        return list(zip(workers, tasks, strict=False)), runs[~np.isin(runs, taken)]

    def _tasks(self, programs: Programs, runs: np.ndarray, groups: Groups | None, seconds: float) -> list[np.ndarray]:
        if self.chunk is not None:
            return batches(programs, runs, self.chunk)
        if groups is not None:
            return groups(runs)
        # About a second of work each, and several for every worker.
        most = max(1, len(runs) // (4 * max(1, len(self._workers()))))
        size = int(min(most, max(1.0, 1.0 / max(seconds, 1e-9))))
        return [runs[i : i + size] for i in range(0, len(runs), size)]

    def _next(self, done: queue.SimpleQueue) -> Any:
        """The next task that has ended; raises `RuntimeError` where the scheduler is gone."""
        while True:
            try:
                return done.get(timeout=_LOOK)
            except queue.Empty:
                if self.client.status != "running":
                    raise _lost() from None


class _Sent(NamedTuple):
    """What a worker is given of a sweep: the pickled function with what it closes over, the settings, how it runs."""

    name: str
    pickled: bytes
    each: AbstractExecution
    settings: dict[str, Any]
    versions: dict[str, str]

    @staticmethod
    def of(programs: Programs, each: AbstractExecution) -> "_Sent":
        import cloudpickle

        try:
            pickled = cloudpickle.dumps((programs.run, programs.grid, programs.key))
        except Exception as error:
            raise ValueError(
                f"`run` cannot be sent to a worker, what it closes over cannot be pickled: {sentence_of(error)}"
            ) from None
        settings = {name: getattr(jax.config, name) for name in _SETTINGS}
        return _Sent(uuid.uuid4().hex, pickled, each, settings, versions())


class _Answer(NamedTuple):
    """What a worker sends back of some runs."""

    runs: np.ndarray
    values: list[np.ndarray]
    seconds: float
    error: str | None


def versions() -> dict[str, str]:
    """What a worker and the sweep have to have in common."""
    return {"python": "{}.{}".format(*sys.version_info[:2]), **{name: metadata.version(name) for name in _PACKAGES}}


def check_versions(worker: str, theirs: dict[str, str], ours: dict[str, str] | None = None) -> None:
    """Raises `ValueError` where a worker has another version."""
    for name, version in (versions() if ours is None else ours).items():
        if theirs.get(name) != version:
            raise ValueError(
                f"`client`: the worker {worker} has {name} {theirs.get(name)}, the sweep {version}: install the same."
            )


def _compute(work: _Sent, runs: np.ndarray) -> list[_Answer]:
    """On a worker: some runs."""
    programs, found = _held(work), []
    for part in work.each.finished(programs, runs):
        error = None if part.error is None else sentence_of(part.error)
        found.append(_Answer(part.runs, part.values, part.seconds, error))
    return found


def _held(work: _Sent) -> Programs:
    """On a worker: the programs of a sweep, traced when the first of its tasks comes."""
    import cloudpickle

    with _LOCK:
        if work.name not in _HELD:
            check_versions("of this task", versions(), work.versions)
            for name, value in work.settings.items():
                if getattr(jax.config, name) != value:
                    jax.config.update(name, value)
            _HELD[work.name] = Programs(*cloudpickle.loads(work.pickled))
            while len(_HELD) > _MOST_HELD:
                _HELD.popitem(last=False)
        return _HELD[work.name]


def _parts(future: Any) -> list[Finished]:
    """The runs of a task that has ended; raises `RuntimeError` where it could not be carried out."""
    from concurrent.futures import CancelledError

    try:
        answers = future.result()
    except CancelledError:
        raise _lost() from None
    except Exception as error:
        if type(error).__name__ == "KilledWorker":
            raise RuntimeError(
                "Workers of the cluster died again and again at the same task, mostly for want of memory: give them "
                "more, or fewer threads each."
            ) from None
        raise RuntimeError(f"A worker of the cluster could not carry out its task: {sentence_of(error)}") from None
    return [Finished(a.runs, a.values, a.seconds, None if a.error is None else RuntimeError(a.error)) for a in answers]


def _lost() -> RuntimeError:
    return RuntimeError(
        "The scheduler of the cluster is gone, or all workers that held the sweep are: start the cluster again, and go "
        "on with `resume=True` where there is a `store`."
    )
