"""Sums of rows of bits by a kernel that numba compiles and XLA calls, on a CPU: 64 targets in a word.

A row holds its numbers in binary, one plane of bits a digit. Eight rows at once are added by full adders of bits, as in
a circuit: three words in, their sum and their carry out. What is carried out of eight goes up the digits of the total,
which is written out as numbers at the end. The call frame is read as in `_native`.
"""

import inspect
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Integer, UInt

from .._numerics._primitive import define, one_by_one
from ._native import ARGUMENTS, DATA, DIMENSIONS, EXECUTE, EXTENSION, RESULTS, STAGE, compiled, reading, register

# A word of 64 bits holds four numbers of 16 bits, at the same place of each: target 4 (b n_words + w) + h is bit
# 16 h + b of word w. So a shift and a mask write four numbers at once, and those of all words lie side by side.
_LANES, _BITS = 4, 16
_TOGETHER = 64  # targets of a word
_AT_ONCE = 8  # rows of one pass of the adders
_DIGITS = 16  # of a total, which has to stay below 2^15
_IN_LINE = 8  # words of one line of the cache


def words_of_bits(n_post: int) -> int:
    """Words of 64 bits in a plane of `n_post` targets: whole lines of the cache."""
    return -(-n_post // (_TOGETHER * _IN_LINE)) * _IN_LINE


def sum_bit_rows(
    planes: UInt[Array, "rows digits half_words"],
    spikes: Bool[Array, "time n_pre"],
    offsets: Int[Array, "n_pre_and_1"],
    targets: Int[Array, "n_more"],
) -> Int[Array, "time n_padded"]:
    """For every step the sum of the rows of the sources that spiked; the last row holds nothing.

    `targets` are listed a source, from `offsets`: each is one synapse more than the bits hold.
    """
    return _sums.bind(planes, spikes, offsets, targets)


def unpack_bit_rows(
    planes: UInt[Array, "rows digits half_words"],
    sources: Int[Array, "n"],
    offsets: Int[Array, "n_pre_and_1"],
    targets: Int[Array, "n_more"],
    n_post: int,
    dtype: np.dtype,
) -> Float[Array, "n n_post"]:
    """The rows of some sources as floats of this type."""
    return _rows.bind(planes, sources, offsets, targets, n_post=n_post, dtype=dtype)


def _sums_shape(planes: Any, spikes: Any, *lists: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((spikes.shape[0], 32 * planes.shape[2]), jnp.int16)


def _sums_by_kernel(planes: Array, spikes: Array, offsets: Array, targets: Array) -> Array:
    out = _sums_shape(planes, spikes)
    return jax.ffi.ffi_call(_name(out.dtype), out)(planes, spikes, offsets, targets)


def _sums_by_product(planes: Array, spikes: Array, offsets: Array, targets: Array) -> Array:
    """The same by a matrix product, for which the bits are unpacked: where the kernel is not."""
    matrix = _unpacked(planes[:-1])
    sums = lax.dot(spikes.astype(jnp.int8), matrix, preferred_element_type=jnp.int32).astype(jnp.int16)
    listed = jnp.arange(targets.shape[0], dtype=offsets.dtype)
    sources = jnp.searchsorted(offsets, listed, side="right") - 1
    to = jnp.where(listed < offsets[-1], targets, sums.shape[1])
    return sums.at[:, to].add(spikes[:, sources].astype(sums.dtype), mode="drop")


def _unpacked(planes: UInt[Array, "rows digits half_words"]) -> Integer[Array, "rows n_padded"]:
    # Half words 2 w and 2 w + 1 hold the lanes of word w, so that bits come in the order of targets.
    shifts = jnp.arange(_BITS, dtype=jnp.uint32)[:, None, None] + jnp.asarray([0, 16], jnp.uint32)
    bits = (planes[:, :, None, :, None] >> shifts) & jnp.uint32(1)
    digits = bits.reshape(*planes.shape[:2], -1).astype(jnp.int8)
    return jnp.sum(digits << jnp.arange(planes.shape[1], dtype=jnp.int8)[:, None], axis=1, dtype=jnp.int8)


def _rows_shape(planes: Any, sources: Any, *lists: Any, n_post: int, dtype: np.dtype) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((sources.size, n_post), dtype)


def _rows_by_kernel(
    planes: Array, sources: Array, offsets: Array, targets: Array, *, n_post: int, dtype: np.dtype
) -> Array:
    out = _rows_shape(planes, sources, n_post=n_post, dtype=dtype)
    return jax.ffi.ffi_call(_name(out.dtype), out)(planes, sources[:, None].astype(jnp.int32), offsets, targets)


def _rows_by_product(
    planes: Array, sources: Array, offsets: Array, targets: Array, *, n_post: int, dtype: np.dtype
) -> Array:
    one_each = jnp.arange(planes.shape[0] - 1, dtype=sources.dtype) == sources[:, None]
    return _sums_by_product(planes, one_each, offsets, targets)[:, :n_post].astype(dtype)


_sums = define("sum_bit_rows", _sums_by_product, on_cpu=_sums_by_kernel, batch=one_by_one, shape=_sums_shape)
_rows = define(
    "unpack_bit_rows",
    _rows_by_product,
    on_cpu=_rows_by_kernel,
    batch=one_by_one,
    shape=_rows_shape,
    static=("n_post", "dtype"),
)


@lru_cache
def _name(dtype: np.dtype) -> str:
    """Compiles and registers the kernel that gives numbers of this type, once, and returns the name XLA knows it by."""
    name = f"jaxneuro_{'unpack' if dtype.kind == 'f' else 'sum'}_bit_rows_{dtype.name}"
    register(name, _handler(dtype))
    return name


def _handler(dtype: np.dtype) -> Any:
    """The function of one call frame (an address in, an error's address or 0 out)."""
    import numba
    from numba import types

    pointer, words, describe = reading()
    kind, work = numba.from_dtype(dtype), compiled(_unpack if dtype.kind == "f" else _sum)
    spikes_of = compiled(_spikes_of)
    add_three, carry_on, write = compiled(_add_three), compiled(_carry_on), compiled(_write)

    def handler(frame):
        call = words(frame, 15)
        if call[EXTENSION] != 0:
            describe(frame, call[EXTENSION])
            return 0
        if (call[STAGE] & 0xFFFFFFFF) != EXECUTE:
            return 0
        given = words(call[ARGUMENTS], 4)
        planes, spikes = words(given[0], 6), words(given[1], 6)
        offsets, targets = words(given[2], 6), words(given[3], 6)
        n_steps, n_pre = words(spikes[DIMENSIONS], 2)[0], words(planes[DIMENSIONS], 3)[0] - 1
        digits, n_words = words(planes[DIMENSIONS], 3)[1], words(planes[DIMENSIONS], 3)[2] // 2
        out = words(words(call[RESULTS], 1)[0], 6)
        work(
            spikes_of,
            add_three,
            carry_on,
            write,
            numba.carray(pointer(planes[DATA], types.uint64), (n_pre + 1, digits, n_words)),
            numba.carray(pointer(spikes[DATA], types.uint8), (n_steps * n_pre,)),
            numba.carray(pointer(spikes[DATA], types.uint64), (n_steps * n_pre // 8,)),
            numba.carray(pointer(spikes[DATA], types.int32), (n_steps,)),
            numba.carray(pointer(offsets[DATA], types.int32), (n_pre + 1,)),
            numba.carray(pointer(targets[DATA], types.int32), (words(targets[DIMENSIONS], 1)[0],)),
            numba.carray(pointer(out[DATA], types.uint64), (n_steps, _BITS, n_words)),
            numba.carray(pointer(out[DATA], kind), (n_steps, words(out[DIMENSIONS], 2)[1])),
        )
        return 0

    return numba.cfunc(types.intp(types.intp))(inspect.unwrap(handler))


def _spikes_of(spikes, words, begin, end, found):
    """The sources of the spikes from `begin` to `end`, and their number; eight are looked at together."""
    n, index = 0, begin
    while index < end:
        if index % 8 == 0 and index + 8 <= end and words[index // 8] == 0:
            index += 8
            continue
        found[n] = index - begin
        n += spikes[index]
        index += 1
    return n


def _add_three(a, b, total, carry):
    """Bits of a + b + total: the sum into `total`, what is carried into `carry`."""
    for w in range(total.size):
        x, y, z = a[w], b[w], total[w]
        either = x ^ y
        total[w] = either ^ z
        carry[w] = (x & y) | (either & z)


def _carry_on(total, carry):
    """Adds what is carried to the next digit; what that carries is left in `carry`."""
    for w in range(total.size):
        x, y = total[w], carry[w]
        total[w] = x ^ y
        carry[w] = x & y


def _write(a, b, c, d, shift, up, numbers):
    """Four digits of numbers, which begin at digit `up`, four targets a word: the first four begin the numbers."""
    first, one, two, three = np.uint64(0x0001000100010001), np.uint64(1), np.uint64(2), np.uint64(3)
    keep = np.uint64(0) if up == 0 else ~np.uint64(0)
    for w in range(numbers.size):
        low = ((a[w] >> shift) & first) | (((b[w] >> shift) & first) << one)
        high = low | (((c[w] >> shift) & first) << two) | (((d[w] >> shift) & first) << three)
        numbers[w] = (numbers[w] & keep) | (high << up)


def _unpack(
    spikes_of, add_three, carry_on, write, planes, spikes, words, sources, offsets, targets, out, numbers
):  # fmt: skip
    n_words, first = planes.shape[2], np.uint64(0x0001000100010001)
    packed = np.empty(_BITS * n_words, np.uint64)
    for r in range(sources.size):
        row = planes[sources[r]]
        for bit in range(_BITS):
            begin, low, high, shift = bit * n_words, row[0], row[1], np.uint64(bit)
            for w in range(n_words):
                packed[begin + w] = ((low[w] >> shift) & first) + (((high[w] >> shift) & first) << np.uint64(1))
        unpacked, result = packed.view(np.int16), numbers[r]
        for i in range(result.size):
            result[i] = unpacked[i]
        for s in range(offsets[sources[r]], offsets[sources[r] + 1]):
            result[targets[s]] += 1


def _sum(
    spikes_of, add_three, carry_on, write, planes, spikes, words, sources, offsets, targets, out, numbers
):  # fmt: skip
    n_pre, n_planes, n_words = planes.shape[0] - 1, planes.shape[1], planes.shape[2]
    most = (1 << n_planes) - 1
    found = np.empty(n_pre + _AT_ONCE + 1, np.int64)
    digit, carries = np.empty((_DIGITS, n_words), np.uint64), np.empty((5, n_words), np.uint64)
    for t in range(out.shape[0]):
        n = spikes_of(spikes, words, t * n_pre, (t + 1) * n_pre, found)
        n_digits = n_planes + 3  # what eight rows fill; as many more as hold the sum of all
        while n_digits < _DIGITS and (1 << n_digits) <= n * most:
            n_digits += 1
        for j in range(-(-n_digits // 4) * 4):
            empty = digit[j]
            for w in range(n_words):
                empty[w] = 0
        padded = -(-n // _AT_ONCE) * _AT_ONCE
        for k in range(n, padded):
            found[k] = n_pre  # the row of nothing
        for k in range(0, padded, _AT_ONCE):
            for p in range(n_planes):
                for half in range(2):
                    for pair in range(2):
                        first = k + 4 * half + 2 * pair
                        add_three(planes[found[first], p], planes[found[first + 1], p], digit[p], carries[pair])
                    add_three(carries[0], carries[1], digit[p + 1], carries[2 + half])
                add_three(carries[2], carries[3], digit[p + 2], carries[4])
                for j in range(p + 3, n_digits):
                    carry_on(digit[j], carries[4])
        for bit in range(_BITS):
            for j in range(0, n_digits, 4):
                write(digit[j], digit[j + 1], digit[j + 2], digit[j + 3], np.uint64(bit), np.uint64(j), out[t, bit])
        for k in range(n):
            for s in range(offsets[found[k]], offsets[found[k] + 1]):
                numbers[t, targets[s]] += 1
