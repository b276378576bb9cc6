"""How much earlier an instruction starts because the one before it in memory is a stream of elements that ends.

While that one writes its last result back, the decoder is free; and where that write is not in the way of what the next
instruction reads first, these reads begin as well. See ``docs/isa.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

from femtodriver.isa import cycles
from femtodriver.machine.data_layout import WORD_BYTES, DataLayout
from femtodriver.machine.rows import DecodedRow, MatrixRow, OperandRow, StreamRow


def cycles_ahead(before: DecodedRow, reads: Sequence[OperandRow], layout: DataLayout) -> int:
    """Cycles that a stream starts ahead when it is executed right after ``before``, the row before it in memory.

    ``reads``: what it reads first.
    """
    if not isinstance(before, (StreamRow, MatrixRow)):
        return 0
    # Results in accumulators, as those of a matrix are, are forwarded.
    if isinstance(before, StreamRow) and before.dst.in_memory:
        for operand in reads:
            if _meet(before.dst, operand, layout):
                return cycles.DECODE_AHEAD
    return cycles.DECODE_AHEAD + cycles.READ_AHEAD


def _meet(written: OperandRow, source: OperandRow, layout: DataLayout) -> bool:
    """Whether both may need the same bank: they are in memory, and one of them moves or they share a pair of banks."""
    if not (written.in_memory and source.in_memory):
        return False
    if written.moving or source.moving:
        return True
    (first, last), (written_first, written_last) = _pairs(source, layout), _pairs(written, layout)
    return first <= written_last and written_first <= last


def _pairs(operand: OperandRow, layout: DataLayout) -> tuple[int, int]:
    """The first and the last bank pair that an operand at a fixed address lies in."""
    size = 2 * WORD_BYTES * layout.bank_words
    return operand.value // size, (operand.value + operand.size - 1) // size
