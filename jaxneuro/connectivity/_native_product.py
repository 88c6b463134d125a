"""Products of spikes and a matrix by kernels that numba compiles and XLA calls, on a CPU: a row is read a spike.

The call frame is read as in `_native`.
"""

import inspect
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Bool, Float

from ._native import ARGUMENTS, DATA, DIMENSIONS, EXECUTE, EXTENSION, RESULTS, STAGE, compiled, reading, register


def sum_rows(spikes: Bool[Array, "rows n_pre"], matrix: Float[Array, "n_pre n_post"]) -> Float[Array, "rows n_post"]:
    """The sum of the rows of `matrix` of the sources that spiked."""
    shape = (spikes.shape[0], matrix.shape[1])
    return jax.ffi.ffi_call(_name(np.dtype(matrix.dtype), False), jax.ShapeDtypeStruct(shape, matrix.dtype))(
        spikes, matrix
    )


def add_outer(spikes: Bool[Array, "rows n_pre"], values: Float[Array, "rows n_post"]) -> Float[Array, "n_pre n_post"]:
    """For each source the sum of the rows of `values` in which it spiked: the transpose of `sum_rows`."""
    shape = (spikes.shape[1], values.shape[1])
    return jax.ffi.ffi_call(_name(np.dtype(values.dtype), True), jax.ShapeDtypeStruct(shape, values.dtype))(
        spikes, values
    )


@lru_cache
def _name(dtype: np.dtype, outer: bool) -> str:
    """Compiles and registers the kernel for this type, once, and returns the name XLA knows it by."""
    name = f"jaxneuro_{'add_outer' if outer else 'sum_rows'}_{dtype.name}"
    register(name, _handler(dtype, _outer if outer else _rows))
    return name


def _handler(dtype: np.dtype, kernel: Any) -> Any:
    """The function of one call frame (an address in, an error's address or 0 out)."""
    import numba
    from numba import types

    pointer, words, describe = reading()
    kind = numba.from_dtype(dtype)
    work, events = compiled(kernel), compiled(_events)

    def handler(frame):
        call = words(frame, 15)
        if call[EXTENSION] != 0:
            describe(frame, call[EXTENSION])
            return 0
        if (call[STAGE] & 0xFFFFFFFF) != EXECUTE:
            return 0
        given = words(call[ARGUMENTS], 2)
        spikes, values, out = words(given[0], 6), words(given[1], 6), words(words(call[RESULTS], 1)[0], 6)
        n_rows, n_pre = words(spikes[DIMENSIONS], 2)[0], words(spikes[DIMENSIONS], 2)[1]
        value_rows, n_post = words(values[DIMENSIONS], 2)[0], words(values[DIMENSIONS], 2)[1]
        out_rows = words(out[DIMENSIONS], 2)[0]
        work(
            events,
            numba.carray(pointer(spikes[DATA], types.uint8), (n_rows, n_pre)),
            numba.carray(pointer(values[DATA], kind), (value_rows, n_post)),
            numba.carray(pointer(out[DATA], kind), (out_rows, n_post)),
        )
        return 0

    return numba.cfunc(types.intp(types.intp))(inspect.unwrap(handler))


def _events(row, found):
    """The indices of the spikes of one row, and their number."""
    n = 0
    for i in range(row.size):
        found[n] = i
        n += row[i]
    return n


def _rows(events, spikes, matrix, out):
    n_post = out.shape[1]
    found = np.empty(spikes.shape[1] + 1, np.int32)
    for r in range(spikes.shape[0]):
        n = events(spikes[r], found)
        total = out[r]
        for q in range(n_post):
            total[q] = 0
        k = 0
        while k + 4 <= n:  # four at once: the sum is read and written once for them
            a, b, c, d = matrix[found[k]], matrix[found[k + 1]], matrix[found[k + 2]], matrix[found[k + 3]]
            for q in range(n_post):
                total[q] += (a[q] + b[q]) + (c[q] + d[q])
            k += 4
        while k < n:
            a = matrix[found[k]]
            for q in range(n_post):
                total[q] += a[q]
            k += 1


def _outer(events, spikes, values, out):
    n_post = out.shape[1]
    found = np.empty(spikes.shape[1] + 1, np.int32)
    for i in range(out.shape[0]):
        for q in range(n_post):
            out[i, q] = 0
    for r in range(spikes.shape[0]):
        n = events(spikes[r], found)
        row = values[r]
        for k in range(n):
            total = out[found[k]]
            for q in range(n_post):
                total[q] += row[q]
