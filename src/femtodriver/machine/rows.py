"""Decoded instructions as flat frozen rows: everything about an instruction that does not change while a program runs.

``decode_rows.py`` makes them once, when a program is loaded, and finds the faults that need no run. Rows hold numbers
(and rows of operands), never arrays or functions, so that an executor in any language can take them as they are.
Where all addresses are fixed, the rows also have the cycles of every execution; ``fixed_counts.py`` says what else
each of them counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from femtodriver.isa import Clip, Form, Operand, Spec, cycles
from femtodriver.machine.bank_load import PlacedStream
from femtodriver.machine.run_budget import INSTRUCTION_ELEMENTS


@dataclass(frozen=True)
class OperandRow(Operand):
    """An operand and how many of its elements are used; one element goes with every element of the others."""

    length: int = 1

    @property
    def moving(self) -> bool:
        """Whether its address depends on a base register."""
        return self.base != 0 and self.in_memory

    @property
    def size(self) -> int:
        """Bytes of all its elements; only meaningful in memory."""
        return self.length * self.bits // 8

    def placed(self, address: int) -> PlacedStream:
        """Its elements in data memory, if element 0 is at this byte address."""
        return PlacedStream(address, self.length, self.bits // 8)


@dataclass(frozen=True)
class DecodedRow:
    """pc, next_pc: word address of the instruction, and of what follows it in memory."""

    pc: int
    next_pc: int


@dataclass(frozen=True)
class FaultRow(DecodedRow):
    """What cannot be executed. ``reason``: the sentence of the fault that it is to try."""

    reason: str


@dataclass(frozen=True)
class InstructionRow(DecodedRow):
    """``spec``: the instruction's entry in the table; executors are found by its name (or its opcode).

    ahead: cycles that it starts ahead when it is executed right after the row before it in memory, if that is a stream.
    """

    spec: Spec
    ahead: int = field(default=0, kw_only=True)

    @property
    def streams(self) -> bool:
        """Whether it reads or writes elements one after the other, so that the next instruction can start ahead."""
        return False


@dataclass(frozen=True)
class StreamRow(InstructionRow):
    """Instructions that read elements one by one and write one for each.

    dst: the destination; its length is that of the instruction.
    sources: the operands that are read, in order.
    lanes: elements that the lanes of the part take at once.
    load: what the banks have to serve; None if it depends on base registers.
    """

    dst: OperandRow
    sources: tuple[OperandRow, ...]
    lanes: int
    load: cycles.BankLoad | None

    @property
    def streams(self) -> bool:
        """See ``InstructionRow.streams``."""
        return True

    @property
    def length(self) -> int:
        """Elements of the result."""
        return self.dst.length

    @property
    def elements(self) -> int:
        """What an execution takes of the budget for elements."""
        return INSTRUCTION_ELEMENTS + self.length

    @property
    def moving(self) -> bool:
        """Whether bank accesses and cycles depend on base registers; they are counted while running then."""
        return self.load is None

    @property
    def fixed_cycles(self) -> int:
        """Cycles of every execution; 0 if they depend on base registers."""
        return 0 if self.load is None else self.cycles(self.load)

    def cycles(self, load: cycles.BankLoad) -> int:
        """Cycles of an execution with this load of the banks."""
        raise NotImplementedError


@dataclass(frozen=True)
class LastStage:
    """The end of the lanes: R(result, shift, rounded), then the clip.

    low, high: the limits of SATURATE and POSITIVE. mask: the bits that LOW_BITS keeps, as a signed 64-bit number.
    """

    shift: int
    rounded: bool
    clip: Clip
    low: int
    high: int
    mask: int


@dataclass(frozen=True)
class ResultRow(StreamRow):
    """Stream instructions whose result is shifted and clipped."""

    stage: LastStage


@dataclass(frozen=True)
class VectorRow(ResultRow):
    """lane_passes: cycles that a lane needs for one element.

    product_event, products: what the multiplication of an element counts as, and how many of it; "" and 0 without one.
    """

    shift_a: int
    shift_b: int
    lane_passes: int
    product_event: str
    products: int

    def cycles(self, load: cycles.BankLoad) -> int:
        """See ``StreamRow.cycles``."""
        return cycles.vector(self.lanes, self.lane_passes, load)


@dataclass(frozen=True)
class TableCopies:
    """Where a table begins: ``copies`` equal ones, from ``bank`` on, each at ``row`` of its bank."""

    bank: int
    row: int
    copies: int

    @property
    def banks(self) -> set[int]:
        """The banks that hold one."""
        return set(range(self.bank, self.bank + self.copies))


@dataclass(frozen=True)
class LookupRow(StreamRow):
    """``low``, ``high``: the limits of an address; the table's first entry is that of ``low``."""

    shift_a: int
    low: int
    high: int
    table: TableCopies

    def cycles(self, load: cycles.BankLoad) -> int:
        """See ``StreamRow.cycles``."""
        return cycles.lookup(self.lanes, self.table.copies, load)


@dataclass(frozen=True)
class InterpolateRow(ResultRow):
    """Interpolations in two tables, which may share banks."""

    shift_a: int
    shift_b: int
    offset: TableCopies
    slope: TableCopies

    @property
    def tables_in_bank(self) -> int:
        """How many of the two tables the busiest bank of table memory holds."""
        return 1 if self.offset.banks.isdisjoint(self.slope.banks) else 2

    def cycles(self, load: cycles.BankLoad) -> int:
        """See ``StreamRow.cycles``."""
        return cycles.interpolate(self.lanes, self.offset.copies, self.tables_in_bank, load)


@dataclass(frozen=True)
class MatrixRow(InstructionRow):
    """Matrix-vector products.

    x: the activations, one for each column, ``repeat`` times. ``scan_words`` words hold them (0 where they move).
    first: the element of the accumulator file that output 0 is added to; ``rows`` outputs in ``groups`` groups,
    as often.
    weights, mask: word addresses. fresh: the accumulators count as zero before.
    lane_passes: cycles of a group. product_event, products: what a multiplication counts as, and how many of it.
    """

    x: OperandRow
    scan_words: int
    first: int
    columns: int
    repeat: int
    rows: int
    groups: int
    weights: int
    weight_bits: int
    form: Form
    mask: int
    fresh: bool
    lane_passes: int
    product_event: str
    products: int

    @property
    def streams(self) -> bool:
        """See ``InstructionRow.streams``."""
        return True

    @property
    def elements(self) -> int:
        """What an execution takes of the budget for elements, besides decoding the weights."""
        return INSTRUCTION_ELEMENTS + self.x.length * self.groups

    @property
    def masked(self) -> bool:
        """Whether a mask says which weights are stored."""
        return self.form is not Form.DENSE


@dataclass(frozen=True)
class TransferRow(InstructionRow):
    """Messages: ``length`` words of data memory from ``first_word`` on are the payload, or where it goes."""

    first_word: int
    length: int
    core: int
    target: int
    fixed_cycles: int


@dataclass(frozen=True)
class ControlRow(InstructionRow):
    """Threads, base registers and branches; the fields of the instruction."""

    core: int
    thread: int
    register: int
    value: int
    target: int
    source: int


@dataclass(frozen=True)
class ElementRow(InstructionRow):
    """Base registers and branches that read one element."""

    a: OperandRow
    register: int
    shift_a: int
    target: int
