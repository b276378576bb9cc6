"""Bit fields: an instruction's layout is a table, and encode, decode and its checks follow from the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.errors import AssemblyError


@dataclass(frozen=True)
class BitField:
    """``width`` bits of an instruction. ``bias`` is subtracted before encoding (a length 1..4096 fits 12 bits)."""

    name: str
    width: int
    signed: bool = False
    bias: int = 0

    @property
    def low(self) -> int:
        """Smallest value that the field can hold."""
        return self.bias - (1 << (self.width - 1) if self.signed else 0)

    @property
    def high(self) -> int:
        """Largest value that the field can hold."""
        return self.bias + (1 << (self.width - self.signed)) - 1

    def encode(self, owner: str, value: int) -> int:
        """The field's bits for ``value``; AssemblyError when it does not fit."""
        if not self.low <= value <= self.high:
            raise AssemblyError(f"{owner}: {self.name} must be {self.low} to {self.high}, not {value}.")
        return (value - self.bias) & ((1 << self.width) - 1)

    def decode(self, bits: int) -> int:
        """The value of the field's bits."""
        bits &= (1 << self.width) - 1
        if self.signed and bits >> (self.width - 1):
            bits -= 1 << self.width
        return bits + self.bias


class Layout:
    """Consecutive fields from bit 0 up. The sum of their widths must be 64 or 128: no hole, no overlap."""

    def __init__(self, *fields: BitField) -> None:
        total = sum(field.width for field in fields)
        if total not in (64, 128):
            raise AssemblyError(f"layout: the fields must fill 64 or 128 bits, not {total}.")
        names = [field.name for field in fields]
        if len(set(names)) != len(names):
            raise AssemblyError(f"layout: the field names must differ, not {names}.")
        self.fields = fields
        self.words = total // 64

    def encode(self, owner: str, values: Mapping[str, int]) -> tuple[int, ...]:
        """64-bit words, least significant word first."""
        bits, position = 0, 0
        for field in self.fields:
            bits |= field.encode(owner, values.get(field.name, 0)) << position
            position += field.width
        return tuple((bits >> (64 * index)) & (2**64 - 1) for index in range(self.words))

    def decode(self, words: tuple[int, ...]) -> dict[str, int]:
        """Field values of ``words`` (as many as the layout has)."""
        bits = sum(word << (64 * index) for index, word in enumerate(words))
        values, position = {}, 0
        for field in self.fields:
            values[field.name] = field.decode(bits >> position)
            position += field.width
        return values
