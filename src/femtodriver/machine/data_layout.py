"""Addresses of data memory: which elements and words they mean, and which banks hold those.

Banks work in pairs: the even words of a pair's address range lie in its first bank, the odd words in its second, so
that a stream of consecutive words uses both ports.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import MachineFault
from femtodriver.isa.limits import WORD_BITS
from femtodriver.part import Part

WORD_BYTES = WORD_BITS // 8


@dataclass(frozen=True)
class DataLayout:
    """Data memory of ``banks`` banks with ``bank_words`` words each."""

    banks: int
    bank_words: int

    @classmethod
    def of(cls, part: Part) -> DataLayout:
        """The layout of a part's data memory."""
        return cls(part.dm_banks, part.dm_bank_words)

    @property
    def words(self) -> int:
        """Words of all banks."""
        return self.banks * self.bank_words

    def elements(self, address: int, length: int, bits: int) -> slice:
        """Element indices of ``length`` elements at a byte address; MachineFault when misaligned or outside."""
        size = bits // 8
        if address % size:
            raise MachineFault(f"address {address:#x}: must be a multiple of {size} for {bits}-bit elements.")
        end = WORD_BYTES * self.words
        if address < 0 or address + length * size > end:
            raise MachineFault(
                f"address {address:#x}: {length} elements of {bits} bits must end at or before "
                f"{end:#x}, the end of data memory."
            )
        return slice(address // size, address // size + length)

    def word_range(self, address: int, length: int) -> slice:
        """Word indices of ``length`` words at a byte address; MachineFault when misaligned or outside."""
        if address % WORD_BYTES:
            raise MachineFault(f"address {address:#x}: must be a multiple of {WORD_BYTES} for a word transfer.")
        first = address // WORD_BYTES
        if first + length > self.words:
            raise MachineFault(f"address {address:#x}: {length} words must end inside data memory.")
        return slice(first, first + length)

    def bank(self, word: int) -> int:
        """The bank that holds a word."""
        return 2 * (word // (2 * self.bank_words)) + word % 2

    def accesses(self, first_word: int, end_word: int) -> Int64Array:
        """Words of [first_word, end_word) per bank, shape (banks,); MachineFault when they are outside."""
        if first_word < 0 or end_word > self.words:
            raise MachineFault(f"words {first_word:#x} to {end_word:#x}: must lie inside data memory.")
        counts = np.zeros(self.banks, np.int64)
        for bank, words in self.words_by_bank(first_word, end_word):
            counts[bank] += words
        return counts

    def words_by_bank(self, first_word: int, end_word: int) -> list[tuple[int, int]]:
        """The banks that hold [first_word, end_word), and how many of the words; some may hold none."""
        pair_words = 2 * self.bank_words
        found = []
        while first_word < end_word:
            pair = first_word // pair_words
            stop = min(end_word, (pair + 1) * pair_words)
            odd = stop // 2 - first_word // 2
            found += [(2 * pair, stop - first_word - odd), (2 * pair + 1, odd)]
            first_word = stop
        return found

    def accesses_of_bytes(self, address: int, size: int) -> Int64Array:
        """``accesses`` of the words that hold ``size`` bytes from a byte address on."""
        return self.accesses(*self.words_of_bytes(address, size))

    @staticmethod
    def words_of_bytes(address: int, size: int) -> tuple[int, int]:
        """First and end address of the words that hold ``size`` bytes from a byte address on; none for no bytes."""
        first = address // WORD_BYTES
        return first, -(-(address + size) // WORD_BYTES) if size else first

    def accesses_each(self, first_words: Int64Array, end_words: Int64Array) -> Int64Array:
        """``accesses`` of many ranges at once, shape (ranges, banks); they must lie inside data memory."""
        counts = np.zeros((len(first_words), self.banks), np.int64)
        lowest, highest = int(first_words.min(initial=self.words)), int(end_words.max(initial=0))
        for bank in range(0, self.banks, 2):
            low = bank * self.bank_words
            high = low + 2 * self.bank_words
            if highest <= low or lowest >= high:
                continue
            first, end = (np.minimum(np.maximum(words, low), high) for words in (first_words, end_words))
            counts[:, bank + 1] = end // 2 - first // 2
            counts[:, bank] = end - first - counts[:, bank + 1]
        return counts
