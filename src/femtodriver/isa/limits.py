"""The numbers of the instruction set: what its fields can express. They follow from the layouts of the table.

A part may have less of everything (``part/``), and program files may place less (``program/memory_map.py``).
"""

from __future__ import annotations

from femtodriver.isa import bits, operand
from femtodriver.isa.bits import BitField
from femtodriver.isa.instruction import Instruction
from femtodriver.isa.instructions import (
    ControlInstruction,
    LookupInstruction,
    MatrixInstruction,
    TransferInstruction,
    VectorInstruction,
)


def field_of(family: type[Instruction], name: str) -> BitField:
    """The bit field ``name`` of a family's layout; KeyError when it has none of that name."""
    return {entry.name: entry for entry in family.layout.fields}[name]


(_IMMEDIATE,) = operand.KIND_FIELDS[operand.Kind.IMM]

ISA_VERSION = 3
"""Rises with every change that makes an old program mean something else."""
ISA_FAMILY = "open-spu/"
"""How the name of the instruction set begins, whatever its version."""
ISA_NAME = f"{ISA_FAMILY}{ISA_VERSION}"
"""Name and version of the instruction set, as programs carry it in their metadata."""

WORD_BITS = bits.WORD_BITS
"""Bits of a word of data and instruction memory, and of a message."""
DATA_ADDRESS_BITS = operand.ADDRESS_BITS
"""Bits of a byte address in data memory."""
MAX_DATA_BYTES = 1 << DATA_ADDRESS_BITS
"""Bytes of data memory that a core can address."""
ELEMENT_BITS = tuple(operand.MEMORY_KINDS)
"""Widths of the elements that data memory holds."""
MAX_ELEMENT_BITS = max(ELEMENT_BITS)
"""Bits of the widest element that data memory holds; wider values live in accumulators."""

TABLE_WORD_BITS = 16
"""Bits of a word of table memory."""
MAX_TABLE_BANKS = field_of(LookupInstruction, "bank").high + 1
"""Banks of table memory."""
MAX_TABLE_WORDS = field_of(LookupInstruction, "table").high + 1
"""Words of a bank of table memory."""
MAX_TABLE_COPIES = 1 << field_of(LookupInstruction, "ways").high
"""Copies of one table, in consecutive banks."""
MAX_TABLE_ADDRESS_BITS = field_of(LookupInstruction, "bits").high
"""Bits of an address of a look-up; its table has 2**bits entries."""

GROUP_SIZE = operand.LANES
"""Weights of a group, and elements of an accumulator row: one for each lane."""
CODES_PER_WORD = WORD_BITS // 2
"""Codes of two bits, one for each stored group, in a word of a mask of halves."""
ACCUMULATOR_BITS = operand.ACC_BITS
"""Bits of an accumulator."""
MAX_ACCUMULATOR_ROWS = field_of(MatrixInstruction, "acc").high + 1
"""Accumulator rows of a core."""

MAX_CORES = field_of(ControlInstruction, "core").high + 1
"""Cores of a chip."""
MAX_THREADS = field_of(ControlInstruction, "thread").high + 1
"""Threads with a dependency count, per core."""
COUNT_BITS = 11
"""Bits of a dependency count in the scoreboard."""
MAX_COUNT = (1 << COUNT_BITS) - 1
"""Signals and messages that a thread can wait for."""
MAX_PC = field_of(ControlInstruction, "target").high
"""The largest program counter."""
MAX_INSTRUCTION_WORDS = 4096
"""Words of instruction memory of a core: what program files have room for; program counters reach further."""

BASE_REGISTERS = field_of(ControlInstruction, "register").high + 1
"""Base registers, with register 0, which is always zero."""
BASE_REGISTER_BITS = field_of(ControlInstruction, "value").width
"""Bits of a base register, two's complement."""
MAX_BASE_VALUE = field_of(ControlInstruction, "value").high
"""The largest value of a base register, and so the largest number of iterations that one can count."""

MAX_VECTOR_ELEMENTS = field_of(VectorInstruction, "length").high
"""Elements of a vector, look-up or interpolation instruction."""
MIN_SHIFT = field_of(VectorInstruction, "shift").low
"""The longest right shift of an operand or a result, as a negative number."""
MAX_SHIFT = field_of(VectorInstruction, "shift").high
"""The longest left shift of an operand or a result."""
MIN_IMMEDIATE = _IMMEDIATE.low
"""The smallest value of an immediate operand."""
MAX_IMMEDIATE = _IMMEDIATE.high
"""The largest value of an immediate operand."""
MAX_MATRIX_COLUMNS = field_of(MatrixInstruction, "columns").high
"""Activations of a matrix instruction."""
MAX_MATRIX_ROWS = field_of(MatrixInstruction, "rows").high
"""Outputs of a matrix instruction."""
WEIGHT_BITS = tuple(4 << code for code in range(field_of(MatrixInstruction, "width").high + 1))
"""Widths of weights; the place in the tuple is the value of the field ``width``."""
INTERPOLATION_ARGUMENT_BITS = 16
"""Bits of an argument of an interpolation."""
INTERPOLATION_ADDRESS_BITS = 8
"""Bits of an argument, the upper ones, that choose an entry of the two tables of an interpolation."""
MAX_MESSAGE_WORDS = field_of(TransferInstruction, "length").high
"""Payload words of a message."""
HEADER_WORDS = 1
"""Words of a message besides its payload."""
MAX_MAILBOX = field_of(TransferInstruction, "target").high
"""The largest mailbox number of an output."""
