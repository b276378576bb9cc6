"""Operands of vector instructions: memory, accumulator rows or an immediate, in 25 bits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from femtodriver.errors import AssemblyError

KIND_BITS = 3
ADDRESS_BITS = 19
REGISTER_BITS = 3
IMMEDIATE_BITS = REGISTER_BITS + ADDRESS_BITS
ROW_BITS = 7
OPERAND_BITS = KIND_BITS + IMMEDIATE_BITS
_BASE_SHIFT, _KIND_SHIFT = ADDRESS_BITS, IMMEDIATE_BITS
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
# Code of the width that an accumulator operand is read with: 64 = all of it, else its low bits, sign-extended.
ACC_WIDTHS = (ACC_BITS, *MEMORY_KINDS)


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
        return self.kind in _MEMORY_BITS

    def encode(self) -> int:
        """The operand's 25 bits; AssemblyError when the value does not fit."""
        if self.in_memory:
            _require(0 <= self.value < 1 << ADDRESS_BITS, f"address must be 0 to {2**ADDRESS_BITS - 1}", self.value)
            _require(
                0 <= self.base < 1 << REGISTER_BITS, f"base register must be 0 to {2**REGISTER_BITS - 1}", self.base
            )
            _require(self.bits == _MEMORY_BITS[self.kind], "memory operand's bits must match its kind", self.bits)
            payload = self.base << _BASE_SHIFT | self.value
        elif self.kind is Kind.ACC:
            _require(0 <= self.value < 1 << ROW_BITS, f"accumulator row must be 0 to {2**ROW_BITS - 1}", self.value)
            _require(self.bits in ACC_WIDTHS, "accumulator width must be 8, 16, 32 or 64", self.bits)
            payload = ACC_WIDTHS.index(self.bits) << ROW_BITS | self.value
        else:
            limit = 1 << (IMMEDIATE_BITS - 1)
            _require(-limit <= self.value < limit, f"immediate must be {-limit} to {limit - 1}", self.value)
            payload = self.value & ((1 << IMMEDIATE_BITS) - 1)
        return int(self.kind) << _KIND_SHIFT | payload

    @staticmethod
    def decode(bits: int) -> Operand:
        """The operand of 25 bits; AssemblyError for an unknown kind or nonzero unused bits."""
        code, payload = bits >> _KIND_SHIFT, bits & ((1 << _KIND_SHIFT) - 1)
        if code > max(Kind):
            raise AssemblyError(f"operand: kind must be 0 to {max(Kind)}, not {code}.")
        kind = Kind(code)
        if kind in _MEMORY_BITS:
            return Operand(kind, payload & ((1 << ADDRESS_BITS) - 1), _MEMORY_BITS[kind], payload >> _BASE_SHIFT)
        if kind is Kind.ACC:
            unused = payload >> (ROW_BITS + 2)
            _require(unused == 0, "accumulator operand's unused bits must be 0", unused)
            return Operand(kind, payload & ((1 << ROW_BITS) - 1), ACC_WIDTHS[payload >> ROW_BITS])
        limit = 1 << (IMMEDIATE_BITS - 1)
        value = payload - (limit << 1) if payload >= limit else payload
        return Operand(kind, value)

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
    return -(1 << (IMMEDIATE_BITS - 1)) <= value < 1 << (IMMEDIATE_BITS - 1)


def _require(condition: bool, sentence: str, value: object) -> None:
    if not condition:
        raise AssemblyError(f"operand: {sentence}, not {value}.")
