"""What a stream instruction asks of the banks of data memory: the numbers that its cycles depend on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from femtodriver.isa.cycles import BankLoad
from femtodriver.machine.data_layout import WORD_BYTES, DataLayout


@dataclass(frozen=True)
class PlacedStream:
    """``length`` elements of ``size`` bytes in data memory, from a byte address on."""

    address: int
    length: int
    size: int

    def part(self, first: int, end: int) -> tuple[int, int]:
        """Byte address and bytes of the elements from ``first`` to before ``end``; one element goes with the first."""
        if self.length == 1:
            first, end = min(first, 1), min(end, 1)
        return self.address + first * self.size, (end - first) * self.size


def bank_load(
    layout: DataLayout, lanes: int, length: int, sources: Sequence[PlacedStream], dst: PlacedStream | None
) -> BankLoad:
    """The load of an instruction of ``length`` elements; operands that are not in data memory are left out."""
    streams = [*sources, *([dst] if dst else [])]
    cuts = {row for stream in streams for row in _next_pairs(layout, lanes, stream)}
    edges = sorted({0, length, *(lanes * row for row in cuts)})
    parts = tuple((end - first, _busiest(layout, streams, first, end)) for first, end in pairwise(edges))
    first_reads, second_reads = (_busiest(layout, sources, 0, min(length, rows * lanes)) for rows in (1, 2))
    ends = [dst] if dst else []
    last_row = (length - 1) // lanes * lanes
    last_writes = max(
        _busiest(layout, ends, max(last_row - lanes, 0), last_row), _busiest(layout, ends, last_row, length)
    )
    return BankLoad(parts, max(first_reads, 1), second_reads, max(last_writes, 1))


def _next_pairs(layout: DataLayout, lanes: int, stream: PlacedStream) -> Iterator[int]:
    """The rows in which a stream goes on in the next pair of banks."""
    pair = 2 * layout.bank_words * WORD_BYTES
    end = stream.address + stream.length * stream.size
    for boundary in range((stream.address // pair + 1) * pair, end, pair):
        yield (boundary - stream.address) // stream.size // lanes


def _busiest(layout: DataLayout, streams: Sequence[PlacedStream], first: int, end: int) -> int:
    """Accesses of the busiest bank for some elements of the streams."""
    counts = np.zeros(layout.banks, np.int64)
    for stream in streams:
        address, size = stream.part(first, end)
        if size:
            counts += layout.accesses_of_bytes(address, size)
    return int(counts.max())
