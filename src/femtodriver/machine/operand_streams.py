"""Operand streams: the elements of an operand as arrays, to read and to write, and the banks that they touch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.isa import Kind
from femtodriver.isa.limits import ACCUMULATOR_BITS
from femtodriver.machine.bank_load import PlacedStream
from femtodriver.machine.core import Core
from femtodriver.machine.memory import ELEMENT_TYPES
from femtodriver.machine.operand_checks import check_order
from femtodriver.machine.rows import OperandRow

Reader = Callable[[], Int64Array]
Writer = Callable[[Int64Array], None]


class OperandStream:
    """The elements of one operand on a core. MachineFault when a base register moves it to where it must not be."""

    def __init__(self, core: Core, operand: OperandRow) -> None:
        self.core = core
        self.operand = operand

    def bytes(self) -> tuple[int, int]:
        """First and end byte address of a memory operand."""
        first = self.core.address(self.operand)
        return first, first + self.operand.size

    def banks(self) -> Int64Array | int:
        """Words per bank that the stream touches; 0 for operands that are not in memory."""
        if not self.operand.in_memory:
            return 0
        return self.core.memory.layout.accesses_of_bytes(self.core.address(self.operand), self.operand.size)

    def placed(self) -> PlacedStream:
        """Where its elements are in data memory; only meaningful for an operand there."""
        return self.operand.placed(self.core.address(self.operand))

    def view(self) -> AnyArray:
        """The live elements of a memory or accumulator operand."""
        operand, core = self.operand, self.core
        if operand.kind is Kind.ACC:
            first = operand.value * core.part.lanes
            return core.acc[first : first + operand.length]
        where = core.memory.layout.elements(core.address(operand), operand.length, operand.bits)
        elements: AnyArray = core.memory.elements[operand.bits]
        return elements[where]

    def reader(self) -> Reader:
        """A function that returns the elements as int64; the result must not be written to."""
        operand = self.operand
        if operand.kind is Kind.IMM:
            constant = np.array([operand.value], np.int64)
            return lambda: constant
        if operand.moving:
            return lambda: self.view().astype(np.int64)
        view = self.view()
        if operand.kind is Kind.ACC and operand.bits == ACCUMULATOR_BITS:
            return lambda: view
        if operand.kind is Kind.ACC:
            narrow = ELEMENT_TYPES[operand.bits]
            return lambda: view.astype(narrow).astype(np.int64)
        return lambda: view.astype(np.int64)

    def writer(self) -> Writer:
        """A function that stores int64 values (memory keeps their low bits)."""
        if self.operand.moving:
            return self._store_and_tell
        view = self.view()
        if self.operand.in_memory and self.core.memory.overlaps_watched(*self.bytes()):
            return self._store_and_tell

        def store(values: Int64Array) -> None:
            view[...] = values

        return store

    def check_source(self, source: OperandStream) -> None:
        """MachineFault when a store to this stream could reach elements of the source that are still to be read."""
        to, of = self.core.address(self.operand), self.core.address(source.operand)
        check_order(self.operand, to, source.operand, of, self.core.part.lanes)

    def _store_and_tell(self, values: Int64Array) -> None:
        self.view()[...] = values
        if self.operand.in_memory:
            self.core.memory.written(*self.bytes())
