"""How much earlier an instruction starts because the one before it in memory is a stream of elements that ends.

While that one writes its last result back, the decoder is free; and where that write is not in the way of what the next
instruction reads first, these reads begin as well. See ``docs/isa.md``.
"""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.isa import cycles
from femtodriver.machine.data_layout import WORD_BYTES, DataLayout
from femtodriver.machine.rows import DecodedRow, MatrixRow, OperandRow, StreamRow


def cycles_ahead(before: DecodedRow, row: DecodedRow, layout: DataLayout) -> int:
    """Cycles that ``row`` starts ahead when it is executed right after ``before``, the row before it in memory."""
    if not isinstance(before, (StreamRow, MatrixRow)) or not isinstance(row, (StreamRow, MatrixRow)):
        return 0
    # Results in accumulators, as those of a matrix are, are forwarded.
    in_the_way = isinstance(before, StreamRow) and any(_meet(before.dst, source, layout) for source in _sources(row))
    return cycles.DECODE_AHEAD + (0 if in_the_way else cycles.READ_AHEAD)


def _sources(row: StreamRow | MatrixRow) -> tuple[OperandRow, ...]:
    """What an instruction reads first."""
    if isinstance(row, MatrixRow):
        return (row.x,)
    return (*row.sources, row.dst) if row.spec.accumulates else row.sources


def _meet(written: OperandRow, source: OperandRow, layout: DataLayout) -> bool:
    """Whether both may need the same bank: they are in memory, and one of them moves or they share a pair of banks."""
    if not (written.in_memory and source.in_memory):
        return False
    if written.moving or source.moving:
        return True
    return not set(_pairs(source, layout)).isdisjoint(_pairs(written, layout))


def _pairs(operand: OperandRow, layout: DataLayout) -> Iterator[int]:
    """The bank pairs that an operand at a fixed address lies in."""
    size = 2 * WORD_BYTES * layout.bank_words
    yield from range(operand.value // size, (operand.value + operand.size - 1) // size + 1)
