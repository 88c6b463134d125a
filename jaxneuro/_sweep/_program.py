"""`run` as one compiled program, in which whatever it closes over is an argument."""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PRNGKeyArray

from ._grid import Grid
from ._outputs import Output, read_outputs

# Programs are kept by their text, so that a sweep with new values, or a new wiring, compiles nothing.
_KEPT: OrderedDict[tuple, Any] = OrderedDict()
_MOST_KEPT = 16
_LOCK = threading.Lock()
# Two hexadecimal digits a byte: about 32 MB of arrays that have become part of the program.
_LONGEST_TEXT = 64_000_000


class Point(dict):
    """The numbers of one point by the name of their axis."""

    def __missing__(self, name: Any) -> None:
        raise KeyError(f"`run` asks its point for {name!r}; the axes are {', '.join(self)}.")


class Lowered:
    """A program before it is compiled: its text, and what of it is an argument."""

    def __init__(self, function: Callable, head: list[Any], columns: list[Any], over: tuple[Any, ...] = ()):
        """With devices that it goes `over`, each has a part of the columns, and all of the rest."""
        if over:
            function, head, columns = _on_each(function, head, columns, over)
        arguments = [*head, *columns]
        self._lowered = jax.jit(function, keep_unused=True).lower(arguments)
        text = self._lowered.as_text()
        if len(text) > _LONGEST_TEXT:
            raise ValueError(
                f"`run` calls a jitted function that closes over arrays of about {len(text) / 2e6:.0f} MB, which would "
                "become part of the program: pass them to that function as arguments, or drop its `jax.jit`."
            )
        self.head = head
        # A program that calls back into Python is not told by its text, and is compiled for every sweep.
        self.name = hashlib.sha256(text.encode()).hexdigest() if _is_complete(text, len(arguments)) else None
        devices = {str(d) for x in arguments if isinstance(x, jax.Array) for d in x.devices()}
        types = tuple((x.shape, str(x.dtype)) for x in arguments)
        self._place = (self.name, types, tuple(sorted(devices)), tuple(str(device) for device in over))

    def compile(self) -> Callable[[list[Array]], list[Array]]:
        """A function of the columns, compiled now or out of the last ones."""
        compiled = self.executable()
        return lambda columns: compiled([*self.head, *columns])

    def executable(self) -> Any:
        """The compiled program, from the last ones where its text is the same."""
        if self.name is None:
            return self._lowered.compile()
        with _LOCK:
            compiled = _KEPT.get(self._place)
        if compiled is None:
            compiled = self._lowered.compile()
        with _LOCK:
            _KEPT[self._place] = compiled
            _KEPT.move_to_end(self._place)
            while len(_KEPT) > _MOST_KEPT:
                _KEPT.popitem(last=False)
        return compiled


class Program:
    """The runs of a sweep that share their objects: functions of the numbers of a point, the key and a seed."""

    def __init__(self, run: Callable, grid: Grid, key: PRNGKeyArray, first: int):
        """Traced at the run numbered `first`."""
        run, objects = _undecorated(run), grid.objects(first)
        names = [name for name in grid.axes if name not in objects]
        outputs: list[Output] = []

        def one(values: tuple[Array, ...], key: PRNGKeyArray, seed: Array) -> list[Array]:
            known = {**dict(zip(names, values, strict=True)), **objects}
            point = Point((name, known[name]) for name in grid.axes)
            try:
                returned = run(point, jax.random.fold_in(key, seed))
            except jax.errors.ConcretizationTypeError as error:
                raise ValueError(
                    "`run` is traced once for all points, and Python cannot read a number of its point or what follows "
                    "from it, as `if`, `float`, `int` and `range` do: use `jnp.where` or `jax.lax.cond`, or give whole "
                    "numbers that change the program as `jn.Structural(values)`."
                ) from error
            found, arrays = read_outputs(returned)
            outputs[:] = found
            return arrays

        *values, seed = jax.device_put([column[0] for column in grid.columns(np.asarray([first]))])
        converted = eqx.filter_closure_convert(one, tuple(values), key, seed)
        shared, self._static = eqx.partition(converted, eqx.is_array_like)
        leaves, self._structure = jax.tree_util.tree_flatten(shared)
        # What `run` closes over: the arrays themselves, not copies, handed to every call.
        self._shared = [jnp.asarray(leaf) for leaf in leaves]
        self._key = key
        self._types = [jax.ShapeDtypeStruct((), x.dtype) for x in (*values, seed)]
        self.outputs = outputs
        self._compiled: dict[tuple, Callable] = {}
        self._lock = threading.Lock()

    def lower(self, width: int | None, over: tuple[Any, ...] = ()) -> Lowered:
        """The program for one run, or for `width` runs side by side: from columns of values and seeds to outputs.

        With devices that it goes `over`, each has an equal part of the runs.
        """
        n_shared, n_values = len(self._shared), len(self._types) - 1

        def call(arguments: list[Array]) -> list[Array]:
            shared = jax.tree_util.tree_unflatten(self._structure, arguments[:n_shared])
            converted: Any = eqx.combine(shared, self._static)

            def one(values: tuple[Array, ...], key: PRNGKeyArray, seed: Array) -> list[Array]:
                return [jnp.asarray(x) for x in converted(values, key, seed)]  # an output may be a plain number

            key, *columns = arguments[n_shared:]
            if width is None:
                return one(tuple(columns[:n_values]), key, columns[-1])
            # Mapped over points and seeds alone: what is shared stays one array.
            return jax.vmap(lambda values, seed: one(values, key, seed))(tuple(columns[:n_values]), columns[-1])

        shape = () if width is None else (width,)
        columns = [jax.ShapeDtypeStruct(shape, x.dtype) for x in self._types]
        return Lowered(call, [*self._shared, self._key], columns, over)

    def compile(self, width: int | None, over: tuple[Any, ...] = ()) -> Callable[[list[Array]], list[Array]]:
        """What `lower` gives, ready to be called; once for each width."""
        with self._lock:
            if (width, over) not in self._compiled:
                self._compiled[width, over] = self.lower(width, over).compile()
            return self._compiled[width, over]


class Programs:
    """The programs of a sweep, one for each combination of its objects."""

    def __init__(self, run: Callable, grid: Grid, key: PRNGKeyArray):
        self.run, self.grid, self.key = run, grid, key
        self.structures = grid.structures()
        firsts = np.unique(self.structures, return_index=True)[1]
        self._programs = {int(self.structures[first]): Program(run, grid, key, int(first)) for first in firsts}
        self.outputs = self._programs[int(self.structures[0])].outputs
        for first in firsts[1:]:
            found = self._programs[int(self.structures[first])].outputs
            if [(o.name, o.shape, o.dtype) for o in found] != [(o.name, o.shape, o.dtype) for o in self.outputs]:
                shown = [", ".join(f"{o.name} {o.dtype}{list(o.shape)}" for o in x) for x in (self.outputs, found)]
                raise ValueError(
                    f"`run` returns {shown[0]} at {grid.describe(0)} and {shown[1]} at {grid.describe(int(first))}: "
                    "names, shapes and types have to be the same at every point; return a summary that they share."
                )

    def at(self, run: int) -> Program:
        """The program of a run."""
        return self._programs[int(self.structures[run])]

    def lowered(self, width: int | None) -> list[Lowered]:
        """All of them."""
        return [program.lower(width) for program in self._programs.values()]

    def __len__(self) -> int:
        return len(self._programs)


def _on_each(
    function: Callable, head: list[Any], columns: list[Any], over: tuple[Any, ...]
) -> tuple[Callable, list[Any], list[Any]]:
    """The function on each device by itself, with a part of the columns and all of the head, which is copied to all.

    In one program for the runs of all devices a loop would wait for the longest of them.
    """
    mesh = Mesh(np.asarray(over), "runs")
    shared, parted = PartitionSpec(), PartitionSpec("runs")
    own = [jax.ShapeDtypeStruct((x.shape[0] // len(over),), x.dtype) for x in columns]
    traced = jaxpr_as_fun(jax.make_jaxpr(function)([*head, *own]))
    spread = jax.shard_map(
        lambda arguments: traced(*arguments),
        mesh=mesh,
        in_specs=([shared] * len(head) + [parted] * len(columns),),
        out_specs=parted,
        check_vma=False,
    )
    placed = [jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=NamedSharding(mesh, parted)) for x in columns]
    return spread, jax.device_put(head, NamedSharding(mesh, shared)), placed


def _undecorated(run: Callable) -> Callable:
    """`run` without `jax.jit` around it, inside which the arrays that it closes over could not be found."""
    jitted: Any = (type(jax.jit(lambda: None)), type(eqx.filter_jit(lambda: None)))
    while isinstance(run, jitted):
        run = run.__wrapped__
    return run


def _is_complete(text: str, n_arguments: int) -> bool:
    """Whether the text says all: a callback into Python or an argument that JAX adds by itself is not in it."""
    signature = re.search(r"func\.func public @main\((.*)", text)
    calls_python = "callback" in text or "host_transfer" in text
    return not calls_python and signature is not None and signature[1].count("%arg") == n_arguments
