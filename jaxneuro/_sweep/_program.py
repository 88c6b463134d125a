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


class Program:
    """One run as a function of the values of its point, the key and the number of the seed."""

    def __init__(self, run: Callable, grid: Grid, key: PRNGKeyArray):
        run, names = _undecorated(run), tuple(grid.axes)
        outputs: list[Output] = []

        def one(values: tuple[Array, ...], key: PRNGKeyArray, seed: Array) -> list[Array]:
            point = Point(zip(names, values, strict=True))
            try:
                returned = run(point, jax.random.fold_in(key, seed))
            except jax.errors.ConcretizationTypeError as error:
                raise ValueError(
                    "`run` is traced once for all points, and Python cannot read a number of its point or what follows "
                    "from it, as `if`, `float`, `int` and `range` do: use `jnp.where` or `jax.lax.cond`, or loop over "
                    "that axis outside the sweep."
                ) from error
            found, arrays = read_outputs(returned)
            outputs[:] = found
            return arrays

        *values, seed = jax.device_put([column[0] for column in grid.columns(np.zeros(1, int))])
        converted = eqx.filter_closure_convert(one, tuple(values), key, seed)
        shared, self._static = eqx.partition(converted, eqx.is_array_like)
        leaves, self._structure = jax.tree_util.tree_flatten(shared)
        # What `run` closes over: the arrays themselves, not copies, handed to every call.
        self._shared = [jnp.asarray(leaf) for leaf in leaves]
        self._key = key
        self._types = [jax.ShapeDtypeStruct((), x.dtype) for x in (*values, seed)]
        self.outputs = outputs

    def compile(self, width: int | None) -> Callable[[list[Array]], list[Array]]:
        """The program for one run, or for `width` runs side by side: from columns of values and seeds to outputs."""
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
        compiled = _compiled(call, [*self._shared, self._key, *columns])
        head = [*self._shared, self._key]
        return lambda columns: compiled([*head, *columns])


def _undecorated(run: Callable) -> Callable:
    """`run` without `jax.jit` around it, inside which the arrays that it closes over could not be found."""
    jitted: Any = (type(jax.jit(lambda: None)), type(eqx.filter_jit(lambda: None)))
    while isinstance(run, jitted):
        run = run.__wrapped__
    return run


def _compiled(function: Callable, arguments: list[Any]) -> Callable:
    """The compiled program, from the last ones where its text is the same."""
    lowered = jax.jit(function, keep_unused=True).lower(arguments)
    text = lowered.as_text()
    if len(text) > _LONGEST_TEXT:
        raise ValueError(
            f"`run` calls a jitted function that closes over arrays of about {len(text) / 2e6:.0f} MB, which would "
            "become part of the program: pass them to that function as arguments, or drop its `jax.jit`."
        )
    if not _is_complete(text, len(arguments)):
        return lowered.compile()
    devices = {str(d) for x in arguments if isinstance(x, jax.Array) for d in x.devices()}
    types = tuple((x.shape, str(x.dtype)) for x in arguments)
    name = (hashlib.sha256(text.encode()).hexdigest(), types, tuple(sorted(devices)))
    with _LOCK:
        compiled = _KEPT.get(name)
    if compiled is None:
        compiled = lowered.compile()
    with _LOCK:
        _KEPT[name] = compiled
        _KEPT.move_to_end(name)
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return compiled


def _is_complete(text: str, n_arguments: int) -> bool:
    """Whether the text says all: a callback into Python or an argument that JAX adds by itself is not in it."""
    signature = re.search(r"func\.func public @main\((.*)", text)
    calls_python = "callback" in text or "host_transfer" in text
    return not calls_python and signature is not None and signature[1].count("%arg") == n_arguments
