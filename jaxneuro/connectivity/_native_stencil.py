"""Sums of one stencil around every spike on a torus, by a kernel that numba compiles and XLA calls, on a CPU.

The call frame is read as in `_native`.
"""

import inspect
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from ._native import ARGUMENTS, DATA, DIMENSIONS, EXECUTE, EXTENSION, RESULTS, STAGE, compiled, reading, register


def add_stencils(
    spikes: Float[Array, "time n_pre"], stencil: Float[Array, "rows columns"], numbers: Int[Array, "3"]
) -> Float[Array, "time rows columns"]:
    """For every step the sum, over the spikes, of `stencil` moved to where each is, times its amplitude.

    `stencil` holds the weights from the site (0, 0); `numbers` are the sites that it reaches to either side, the
    columns of sources, and how many sites apart these are.
    """
    out = jax.ShapeDtypeStruct((spikes.shape[0], *stencil.shape), stencil.dtype)
    return jax.ffi.ffi_call(_name(np.dtype(stencil.dtype)), out)(spikes, stencil, numbers)


@lru_cache
def _name(dtype: np.dtype) -> str:
    """Compiles and registers the kernel for this type, once, and returns the name XLA knows it by."""
    name = f"jaxneuro_add_stencils_{dtype.name}"
    register(name, _handler(dtype))
    return name


def _handler(dtype: np.dtype) -> Any:
    """The function of one call frame (an address in, an error's address or 0 out)."""
    import numba
    from numba import types

    pointer, words, describe = reading()
    kind, work = numba.from_dtype(dtype), compiled(_add)
    around, size = compiled(_around), dtype.itemsize

    def handler(frame):
        call = words(frame, 15)
        if call[EXTENSION] != 0:
            describe(frame, call[EXTENSION])
            return 0
        if (call[STAGE] & 0xFFFFFFFF) != EXECUTE:
            return 0
        given = words(call[ARGUMENTS], 3)
        spikes, stencil, out = words(given[0], 6), words(given[1], 6), words(words(call[RESULTS], 1)[0], 6)
        time, n_pre = words(spikes[DIMENSIONS], 2)[0], words(spikes[DIMENSIONS], 2)[1]
        rows, columns = words(stencil[DIMENSIONS], 2)[0], words(stencil[DIMENSIONS], 2)[1]
        work(
            around,
            numba.carray(pointer(spikes[DATA], kind), (time * n_pre,)),
            numba.carray(pointer(spikes[DATA], types.uint64), (time * n_pre * size // 8,)),
            numba.carray(pointer(stencil[DATA], kind), (rows, columns)),
            numba.carray(pointer(words(given[2], 6)[DATA], types.int32), (3,)),
            numba.carray(pointer(out[DATA], kind), (time, rows, columns)),
        )
        return 0

    return numba.cfunc(types.intp(types.intp))(inspect.unwrap(handler))


def _around(total, i, j, size, patch, reach, columns):
    """Adds the patch around one site."""
    rows, width = total.shape[0], patch.shape[1]
    left = j - reach if j >= reach else j - reach + columns
    before = min(width, columns - left)  # the rest lies beyond the edge, at the other side
    for a in range(patch.shape[0]):
        at = i + a - reach
        row = total[at + rows if at < 0 else (at - rows if at >= rows else at)]
        near, weights = row[left : left + before], patch[a, :before]
        for b in range(near.size):
            near[b] += size * weights[b]
        beyond, weights = row[: width - before], patch[a, before:]
        for b in range(beyond.size):
            beyond[b] += size * weights[b]


def _add(around, spikes, words, stencil, numbers, out):
    reach, pre_columns, apart = numbers[0], numbers[1], numbers[2]
    rows, columns = stencil.shape
    height, width = min(2 * reach + 1, rows), min(2 * reach + 1, columns)
    patch = np.empty((height, width), stencil.dtype)
    for a in range(height):
        line = stencil[a - reach + (rows if a < reach else 0)]
        for b in range(width):
            patch[a, b] = line[b - reach + (columns if b < reach else 0)]
    flat = out.reshape(-1)
    for i in range(flat.size):
        flat[i] = 0
    n_pre = spikes.size // out.shape[0]
    # Words of 8 bytes, eight at once: most are silent. What is left at the end is looked at one by one.
    together = 64 // spikes.itemsize
    begin = 0
    while begin < spikes.size:
        w = begin * spikes.itemsize // 8
        end = min(begin + together, spikes.size)
        if w + 8 <= words.size and (
            (words[w] | words[w + 1] | words[w + 2] | words[w + 3])
            | (words[w + 4] | words[w + 5] | words[w + 6] | words[w + 7])
        ) == 0:  # fmt: skip
            begin = end
            continue
        for index in range(begin, end):
            size = spikes[index]
            if size != 0:
                source = index % n_pre
                i, j = (source // pre_columns) * apart, (source % pre_columns) * apart
                around(out[index // n_pre], i, j, size, patch, reach, columns)
        begin = end
