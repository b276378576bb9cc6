"""Ropes: a value as consecutive views, so that splitting and concatenating cost nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from femtodriver.compiler.fmir.ir import View

Rope = tuple[View, ...]


def length(rope: Rope) -> int:
    """Number of elements."""
    return sum(view.length for view in rope)


def join(ropes: Iterable[Rope]) -> Rope:
    """Concatenation; neighbouring views of one buffer become one view, empty ones vanish."""
    joined: list[View] = []
    for view in (view for rope in ropes for view in rope if view.length):
        last = joined[-1] if joined else None
        if last and _continues(last, view):
            joined[-1] = View(last.buffer, last.offset, last.length + view.length, 1, last.cursor)
        else:
            joined.append(view)
    return tuple(joined)


def part(rope: Rope, first: int, end: int) -> Rope:
    """Elements [first, end)."""
    pieces, position = [], 0
    for view in rope:
        low, high = max(first - position, 0), min(end - position, view.length)
        if low < high:
            pieces.append(view.part(low, high))
        position += view.length
    return join([tuple(pieces)])


def cut(rope: Rope, ranges: Sequence[tuple[int, int]]) -> list[Rope]:
    """The elements of each of these ranges, which follow each other from 0 to the end; in one walk along the rope."""
    found: list[Rope] = []
    number, taken = 0, 0
    for first, end in ranges:
        pieces, missing = [], end - first
        while missing:
            view = rope[number]
            size = min(view.length - taken, missing)
            pieces.append(view.part(taken, taken + size))
            taken, missing = taken + size, missing - size
            if taken == view.length:
                number, taken = number + 1, 0
        found.append(join([tuple(pieces)]))
    return found


def aligned(ropes: Sequence[Rope]) -> list[tuple[int, int]]:
    """Element ranges in which none of the ropes (of equal length) changes its view."""
    cuts = {0}
    for rope in ropes:
        position = 0
        for view in rope:
            position += view.length
            cuts.add(position)
    return list(pairwise(sorted(cuts)))


def spread(rope: Rope, count: int) -> Rope:
    """The single element of ``rope``, ``count`` times."""
    return (View(rope[0].buffer, rope[0].offset, count, 0, rope[0].cursor),) if count else ()


def take(rope: Rope, indices: Sequence[int]) -> Rope:
    """The elements at these indices, runs of consecutive ones as one view."""
    pieces: list[Rope] = []
    start = 0
    for end in range(1, len(indices) + 1):
        if end == len(indices) or indices[end] != indices[end - 1] + 1:
            pieces.append(part(rope, indices[start], indices[end - 1] + 1))
            start = end
    return join(pieces)


def _continues(last: View, view: View) -> bool:
    same = last.buffer == view.buffer and last.cursor == view.cursor and last.step == view.step == 1
    return same and last.end == view.offset
