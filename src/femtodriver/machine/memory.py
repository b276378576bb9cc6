"""Data and table memory of one core, as the program sees them. The images stay bank by bank, as on the chip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.errors import ProgramError
from femtodriver.isa.limits import ELEMENT_BITS, TABLE_WORD_BITS
from femtodriver.machine.data_layout import WORD_BYTES, DataLayout
from femtodriver.part import Part

ELEMENT_TYPES: dict[int, np.dtype[np.signedinteger]] = {bits: np.dtype(f"i{bits // 8}") for bits in ELEMENT_BITS}


Watcher = Callable[[int, int], bool]
"""Is told of the first and the end byte of a store; whether it matters, so that its undoing matters, too."""


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
        self.layout = DataLayout.of(part)
        self._initial = to_logical(image, part)
        self.words = self._initial.copy()
        self.elements = {bits: self.words.view(kind) for bits, kind in ELEMENT_TYPES.items()}
        self._watched: list[tuple[int, int, Watcher]] = []
        # First and end byte of all watched words: most stores are outside and need no look at each of them.
        self._watched_range = (0, 0)
        self._stale: set[Watcher] = set()

    def reset(self) -> None:
        """Back to the image; only watchers that have seen a store are told."""
        self.words[:] = self._initial
        for changed in self._stale:
            changed(0, WORD_BYTES * len(self.words))
        self._stale.clear()

    def copy_from(self, other: DataMemory) -> None:
        """What another memory of the same part and image holds."""
        self.words[:] = other.words
        self.written(0, WORD_BYTES * len(self.words))

    def watch(self, first_word: int, end_word: int, changed: Watcher) -> None:
        """Call ``changed`` whenever these words may have changed: a store that ``written`` reports, or its undoing."""
        self._watched.append((WORD_BYTES * first_word, WORD_BYTES * end_word, changed))
        self._watched_range = (
            min(first for first, _, _ in self._watched),
            max(end for _, end, _ in self._watched),
        )

    def written(self, first_byte: int, end_byte: int) -> None:
        """Tell the watchers that these bytes were stored to."""
        if first_byte >= self._watched_range[1] or end_byte <= self._watched_range[0]:
            return
        for first, end, changed in self._watched:
            if first_byte < end and first < end_byte and changed(first_byte, end_byte):
                self._stale.add(changed)

    def overlaps_watched(self, first_byte: int, end_byte: int) -> bool:
        """Whether a store to these bytes must be reported."""
        return any(first_byte < end and first < end_byte for first, end, _ in self._watched)


def table_memory(part: Part, image: Words) -> Int64Array:
    """Table memory as sign-extended 16-bit values, shape (tm_banks, tm_bank_words)."""
    words = _filled("TM", image, part.tm_banks * part.tm_bank_words)
    if (words >> np.uint64(TABLE_WORD_BITS)).any():
        raise ProgramError(f"TM image: a word must have {TABLE_WORD_BITS} bits, not the value {int(words.max()):#x}.")
    values = words.astype(np.uint16).view(np.int16).astype(np.int64)
    return values.reshape(part.tm_banks, part.tm_bank_words)
