"""Delivery through lists of targets by a kernel that numba compiles and XLA calls, on a CPU.

The kernel reads XLA's call frame itself, so that neither a compiler nor a binding is needed. Its layout is that of
version 0 of XLA's foreign function interface (xla/ffi/api/c_api.h); offsets below are in words of 8 bytes.
"""

import ctypes
import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Integer, Real

EXTENSION, API, STAGE, ARGUMENTS, RESULTS = 1, 2, 4, 9, 14  # of XLA_FFI_CallFrame
API_VERSION = 4  # of XLA_FFI_Api: size, extension, and a version that begins with size and extension
METADATA = 3  # of XLA_FFI_Metadata_Extension: size, type, next, metadata
VERSION, TRAITS, STATE_TYPE = 3, 4, 5  # of XLA_FFI_Metadata
DATA, DIMENSIONS = 3, 5  # of XLA_FFI_Buffer: size, extension, dtype, data, rank, dims
EXECUTE = 3  # the stage in which there is work to do

registered: list[Any] = []  # XLA keeps addresses only: the kernels have to live as long as the process


def push_natively(
    pending: Real[Array, "rows n_post"],
    spikes: Bool[Array, "time n_pre"],
    offsets: Int[Array, "n_pre_and_1"],
    targets: Integer[Array, "nnz"],
    steps: Integer[Array, "nnz"] | None,
    weights: Real[Array, "nnz"] | None,
    offset: Int[Array, ""],
) -> Real[Array, "rows n_post"]:
    """`pending` with one more arrival, or its weight, for every synapse of every spike; in place where XLA can.

    A spike of row t on a synapse of d steps arrives in row t + d - `offset`, without `steps` in row t. Spikes are
    delivered in their order, so that sums of floats do not depend on where a run is cut.
    """
    of = [None if x is None else np.dtype(x.dtype) for x in (steps, weights)]
    name = _kernel_name(np.dtype(pending.dtype), np.dtype(targets.dtype), *of)
    call = jax.ffi.ffi_call(name, jax.ShapeDtypeStruct(pending.shape, pending.dtype), input_output_aliases={0: 0})
    at_once = jnp.zeros(1, jnp.int16) if steps is None else steps
    each = jnp.ones(1, jnp.float32) if weights is None else weights
    return call(pending, spikes, offsets, targets, at_once, offset[None], each)


@lru_cache
def _kernel_name(count: np.dtype, target: np.dtype, step: np.dtype | None, weight: np.dtype | None) -> str:
    """Compiles and registers the kernel for these types, once, and returns the name XLA knows it by."""
    name = "_".join(["jaxneuro_push", count.name, target.name, f"delays_{step}", f"weights_{weight}"])
    kernel = _push_function(step is not None, weight is not None)
    known = (count, target, step or np.dtype(np.int16), weight or np.dtype(np.float32))
    register(name, _handler(known, kernel))
    return name


def _handler(known: tuple[np.dtype, np.dtype, np.dtype, np.dtype], kernel: Any) -> Any:
    """The function of one call frame (an address in, an error's address or 0 out)."""
    import numba
    from numba import types

    pointer, words, describe = reading()
    count_type, target_type, step_type, weight_type = map(numba.from_dtype, known)
    push = compiled(kernel)

    def handler(frame):
        call = words(frame, 15)
        if call[EXTENSION] != 0:
            describe(frame, call[EXTENSION])
            return 0
        if (call[STAGE] & 0xFFFFFFFF) != EXECUTE:
            return 0
        given = words(call[ARGUMENTS], 7)
        out = words(words(call[RESULTS], 1)[0], 6)
        spikes, offsets, targets = words(given[1], 6), words(given[2], 6), words(given[3], 6)
        n_rows, n_post = words(out[DIMENSIONS], 2)[0], words(out[DIMENSIONS], 2)[1]
        n_steps, n_pre = words(spikes[DIMENSIONS], 2)[0], words(spikes[DIMENSIONS], 2)[1]
        nnz = words(targets[DIMENSIONS], 1)[0]
        rows = numba.carray(pointer(out[DATA], count_type), (n_rows * n_post,))
        before = words(given[0], 6)[DATA]
        if before != out[DATA]:  # XLA could not give the same memory
            rows[:] = numba.carray(pointer(before, count_type), (n_rows * n_post,))
        push(
            rows,
            numba.carray(pointer(spikes[DATA], types.uint8), (n_steps * n_pre,)),
            numba.carray(pointer(spikes[DATA], types.uint64), (n_steps * n_pre // 8,)),
            numba.carray(pointer(offsets[DATA], types.int32), (n_pre + 1,)),
            numba.carray(pointer(targets[DATA], target_type), (nnz,)),
            numba.carray(pointer(words(given[4], 6)[DATA], step_type), (nnz,)),
            numba.carray(pointer(words(given[5], 6)[DATA], types.int32), (1,))[0],
            numba.carray(pointer(words(given[6], 6)[DATA], weight_type), (nnz,)),
            n_post,
        )
        return 0

    return numba.cfunc(types.intp(types.intp))(inspect.unwrap(handler))


@lru_cache
def compiled(function: Callable) -> Callable:
    """The function in machine code; what type checks wrapped around it is taken off first."""
    import numba

    return numba.njit(nogil=True)(inspect.unwrap(function))


@lru_cache
def reading() -> tuple[Any, Any, Any]:
    """What reads a call frame: a pointer at an address, its words, and the answer where XLA asks what the kernel is."""
    import numba
    from numba import types

    pointer = pointer_to()

    @compiled
    def words(address, n):
        return numba.carray(pointer(address, types.int64), (n,))

    @compiled
    def describe(frame, extension):
        metadata = words(words(extension, 4)[METADATA], 6)
        metadata[VERSION] = words(words(frame, 15)[API], 5)[API_VERSION]
        metadata[TRAITS] = 0
        if metadata[0] > 8 * STATE_TYPE:  # newer versions ask for the type of a state: there is none
            metadata[STATE_TYPE] = 0

    return pointer, words, describe


def register(name: str, handler: Any) -> None:
    """Makes the handler of a call frame known to XLA by this name."""
    function = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(handler.address)
    registered.append((handler, function))
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(function), platform="cpu", api_version=1)


def pointer_to() -> Any:
    """A function of an address and a type that gives a pointer, which numba has no word for."""
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def pointer(typing_context, address, kind):
        result = types.CPointer(kind.dtype)

        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(result))

        return result(address, kind), generate

    return pointer


def _add_one(rows, at, weights, s):
    rows[at] += 1


def _add_weight(rows, at, weights, s):
    rows[at] += weights[s]


def _push_function(delayed: bool, weighted: bool) -> Any:
    add = compiled(_add_weight if weighted else _add_one)

    def push(rows, spikes, words, offsets, targets, steps, shift, weights, n_post):
        n_pre = offsets.size - 1
        index = 0
        while index < spikes.size:
            if index % 8 == 0 and index // 8 < words.size and words[index // 8] == 0:
                index += 8  # eight at once: most are silent
                continue
            if spikes[index]:
                source = index % n_pre
                begin, end = offsets[source], offsets[source + 1]
                if delayed:
                    row = index // n_pre - shift
                    for s in range(begin, end):
                        add(rows, (row + steps[s]) * n_post + targets[s], weights, s)
                else:
                    base = (index // n_pre) * n_post
                    for s in range(begin, end):
                        add(rows, base + targets[s], weights, s)
            index += 1

    return push
