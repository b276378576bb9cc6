"""From when to when a buffer holds something, in operation numbers, loops included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from femtodriver.compiler.fmir.ir import Fmir, Loop, Op, Role, bodies, reads, writes

Life = tuple[int, int]
# Roles whose buffers may share memory; all others keep theirs forever.
SHORT_LIVED = (Role.TEMP, Role.CARRIED)


@dataclass(frozen=True)
class _Touch:
    """An operation touches a buffer: its number, whether it only reads, and the innermost loop around it (or -1)."""

    number: int
    only_reads: bool
    loop: int


@dataclass
class _Record:
    """Where buffers are touched, which operations each loop spans, and which loop is around it (or -1)."""

    number: int = 0
    touched: dict[str, list[_Touch]] = field(default_factory=dict)
    loops: list[Life] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)


def lifetimes(fmir: Fmir, core: int) -> Mapping[str, Life]:
    """First and last operation at which each short-lived buffer of a core holds a value.

    What is carried through a loop, or is made before it and read in it, lives through all of it.
    """
    record = _Record()
    _visit(fmir.ops, record, -1)
    lives = {}
    for name, touches in record.touched.items():
        buffer = fmir.buffers[name]
        if buffer.core == core and buffer.role in SHORT_LIVED:
            lives[name] = _life(touches, record)
    return lives


def overlap(one: Life, other: Life) -> bool:
    """Whether both hold something at some operation."""
    return one[0] <= other[1] and other[0] <= one[1]


def _visit(ops: Iterable[Op], record: _Record, loop: int) -> None:
    for op in ops:
        record.number += 1
        start = record.number
        for view in reads(op):
            record.touched.setdefault(view.buffer, []).append(_Touch(start, True, loop))
        for view in writes(op):
            record.touched.setdefault(view.buffer, []).append(_Touch(start, False, loop))
        inner = loop
        if isinstance(op, Loop):
            inner = len(record.loops)
            record.loops.append((start, start))
            record.parents.append(loop)
        for body in bodies(op):
            _visit(body, record, inner)
        if isinstance(op, Loop):
            record.loops[inner] = (start, record.number)


def _life(touches: list[_Touch], record: _Record) -> Life:
    first, last = touches[0].number, touches[-1].number
    for loop in _around(touches, record.parents):
        start, end = record.loops[loop]
        inside = [touch for touch in touches if start <= touch.number <= end]
        if len(inside) < len(touches) or inside[0].only_reads:
            first, last = min(first, start), max(last, end)
    return first, last


def _around(touches: list[_Touch], parents: list[int]) -> set[int]:
    """The loops around any of these operations."""
    found: set[int] = set()
    for touch in touches:
        loop = touch.loop
        while loop >= 0 and loop not in found:
            found.add(loop)
            loop = parents[loop]
    return found
