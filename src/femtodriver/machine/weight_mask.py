"""Reads the mask of a matrix from data memory: which groups of weights are stored, and which halves of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import BoolArray, ByteArray, Int64Array
from femtodriver.isa import Form
from femtodriver.isa.limits import CODES_PER_WORD, WORD_BITS
from femtodriver.machine.data_layout import WORD_BYTES
from femtodriver.machine.matrix_pipeline import MaskSteps, dense_steps, flat_steps, halves_steps, nested_steps
from femtodriver.machine.memory import DataMemory
from femtodriver.machine.rows import MatrixRow


@dataclass(frozen=True)
class StoredUnits:
    """What the mask of a matrix says.

    ``groups`` (columns, groups): which groups take a pass. ``units`` (columns, groups times units of a group): which
    units are stored. ``banks`` (banks,): words of the mask, all of which are read whatever the activations. ``steps``:
    when each group is known. ``words``: how many the mask has.
    """

    groups: BoolArray
    units: BoolArray
    banks: Int64Array
    steps: MaskSteps
    words: int


def read_mask(row: MatrixRow, memory: DataMemory) -> StoredUnits:
    """Read the whole mask; raises MachineFault if it does not lie within data memory."""
    return _READERS[row.form](_Mask(row, memory))


def most_mask_words(row: MatrixRow) -> int:
    """Words that the mask of a matrix of this shape takes at the most."""
    if not row.masked:
        return 0
    groups = row.columns * row.groups
    flags = -(-groups // WORD_BITS)
    behind = {Form.MASKED: 0, Form.NESTED: -(-flags // 8), Form.HALVES: -(-groups // CODES_PER_WORD)}
    return flags + behind[row.form]


class _Mask:
    """The bytes of a mask."""

    def __init__(self, row: MatrixRow, memory: DataMemory) -> None:
        self.row, self.memory = row, memory
        self.groups = row.columns * row.groups
        self.words = 0  # that have been read, from the first one on

    def read(self, count: int) -> ByteArray:
        """The first ``count`` bytes."""
        self.words = -(-count // WORD_BYTES)
        where = self.memory.layout.word_range(WORD_BYTES * self.row.mask, self.words)
        mask: ByteArray = self.memory.words[where].view(np.uint8)[:count]
        return mask

    def banks(self, first: int, end: int) -> Int64Array:
        """Words per bank that hold these bytes."""
        if first == end:
            return np.zeros(self.memory.layout.banks, np.int64)
        return self.memory.layout.accesses(self.row.mask + first // WORD_BYTES, self.row.mask + -(-end // WORD_BYTES))

    def stored(self, flags: BoolArray, units: BoolArray, banks: Int64Array, steps: MaskSteps) -> StoredUnits:
        """Flags of all groups and units, by column."""
        columns = self.row.columns
        groups = flags.reshape(columns, -1)
        every = groups if units is flags else units.reshape(columns, -1)
        return StoredUnits(groups, every, banks, steps, self.words)


def _dense(mask: _Mask) -> StoredUnits:
    every = np.ones(mask.groups, bool)
    return mask.stored(every, every, mask.banks(0, 0), dense_steps(mask.groups))


def _flat(mask: _Mask) -> StoredUnits:
    count = -(-mask.groups // 8)
    kept = _bits(mask.read(count))[: mask.groups]
    return mask.stored(kept, kept, mask.banks(0, count), flat_steps(mask.groups))


def _nested(mask: _Mask) -> StoredUnits:
    count = -(-mask.groups // 8)
    head = -(-count // 8)
    present = _bits(mask.read(head))[:count]
    end = head + int(np.count_nonzero(present))
    full = np.zeros(count, np.uint8)
    full[present] = mask.read(end)[head:]
    kept = _bits(full)[: mask.groups]
    # Two readers: the word in which the bits end and the bytes begin is read by both.
    return mask.stored(kept, kept, mask.banks(0, head) + mask.banks(head, end), nested_steps(mask.groups, present))


def _halves(mask: _Mask) -> StoredUnits:
    head = WORD_BYTES * -(-mask.groups // WORD_BITS)
    kept = _bits(mask.read(head))[: mask.groups]
    end = head + -(-2 * int(np.count_nonzero(kept)) // 8)
    codes = _bits(mask.read(end)[head:])[: 2 * int(np.count_nonzero(kept))]
    units = np.zeros((mask.groups, 2), bool)
    units[kept] = codes.reshape(-1, 2)
    return mask.stored(kept, units, mask.banks(0, end), halves_steps(kept))


_READERS = {Form.DENSE: _dense, Form.MASKED: _flat, Form.NESTED: _nested, Form.HALVES: _halves}


def _bits(packed: ByteArray) -> BoolArray:
    return np.unpackbits(packed, bitorder="little").view(np.bool_)
