"""How much earlier an instruction starts because the one before it in memory is a stream of elements that ends.

While that one writes its last result back, the decoder is free; and where the banks of its destination are not those
that the next instruction reads first, these reads begin as well. See ``docs/isa.md``.
"""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.isa import Kind, cycles
from femtodriver.machine.data_layout import WORD_BYTES, DataLayout
from femtodriver.machine.rows import DecodedRow, MatrixRow, OperandRow, StreamRow


def cycles_ahead(before: DecodedRow, row: DecodedRow, layout: DataLayout) -> int:
    """Cycles that ``row`` starts ahead when it is executed right after ``before``, the row before it in memory."""
    if not isinstance(before, (StreamRow, MatrixRow)) or not isinstance(row, (StreamRow, MatrixRow)):
        return 0
    # The sums of a matrix go to accumulators.
    written = before.dst if isinstance(before, StreamRow) and before.dst.in_memory else None
    if any(_may_wait(source, written, layout) for source in _sources(row)):
        return cycles.DECODE_AHEAD
    return cycles.DECODE_AHEAD + cycles.READ_AHEAD


def _sources(row: StreamRow | MatrixRow) -> tuple[OperandRow, ...]:
    """What an instruction reads first."""
    if isinstance(row, MatrixRow):
        return (row.x,)
    return (*row.sources, row.dst) if row.spec.accumulates else row.sources


def _may_wait(source: OperandRow, written: OperandRow | None, layout: DataLayout) -> bool:
    """Whether a source may have to wait for the last result, or for its bank; ``written``: None for accumulators."""
    if source.kind is Kind.IMM or source.in_memory != (written is not None):
        return False
    if written is None or source.moving or written.moving:
        return True
    return not set(_pairs(source, layout)).isdisjoint(_pairs(written, layout))


def _pairs(operand: OperandRow, layout: DataLayout) -> Iterator[int]:
    """The bank pairs that an operand at a fixed address lies in."""
    size = 2 * WORD_BYTES * layout.bank_words
    yield from range(operand.value // size, (operand.value + operand.size - 1) // size + 1)
