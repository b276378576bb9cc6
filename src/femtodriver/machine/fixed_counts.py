"""What every execution of an instruction adds to the counts, whatever the data and the registers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from femtodriver.isa import Kind, Result
from femtodriver.machine.data_layout import DataLayout
from femtodriver.machine.rows import (
    ElementRow,
    InstructionRow,
    InterpolateRow,
    LookupRow,
    MatrixRow,
    OperandRow,
    StreamRow,
    TransferRow,
    VectorRow,
)

BankCounts = tuple[int, ...]
"""Accesses of each bank of data memory."""


@dataclass(frozen=True)
class FixedCounts:
    """The counts of one execution.

    events: (name, count) of each; see ``EVENTS``. Cycles are among them where they are the same for all executions.
    bank_reads, bank_writes: accesses of each bank of data memory; zero for streams and activations that move, whose
    accesses are counted while running.
    """

    events: tuple[tuple[str, int], ...]
    bank_reads: BankCounts
    bank_writes: BankCounts


def fixed_counts(row: InstructionRow, layout: DataLayout) -> FixedCounts:
    """The counts of one execution of a row."""
    events = _work(row)
    reads, writes = (_accesses(layout, ranges) for ranges in _words(row, layout))
    events |= {"instructions": 1, "im_read": row.next_pc - row.pc, "dm_read": sum(reads), "dm_write": sum(writes)}
    if isinstance(row, (StreamRow, TransferRow)):
        events["cycles"] = row.fixed_cycles
    return FixedCounts(tuple(events.items()), reads, writes)


def _work(row: InstructionRow) -> dict[str, int]:
    """Events of lanes, tables and accumulators."""
    if isinstance(row, VectorRow):
        products = {row.product_event: row.products * row.length} if row.products else {}
        return {"alu": row.length, **products, **_accumulators(row)}
    if isinstance(row, LookupRow):
        return {"tm_read": row.length, "alu": row.length, **_accumulators(row)}
    if isinstance(row, InterpolateRow):
        return {"tm_read": 2 * row.length, "mac_8x16": row.length, "alu": row.length, **_accumulators(row)}
    if isinstance(row, MatrixRow):
        return {"activation": row.x.length, "matrix_dense": row.x.length * row.rows}
    return {}


def _accumulators(row: StreamRow) -> dict[str, int]:
    read = (*row.sources, row.dst) if row.spec.accumulates else row.sources
    return {
        "acc_read": sum(operand.length for operand in read if operand.kind is Kind.ACC),
        "acc_write": row.length if row.dst.kind is Kind.ACC else 0,
    }


def _words(row: InstructionRow, layout: DataLayout) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Ranges of words of data memory that are read, and those that are written."""
    if isinstance(row, StreamRow):
        return ([], []) if row.moving else (_placed(layout, row.sources), _placed(layout, [row.dst]))
    if isinstance(row, MatrixRow):
        return _placed(layout, [row.x]), []
    if isinstance(row, ElementRow):
        return _placed(layout, [row.a]), []
    if isinstance(row, TransferRow):
        words = [(row.first_word, row.first_word + row.length)]
        return ([], words) if row.spec.result is Result.WORDS else (words, [])
    return [], []


def _placed(layout: DataLayout, operands: Iterable[OperandRow]) -> list[tuple[int, int]]:
    """The words of the operands that are in memory and do not move."""
    return [
        layout.words_of_bytes(operand.value, operand.size)
        for operand in operands
        if operand.in_memory and not operand.moving
    ]


def _accesses(layout: DataLayout, ranges: Iterable[tuple[int, int]]) -> BankCounts:
    counts = [0] * layout.banks
    for first, end in ranges:
        for bank, words in layout.words_by_bank(first, end):
            counts[bank] += words
    return tuple(counts)
