"""What a stream instruction asks of the banks of data memory: the numbers that its cycles depend on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from femtodriver.isa.cycles import BankLoad
from femtodriver.machine.data_layout import WORD_BYTES, DataLayout


class PlacedStream(NamedTuple):
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
    moved = _moved_together(layout, streams)
    return _bank_load(layout, lanes, length, moved[: len(sources)], moved[-1] if dst else None)


def _moved_together(layout: DataLayout, streams: Sequence[PlacedStream]) -> tuple[PlacedStream, ...]:
    """Streams of the same load at the lowest addresses, so that most instructions of a program ask for the same.

    Where each lies within one pair of banks, it matters only which of them share a pair, and in which of a pair's banks
    they begin.
    """
    pair_bytes = 2 * layout.bank_words * WORD_BYTES
    pairs: dict[int, int] = {}
    moved = []
    for address, length, size in streams:
        pair, offset = divmod(address, pair_bytes)
        if offset + length * size > pair_bytes:
            return tuple(streams)
        place = pairs.setdefault(pair, len(pairs))
        moved.append(PlacedStream(place * pair_bytes + offset % (2 * WORD_BYTES), length, size))
    return tuple(moved)


@lru_cache(maxsize=1 << 12)
def _bank_load(
    layout: DataLayout, lanes: int, length: int, sources: tuple[PlacedStream, ...], dst: PlacedStream | None
) -> BankLoad:
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
    counts: Counter[int] = Counter()
    for stream in streams:
        address, size = stream.part(first, end)
        for bank, words in layout.words_by_bank(*layout.words_of_bytes(address, size)):
            counts[bank] += words
    return max(counts.values(), default=0)
