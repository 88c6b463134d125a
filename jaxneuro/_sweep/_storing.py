"""When a sweep writes what to its store, and what it asks of a store that it goes on with."""

import contextlib
import hashlib
import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np

from .._numerics import check_yes_or_no, told
from ._execution import AbstractExecution
from ._outputs import Output
from ._program import Programs
from ._results import Results, SweepWarning
from ._store import Store, check_store, create_store
from ._tiles import tile_of

# A chunk is about as much work, so that a kill costs little and storing costs little.
_SECONDS_A_CHUNK = 1.0
# Flags of the compiler that change no bit of a run.
_HARMLESS_FLAGS = ("--xla_force_host_platform_device_count", "--xla_dump")


@dataclass(frozen=True)
class Place:
    """Where a sweep is stored, and what may happen to what is there."""

    path: Path
    overwrite: bool
    resume: bool
    repair: bool

    def goes_on(self) -> bool:
        """Whether there is a store to go on with."""
        return self.resume and self.path.exists()


def read_storing(store: Any, *, overwrite: Any, resume: Any, repair: Any) -> Place | None:
    """Checks the arguments about the store; raises `ValueError`."""
    given = {"overwrite": overwrite, "resume": resume, "repair": repair}
    flags = {name: check_yes_or_no(name, value) for name, value in given.items()}
    for name, value in flags.items():
        if value and store is None:
            raise ValueError(f"`{name}` is about a `store`, and none is given.")
    if flags["overwrite"] and flags["resume"]:
        raise ValueError("`overwrite` begins anew and `resume` goes on: give one of the two.")
    if flags["repair"] and not flags["resume"]:
        raise ValueError("`repair` is about a store that the sweep goes on with: give `resume=True` too.")
    if store is None:
        return None
    return Place(check_store(store, overwrite=flags["overwrite"], resume=flags["resume"]), **flags)


def add_attributes(attributes: Any, outputs: list[Output]) -> tuple[dict[str, Any], list[Output]]:
    """The attributes of the Dataset, and the variables with theirs; raises `ValueError`."""
    if attributes is None:
        return {}, outputs
    if not isinstance(attributes, Mapping) or not all(isinstance(name, str) for name in attributes):
        raise ValueError(f"`attributes` has to be a dict, of dicts for variables; got {told(attributes)}.")
    own = {name: dict(value) for name, value in attributes.items() if isinstance(value, Mapping)}
    unknown = sorted(set(own) - {output.name for output in outputs})
    if unknown:
        raise ValueError(f"`attributes` has a dict for {unknown[0]!r}, which is no variable that `run` returns.")
    named = [replace(o, attributes={**o.attributes, **own.get(o.name, {})}) for o in outputs]
    return {name: value for name, value in attributes.items() if name not in own}, named


def describe_programs(programs: Programs, width: int) -> dict[str, str]:
    """What tells this sweep from another: hashes of its programs and of the arrays they close over, and settings."""
    lowered = programs.lowered(width or None)
    names, arrays = hashlib.sha256(), hashlib.blake2b(digest_size=16)
    for one in lowered:
        names.update((one.name or "calls Python").encode())
        for leaf in one.head:
            is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
            value = np.ascontiguousarray(jax.random.key_data(leaf) if is_key else leaf)
            arrays.update(f"{value.dtype} {value.shape}".encode())
            arrays.update(value.view(np.uint8).data if value.size and value.ndim else value.tobytes())
    flags = [f for f in os.environ.get("XLA_FLAGS", "").split() if not f.startswith(_HARMLESS_FLAGS)]
    return {
        "program": "" if any(one.name is None for one in lowered) else names.hexdigest(),
        "arrays": arrays.hexdigest(),
        "matmul_precision": str(jax.config.jax_default_matmul_precision),  # type: ignore[attr-defined]
        "xla_flags": " ".join(flags),
    }


_HASHES = ("arrays", "program")
# What is compared beside the axes, in words.
_SAID = {
    "jaxneuro": "the version of jaxneuro",
    "jax": "the version of jax",
    "platform": "the platform",
    "float": "the float type",
    "key": "`key`",
    "key_impl": "the generator of `key`",
    "arrays": "an array that `run` closes over, such as a wiring",
    "program": "what `run` computes",
    "matmul_precision": "the precision of products",
    "xla_flags": "XLA_FLAGS",
}


def check_same(store: Store, results: Results, noted: Mapping[str, Any], width: int) -> None:
    """Raises `ValueError` where the store is that of another sweep, and says what differs."""
    for name, (_, values) in results.grid.coordinates.items():
        found = store.coordinate(name)
        if found is None:
            _refuse(store, f"the axis {name!r}, which the store does not have")
        elif found.shape != values.shape or found.dtype.kind != values.dtype.kind or np.any(found != values):
            _refuse(store, f"the values of {name!r}")
    for output in results.outputs:
        held = store.layout(output.name)
        if held is None or held != (results.grid.shape + output.shape, output.dtype):
            _refuse(store, f"the variable {output.name!r}")
    if width != store.width:
        there, here = (f"batches of {n}" if n else "runs one by one" for n in (store.width, width))
        _refuse(store, f"`execution`: there it had {there}, here {here}, which may round otherwise")
    for name, what in _SAID.items():
        # Of a program that calls Python its text says nothing.
        if noted[name] != store.attributes.get(name) and not (name == "program" and not noted[name]):
            values = f": there it was {store.attributes.get(name)}, here it is {noted[name]}"
            _refuse(store, what if name in _HASHES else what + values)


def _refuse(store: Store, what: str) -> None:
    raise ValueError(
        f"`store` {store.path} is that of another sweep; what differs is {what}. Make it the same, give another name, "
        "or `overwrite=True`."
    )


class Storing:
    """Writes each chunk once all of its runs have finished; a context, which says at its end what is stored.

    Where the disk refuses, runs go on without a store, and a warning says so.
    """

    def __init__(
        self, place: Place, store: Store | None, results: Results, own_dims: dict[str, tuple[str, ...]],
        attributes: dict[str, Any], execution: AbstractExecution,
    ):  # fmt: skip
        self._place, self._store, self._results = place, store, results
        self._own_dims, self._attributes, self._execution = own_dims, attributes, execution
        self._stored = int(results.done.sum())
        self._is_new = store is None
        self._failed: OSError | None = None

    def __enter__(self) -> "Storing":
        return self

    def put(self, runs: np.ndarray, seconds: float) -> None:
        """Stores the chunks that these runs, `seconds` for one, have completed."""
        if self._failed is not None or len(runs) == 0:
            return
        try:
            store = self._begun(seconds)
            tiles = store.tiles(self._results.grid)
            for tile in sorted(tiles.of(runs)):
                held = tiles.runs(tile)
                if self._results.done[held].all():
                    store.write(self._results, tile)
                    self._stored += len(held)
        except OSError as error:
            self._failed = error

    def groups(self, runs: np.ndarray) -> list[np.ndarray]:
        """The runs chunk by chunk, as they are stored; in one piece each where nothing can be stored."""
        if self._store is None:
            return [runs[i : i + 1] for i in range(len(runs))]
        tiles = self._store.tiles(self._results.grid)
        return [np.intersect1d(runs, tiles.runs(tile)) for tile in sorted(tiles.of(runs))]

    def _begun(self, seconds: float) -> Store:
        """The store, made when the first run has told how long one takes."""
        if self._store is None:
            place, grid = self._place, self._results.grid
            check_store(
                place.path, overwrite=place.overwrite, resume=place.resume
            )  # it may have come into being meanwhile
            wanted = math.ceil(_SECONDS_A_CHUNK * self._execution.at_once() / max(seconds, 1e-9))
            if self._execution.width():
                wanted = max(1, math.ceil(_SECONDS_A_CHUNK / max(seconds, 1e-9)))
            structured = [any(axis.objects is not None for axis in d.axes) for d in grid.dimensions]
            shape = tuple(1 if own else size for own, size in zip(structured, grid.shape, strict=True))
            self._store = create_store(
                place.path, self._results, self._own_dims, self._attributes,
                tile=tile_of(shape, min(wanted, grid.n_runs)), width=self._execution.width(),
            )  # fmt: skip
        return self._store

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        store, place = self._store, self._place.path
        if store is not None:
            with contextlib.closing(store):
                if error is not None and self._is_new and self._stored == 0:
                    store.remove()
                    return
        kept = f"{self._stored} of {self._results.grid.n_runs} runs are stored"
        if isinstance(error, KeyboardInterrupt) and store is not None:
            sentence = f"interrupted; {kept} in {place}, and `resume=True` goes on from there."
            raise KeyboardInterrupt(sentence) from None
        if error is None and self._failed is not None:
            why = self._failed.strerror or str(self._failed)
            warnings.warn(
                f"`store` {place} could not be written ({why}): {kept}; what the sweep returns is whole.",
                SweepWarning,
                stacklevel=4,
            )
