"""Reading a flatbuffer of which every byte may be hostile: nothing is read before it has been checked to be there.

The layout is described in docs/tflite.md. Offsets, sizes and counts come from the file, so each is compared with the
file's length first; what many offsets to one place could multiply is counted by a ``ReadBudget``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray
from femtodriver.errors import ModelError

MAX_TABLES = 1 << 15
MAX_ELEMENTS = 1 << 18
MAX_TEXT_BYTES = 1 << 20

_OFFSET = struct.Struct("<I")
_SIGNED_OFFSET = struct.Struct("<i")
_PAIR = struct.Struct("<HH")
_ENTRY = struct.Struct("<H")
_ADVICE = "make the network smaller"


class ReadBudget:
    """How many tables, numbers of vectors and bytes of names may still be read from one file."""

    def __init__(self) -> None:
        self._left = {"tables": MAX_TABLES, "numbers in vectors": MAX_ELEMENTS, "bytes of names": MAX_TEXT_BYTES}
        self._most = dict(self._left)

    def table(self, where: str) -> None:
        """Account for one table. ModelError if there were too many."""
        self._take("tables", 1, where)

    def elements(self, count: int, where: str) -> None:
        """Account for ``count`` numbers of a vector. ModelError if there were too many."""
        self._take("numbers in vectors", count, where)

    def text(self, count: int, where: str) -> None:
        """Account for ``count`` bytes of a name. ModelError if there were too many."""
        self._take("bytes of names", count, where)

    def _take(self, what: str, count: int, where: str) -> None:
        self._left[what] -= count
        if self._left[what] < 0:
            raise ModelError(f"{where}: the file must have at most {self._most[what]} {what}; {_ADVICE}.")


@dataclass(frozen=True, eq=False)
class Flatbuffer:
    """The bytes of a file, and what may still be read of them."""

    data: memoryview
    budget: ReadBudget

    def span(self, position: int, size: int, what: str) -> int:
        """``position``, if ``size`` bytes of the file begin there; ModelError otherwise."""
        if position < 0 or position + size > len(self.data):
            raise ModelError(
                f"{what}: must lie inside the {len(self.data)} bytes of the file, not at {position} with {size} bytes; "
                "the file is cut off or damaged."
            )
        return position

    def number(self, layout: struct.Struct, position: int, what: str) -> int:
        """One number of the file."""
        return int(layout.unpack_from(self.data, self.span(position, layout.size, what))[0])

    def target(self, position: int, what: str) -> int:
        """Where the offset at ``position`` leads: always forward."""
        return position + self.number(_OFFSET, position, what)


def root_table(data: bytes, identifier: bytes, what: str) -> FlatTable:
    """The first table of a flatbuffer. ModelError for bytes that are none, or have another identifier."""
    if len(data) < 8 or data[4:8] != identifier:
        found = f"{data[4:8]!r}" if data else "nothing, for the file is empty"
        raise ModelError(f"bytes 4 to 7: must be {identifier!r}, not {found}; the file is something else, or cut off.")
    buffer = Flatbuffer(memoryview(data), ReadBudget())
    return FlatTable(buffer, buffer.target(0, what), what)


class FlatTable:
    """One table of a flatbuffer. A slot is the number of a field in the schema; absent fields have their default.

    ``where`` is for messages; ``named`` says that the names of tables below begin with it (not those below the root).
    """

    def __init__(self, buffer: Flatbuffer, position: int, where: str, named: bool = False) -> None:
        buffer.budget.table(where)
        self.where = where
        self._named = named
        self._buffer = buffer
        self._position = position
        vtable = position - buffer.number(_SIGNED_OFFSET, position, where)
        size, self._inline = _PAIR.unpack_from(buffer.data, buffer.span(vtable, _PAIR.size, f"{where}: field list"))
        if size < 4 or size % 2 or self._inline < 4:
            raise ModelError(
                f"{where}: sizes of the table and its field list must be from 4, and the list's even, not "
                f"{self._inline} and {size}; the file is damaged."
            )
        buffer.span(vtable, size, f"{where}: field list")
        buffer.span(position, self._inline, where)
        self._vtable, self._fields = vtable, (size - 4) // 2

    def has(self, slot: int) -> bool:
        """Whether the field is there."""
        return self._entry(slot) != 0

    def integer(self, slot: int, layout: str, default: int = 0) -> int:
        """A whole number or a truth value; ``layout`` as in ``struct``, for example ``i`` for 32 bits."""
        reader = struct.Struct(f"<{layout}")
        position = self._field(slot, reader.size)
        return default if position is None else self._buffer.number(reader, position, self.where)

    def real(self, slot: int, default: float = 0.0) -> float:
        """A 32-bit floating-point number."""
        position = self._field(slot, 4)
        return default if position is None else float(struct.unpack_from("<f", self._buffer.data, position)[0])

    def table(self, slot: int, what: str) -> FlatTable | None:
        """The table that the field refers to; None if it refers to none."""
        position = self._field(slot, 4)
        where = f"{self.where}: {what}"
        return None if position is None else FlatTable(self._buffer, self._buffer.target(position, where), where, True)

    def tables(self, slot: int, what: str, most: int) -> Iterator[FlatTable]:
        """The tables of a vector of at most ``most``, called ``what`` and a number."""
        start, count = self._vector(slot, 4, what)
        if count > most:
            raise ModelError(f"{self.where}: must have at most {most} {what}s, not {count}; {_ADVICE}.")
        for index in range(count):
            where = f"{self.where}: {what} {index}" if self._named else f"{what} {index}"
            target = self._buffer.target(start + 4 * index, where)
            yield FlatTable(self._buffer, target, where, named=True)

    def text(self, slot: int, what: str) -> str:
        """A string, "" if absent. ModelError for one that is no UTF-8."""
        start, count = self._vector(slot, 1, what)
        self._buffer.budget.text(count, f"{self.where}: {what}")
        try:
            return bytes(self._buffer.data[start : start + count]).decode("utf-8")
        except UnicodeDecodeError:
            raise ModelError(f"{self.where}: {what} must be text in UTF-8; the file is damaged.") from None

    def raw(self, slot: int, what: str) -> memoryview:
        """The bytes of a vector of bytes, of length 0 if absent. They are not copied."""
        start, count = self._vector(slot, 1, what)
        return self._buffer.data[start : start + count]

    def numbers(self, slot: int, dtype: npt.DTypeLike, what: str, most: int = MAX_ELEMENTS) -> AnyArray:
        """The numbers of a vector of at most ``most``, little-endian ``dtype``; of length 0 if absent. Read-only."""
        kind = np.dtype(dtype)
        start, count = self._vector(slot, kind.itemsize, what)
        if count > most:
            raise ModelError(f"{self.where}: {what} must be at most {most} numbers, not {count}.")
        self._buffer.budget.elements(count, f"{self.where}: {what}")
        found = np.frombuffer(self._buffer.data, kind, count, start) if count else np.empty(0, kind)
        found.flags.writeable = False
        return found

    def _entry(self, slot: int) -> int:
        if slot >= self._fields:
            return 0
        return self._buffer.number(_ENTRY, self._vtable + 4 + 2 * slot, self.where)

    def _field(self, slot: int, size: int) -> int | None:
        """Where the field is; None if it is absent. ModelError for one that leaves its table."""
        offset = self._entry(slot)
        if not offset:
            return None
        if offset < 4 or offset + size > self._inline:
            raise ModelError(
                f"{self.where}: field {slot} must lie in bytes 4 to {self._inline} of its table, not at {offset} with "
                f"{size} bytes; the file is damaged."
            )
        return self._position + offset

    def _vector(self, slot: int, width: int, what: str) -> tuple[int, int]:
        """Start and count of a vector; (0, 0) if absent."""
        position = self._field(slot, 4)
        if position is None:
            return 0, 0
        where = f"{self.where}: {what}"
        at = self._buffer.target(position, where)
        count = self._buffer.number(_OFFSET, at, where)
        self._buffer.span(at + 4, count * width, where)
        return at + 4, count
