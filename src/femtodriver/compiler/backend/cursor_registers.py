"""Where the cursors of the loops around an operation stand: in base registers, or in the addresses of unrolled code.

Outside of loops, base registers also say where circular buffers begin.
"""

from __future__ import annotations

from femtodriver.compiler.fmir.ir import Cursor, Loop
from femtodriver.isa.limits import BASE_REGISTERS


class CursorRegisters:
    """The base registers of one core while its code is made. Register 0 is always zero.

    A register counts bytes, so a cursor needs one for each size of the elements that it walks through.
    """

    def __init__(self) -> None:
        self._free = list(range(BASE_REGISTERS - 1, 0, -1))
        self._registers: dict[tuple[str, int], int] = {}  # cursor, bytes per element
        self._circular: dict[str, int] = {}
        self._ahead: dict[str, int] = {}  # cursor -> elements from where its registers stand to where it stands

    def load_circular(self, buffer: str) -> int | None:
        """The register that is to hold where a circular buffer begins; None if one holds it already."""
        if buffer in self._circular:
            return None
        self._circular[buffer] = self.take()
        return self._circular[buffer]

    def forget_circular(self) -> None:
        """Registers of circular buffers may be used for something else."""
        for register in self._circular.values():
            self.give_back(register)
        self._circular.clear()

    def beginning(self, buffer: str) -> int:
        """The register that holds where a circular buffer begins."""
        return self._circular[buffer]

    def free(self) -> int:
        """How many registers are left."""
        return len(self._free)

    def take(self) -> int:
        """A register that nothing else uses; at least one must be free."""
        return self._free.pop()

    def give_back(self, register: int) -> None:
        """The register may be used for something else."""
        self._free.append(register)

    def enter(self, loop: Loop) -> None:
        """The cursors of the loop begin where their parents stand."""
        for cursor in loop.cursors:
            self._ahead[cursor.name] = self._ahead.get(cursor.parent, 0)

    def parent_register(self, cursor: Cursor, size: int) -> int:
        """The register from which a cursor starts."""
        return self._registers[cursor.parent, size] if cursor.parent else 0

    def bind(self, cursor: Cursor, size: int, register: int) -> None:
        """The cursor is in this register, for elements of ``size`` bytes."""
        self._registers[cursor.name, size] = register

    def unbind(self, cursor: Cursor, size: int) -> int:
        """The register that the cursor stood in."""
        return self._registers.pop((cursor.name, size))

    def advance(self, loop: Loop) -> None:
        """One iteration of unrolled code is over: the cursors move, the registers do not."""
        for cursor in loop.cursors:
            self._ahead[cursor.name] += cursor.stride

    def position(self, cursor: str, size: int) -> tuple[int, int]:
        """The register of a cursor ("": none), and how many elements ahead of it the cursor stands."""
        return (self._registers[cursor, size] if cursor else 0), self._ahead.get(cursor, 0)
