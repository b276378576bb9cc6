"""Operand streams: how an instruction reads and writes vectors of elements, and which banks that touches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import MachineFault
from femtodriver.isa import Kind, Operand
from femtodriver.isa.limits import ACCUMULATOR_BITS
from femtodriver.machine.core import Core
from femtodriver.machine.memory import ELEMENT_TYPES

Reader = Callable[[], Int64Array]


class OperandStream:
    """One operand of ``length`` elements. ``moving``: its address depends on a base register.

    MachineFault when it reaches outside its memory (at once, or when it moves there), or is misaligned.
    """

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

    def view(self) -> AnyArray:
        """The live elements of a memory or accumulator operand."""
        operand, core = self.operand, self.core
        if operand.kind is Kind.ACC:
            first = operand.value * core.part.lanes
            return core.acc[first : first + self.length]
        where = core.memory.slice_of(core.address(operand), self.length, operand.bits)
        elements: AnyArray = core.memory.elements[operand.bits]
        return elements[where]

    def reader(self) -> Reader:
        """A function that returns the elements as int64; the result must not be written to."""
        operand = self.operand
        if operand.kind is Kind.IMM:
            constant = np.array([operand.value], np.int64)
            return lambda: constant
        if self.moving:
            return lambda: self.view().astype(np.int64)
        view = self.view()
        if operand.kind is Kind.ACC and operand.bits == ACCUMULATOR_BITS:
            return lambda: view
        if operand.kind is Kind.ACC:
            narrow = ELEMENT_TYPES[operand.bits]
            return lambda: view.astype(narrow).astype(np.int64)
        return lambda: view.astype(np.int64)

    def writer(self) -> Callable[[Int64Array], None]:
        """A function that stores int64 values (memory keeps their low bits)."""
        if self.operand.kind is Kind.IMM:
            raise MachineFault("destination: must be memory or an accumulator, not an immediate.")
        if self.operand.kind is Kind.ACC and self.operand.bits != ACCUMULATOR_BITS:
            raise MachineFault(f"destination {self.operand.text()}: accumulators are written whole, without a width.")
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


def check_order(destination: OperandStream, source: OperandStream) -> None:
    """MachineFault when a store could reach elements that are still to be read.

    Elements go in ascending order; a single element is read before anything is written.
    """
    if source.length == 1 or not _overlap(destination, source):
        return
    to, of = destination.operand, source.operand
    behind = destination.core.address(to) > source.core.address(of) if to.in_memory else to.value > of.value
    if behind or (to.in_memory and to.bits != of.bits):
        raise MachineFault(f"destination {to.text()}: must not overlap the rest of source {of.text()}.")


def _overlap(one: OperandStream, other: OperandStream) -> bool:
    if one.operand.in_memory and other.operand.in_memory:
        first, end = one.bytes()
        other_first, other_end = other.bytes()
        return first < other_end and other_first < end
    if one.operand.kind is Kind.ACC and other.operand.kind is Kind.ACC:
        lanes = one.core.part.lanes
        apart = one.operand.value - other.operand.value
        return -one.length < apart * lanes < other.length
    return False
