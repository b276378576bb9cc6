"""Data and table memory of one core, as the program sees them.

Banks work in pairs: the even words of a pair's address range lie in its first bank, the odd words in its second, so
that a stream of consecutive words uses both ports. The image stays bank by bank, as on the chip.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.errors import MachineFault, ProgramError
from femtodriver.isa.limits import ELEMENT_BITS, TABLE_WORD_BITS
from femtodriver.part import Part

ELEMENT_TYPES: dict[int, np.dtype[np.signedinteger]] = {bits: np.dtype(f"i{bits // 8}") for bits in ELEMENT_BITS}


def to_logical(image: Words, part: Part) -> Words:
    """Image words, bank by bank (dm_banks x dm_bank_words, shorter images are filled with zeros) -> address order."""
    banks = _filled("DM", image, part.dm_words).reshape(-1, 2, part.dm_bank_words)
    return np.ascontiguousarray(banks.transpose(0, 2, 1)).reshape(-1)


def _filled(name: str, image: Words, size: int) -> Words:
    if len(image) > size:
        raise ProgramError(f"{name} image: must have at most {size} words for this part, not {len(image)}.")
    words = np.zeros(size, np.uint64)
    words[: len(image)] = image
    return words


class DataMemory:
    """Data memory of one core. All element views share one buffer; stores that may touch weights are reported."""

    def __init__(self, part: Part, image: Words) -> None:
        self._part = part
        self._initial = to_logical(image, part)
        self.words = self._initial.copy()
        self.elements = {bits: self.words.view(kind) for bits, kind in ELEMENT_TYPES.items()}
        self._watched: list[tuple[int, int, Callable[[], None]]] = []
        # First and end byte of all watched words: most stores are outside and need no look at each of them.
        self._watched_range = (0, 0)
        self._stale: set[Callable[[], None]] = set()

    def reset(self) -> None:
        """Back to the image; only watchers that have seen a store are told."""
        self.words[:] = self._initial
        for changed in self._stale:
            changed()
        self._stale.clear()

    def slice_of(self, address: int, length: int, bits: int) -> slice:
        """Element index range of ``length`` elements at a byte address; MachineFault when misaligned or outside."""
        size = bits // 8
        if address % size:
            raise MachineFault(f"address {address:#x}: must be a multiple of {size} for {bits}-bit elements.")
        if address < 0 or address + length * size > 8 * len(self.words):
            raise MachineFault(
                f"address {address:#x}: {length} elements of {bits} bits must end at or before "
                f"{8 * len(self.words):#x}, the end of data memory."
            )
        return slice(address // size, address // size + length)

    def word_slice(self, address: int, length: int) -> slice:
        """Word index range of ``length`` words at a byte address."""
        if address % 8:
            raise MachineFault(f"address {address:#x}: must be a multiple of 8 for a word transfer.")
        if address // 8 + length > len(self.words):
            raise MachineFault(f"address {address:#x}: {length} words must end inside data memory.")
        return slice(address // 8, address // 8 + length)

    def watch(self, first_word: int, end_word: int, changed: Callable[[], None]) -> None:
        """Call ``changed`` whenever these words may have changed: a store that ``written`` reports, or its undoing."""
        self._watched.append((8 * first_word, 8 * end_word, changed))
        self._watched_range = (
            min(first for first, _, _ in self._watched),
            max(end for _, end, _ in self._watched),
        )

    def written(self, first_byte: int, end_byte: int) -> None:
        """Tell the watchers that these bytes were stored to."""
        if first_byte >= self._watched_range[1] or end_byte <= self._watched_range[0]:
            return
        for first, end, changed in self._watched:
            if first_byte < end and first < end_byte:
                changed()
                self._stale.add(changed)

    def overlaps_watched(self, first_byte: int, end_byte: int) -> bool:
        """Whether a store to these bytes must be reported."""
        return any(first_byte < end and first < end_byte for first, end, _ in self._watched)

    def bank_accesses(self, first_word: int, end_word: int) -> Int64Array:
        """Words of [first_word, end_word) per bank, shape (dm_banks,); MachineFault when they are outside."""
        if first_word < 0 or end_word > len(self.words):
            raise MachineFault(f"words {first_word:#x} to {end_word:#x}: must lie inside data memory.")
        counts = np.zeros(self._part.dm_banks, np.int64)
        pair_words = 2 * self._part.dm_bank_words
        while first_word < end_word:
            pair = first_word // pair_words
            stop = min(end_word, (pair + 1) * pair_words)
            odd = stop // 2 - first_word // 2
            counts[2 * pair + 1] += odd
            counts[2 * pair] += stop - first_word - odd
            first_word = stop
        return counts

    def bank_accesses_each(self, first_words: Int64Array, end_words: Int64Array) -> Int64Array:
        """``bank_accesses`` of many ranges at once, shape (ranges, dm_banks); they must lie inside data memory."""
        counts = np.zeros((len(first_words), self._part.dm_banks), np.int64)
        for bank in range(0, self._part.dm_banks, 2):
            low = bank * self._part.dm_bank_words
            high = low + 2 * self._part.dm_bank_words
            first, end = np.clip(first_words, low, high), np.clip(end_words, low, high)
            counts[:, bank + 1] = end // 2 - first // 2
            counts[:, bank] = end - first - counts[:, bank + 1]
        return counts


def table_memory(part: Part, image: Words) -> Int64Array:
    """Table memory as sign-extended 16-bit values, shape (tm_banks, tm_bank_words)."""
    words = _filled("TM", image, part.tm_banks * part.tm_bank_words)
    if (words >> np.uint64(TABLE_WORD_BITS)).any():
        raise ProgramError(f"TM image: a word must have {TABLE_WORD_BITS} bits, not the value {int(words.max()):#x}.")
    values = words.astype(np.uint16).view(np.int16).astype(np.int64)
    return values.reshape(part.tm_banks, part.tm_bank_words)
