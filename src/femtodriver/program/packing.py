"""Vectors of elements <-> 64-bit memory words <-> 32-bit bus words.

Element 0 lies in the least significant bits; elements are two's complement; a short tail is filled with zeros.
A memory word goes over the bus as two words, low half first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords, Int64Array, Words
from femtodriver.errors import InputError, ProgramError, UsageError

WORD_BITS = 64
_SIGNED: dict[int, type[np.signedinteger]] = {8: np.int8, 16: np.int16, 32: np.int32}


def elements_per_word(bits: int) -> int:
    """Elements of 8, 16 or 32 bits in one 64-bit word; UsageError for other widths."""
    if bits not in _SIGNED:
        raise UsageError(f"element width: must be 8, 16 or 32 bits, not {bits!r}.")
    return WORD_BITS // bits


def words_needed(count: int, bits: int) -> int:
    """64-bit words that hold ``count`` elements."""
    return -(-count // elements_per_word(bits))


def pack(values: npt.ArrayLike, bits: int, where: str = "vector") -> Words:
    """Elements (1-D, any integer dtype) -> uint64 words; the last word is filled with zeros.

    Raises InputError for another rank or dtype, or for an element that ``bits`` bits cannot hold.
    """
    per_word = elements_per_word(bits)
    elements = np.asarray(values)
    if elements.size == 0 and elements.ndim == 1:
        return np.zeros(0, np.uint64)
    if elements.ndim != 1:
        raise InputError(f"{where}: elements must be a 1-D array, not {elements.ndim}-D.")
    if elements.dtype.kind not in "iu":
        raise InputError(f"{where}: elements must be integers, not {elements.dtype}.")
    _check_range(elements, bits, where)
    padded = np.zeros(per_word * words_needed(len(elements), bits), np.dtype(_SIGNED[bits]).newbyteorder("<"))
    padded[: len(elements)] = elements
    return padded.view("<u8").astype(np.uint64)


def unpack(words: npt.ArrayLike, bits: int, count: int | None = None, where: str = "vector") -> Int64Array:
    """uint64 words (1-D) -> sign-extended elements, int64; the first ``count`` of them, or all.

    Raises ProgramError when the words hold fewer than ``count`` elements.
    """
    per_word = elements_per_word(bits)
    raw = np.asarray(words, dtype=np.uint64)
    capacity = per_word * len(raw)
    count = capacity if count is None else count
    if not 0 <= count <= capacity:
        raise ProgramError(f"{where}: {len(raw)} words hold {capacity} elements of {bits} bits, not {count}.")
    elements = raw.astype("<u8").view(np.dtype(_SIGNED[bits]).newbyteorder("<"))
    result: Int64Array = elements[:count].astype(np.int64)
    return result


def split_words(words: npt.ArrayLike) -> BusWords:
    """64-bit words (n) -> bus words (2n): low, high, low, high, ..."""
    return np.ascontiguousarray(words, dtype="<u8").view("<u4").astype(np.uint32)


def join_words(bus: npt.ArrayLike, where: str = "bus words") -> Words:
    """Bus words (2n) -> 64-bit words (n); ProgramError when their number is odd."""
    halves = np.ascontiguousarray(bus, dtype="<u4")
    if len(halves) % 2:
        raise ProgramError(f"{where}: the number of 32-bit words must be even, not {len(halves)}.")
    return halves.view("<u8").astype(np.uint64)


def _check_range(elements: npt.NDArray[np.integer], bits: int, where: str) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if int(elements.min()) >= low and int(elements.max()) <= high:
        return
    index = next(i for i, value in enumerate(elements.tolist()) if not low <= value <= high)
    raise InputError(f"{where}: element {index} must be in {low}...{high}, not {elements[index]}.")
