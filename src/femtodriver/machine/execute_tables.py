"""Executes look-ups and interpolations in tables."""

from __future__ import annotations

import numpy as np

from femtodriver import fixed
from femtodriver.isa.limits import INTERPOLATION_ADDRESS_BITS
from femtodriver.machine.core import Core
from femtodriver.machine.execute_vectors import ResultExecutor, StreamExecutor
from femtodriver.machine.rows import InterpolateRow, LookupRow

_ENTRIES = 1 << INTERPOLATION_ADDRESS_BITS


class LookupExecutor(StreamExecutor):
    """Executes a ``LookupRow``. Element i reads copy i mod copies; equal copies need no such care."""

    def __init__(self, core: Core, row: LookupRow) -> None:
        super().__init__(core, row)
        self.shift_a, self.low, self.high = row.shift_a, row.low, row.high
        table = row.table
        copies = core.tables[table.bank : table.bank + table.copies, table.row : table.row + row.high - row.low + 1]
        self.copies = np.ascontiguousarray(copies)
        self.equal = bool((copies == copies[0]).all())
        self.which = np.arange(row.length) % table.copies
        self.read_a = self.readers[0]

    def run(self, core: Core) -> int:
        self.executions += 1
        index = self.clipped(fixed.shift(self.read_a(), self.shift_a), self.low, self.high) - self.low
        self.store(self.copies[0][index] if self.equal else self.copies[self.which, index])
        return self.cycles()


class InterpolateExecutor(ResultExecutor):
    """Executes an ``InterpolateRow``."""

    def __init__(self, core: Core, row: InterpolateRow) -> None:
        super().__init__(core, row)
        self.shift_a, self.shift_b = row.shift_a, row.shift_b
        self.offset, self.slope = (
            np.ascontiguousarray(core.tables[table.bank, table.row : table.row + _ENTRIES])
            for table in (row.offset, row.slope)
        )
        self.read_a = self.readers[0]

    def run(self, core: Core) -> int:
        self.executions += 1
        a = self.read_a()
        index = (a >> INTERPOLATION_ADDRESS_BITS) + _ENTRIES // 2
        product = (self.slope[index] * (a & (_ENTRIES - 1))) >> INTERPOLATION_ADDRESS_BITS
        return self.finish(fixed.shift(product, self.shift_a) + fixed.shift(self.offset[index], self.shift_b))
