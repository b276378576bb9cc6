"""What executes a row: the base of all executors, and the one of what cannot be executed."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import MachineFault
from femtodriver.machine.core import Core
from femtodriver.machine.data_layout import DataLayout
from femtodriver.machine.fixed_counts import fixed_counts
from femtodriver.machine.rows import DecodedRow, FaultRow, InstructionRow


class Executor:
    """An instruction at its place on a core: runs, and keeps the counts of its executions.

    What every execution adds is in ``fixed`` and is multiplied when somebody asks; what depends on data or on base
    registers is added to ``extra``. ``elements``: what the last execution has taken of the budget for elements.
    ``ahead``, ``streams``: see ``InstructionRow``. ``decoded``: the row.
    """

    ahead = 0
    streams = False

    def __init__(self, decoded: DecodedRow) -> None:
        self.decoded = decoded
        self.pc, self.next_pc = decoded.pc, decoded.next_pc
        self.executions = 0
        self.elements = 0
        self.fixed: dict[str, int] = {}
        self.extra: dict[str, int] = {}
        self.bank_reads: Int64Array | int = 0
        self.bank_writes: Int64Array | int = 0
        self.extra_bank_reads: Int64Array | int = 0
        self.extra_bank_writes: Int64Array | int = 0

    def run(self, core: Core) -> int:
        """Execute on ``core`` and return the cycles taken; MachineFault when the program breaks a rule."""
        raise NotImplementedError

    def start_ahead(self) -> int:
        """Count an execution that followed a stream; the cycles that it started ahead."""
        self.add("cycles", -self.ahead)
        return self.ahead

    def add(self, event: str, count: int) -> None:
        """Count an event that not every execution has, or not as often."""
        self.extra[event] = self.extra.get(event, 0) + count

    def events(self) -> dict[str, int]:
        """All events counted since the last ``clear``; only nonzero ones."""
        total = {name: count * self.executions for name, count in self.fixed.items()}
        for name, count in self.extra.items():
            total[name] = total.get(name, 0) + count
        return {name: int(count) for name, count in total.items() if count}

    def bank_traffic(self) -> tuple[Int64Array | int, Int64Array | int]:
        """Reads and writes per bank since the last ``clear``."""
        return (
            self.bank_reads * self.executions + self.extra_bank_reads,
            self.bank_writes * self.executions + self.extra_bank_writes,
        )

    def clear(self) -> None:
        """Forget the counts."""
        self.executions = 0
        self.extra = {}
        self.extra_bank_reads = self.extra_bank_writes = 0


class FaultExecutor(Executor):
    """What cannot be executed: running it is a fault that says why."""

    def __init__(self, row: FaultRow) -> None:
        super().__init__(row)
        self.reason = row.reason

    def run(self, core: Core) -> int:
        raise MachineFault(self.reason)


class InstructionExecutor(Executor):
    """Executes the row of an instruction on the core that it is made for; ``layout``: of its data memory."""

    def __init__(self, row: InstructionRow, layout: DataLayout) -> None:
        super().__init__(row)
        self.ahead, self.streams = row.ahead, row.streams
        counts = fixed_counts(row, layout)
        self.fixed = dict(counts.events)
        self.bank_reads = np.array(counts.bank_reads, np.int64)
        self.bank_writes = np.array(counts.bank_writes, np.int64)
