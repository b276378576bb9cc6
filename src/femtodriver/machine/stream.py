"""Operand streams: how an instruction reads and writes vectors of elements, and which banks that touches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from femtodriver.errors import MachineFault
from femtodriver.isa import Kind, Operand
from femtodriver.machine.core import Core

Int64Array = npt.NDArray[np.int64]
Reader = Callable[[], Int64Array]
_NARROW: dict[int, type[np.signedinteger]] = {8: np.int8, 16: np.int16, 32: np.int32}


class Stream:
    """One operand of ``length`` elements. ``moving``: its address depends on a base register."""

    def __init__(self, core: Core, operand: Operand, length: int) -> None:
        self.core = core
        self.operand = operand
        self.length = length
        self.moving = operand.in_memory and operand.base != 0
        if operand.kind is Kind.ACC and operand.value * core.part.lanes + length > len(core.acc):
            raise MachineFault(f"a{operand.value}: {length} elements must end inside the accumulator file.")

    def bytes(self) -> tuple[int, int]:
        """First and end byte address of a memory operand."""
        first = self.core.address(self.operand)
        return first, first + self.length * self.operand.bits // 8

    def banks(self) -> Int64Array | int:
        """Words per bank that the stream touches; 0 for operands that are not in memory."""
        if not self.operand.in_memory:
            return 0
        first, end = self.bytes()
        return self.core.memory.bank_accesses(first // 8, (end + 7) // 8)

    def view(self) -> npt.NDArray[np.signedinteger]:
        """The live elements of a memory or accumulator operand."""
        operand, core = self.operand, self.core
        if operand.kind is Kind.ACC:
            first = operand.value * core.part.lanes
            return core.acc[first : first + self.length]
        where = core.memory.slice_of(core.address(operand), self.length, operand.bits)
        return core.memory.elements[operand.bits][where]

    def reader(self) -> Reader:
        """A function that returns the elements as int64; the result must not be written to."""
        operand = self.operand
        if operand.kind is Kind.IMM:
            constant = np.array([operand.value], np.int64)
            return lambda: constant
        if self.moving:
            return lambda: self.view().astype(np.int64)
        view = self.view()
        if operand.kind is Kind.ACC and operand.bits == 64:
            return lambda: view  # type: ignore[return-value]
        if operand.kind is Kind.ACC:
            narrow = _NARROW[operand.bits]
            return lambda: view.astype(narrow).astype(np.int64)
        return lambda: view.astype(np.int64)

    def writer(self) -> Callable[[Int64Array], None]:
        """A function that stores int64 values (memory keeps their low bits)."""
        if self.operand.kind is Kind.IMM:
            raise MachineFault("destination: must be memory or an accumulator, not an immediate.")
        memory = self.core.memory
        if self.moving:
            return self._store_and_tell
        view = self.view()
        if self.operand.in_memory and memory.overlaps_watched(*self.bytes()):
            return self._store_and_tell

        def store(values: Int64Array) -> None:
            view[...] = values

        return store

    def _store_and_tell(self, values: Int64Array) -> None:
        self.view()[...] = values
        if self.operand.in_memory:
            self.core.memory.written(*self.bytes())


def check_order(destination: Stream, source: Stream) -> None:
    """Elements are read and written in ascending order, so a store must not reach elements that are still to be read."""
    if not (destination.operand.in_memory and source.operand.in_memory):
        return
    to_first, to_end = destination.bytes()
    from_first, from_end = source.bytes()
    if to_first >= from_end or from_first >= to_end:
        return
    same_width = destination.operand.bits == source.operand.bits
    if to_first > from_first or not (same_width or destination.length == source.length == 1):
        raise MachineFault(
            f"destination {destination.operand.text()}: must not overlap the rest of source {source.operand.text()}."
        )
