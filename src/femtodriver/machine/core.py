"""The state of one core while it runs, and the base of its prepared instructions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.errors import MachineFault
from femtodriver.isa import Instruction, Operand
from femtodriver.isa.limits import BASE_REGISTER_BITS, BASE_REGISTERS
from femtodriver.machine.memory import DataMemory
from femtodriver.part import Part


@dataclass(frozen=True)
class Message:
    """A vector under way: to a core (wakes the thread at ``target``) or, as an output, to mailbox ``target``."""

    arrival: int
    core: int
    target: int
    payload: Words
    from_host: bool = False


@dataclass(frozen=True)
class Signal:
    """A dependency count to lower at a time."""

    arrival: int
    core: int
    thread: int


@dataclass
class Core:
    """Registers and memories of one core, and what its running thread has sent."""

    index: int
    part: Part
    memory: DataMemory
    tables: Int64Array
    acc: Int64Array = field(init=False)
    bases: list[int] = field(init=False)
    pc: int = 0
    time: int = 0
    running: bool = False
    message: Message | None = None
    sent: list[Message | Signal] = field(default_factory=list)
    outputs: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.acc = np.zeros(self.part.acc_rows * self.part.lanes, np.int64)
        self.reset()

    def reset(self) -> None:
        """Data memory back to its image, registers to zero, no message under way."""
        self.memory.reset()
        self.acc[:] = 0
        self.bases = [0] * BASE_REGISTERS
        self.message = None
        self.sent.clear()
        self.outputs.clear()

    def set_base(self, register: int, value: int) -> None:
        """Write a base register; it keeps ``BASE_REGISTER_BITS`` bits, two's complement."""
        half = 1 << (BASE_REGISTER_BITS - 1)
        self.bases[register] = ((value + half) & (2 * half - 1)) - half

    def address(self, operand: Operand) -> int:
        """Byte address of a memory operand's element 0."""
        return self.bases[operand.base] + operand.value


class Step:
    """A prepared instruction at its place: runs, and keeps the counts of its executions.

    ``fixed`` holds the events of every execution; what depends on data is added to ``extra``.
    """

    def __init__(self, pc: int, instruction: Instruction | None) -> None:
        words = instruction.words if instruction else 1
        self.pc = pc
        self.next_pc = pc + words
        self.executions = 0
        self.fixed: dict[str, int] = {"instructions": 1, "im_read": words}
        self.extra: dict[str, int] = {}
        self.bank_reads: Int64Array | int = 0
        self.bank_writes: Int64Array | int = 0
        self.extra_bank_reads: Int64Array | int = 0
        self.extra_bank_writes: Int64Array | int = 0

    def run(self, core: Core) -> int:
        """Execute on ``core`` and return the cycles taken."""
        raise NotImplementedError

    def add(self, event: str, count: int) -> None:
        """Count a data-dependent event."""
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


class FaultStep(Step):
    """What cannot be executed: running it is a fault that says why."""

    def __init__(self, pc: int, reason: str) -> None:
        super().__init__(pc, None)
        self.reason = reason

    def run(self, core: Core) -> int:
        raise MachineFault(self.reason)
