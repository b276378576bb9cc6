"""Operands of vector instructions: memory, accumulator rows or an immediate, in 25 bits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from femtodriver.errors import AssemblyError
from femtodriver.isa.bits import BitField, FieldReader, pack

ADDRESS_BITS = 19
REGISTER_BITS = 3
IMMEDIATE_BITS = REGISTER_BITS + ADDRESS_BITS
ROW_BITS = 7
# An accumulator row has one accumulator for each lane.
LANES = 8
ACC_BITS = 64


class Kind(IntEnum):
    """Where an operand lives; the memory kinds carry the element width."""

    I8 = 0
    I16 = 1
    I32 = 2
    ACC = 3
    IMM = 4


MEMORY_KINDS = {8: Kind.I8, 16: Kind.I16, 32: Kind.I32}
_MEMORY_BITS = {kind: bits for bits, kind in MEMORY_KINDS.items()}
# The memory kinds are the lowest ones.
_LAST_MEMORY_KIND = max(_MEMORY_BITS)
# Code of the width that an accumulator operand is read with: 64 = all of it, else its low bits, sign-extended.
ACC_WIDTHS = (ACC_BITS, *MEMORY_KINDS)

KIND_FIELD = BitField("kind", 3, most=max(Kind))
_IN_MEMORY = (BitField("address", ADDRESS_BITS), BitField("base", REGISTER_BITS))
_WIDTH_BITS = (len(ACC_WIDTHS) - 1).bit_length()
_ACCUMULATOR = (
    BitField("row", ROW_BITS),
    BitField("width", _WIDTH_BITS),
    BitField("unused", IMMEDIATE_BITS - ROW_BITS - _WIDTH_BITS, most=0),
)
# The fields below the kind, from bit 0 up.
KIND_FIELDS: Mapping[Kind, tuple[BitField, ...]] = {
    **dict.fromkeys(MEMORY_KINDS.values(), _IN_MEMORY),
    Kind.ACC: _ACCUMULATOR,
    Kind.IMM: (BitField("value", IMMEDIATE_BITS, signed=True),),
}
OPERAND_BITS = IMMEDIATE_BITS + KIND_FIELD.width
_KIND_NAMES = {**dict.fromkeys(MEMORY_KINDS.values(), "memory"), Kind.ACC: "accumulator", Kind.IMM: "immediate"}
_READERS = {kind: (f"{name} operand", FieldReader(KIND_FIELDS[kind])) for kind, name in _KIND_NAMES.items()}


@dataclass(frozen=True)
class Operand:
    """One operand. ``value`` is a byte address, an accumulator row or the immediate; ``bits`` the element width.

    Memory: address of element 0 = base register ``base`` + ``value`` (base 0 is always zero).
    Accumulator: element i is lane i % 8 of row ``value`` + i // 8; reads take the low ``bits``, writes all 64.
    """

    kind: Kind
    value: int
    bits: int = ACC_BITS
    base: int = 0

    @property
    def in_memory(self) -> bool:
        """Whether the operand is read from or written to data memory."""
        return self.kind <= _LAST_MEMORY_KIND

    def encode(self) -> int:
        """The operand's 25 bits; AssemblyError when the value does not fit."""
        fields = KIND_FIELDS[self.kind]
        if self.in_memory:
            _require(self.bits == _MEMORY_BITS[self.kind], "memory operand's bits must match its kind", self.bits)
            payload = pack("memory operand", fields, {"address": self.value, "base": self.base})
        elif self.kind is Kind.ACC:
            _require(self.bits in ACC_WIDTHS, "accumulator width must be 8, 16, 32 or 64", self.bits)
            width = ACC_WIDTHS.index(self.bits)
            payload = pack("accumulator operand", fields, {"row": self.value, "width": width})
        else:
            payload = pack("immediate operand", fields, {"value": self.value})
        return int(self.kind) << IMMEDIATE_BITS | payload

    @staticmethod
    def decode(bits: int) -> Operand:
        """The operand of 25 bits; AssemblyError for an unknown kind or nonzero unused bits."""
        return _decode(bits)

    def text(self) -> str:
        """Assembly form: ``[b2+0x1f0]:i16``, ``a12``, ``a12:i16``, ``#-5``."""
        if self.in_memory:
            base = f"b{self.base}+" if self.base else ""
            return f"[{base}{self.value:#x}]:i{self.bits}"
        if self.kind is Kind.ACC:
            return f"a{self.value}" + ("" if self.bits == ACC_BITS else f":i{self.bits}")
        return f"#{self.value}"

    @staticmethod
    def parse(text: str) -> Operand:
        """The operand of an assembly form; AssemblyError when malformed."""
        if found := re.fullmatch(r"\[(?:b([0-7])\+)?(0x[0-9a-f]+|\d+)\]:i(8|16|32)", text):
            bits = int(found.group(3))
            return Operand(MEMORY_KINDS[bits], int(found.group(2), 0), bits, int(found.group(1) or 0))
        if found := re.fullmatch(r"a(\d+)(?::i(8|16|32))?", text):
            return Operand(Kind.ACC, int(found.group(1)), int(found.group(2) or ACC_BITS))
        if found := re.fullmatch(r"#(-?\d+)", text):
            return Operand(Kind.IMM, int(found.group(1)))
        raise AssemblyError(f"operand: must be [address]:iN, aROW, aROW:iN or #NUMBER, not {text!r}.")


@lru_cache(maxsize=1 << 14)
def _decode(bits: int) -> Operand:
    """Kept, because most operands of a program come in several of its instructions."""
    code = bits >> IMMEDIATE_BITS & (1 << KIND_FIELD.width) - 1
    KIND_FIELD.check("operand", code)
    kind = Kind(code)
    name, reader = _READERS[kind]
    found = reader.read(name, bits)
    if kind in _MEMORY_BITS:
        return Operand(kind, found["address"], _MEMORY_BITS[kind], found["base"])
    if kind is Kind.ACC:
        return Operand(kind, found["row"], ACC_WIDTHS[found["width"]])
    return Operand(kind, found["value"])


def memory(address: int, bits: int, base: int = 0) -> Operand:
    """A memory operand of ``bits``-wide elements at a byte address."""
    return Operand(MEMORY_KINDS[bits], address, bits, base)


def accumulator(row: int, bits: int = ACC_BITS) -> Operand:
    """An accumulator operand."""
    return Operand(Kind.ACC, row, bits)


def immediate(value: int) -> Operand:
    """An immediate operand, the same for every element."""
    return Operand(Kind.IMM, value)


def fits_immediate(value: int) -> bool:
    """Whether ``value`` can be an immediate."""
    (field,) = KIND_FIELDS[Kind.IMM]
    return field.low <= value <= field.high


def _require(condition: bool, sentence: str, value: object) -> None:
    if not condition:
        raise AssemblyError(f"operand: {sentence}, not {value}.")
