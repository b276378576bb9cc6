"""The state of one core while it runs, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from femtodriver.arrays import Int64Array, Words
from femtodriver.isa import Operand
from femtodriver.isa.limits import BASE_REGISTER_BITS, BASE_REGISTERS, HEADER_WORDS
from femtodriver.machine.memory import DataMemory
from femtodriver.part import Part

# What a frame may find in its accumulators and base registers: no program means these numbers.
POISON = -0x5A5A_C3C3_9696_0FF1
BASE_POISON = -0x2A5F3


@dataclass(frozen=True)
class Message:
    """A vector under way: to a core (wakes the thread at ``target``) or, as an output, to mailbox ``target``.

    ``sent``: the cycle in which a core has begun to send it.
    """

    arrival: int
    core: int
    target: int
    payload: Words
    from_host: bool = False
    sent: int = 0

    @property
    def words(self) -> int:
        """64-bit words with the header."""
        return HEADER_WORDS + len(self.payload)


@dataclass(frozen=True)
class Signal:
    """A dependency count to lower at a time."""

    arrival: int
    core: int
    thread: int


@dataclass
class Core:
    """Registers and memories of one core, and what its running thread has sent.

    ``taken_at``: when the running thread has taken the message that woke it.
    """

    index: int
    part: Part
    memory: DataMemory
    tables: Int64Array
    acc: Int64Array = field(init=False)
    bases: list[int] = field(init=False)
    pc: int = 0
    time: int = 0
    running: bool = False
    streamed: bool = False  # the instruction before was a stream; see InstructionRow.ahead
    message: Message | None = None
    taken_at: int | None = None
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

    def poison(self) -> None:
        """Accumulators and base registers to numbers that no program means; register 0 stays zero."""
        self.acc[:] = POISON - np.arange(len(self.acc))
        self.bases = [0, *(BASE_POISON - register for register in range(1, BASE_REGISTERS))]

    def set_base(self, register: int, value: int) -> None:
        """Write a base register; it keeps ``BASE_REGISTER_BITS`` bits, two's complement."""
        half = 1 << (BASE_REGISTER_BITS - 1)
        self.bases[register] = ((value + half) & (2 * half - 1)) - half

    def address(self, operand: Operand) -> int:
        """Byte address of a memory operand's element 0."""
        return self.bases[operand.base] + operand.value
