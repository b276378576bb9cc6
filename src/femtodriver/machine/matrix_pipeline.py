"""When the lanes of a matrix instruction have done their work: a pipeline that takes everything in order.

The scanner brings one word of activations per step, the index one word of a flat mask or one byte of a nested one, and
the lanes take a group when both have brought it and all groups before it are done.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from femtodriver.arrays import BoolArray, Int64Array
from femtodriver.isa.limits import CODES_PER_WORD, WORD_BITS
from femtodriver.machine.data_layout import WORD_BYTES

MASK_BYTE_BITS = 8
_NEVER = np.iinfo(np.int64).min // 2


@dataclass(frozen=True)
class MaskSteps:
    """``first``: the step from which each group is known, shape (groups of the whole matrix,); ``count``: all steps."""

    first: Int64Array
    count: int

    def repeated(self, repeat: int) -> MaskSteps:
        """When the mask is read so often, one time after the other."""
        if repeat == 1:
            return self
        starts = self.count * np.repeat(np.arange(repeat), len(self.first))
        return MaskSteps(np.tile(self.first, repeat) + starts, self.count * repeat)


def dense_steps(groups: int) -> MaskSteps:
    """Without a mask, all groups are known from the start."""
    return MaskSteps(np.zeros(groups, np.int64), 0)


def flat_steps(groups: int) -> MaskSteps:
    """A word of the mask in every step."""
    return MaskSteps(np.arange(groups) // WORD_BITS, -(-groups // WORD_BITS))


def nested_steps(groups: int, present: BoolArray) -> MaskSteps:
    """A stored byte in every step, at the earliest one step behind the word of ``present`` bits that tells of it.

    ``present``: which bytes of the mask are stored, shape (bytes,).
    """
    words = -(-len(present) // WORD_BITS)
    places = np.flatnonzero(present)
    order = np.arange(len(places))
    steps = np.zeros(len(present), np.int64)
    steps[places] = 1 + order + np.maximum.accumulate(places // WORD_BITS - order) if len(places) else 0
    return MaskSteps(np.repeat(steps, MASK_BYTE_BITS)[:groups], max(words, 1 + int(steps.max(initial=0))))


def halves_steps(kept: BoolArray) -> MaskSteps:
    """A word of the flags and a word of the codes in every step: a group is known when both have come.

    ``kept``: which groups are stored, shape (groups,).
    """
    flags = flat_steps(len(kept))
    codes = (np.cumsum(kept) - 1) // CODES_PER_WORD
    count = -(-int(np.count_nonzero(kept)) // CODES_PER_WORD)
    return MaskSteps(np.where(kept, np.maximum(flags.first, codes), flags.first), max(flags.count, count))


@dataclass(frozen=True)
class MatrixPipeline:
    """What the lanes have to do for each column that has stored groups.

    ``columns``: their numbers. ``busy``: cycles of each. ``known``: the step from which each can start for the mask's
    sake, so that no group of it waits. ``element_bytes``: of an activation.
    """

    columns: Int64Array
    busy: Int64Array
    known: Int64Array
    element_bytes: int
    _starts: dict[int, Int64Array] = field(default_factory=dict)
    _ends: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: BoolArray, steps: MaskSteps, lane_passes: int, element_bytes: int, repeat: int) -> MatrixPipeline:
        """``kept``: which groups are stored, shape (columns, groups); ``repeat``: how often all of them are taken."""
        steps, kept = steps.repeated(repeat), np.tile(kept, (repeat, 1)) if repeat > 1 else kept
        done: Int64Array = np.cumsum(kept, axis=1)
        before = done - kept
        known = np.where(kept, steps.first.reshape(kept.shape) - before * lane_passes, _NEVER).max(axis=1)
        busy = done[:, -1] * lane_passes
        columns = np.flatnonzero(busy)
        return cls(columns, busy[columns], known[columns], element_bytes)

    def end(self, live: BoolArray | None, address: int) -> int:
        """Cycles from the first step until the lanes have taken all groups of the live columns; None: all are live.

        ``address``: byte address of the first activation.
        """
        offset = address % WORD_BYTES
        if offset not in self._starts:
            scanned = (offset + self.columns * self.element_bytes) // WORD_BYTES
            self._starts[offset] = np.maximum(scanned, self.known)
            self._ends[offset] = _last(self._starts[offset], self.busy)
        if live is None:
            return self._ends[offset]
        mine = live[self.columns]
        return _last(self._starts[offset][mine], self.busy[mine])


def _last(starts: Int64Array, busy: Int64Array) -> int:
    """End of work that is done in order: each piece takes ``busy``, and begins at ``starts`` at the earliest."""
    if not len(busy):
        return 0
    ends = np.cumsum(busy)
    return int(ends[-1] + (starts - ends + busy).max())
