"""Executes vector instructions, and what they share with look-ups: streams of elements, and the last stage."""

from __future__ import annotations

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.isa import Clip, Meaning
from femtodriver.machine.bank_load import PlacedStream, bank_load
from femtodriver.machine.core import Core
from femtodriver.machine.executor import InstructionExecutor
from femtodriver.machine.operand_streams import OperandStream
from femtodriver.machine.rows import ResultRow, StreamRow, VectorRow

_ZERO = np.zeros(1, np.int64)
_MOST_KNOWN = 1024  # places of moving operands whose cycles are kept, per instruction
_SATURATING = (Clip.SATURATE, Clip.POSITIVE)


class StreamExecutor(InstructionExecutor):
    """Operand streams of an instruction, and what is counted while running if one of them moves."""

    def __init__(self, core: Core, row: StreamRow) -> None:
        super().__init__(row, core.memory.layout)
        self.stream_row = row
        self.length, self.moving = row.length, row.moving
        self.elements = row.elements
        self.dst = OperandStream(core, row.dst)
        self.sources = [OperandStream(core, source) for source in row.sources]
        self.readers = [source.reader() for source in self.sources]
        self.store = self.dst.writer()
        self.layout = core.memory.layout
        self.known_cycles: dict[tuple[PlacedStream | None, ...], int] = {}
        self.fixed_cycles = row.fixed_cycles

    def cycles(self) -> int:
        """Cycles of the execution that has just stored its result; counts what moves."""
        if not self.moving:
            return self.fixed_cycles
        for source in self.sources:
            self.dst.check_source(source)
        reads: Int64Array | int = 0
        for source in self.sources:
            reads = reads + source.banks()
        writes = self.dst.banks()
        self.extra_bank_reads = self.extra_bank_reads + reads
        self.extra_bank_writes = self.extra_bank_writes + writes
        self.add("dm_read", int(np.sum(reads)))
        self.add("dm_write", int(np.sum(writes)))
        taken = self._moving_cycles()
        self.add("cycles", taken)
        return taken

    def _moving_cycles(self) -> int:
        """Cycles at the places to which base registers have moved the operands."""
        sources = [source.placed() for source in self.sources if source.operand.in_memory]
        dst = self.dst.placed() if self.dst.operand.in_memory else None
        key = (*sources, dst)
        if key not in self.known_cycles:
            if len(self.known_cycles) >= _MOST_KNOWN:
                self.known_cycles.clear()
            load = bank_load(self.layout, self.stream_row.lanes, self.length, sources, dst)
            self.known_cycles[key] = self.stream_row.cycles(load)
        return self.known_cycles[key]

    def clipped(self, values: Int64Array, low: int, high: int) -> Int64Array:
        """The values, at least ``low`` and at most ``high``; counts those that change."""
        result = np.minimum(np.maximum(values, low), high)
        changed = np.count_nonzero(result != values)
        if changed:
            self.add("saturated", int(changed) * (self.length // result.size))
        return result


class ResultExecutor(StreamExecutor):
    """Stream instructions whose result is shifted and clipped."""

    def __init__(self, core: Core, row: ResultRow) -> None:
        super().__init__(core, row)
        stage = row.stage
        self.shift, self.rounded, self.clip = stage.shift, stage.rounded, stage.clip
        self.low, self.high, self.mask = stage.low, stage.high, np.int64(stage.mask)

    def finish(self, result: Int64Array) -> int:
        """Shift, clip and store the result; the cycles taken."""
        if self.shift:
            result = fixed.round_shift(result, self.shift, self.rounded)
        if self.clip in _SATURATING:
            result = self.clipped(result, self.low, self.high)
            if self.clip is Clip.POSITIVE:
                result = np.maximum(result, 0)
        elif self.clip is Clip.LOW_BITS:
            result = result & self.mask
        self.store(result)
        return self.cycles()


class VectorExecutor(ResultExecutor):
    """Executes a ``VectorRow``; ``meaning`` is the arithmetic of its instruction."""

    def __init__(self, core: Core, row: VectorRow, meaning: Meaning) -> None:
        super().__init__(core, row)
        self.meaning = meaning
        self.shift_a, self.shift_b = row.shift_a, row.shift_b
        self.read_a, self.read_b = (*self.readers, _no_operand)[:2]

    def run(self, core: Core) -> int:
        self.executions += 1
        a, b = self.read_a(), self.read_b()
        if self.shift_a:
            a = fixed.shift(a, self.shift_a)
        if self.shift_b:
            b = fixed.shift(b, self.shift_b)
        return self.finish(self.meaning(a, b))


class AccumulateExecutor(StreamExecutor):
    """Executes a ``VectorRow`` whose products are added to what its destination holds."""

    def __init__(self, core: Core, row: VectorRow) -> None:
        super().__init__(core, row)
        self.shift_a, self.shift_b = row.shift_a, row.shift_b
        self.read_a, self.read_b = self.readers
        self.read_sums = self.dst.reader()

    def run(self, core: Core) -> int:
        self.executions += 1
        a, b = fixed.shift(self.read_a(), self.shift_a), fixed.shift(self.read_b(), self.shift_b)
        self.store(self.read_sums() + a * b)
        return self.cycles()


def _no_operand() -> Int64Array:
    return _ZERO
