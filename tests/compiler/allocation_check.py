"""An independent check of an allocation: plays the operations on memory that remembers who wrote each byte.

Knows nothing of lifetimes. All iterations run; conditions are played once with every first branch and once
with every second one, two frames each; whoever reads must find its own bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.fmir.ir import (
    Buffer,
    Fmir,
    If,
    Loop,
    Mac,
    Op,
    Products,
    Role,
    Send,
    View,
    reads,
    walk,
    writes,
)
from femtodriver.part import Part

LANES = 8
SHARING = (Role.TEMP, Role.CARRIED)
Range = tuple[int, int]


def faults(fmir: Fmir, maps: Mapping[int, CoreMap], part: Part) -> list[str]:
    """Everything that is wrong with the places of buffers, matrices and tables."""
    found = [fault for places in maps.values() for fault in _static(fmir, places, part)]
    for branch in (True, False):
        player = _Player(fmir, maps, part, branch)
        for _ in range(2):
            player.frame()
        found += player.faults
    return found


def _static(fmir: Fmir, places: CoreMap, part: Part) -> Iterable[str]:
    """What must hold at all times: inside the memory, aligned, and nothing on what lives forever."""
    core = f"core {places.core}"
    ranges = {name: _bytes(fmir.buffers[name], places) for name in places.address}
    for name, (weights, mask) in places.packed.items():
        ranges[f"weights {name}"] = (8 * places.weights[name], 8 * (places.weights[name] + len(weights)))
        ranges[f"mask {name}"] = (8 * places.masks[name], 8 * (places.masks[name] + len(mask)))
    for name, (first, end) in ranges.items():
        inside = any(low <= first <= end <= min(high, part.dm_bytes) for low, high in places.stretches)
        if first % 8 or not inside:
            yield f"{core}: {name} at bytes {first} to {end} of {places.stretches}"
    sharing = {name for name in ranges if name in fmir.buffers and fmir.buffers[name].role in SHARING}
    for one, other in combinations([name for name, (first, end) in ranges.items() if first < end], 2):
        if not {one, other} <= sharing and _meet(ranges[one], ranges[other]):
            yield f"{core}: {one} and {other} overlap"
    for name, row in places.acc_row.items():
        buffer = fmir.buffers[name]
        if buffer.role not in SHARING or row < 0 or row + -(-buffer.length // LANES) > places.mac_row:
            yield f"{core}: {name} in accumulator row {row}"
    yield from _tables(fmir, places, part)


def _tables(fmir: Fmir, places: CoreMap, part: Part) -> Iterable[str]:
    taken: dict[int, list[tuple[Range, str]]] = {}
    for name, place in places.tables.items():
        rows = (place.row, place.row + len(fmir.tables[name]))
        if rows[1] > part.tm_bank_words or place.bank + (1 << place.ways) > part.tm_banks:
            yield f"core {places.core}: table {name} outside"
        for bank in range(place.bank, place.bank + (1 << place.ways)):
            yield from (f"tables {name} and {other}" for there, other in taken.get(bank, []) if _meet(rows, there))
            taken.setdefault(bank, []).append((rows, name))


def _bytes(buffer: Buffer, places: CoreMap) -> Range:
    first, copies = places.address[buffer.name], 1 if buffer.position is None else 2
    return first, first + copies * -(-buffer.length * buffer.bits // 64) * 8


def _meet(one: Range, other: Range) -> bool:
    return one[0] < other[1] and other[0] < one[1]


class _Player:
    def __init__(self, fmir: Fmir, maps: Mapping[int, CoreMap], part: Part, branch: bool) -> None:
        self.fmir, self.maps, self.branch = fmir, maps, branch
        self.number = {name: index for index, name in enumerate(fmir.buffers, start=1)}
        self.memory = {core: np.zeros(part.dm_bytes, np.int32) for core in maps}
        self.accumulators = {core: np.zeros(part.acc_rows * LANES, np.int32) for core in maps}
        self.faults: list[str] = []
        self.cursors: dict[str, int] = {}
        for name, buffer in fmir.buffers.items():
            if buffer.role in (Role.STATE, Role.CONST) and name in maps[buffer.core].address:
                self._mark(View(name, 0, buffer.length))

    def frame(self) -> None:
        """One frame, inputs first."""
        for port in self.fmir.inputs:
            if port.length:
                self._mark(View(port.buffer, 0, port.length))
        self._play(self.fmir.ops)
        for port in self.fmir.outputs:
            if port.length:
                self._check(View(port.buffer, 0, port.length), f"output {port.name}")

    def _play(self, ops: Iterable[Op]) -> None:
        for op in ops:
            for view in reads(op):
                for part in self._written(view) if isinstance(op, Send) else [view]:
                    self._check(part, str(op)[:200])
            if isinstance(op, Loop):
                self._loop(op)
            elif isinstance(op, If):
                self._play(op.then if self.branch else op.orelse)
            else:
                if isinstance(op, (Mac, Products)):
                    self.accumulators[op.core][self.maps[op.core].mac_row * LANES :] = 0
                for view in writes(op):
                    self._mark(view)

    def _written(self, view: View) -> list[View]:
        """The parts of a view that some operation writes, or that have a value from the start: a message of several
        values may have gaps between them."""
        if self.fmir.buffers[view.buffer].role not in SHARING:
            return [view]
        made = [one for op in walk(self.fmir.ops) for one in writes(op) if one.buffer == view.buffer]
        if any(one.cursor for one in made):
            return [view]
        meeting = [(max(one.offset, view.offset), min(one.end, view.end)) for one in made]
        return [View(view.buffer, low, high - low) for low, high in meeting if low < high]

    def _loop(self, op: Loop) -> None:
        for cursor in op.cursors:
            self.cursors[cursor.name] = self.cursors[cursor.parent] if cursor.parent else 0
        for _ in range(op.count):
            self._play(op.body)
            for cursor in op.cursors:
                self.cursors[cursor.name] += cursor.stride

    def _cells(self, view: View) -> npt.NDArray[np.int32]:
        buffer = self.fmir.buffers[view.buffer]
        places = self.maps[buffer.core]
        first = view.offset + (self.cursors[view.cursor] if view.cursor else 0)
        end = first + view.end - view.offset
        if view.buffer in places.acc_row:
            row = places.acc_row[view.buffer] * LANES
            return self.accumulators[buffer.core][row + first : row + end]
        address = places.address[view.buffer]
        return self.memory[buffer.core][address + first * buffer.bits // 8 : address + end * buffer.bits // 8]

    def _mark(self, view: View) -> None:
        self._cells(view)[...] = self.number[view.buffer]

    def _check(self, view: View, where: str) -> None:
        found = {int(number) for number in np.unique(self._cells(view))}
        if found != {self.number[view.buffer]}:
            names = [name for name, number in self.number.items() if number in found] or ["nobody"]
            self.faults.append(f"{view} holds what {', '.join(names)} wrote, in: {where}")
