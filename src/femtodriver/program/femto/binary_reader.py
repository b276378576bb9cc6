"""Strict access to a binary file: numbers and text at offsets, every read inside the file, every number in range."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Literal

from femtodriver.errors import ProgramError

Order = Literal["<", ">"]

FILLER = b"\xff"
_CODES = {1: "B", 2: "H", 4: "I"}


class BinaryReader:
    """Numbers, bytes and text of a file; ``order`` is ``<`` (little endian) or ``>``.

    Every method raises ProgramError with the offset when the file is too short or the content does not fit. Given a
    list of ``problems``, ``expect`` adds to it instead and reading goes on: for looking at damaged files.
    """

    def __init__(self, data: bytes, where: str, order: Order = "<", problems: list[str] | None = None) -> None:
        self.data = data
        self.where = where
        self.order = order
        self.problems = problems

    def error(self, at: int, sentence: str) -> ProgramError:
        """The error for what is wrong at an offset."""
        return ProgramError(f"{self.where}: offset {at:#x}: {sentence}.")

    def u8(self, at: int) -> int:
        """Unsigned 8-bit number."""
        return self._number(at, 1)

    def u16(self, at: int) -> int:
        """Unsigned 16-bit number."""
        return self._number(at, 2)

    def u32(self, at: int) -> int:
        """Unsigned 32-bit number."""
        return self._number(at, 4)

    def raw(self, at: int, size: int) -> bytes:
        """``size`` bytes."""
        if at < 0 or at + size > len(self.data):
            raise self.error(at, f"{size} bytes must be there, but the file ends at {len(self.data):#x}")
        return self.data[at : at + size]

    def text(self, at: int, size: int) -> str:
        """UTF-8 text of a NUL-filled field."""
        try:
            return self.raw(at, size).strip(b"\x00").decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(at, "the text must be UTF-8") from None

    def expect(self, at: int, name: str, value: int, wanted: int) -> None:
        """ProgramError when a stored number is not the wanted one."""
        if value == wanted:
            return
        error = self.error(at, f"{name} must be {wanted}, not {value}")
        if self.problems is None:
            raise error
        self.problems.append(str(error))

    def _number(self, at: int, size: int) -> int:
        value: int = struct.unpack(self.order + _CODES[size], self.raw(at, size))[0]
        return value


def numbers(order: Order, layout: str, *values: int, where: str) -> bytes:
    """Values as unsigned numbers; ``layout`` has a digit 1, 2 or 4 (bytes) for each. ProgramError for a large one."""
    for size, value in zip(layout, values, strict=True):
        most = (1 << 8 * int(size)) - 1
        if not 0 <= value <= most:
            raise ProgramError(f"{where}: a number must be in 0...{most} to fit the file, not {value}.")
    return struct.pack(order + "".join(_CODES[int(size)] for size in layout), *values)


def small_numbers(values: Sequence[int], where: str) -> bytes:
    """Values as 8-bit numbers; ProgramError when one is too large."""
    return numbers("<", "1" * len(values), *values, where=where)


def text_field(text: str, size: int) -> bytes:
    """UTF-8 text cut at a code-point boundary to ``size`` bytes and filled with NUL."""
    cut = text.encode("utf-8", errors="replace")[:size].decode("utf-8", errors="ignore")
    return cut.encode("utf-8").ljust(size, b"\x00")


def filled(data: bytes, multiple: int) -> bytes:
    """Data filled with 0xFF to a multiple of ``multiple`` bytes."""
    return data + FILLER * (-len(data) % multiple)
