"""The instruction table of the open SPU: every instruction once, with its bits, its meaning and one line of docs.

To add an instruction, add a ``Spec`` to a family here. A vector instruction needs no more than its meaning; any other
one also needs an executor in ``machine/executors.py``, and the machine cannot be imported without it. Encoder, decoder,
assembler, disassembler and limits follow from the table; tests say how to renew ``docs/isa.md`` and ``docs/isa.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import numpy as np

from femtodriver.arrays import BoolArray, Int64Array
from femtodriver.isa import cycles
from femtodriver.isa.instruction import (
    CycleRule,
    Instruction,
    InstructionSet,
    Meaning,
    Result,
    Spec,
    bitfield,
    family,
    operand,
)
from femtodriver.isa.operand import ADDRESS_BITS, LANES, REGISTER_BITS, ROW_BITS, Operand, immediate

# Widths of fields that several families share.
CORE_BITS = 4
PC_BITS = 13
LENGTH_BITS = 12
SHIFT_BITS = 7
CLIP_WIDTH_BITS = 6
TABLE_ROW_BITS = 11
# vscale: bits of operand a; of operand b bits of the fraction below 1/2 * 2**31, and the largest number above them.
SCALED_BITS, FRACTION_BITS, MOST_DOUBLINGS = 24, 30, 3
TABLE_BANK_BITS = 2
WORD_ADDRESS_BITS = ADDRESS_BITS - 3


class Clip(IntEnum):
    """What happens to a result after the shift."""

    NONE = 0
    SATURATE = 1
    LOW_BITS = 2
    POSITIVE = 3

    @property
    def doc(self) -> str:
        """One line of documentation."""
        return _CLIP_DOCS[self]


_CLIP_DOCS = {
    Clip.NONE: "the value itself",
    Clip.SATURATE: "the value, at least -2^(bits-1) and at most 2^(bits-1) - 1",
    Clip.POSITIVE: "as saturate, but 0 where that is negative",
    Clip.LOW_BITS: "the value modulo 2^bits, not negative (bits = 64: the value itself)",
}


@family
@dataclass(frozen=True)
class VectorInstruction(Instruction):
    """dst[i] = clip(R(op(A(a[i], shift_a), A(b[i], shift_b)), shift, rounded), clip, bits) for i < length."""

    cycle_rule: ClassVar[CycleRule] = staticmethod(cycles.vector)

    dst: Operand = operand(doc="memory or accumulator")
    a: Operand = operand(doc="first operand")
    b: Operand = operand(immediate(0), doc="second operand; ignored by vpass")
    length: int = bitfield(LENGTH_BITS, 1, bias=1, doc="elements")
    shift_a: int = bitfield(
        SHIFT_BITS, 0, signed=True, doc="alignment of a, positive = left; at most 0 where multiplied"
    )
    shift_b: int = bitfield(SHIFT_BITS, 0, signed=True, doc="alignment of b; at most 0 where multiplied")
    shift: int = bitfield(SHIFT_BITS, 0, signed=True, doc="shift of the result")
    rounded: int = bitfield(1, 0, doc="round half up before a right shift of the result")
    clip: int = bitfield(2, 0, doc="what happens to a result that is too wide, see the clip modes")
    bits: int = bitfield(CLIP_WIDTH_BITS, 32, bias=1, doc="width of the clip")
    spread_a: int = bitfield(1, 0, doc="use element 0 of a for all i")
    spread_b: int = bitfield(1, 0, doc="use element 0 of b for all i")


@family
@dataclass(frozen=True)
class LookupInstruction(Instruction):
    """dst[i] = TM[table + Sat(A(a[i], shift_a), bits) + 2**(bits-1)], sign-extended, for i < length."""

    cycle_rule: ClassVar[CycleRule] = staticmethod(cycles.lookup)

    dst: Operand = operand(doc="memory or accumulator")
    a: Operand = operand(doc="addresses")
    length: int = bitfield(LENGTH_BITS, 1, bias=1, doc="elements")
    shift_a: int = bitfield(SHIFT_BITS, 0, signed=True, doc="shift of the address before it saturates")
    bits: int = bitfield(4, 8, bias=1, doc="width of an address; the table has 2**bits entries")
    table: int = bitfield(TABLE_ROW_BITS, 0, doc="row of entry 0 in its banks")
    bank: int = bitfield(TABLE_BANK_BITS, 0, doc="first bank that holds the table")
    ways: int = bitfield(2, 0, most=2, doc="log2 of the number of consecutive banks that hold copies")


@family
@dataclass(frozen=True)
class InterpolateInstruction(Instruction):
    """dst[i] = clip(R(A(p, shift_a) + A(TM[offset + 128 + h], shift_b), shift, rounded), clip, bits) for i < length.

    Straight lines from tables of 256 entries: h = A(a[i], -8), from -128 to 127, selects the line, l = a[i] - A(h, 8),
    from 0 to 255, is the position on it, and p = A(TM[slope + 128 + h] * l, -8).
    """

    cycle_rule: ClassVar[CycleRule] = staticmethod(cycles.interpolate)

    dst: Operand = operand(doc="memory or accumulator")
    a: Operand = operand(doc="arguments, 16-bit elements of memory or accumulators read with 16 bits")
    length: int = bitfield(LENGTH_BITS, 1, bias=1, doc="elements")
    shift_a: int = bitfield(SHIFT_BITS, 0, signed=True, doc="alignment of the product")
    shift_b: int = bitfield(SHIFT_BITS, 0, signed=True, doc="alignment of the offset")
    shift: int = bitfield(SHIFT_BITS, 0, signed=True, doc="shift of the result")
    rounded: int = bitfield(1, 0, doc="round half up before a right shift of the result")
    clip: int = bitfield(2, 0, doc="what happens to a result that is too wide, see the clip modes")
    bits: int = bitfield(CLIP_WIDTH_BITS, 32, bias=1, doc="width of the clip")
    offset: int = bitfield(TABLE_ROW_BITS, 0, doc="row of the offset table in its banks")
    offset_bank: int = bitfield(TABLE_BANK_BITS, 0, doc="first bank that holds the offset table")
    slope: int = bitfield(TABLE_ROW_BITS, 0, doc="row of the slope table in its banks")
    slope_bank: int = bitfield(TABLE_BANK_BITS, 0, doc="first bank that holds the slope table")
    ways: int = bitfield(2, 0, most=2, doc="log2 of the number of consecutive banks that hold copies of each table")


class Form(IntEnum):
    """Which weights are stored: whole groups, one weight for each lane, or halves of groups."""

    DENSE = 0
    MASKED = 1
    NESTED = 2
    HALVES = 3

    @property
    def unit(self) -> int:
        """Consecutive outputs of one activation that are stored, or not, together."""
        return LANES // 2 if self is Form.HALVES else LANES

    @property
    def doc(self) -> str:
        """One line of documentation."""
        return _FORM_DOCS[self]


_FORM_DOCS = {
    Form.DENSE: "all groups",
    Form.MASKED: "those whose mask bit is set: bit column * groups + group, least significant bit first",
    Form.NESTED: "as masked, but only the mask bytes that are not zero are there, after one bit for each mask byte",
    Form.HALVES: "as masked, but of such a group only the halves that its code names; the codes follow the flags",
}


@family
@dataclass(frozen=True)
class MatrixInstruction(Instruction):
    """acc[acc*8 + o] += sum over j of weight[j][o] * x[j], for o < rows, j < columns with x[j] != 0.

    This is done ``repeat`` times, with the same weights, for the activations and the accumulator rows that follow.
    """

    cycle_rule: ClassVar[CycleRule] = staticmethod(cycles.matrix)

    x: Operand = operand(doc="activations, in memory")
    acc: int = bitfield(ROW_BITS, doc="first accumulator row")
    columns: int = bitfield(LENGTH_BITS, 1, bias=1, doc="activations")
    rows: int = bitfield(10, 1, bias=1, doc="outputs")
    weights: int = bitfield(WORD_ADDRESS_BITS, 0, doc="word address of the first weight word")
    width: int = bitfield(2, 1, most=2, doc="log2(weight bits) - 2: 0 = 4, 1 = 8, 2 = 16 bits")
    form: int = bitfield(2, 0, doc="which groups are stored, see the weight forms")
    mask: int = bitfield(WORD_ADDRESS_BITS, 0, doc="word address of the mask, unless the form is dense")
    fresh: int = bitfield(1, 0, doc="1: the accumulators count as zero before")
    repeat: int = bitfield(8, 1, bias=1, doc="products with these weights")


@family
@dataclass(frozen=True)
class TransferInstruction(Instruction):
    """Move whole 64-bit words between data memory and the router."""

    cycle_rule: ClassVar[CycleRule] = staticmethod(cycles.transfer)

    address: int = bitfield(ADDRESS_BITS, 0, doc="byte address in data memory, a multiple of 8")
    length: int = bitfield(13, 0, doc="64-bit payload words")
    core: int = bitfield(CORE_BITS, 0, doc="send: target core")
    target: int = bitfield(16, 0, doc="send: entry PC on the target core; out: mailbox id")


@family
@dataclass(frozen=True)
class ControlInstruction(Instruction):
    """Threads, base registers and branches."""

    cycle_rule: ClassVar[CycleRule] = staticmethod(cycles.control)

    core: int = bitfield(CORE_BITS, 0, doc="signal: core of the thread")
    thread: int = bitfield(6, 0, doc="signal: thread whose dependency count falls by one")
    register: int = bitfield(REGISTER_BITS, 0, doc="base register, not 0 where it is used")
    value: int = bitfield(20, 0, signed=True, doc="number for setb, addb, movb")
    target: int = bitfield(PC_BITS, 0, doc="branch target PC")
    source: int = bitfield(REGISTER_BITS, 0, doc="movb: base register 0 to 7")


@family
@dataclass(frozen=True)
class ElementInstruction(Instruction):
    """Base registers and branches that read one element of memory."""

    cycle_rule: ClassVar[CycleRule] = staticmethod(cycles.element)

    a: Operand = operand(doc="the element, in memory")
    register: int = bitfield(REGISTER_BITS, 0, doc="base register, not 0 where it is used")
    shift_a: int = bitfield(SHIFT_BITS, 0, signed=True, doc="shift of the element")
    target: int = bitfield(PC_BITS, 0, doc="branch target PC")


def _bits(truth: BoolArray) -> Int64Array:
    return truth.astype(np.int64)


def _logic(a: Int64Array) -> Int64Array:
    return _bits(a != 0)


def _number(name: str, code: int, doc: str, meaning: Meaning, *, multiplies: bool = False) -> Spec:
    return Spec(name, code, doc, meaning, reads=2, result=Result.NUMBER, multiplies=multiplies)


def _choice(name: str, code: int, doc: str, meaning: Meaning) -> Spec:
    return Spec(name, code, doc, meaning, reads=2, result=Result.OPERAND)


def _truth(name: str, code: int, doc: str, meaning: Meaning) -> Spec:
    return Spec(name, code, doc, meaning, reads=2, result=Result.TRUTH)


def _register(name: str, code: int, doc: str, *uses: str) -> Spec:
    return Spec(name, code, doc, result=Result.REGISTER, uses=uses)


def _scaled(a: Int64Array, b: Int64Array) -> Int64Array:
    """A product with a fraction from 1/2 to 1, to the nearest, halves upward; doubled so often; less 1 below 0."""
    a = (a << (64 - SCALED_BITS)) >> (64 - SCALED_BITS)
    fraction = (1 << FRACTION_BITS) + (b & ((1 << FRACTION_BITS) - 1))
    nearest = (a * fraction + (1 << FRACTION_BITS)) >> (FRACTION_BITS + 1)
    return np.asarray((nearest << ((b >> FRACTION_BITS) & MOST_DOUBLINGS)) + (nearest >> 63))


VECTOR = (
    Spec(
        "vpass",
        1,
        "a; with shifts and clip a copy, shift or conversion",
        lambda a, b: a,
        reads=1,
        result=Result.OPERAND,
    ),
    _number("vadd", 2, "a + b", lambda a, b: a + b),
    _number("vsub", 3, "a - b", lambda a, b: a - b),
    _number("vmul", 4, "a * b", lambda a, b: a * b, multiplies=True),
    _choice("vmax", 5, "the larger of a and b", np.maximum),
    _choice("vmin", 6, "the smaller of a and b", np.minimum),
    _truth("vgt", 7, "1 where a > b, else 0", lambda a, b: _bits(a > b)),
    _truth("vge", 8, "1 where a >= b, else 0", lambda a, b: _bits(a >= b)),
    _truth("veq", 9, "1 where a = b, else 0", lambda a, b: _bits(a == b)),
    _truth("vand", 10, "1 where both a and b are nonzero, else 0", lambda a, b: _logic(a) & _logic(b)),
    _truth("vor", 11, "1 where a or b is nonzero, else 0", lambda a, b: _logic(a) | _logic(b)),
    _truth("vxor", 12, "1 where exactly one of a and b is nonzero, else 0", lambda a, b: _logic(a) ^ _logic(b)),
    Spec(
        "vmac",
        13,
        "dst + a * b; the destination is in the accumulators",
        reads=2,
        result=Result.NUMBER,
        multiplies=True,
        accumulates=True,
        uses=("dst", "a", "b", "length", "shift_a", "shift_b", "spread_a", "spread_b"),
    ),
    Spec(
        "vscale",
        14,
        "the low 24 bits of a, times the fraction and 2^k in b, see below",
        _scaled,
        reads=2,
        result=Result.NUMBER,
        multiplies=True,
        first_bits=SCALED_BITS,
    ),
)
LOOKUP = (Spec("lut", 16, "table look-up", reads=1, result=Result.NUMBER),)
INTERPOLATE = (Spec("interp", 18, "interpolation in two tables", reads=1, result=Result.NUMBER),)
MATRIX = (
    Spec(
        "mac",
        17,
        "matrix-vector product, added to the accumulators; zero activations are skipped",
        reads=1,
        result=Result.NUMBER,
    ),
)
TRANSFER = (
    Spec(
        "recv",
        24,
        "take the payload of the message that woke this thread",
        result=Result.WORDS,
        uses=("address", "length"),
    ),
    Spec(
        "send",
        25,
        "send a message that wakes the thread at target on another core",
        uses=("address", "length", "core", "target"),
    ),
    Spec("out", 26, "send an output message to the host", uses=("address", "length", "target")),
)
CONTROL = (
    Spec(
        "signal",
        32,
        "lower a thread's dependency count; at zero it becomes ready and the count starts over",
        uses=("core", "thread"),
    ),
    Spec("end", 33, "end of the thread", uses=()),
    _register("setb", 34, "register = value", "register", "value"),
    _register("addb", 35, "register += value", "register", "value"),
    _register("loop", 36, "register -= 1, branch to target while it is not zero", "register", "target"),
    Spec("jump", 37, "branch to target", uses=("target",)),
    _register("movb", 38, "register = source + value", "register", "source", "value"),
)
ELEMENT = (
    Spec(
        "ldb",
        40,
        "register = A(a[0], shift_a)",
        reads=1,
        result=Result.REGISTER,
        uses=("a", "register", "shift_a"),
    ),
    Spec("bez", 41, "branch to target if A(a[0], shift_a) is zero", reads=1, uses=("a", "shift_a", "target")),
    Spec("bnz", 42, "branch to target if A(a[0], shift_a) is not zero", reads=1, uses=("a", "shift_a", "target")),
)

ISA = InstructionSet(
    (
        (VectorInstruction, VECTOR),
        (LookupInstruction, LOOKUP),
        (InterpolateInstruction, INTERPOLATE),
        (MatrixInstruction, MATRIX),
        (TransferInstruction, TRANSFER),
        (ControlInstruction, CONTROL),
        (ElementInstruction, ELEMENT),
    )
)
SPECS: dict[str, Spec] = {spec.name: spec for _, specs in ISA.table for spec in specs}
