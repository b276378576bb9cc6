"""Look-ups and interpolation in tables, prepared for execution."""

from __future__ import annotations

import numpy as np

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.errors import MachineFault
from femtodriver.isa import InterpolateInstruction, LookupInstruction, cycles
from femtodriver.isa.limits import INTERPOLATION_ADDRESS_BITS, INTERPOLATION_ARGUMENT_BITS
from femtodriver.machine.core import Core
from femtodriver.machine.execute_vectors import ResultStep, StreamStep

_ENTRIES = 1 << INTERPOLATION_ADDRESS_BITS


class LookupStep(StreamStep):
    """A ``LookupInstruction``."""

    def __init__(self, core: Core, pc: int, instruction: LookupInstruction) -> None:
        super().__init__(core, pc, instruction, {"dst": instruction.length, "a": instruction.length})
        self.lookup = instruction
        self.ways = 1 << instruction.ways
        entries = 1 << instruction.bits
        rows, banks = core.tables.shape[1], core.tables.shape[0]
        if instruction.table + entries > rows or instruction.bank + self.ways > banks:
            raise MachineFault(f"lut: the table must lie inside table memory of {banks} banks x {rows} words.")
        copies = core.tables[instruction.bank : instruction.bank + self.ways]
        copies = copies[:, instruction.table : instruction.table + entries]
        # Element i uses copy i mod ways; equal copies (the compiler's) give the same value as the first.
        self.copies = np.ascontiguousarray(copies)
        self.equal = bool((copies == copies[0]).all())
        self.which = np.arange(instruction.length) % self.ways
        self.read_a = self.readers["a"]
        self.low, self.high = fixed.limits(instruction.bits)
        self.fixed |= {"tm_read": self.length, "alu": self.length}
        self.fixed["cycles"] = 0 if self.moving else self._cycles(self.busiest)

    def _cycles(self, busiest: int) -> int:
        return cycles.lookup(self.length, self.lanes, self.ways, busiest)

    def run(self, core: Core) -> int:
        self.executions += 1
        address = fixed.shift(self.read_a(), self.lookup.shift_a)
        clipped = np.minimum(np.maximum(address, self.low), self.high)
        changed = np.count_nonzero(clipped != address)
        if changed:
            self.add("saturated", int(changed) * (self.length // clipped.size))
        index = clipped - self.low
        self.store(self.copies[0][index] if self.equal else self.copies[self.which, index])
        if self.moving:
            taken = self._cycles(self.count_moving())
            self.add("cycles", taken)
            return taken
        return self.fixed["cycles"]


class InterpolateStep(ResultStep):
    """An ``InterpolateInstruction``."""

    def __init__(self, core: Core, pc: int, instruction: InterpolateInstruction) -> None:
        super().__init__(core, pc, instruction, {"dst": instruction.length, "a": instruction.length})
        if instruction.a.bits != INTERPOLATION_ARGUMENT_BITS:
            raise MachineFault(
                f"interp: a must have {INTERPOLATION_ARGUMENT_BITS}-bit elements, not {instruction.a.text()}."
            )
        self.interpolate = instruction
        self.offset = self._table(core, instruction.offset, instruction.offset_bank)
        self.slope = self._table(core, instruction.slope, instruction.slope_bank)
        self.read_a = self.readers["a"]
        self.table_reads = self._table_reads(core.part.tm_banks)
        self.fixed |= {"tm_read": 2 * self.length, "mac_8x16": self.length, "alu": self.length}
        self.fixed["cycles"] = 0 if self.moving else self._cycles(self.busiest)

    def _table(self, core: Core, row: int, bank: int) -> Int64Array:
        """The first of the copies, which must all be equal: element i reads copy i mod copies."""
        copies = 1 << self.interpolate.ways
        banks, rows = core.tables.shape
        if row + _ENTRIES > rows or bank + copies > banks:
            raise MachineFault(f"interp: the tables must lie inside table memory of {banks} banks x {rows} words.")
        tables = core.tables[bank : bank + copies, row : row + _ENTRIES]
        if not (tables == tables[0]).all():
            raise MachineFault("interp: the copies of a table must be equal.")
        return np.ascontiguousarray(tables[0])

    def _table_reads(self, banks: int) -> int:
        """Reads of the busiest table bank."""
        reads = [0] * banks
        copies = 1 << self.interpolate.ways
        for first in (self.interpolate.offset_bank, self.interpolate.slope_bank):
            for bank in range(first, first + copies):
                reads[bank] += -(-self.length // copies)
        return max(reads)

    def _cycles(self, busiest: int) -> int:
        return cycles.interpolate(self.length, self.lanes, self.table_reads, busiest)

    def run(self, core: Core) -> int:
        self.executions += 1
        instruction = self.interpolate
        a = self.read_a()
        high = a >> INTERPOLATION_ADDRESS_BITS
        index = high + _ENTRIES // 2
        product = (self.slope[index] * (a & (_ENTRIES - 1))) >> INTERPOLATION_ADDRESS_BITS
        total = fixed.shift(product, instruction.shift_a) + fixed.shift(self.offset[index], instruction.shift_b)
        return self.finish(total)
