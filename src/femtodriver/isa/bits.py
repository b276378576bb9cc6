"""Bit fields: an instruction's layout is a table, and encode, decode and its checks follow from the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from femtodriver.errors import AssemblyError

WORD_BITS = 64


@dataclass(frozen=True)
class BitField:
    """``width`` bits of an instruction. ``bias`` is subtracted before encoding (a length 1..4096 fits 12 bits).

    ``most``: the largest legal value where that is less than the bits could hold.
    """

    name: str
    width: int
    signed: bool = False
    bias: int = 0
    most: int | None = None

    @property
    def low(self) -> int:
        """Smallest legal value."""
        return self.bias - (1 << (self.width - 1) if self.signed else 0)

    @property
    def high(self) -> int:
        """Largest legal value."""
        return self.most if self.most is not None else self.bias + (1 << (self.width - self.signed)) - 1

    def encode(self, owner: str, value: int) -> int:
        """The field's bits for ``value``; AssemblyError when it is not legal."""
        self.check(owner, value)
        return (value - self.bias) & ((1 << self.width) - 1)

    def decode(self, owner: str, bits: int) -> int:
        """The value of the field's bits (the lowest of ``bits``); AssemblyError when it is not legal."""
        return FieldReader((self,)).read(owner, bits)[self.name]

    def check(self, owner: str, value: int) -> None:
        """AssemblyError unless the value is legal."""
        if not self.low <= value <= self.high:
            raise AssemblyError(f"{owner}: {self.name} must be {self.low} to {self.high}, not {value}.")


def positions(fields: Iterable[BitField]) -> Iterator[tuple[BitField, int]]:
    """Consecutive fields from bit 0 up, each with the position of its lowest bit."""
    position = 0
    for field in fields:
        yield field, position
        position += field.width


def pack(owner: str, fields: Iterable[BitField], values: Mapping[str, int]) -> int:
    """The bits of consecutive fields; a value that is not given is 0. AssemblyError when one is not legal."""
    bits = 0
    for field, position in positions(fields):
        bits |= field.encode(owner, values.get(field.name, 0)) << position
    return bits


class FieldReader:
    """Reads the values of consecutive fields. What follows from the fields alone is worked out once: programs are
    decoded whenever they are loaded."""

    def __init__(self, fields: Iterable[BitField]) -> None:
        self._steps = tuple(
            (
                field,
                field.name,
                position,
                (1 << field.width) - 1,
                1 << (field.width - 1) if field.signed else 0,
                field.bias,
                field.low,
                field.high,
            )
            for field, position in positions(fields)
        )

    def read(self, owner: str, bits: int) -> dict[str, int]:
        """The values by name; AssemblyError when one is not legal."""
        found = {}
        for field, name, position, mask, sign, bias, low, high in self._steps:
            value = bits >> position & mask
            if value & sign:
                value -= mask + 1
            value += bias
            if not low <= value <= high:
                field.check(owner, value)
            found[name] = value
        return found


class Layout:
    """Consecutive fields from bit 0 up. The sum of their widths must be 64 or 128: no hole, no overlap."""

    def __init__(self, *fields: BitField) -> None:
        total = sum(field.width for field in fields)
        if total not in (WORD_BITS, 2 * WORD_BITS):
            raise AssemblyError(f"layout: the fields must fill {WORD_BITS} or {2 * WORD_BITS} bits, not {total}.")
        names = [field.name for field in fields]
        if len(set(names)) != len(names):
            raise AssemblyError(f"layout: the field names must differ, not {names}.")
        self.fields = fields
        self.words = total // WORD_BITS
        self._reader = FieldReader(fields)

    def encode(self, owner: str, values: Mapping[str, int]) -> tuple[int, ...]:
        """64-bit words, least significant word first."""
        bits = pack(owner, self.fields, values)
        return tuple((bits >> (WORD_BITS * index)) & ((1 << WORD_BITS) - 1) for index in range(self.words))

    def decode(self, owner: str, words: tuple[int, ...]) -> dict[str, int]:
        """Field values of ``words``; AssemblyError when words are missing or a value is not legal."""
        if len(words) != self.words:
            raise AssemblyError(f"{owner}: must have {self.words} instruction words, not {len(words)}.")
        bits = words[0] if self.words == 1 else words[0] | words[1] << WORD_BITS
        return self._reader.read(owner, bits)
